"""The draw of a committed stage: arms, the draw's record and the study's entry, all or nothing, once."""

import hashlib
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from equipoise.allocation import (
    QUICKNET,
    Allocation,
    AllocationRecord,
    BalanceRow,
    PublicRound,
    Units,
    balance_rows,
    inherited_arms,
    is_rolling,
    stage_of,
    stage_seed,
)
from equipoise.allocation import draw_stage as draw
from equipoise.errors import CheckFailedError, InputError, Problem
from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.people.allocation.commitment import (
    committed_folder,
    committed_units,
    expected_round,
)
from equipoise.platform.people.allocation.concealed import secret_of
from equipoise.platform.people.frames import people_frame
from equipoise.platform.people.models import Allocation as Place
from equipoise.platform.people.models import Participant
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.policies import check_state
from equipoise.platform.registry.models import Stage

__all__ = [
    "arms_of",
    "balance_now",
    "draw_stage",
    "draw_units",
    "kept_balance",
    "public_round",
    "recorded_round",
    "refuse_undrawable",
    "said_of",
]

_ROWS_AT_ONCE = 2_000


def draw_stage(who: Acting, stage: Stage, round_text: str | None = None) -> Stage:
    """Draw a committed stage.

    Those committed are those randomised. Somebody who withdrew since then is drawn with the others and gets
    an arm: leaving them out would change everybody else's once the public round is known, and a trial counts
    everybody who was randomised.

    Args:
        who: needs `allocation.draw`.
        stage: committed, its secret handed in.
        round_text: the public round as `NUMBER:HEX`, where the protocol asks for one. A rehearsal may do
            without; the record then says that the seed could have been chosen.
    Raises:
        InputError: it is not committed, was drawn before, or lacks its secret or its round; a round that the
            rule did not choose, or that is still to come; people are allocated as they come.
        CheckFailedError: those committed are no longer as their hash says.
    """
    held = Stage.objects.select_related("study").get(pk=stage.pk)
    study = held.study
    check_permission(who, "allocation.draw", study)
    check_state("allocation.draw", study.state, of=study.name)
    refuse_undrawable(held)
    if is_rolling(committed_folder(held)):
        message = "people of this study are allocated as they come; close its enrolment to record the draw"
        raise InputError(Problem(study.name, held.name, message))
    chance, at = public_round(held, round_text), now()
    units, people = committed_units(held)
    drawn, written = draw_units(held, units, chance)
    arms = arms_of(units, drawn)
    with writing():
        record(study.name, who.actor, "allocation.draw", said_of(held, written))
        fresh = Stage.objects.select_for_update().select_related("study").get(pk=held.pk)
        refuse_undrawable(fresh)
        rows = (
            Place(stage=fresh, participant_id=person, stratum=stratum, arm=arm, at=at)
            for (person, stratum), arm in zip(people, arms, strict=True)
        )
        Place.objects.bulk_create(rows, batch_size=_ROWS_AT_ONCE)
        fresh.state, fresh.drawn_at, fresh.record = "drawn", at, written.to_json()
        fresh.public_round = None if chance is None else asdict(chance)
        fresh.balance = kept_balance(fresh, units, drawn)
        fresh.save(update_fields=["state", "drawn_at", "record", "public_round", "balance"])
    return fresh


def refuse_undrawable(stage: Stage) -> None:
    """Stop where a stage is not there to be drawn.

    Raises:
        InputError: it is drawn, or not committed yet.
    """
    if stage.state == "drawn":
        message = f"was drawn at {_written(stage.drawn_at)}; lots are drawn once, and that draw stands"
        raise InputError(Problem(stage.study.name, stage.name, message))
    if stage.state != "committed":
        message = "who is drawn has not been fixed; commit the stage first"
        raise InputError(Problem(stage.study.name, stage.name, message))


