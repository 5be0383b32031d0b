"""What was drawn: its record, who is where in numbers, and the draw done again."""

import hashlib
import json
from collections import Counter
from math import nan
from typing import Any

from django.db.models import Count

from equipoise.allocation import (
    Allocation,
    AllocationRecord,
    BalanceRow,
    Units,
    Verification,
    arms_text,
    is_rolling,
    roster_hash,
    stage_of,
    verify_allocation,
)
from equipoise.allocation.verify import refuse_other_arms
from equipoise.errors import CheckFailedError, InputError, Problem
from equipoise.platform.audit.models import Entry
from equipoise.platform.people.allocation.arrivals import arrived, queue_again
from equipoise.platform.people.allocation.commitment import committed_folder, committed_units
from equipoise.platform.people.allocation.concealed import secret_of
from equipoise.platform.people.allocation.drawing import balance_now, draw_units, recorded_round
from equipoise.platform.people.models import Allocation as Place
from equipoise.platform.registry.models import Stage
from equipoise.protocol import current_hash
from equipoise.roster import identifier_of

__all__ = ["allocation_record", "balance", "public_arms", "strata_counts", "verify_stage"]


def allocation_record(stage: Stage) -> AllocationRecord | None:
    """The record of a stage's draw; None while it is not drawn."""
    return AllocationRecord.from_json(stage.record, place=_place(stage)) if stage.record else None


def strata_counts(stage: Stage) -> dict[str, int]:
    """The units of each stratum: those committed or, with rolling enrolment, those who have come."""
    if stage.state == "planned":
        return {}
    loaded = committed_folder(stage)
    clustered = stage_of(loaded, stage.name)[1].unit != "participant"
    rows = stage.allocations if is_rolling(loaded) else stage.places
    number = Count("unit", distinct=True) if clustered else Count("pk")
    return dict(sorted(rows.values_list("stratum").annotate(number)))


def balance(stage: Stage) -> tuple[BalanceRow, ...]:
    """How alike the arms were in what the roster says of people when they were drawn.

    Raises:
        InputError: the stage is not drawn.
    """
    _refuse_undrawn(stage)
    if stage.balance is None:  # drawn before it was kept
        units = _units(stage)
        return balance_now(stage, units, _again(stage, units)[0])
    return tuple(BalanceRow(**_numbers(row)) for row in stage.balance)


def public_arms(stage: Stage) -> str:
    """Who is in which arm, under pseudonyms, as the CSV file that `equipoise verify` reads beside the record.

    Raises:
        InputError: the stage is not drawn, or the results are still masked: whoever has the data could look
            up each arm.
    """
    _refuse_undrawn(stage)
    if stage.study.results != "unmasked":
        message = "the arms are published when the results are unmasked, or the data would not be masked"
        raise InputError(Problem(stage.study.name, stage.name, message))
    loaded = committed_folder(stage)
    name, declared = stage_of(loaded, stage.name)
    units = _units(stage)
    drawn, _ = _again(stage, units)
    return arms_text(loaded, name, declared, units, drawn, identifier_of(loaded))


def verify_stage(stage: Stage) -> Verification:
    """Draw a stage again with its secret, and compare with what everybody was given and what was recorded.

    Returns:
        What agreed, in words; of a stage that is only committed, that those committed are as hashed.
    Raises:
        CheckFailedError: something differs; the first difference is named.
    """
    try:
        return _verified(stage)
    except CheckFailedError as error:
        raise CheckFailedError(f"{_place(stage)}: {error}") from None


def _numbers(row: dict[str, Any]) -> dict[str, Any]:
    """A stored row, with NaN for what does not apply."""
    return {name: nan if value is None and name != "level" else value for name, value in row.items()}