def public_round(stage: Stage, text: str | None) -> PublicRound | None:
    """The public round that was given, if it is the one that the rule chose and it is there.

    Args:
        stage: committed.
        text: `NUMBER:HEX` or, for the signature to be checked, `NUMBER:HEX:SIGNATURE`; None or empty for
            none.
    Raises:
        InputError: none where one is needed, one where none is foreseen, another one, one to come, or one
            that the beacon did not sign.
    """
    expected, text = expected_round(stage), (text or "").strip()
    place = f"{stage.study.name}: {stage.name}"
    if expected is None and text:
        message = (
            "the protocol says `seed: team-secret`, so no public round goes into this draw; leave it out"
        )
        raise InputError(Problem(place, "round", message))
    if expected is None or not (text or settings.WORKSPACE.live):
        return None
    when = f"it appears at {_written(expected.appears)}, at {expected.address}"
    if not text:
        message = f"round {expected.number} decides this draw; {when}; give it as {expected.number}:HEX"
        raise InputError(Problem(place, "round", message))
    given = QUICKNET.read(text)
    if given.number != expected.number:
        message = f"found round {given.number}, but the rule chose round {expected.number}; {when}"
        raise InputError(Problem(place, "round", message))
    if now() < expected.appears:
        raise InputError(Problem(place, "round", f"round {expected.number} is still to come; {when}"))
    return QUICKNET.public_round(given.number, given.randomness, given.signature)


def draw_units(stage: Stage, units: Units, chance: PublicRound | None) -> tuple[Allocation, AllocationRecord]:
    """Draw the units of a committed stage, as often as one likes: always the same.

    Raises:
        InputError: the secret has not been handed in.
        CheckFailedError: the units are not those committed.
    """
    loaded = committed_folder(stage)
    name, declared = stage_of(loaded, stage.name)
    seed = stage_seed(loaded, name, secret_of(stage), roster_hash=stage.roster_hash, public_round=chance)
    drawn, record = draw(loaded, name, declared, units, seed, roster_recorded=_written(stage.committed_at))
    if record.roster_hash != stage.roster_hash:
        raise CheckFailedError(f"{stage.study.name}: {name}: those committed are not as their hash says")
    return drawn, record


def balance_now(stage: Stage, units: Units, drawn: Allocation) -> tuple[BalanceRow, ...]:
    """How alike the arms of a draw are, by what is known of people at this moment.

    Of those who were erased nothing is known any more; they are counted as missing.
    """
    loaded = committed_folder(stage)
    _, declared = stage_of(loaded, stage.name)
    keys = units.people.columns[0]
    facts = people_frame(loaded, Participant.objects.filter(study=stage.study))
    people = units.people.select(keys).join(facts, on=keys, how="left", maintain_order="left")
    return balance_rows(loaded, declared, replace(units, people=people), drawn)


def kept_balance(stage: Stage, units: Units, drawn: Allocation) -> list[dict[str, Any]]:
    """The balance of a draw as it is stored; what does not apply is null."""
    rows = (asdict(row) for row in balance_now(stage, units, drawn))
    return [{name: None if value != value else value for name, value in row.items()} for row in rows]


def arms_of(units: Units, drawn: Allocation) -> list[str]:
    """Each person's arm, in the order of the units' people."""
    return drawn.arms if units.cluster is None else inherited_arms(drawn, units.cluster)


def recorded_round(stage: Stage) -> PublicRound | None:
    """The public round that went into a stage's draw."""
    return None if stage.public_round is None else PublicRound(**stage.public_round)


def said_of(stage: Stage, drawn: AllocationRecord) -> dict[str, Any]:
    """What the study's record says of a draw: hashes, and units by stratum; nobody's arm."""
    return {
        "stage": stage.name,
        "record": hashlib.sha256(drawn.to_json().encode()).hexdigest(),
        "roster_hash": drawn.roster_hash,
        "units": {stratum: sum(by_arm.values()) for stratum, by_arm in drawn.counts.items()},
    }


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