def _verified(stage: Stage) -> Verification:
    if stage.state == "planned":
        _refuse_early(stage)
        return Verification(0, ("nothing is committed, and nobody has an arm",))
    rolling = is_rolling(committed_folder(stage))
    units = _units(stage)
    written = allocation_record(stage)
    if not rolling:
        _refuse_changed(stage, units)
    if written is None and not rolling:
        _refuse_early(stage)
        return Verification(len(units.units), ("those committed are as hashed", "nobody has an arm yet"))
    arms = _given(stage, units)
    if written is None:
        refuse_other_arms(_again(stage, units)[0], arms)
        return Verification(len(units.units), (f"all {len(arms):,} arms given on arrival are as drawn",))
    _refuse_other_record(stage, written)
    found = verify_allocation(written, units.units, units.columns, arms, secret_of(stage))
    return Verification(found.units, (*found.checks, "the record is the one in the study's chain"))


def _units(stage: Stage) -> Units:
    return arrived(stage)[0] if is_rolling(committed_folder(stage)) else committed_units(stage)[0]


def _again(stage: Stage, units: Units) -> tuple[Allocation, AllocationRecord]:
    if is_rolling(committed_folder(stage)):
        return queue_again(stage, units)
    return draw_units(stage, units, recorded_round(stage))


def _given(stage: Stage, units: Units) -> list[str]:
    """The arm that each unit was given, in the order of the units."""
    rows = Place.objects.filter(stage=stage).values_list("participant__key", "stratum", "number", "arm")
    arm_of = {key: arm for key, _, _, arm in rows}
    keys = units.people[units.people.columns[0]].to_list()
    lacking = [key for key in keys if key not in arm_of]
    if lacking or len(arm_of) != len(keys):
        message = f"{len(arm_of):,} people have an arm and {len(keys):,} should; {len(lacking):,} lack one"
        raise CheckFailedError(message)
    _refuse_gaps([(stratum, number) for _, stratum, number, _ in rows if number is not None])
    if units.cluster is None:
        return [arm_of[key] for key in units.units]
    given: dict[str, str] = {}
    for key, unit in zip(keys, units.cluster, strict=True):
        if given.setdefault(unit, arm_of[key]) != arm_of[key]:
            raise CheckFailedError(f'"{unit}" was drawn whole, and {key} has another arm than the rest of it')
    return [given[unit] for unit in units.units]


def _refuse_gaps(places: list[tuple[str, int]]) -> None:
    """Places in a queue run from 1 without a gap."""
    counts, last = Counter(stratum for stratum, _ in places), dict(sorted(places))
    for stratum, count in counts.items():
        if last[stratum] != count:
            message = f"has {count:,} places and ends at {last[stratum]:,}; one was removed"
            raise CheckFailedError(f'the queue of stratum "{stratum}" {message}')


def _refuse_early(stage: Stage) -> None:
    if stage.allocations.exists():
        raise CheckFailedError("somebody has an arm, and the stage is not drawn")


def _refuse_changed(stage: Stage, units: Units) -> None:
    _, declared = stage_of(committed_folder(stage), stage.name)
    if roster_hash(units.units, units.columns, unit=declared.unit) != stage.roster_hash:
        raise CheckFailedError("those committed are not as their hash says")


def _refuse_other_record(stage: Stage, written: AllocationRecord) -> None:
    """The record is that of this stage, this lock and the entry in the study's chain."""
    loaded = committed_folder(stage)
    committed = loaded.registration.seed_commitment if loaded.registration is not None else None
    said = {
        "stage": (written.stage, stage.name),
        "protocol_hash": (written.protocol_hash, current_hash(loaded)),
        "commitment": (written.commitment, committed),
    }
    for name, (found, expected) in said.items():
        if found != expected:
            raise CheckFailedError(f"{name}: the record says {found}, the study {expected}")
    hashed = hashlib.sha256(stage.record.encode()).hexdigest()
    entries = Entry.objects.filter(chain_id=stage.study.name, verb="allocation.draw")
    entered = [json.loads(details) for details in entries.values_list("details", flat=True)]
    if [each["record"] for each in entered if each["stage"] == stage.name] != [hashed]:
        raise CheckFailedError("the record is not the one that the study's chain has the hash of")


def _refuse_undrawn(stage: Stage) -> None:
    if stage.state != "drawn":
        raise InputError(
            Problem(stage.study.name, stage.name, f"is {stage.state}; it has not been drawn yet")
        )


def _place(stage: Stage) -> str:
    return f"{stage.study.name}: {stage.name}"
