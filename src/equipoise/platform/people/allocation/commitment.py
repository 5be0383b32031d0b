"""Fixing who is drawn in a stage, before anybody can know how: the commitment.

What is committed is kept row by row, so that nothing which happens to people, roster or protocol between
commitment and draw can move the draw.
"""

import csv
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import polars as pl

from equipoise.allocation import (
    QUICKNET,
    Beside,
    ExpectedRound,
    Units,
    allocate,
    beside_of,
    is_rolling,
    refuse_unready,
    roster_hash,
    stage_of,
    units_of,
)
from equipoise.errors import InputError, Problem
from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.people.frames import people_frame
from equipoise.platform.people.models import Allocation, Committed, Participant
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.policies import check_state
from equipoise.platform.registry.models import Stage, Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol import Study as StudyFolder
from equipoise.protocol import current_hash
from equipoise.protocol.models.allocation import Stage as DeclaredStage
from equipoise.protocol.timeline import stages_before
from equipoise.roster import identifier_of

__all__ = [
    "beside_kept",
    "commit_stage",
    "committed_folder",
    "committed_units",
    "expected_round",
    "strata_of",
]

Answered = Mapping[str, Mapping[str, datetime]]
_LONGEST = 300  # characters of a stratum's or a cluster's name
_ROWS_AT_ONCE = 2_000


def commit_stage(who: Acting, stage: Stage, *, answered: Answered | None = None) -> Stage:
    """Fix who is drawn in a stage and in which strata, at which ratio and by which folder of the study.

    From here on nobody is added, dropped or moved: whoever enrols later is not in this draw, and whoever
    leaves is drawn nevertheless. With rolling enrolment the protocol's hash stands in for the roster's.

    Args:
        who: needs `allocation.commit`.
        stage: a planned one.
        answered: by wave and participant's key, when they answered: for stages that select people by it. As
            `fieldwork.frame.answered_times` gives it.
    Raises:
        InputError: it is committed already, a wave before it is still open, nobody is enrolled, an earlier
            stage is not drawn, nobody has a declared level, or the method cannot be drawn.
    """
    study = stage.study
    check_permission(who, "allocation.commit", study)
    check_state("allocation.commit", study.state, of=study.name)
    loaded, at = folder_of(study), now().replace(microsecond=0)
    if not is_rolling(loaded):
        refuse_unready(loaded, stage.name, at)
        _refuse_unsettled(study, loaded, stage.name)
    with writing():
        units = None if is_rolling(loaded) else _units_now(study, loaded, stage, answered or {})
        hashed = current_hash(loaded) if units is None else _hashed(loaded, stage, units)
        said = {"stage": stage.name, "version": study.version, "roster_hash": hashed}
        if units is not None:
            said["units"] = len(units.units)
        record(study.name, who.actor, "allocation.commit", said)
        held = Stage.objects.select_for_update().get(pk=stage.pk)
        if held.state != "planned":
            raise InputError(Problem(study.name, stage.name, f"is {held.state} already; who is drawn stands"))
        held.state, held.committed_at, held.roster_hash = "committed", at, hashed
        held.committed = {"version": study.version, "ratio": None if units is None else units.ratio}
        if units is not None and units.beside.numbers:
            held.committed["numbers"] = units.beside.numbers
        held.save(update_fields=["state", "committed_at", "roster_hash", "committed"])
        if units is not None:
            _keep(study, held, units, identifier_of(loaded))
    return held


def committed_folder(stage: Stage) -> StudyFolder:
    """What the study said when the stage was committed; a later amendment does not move its draw."""
    return folder_of(stage.study, (stage.committed or {}).get("version"))


def expected_round(stage: Stage) -> ExpectedRound | None:
    """The public round that decides a committed stage; None where the protocol takes the team's secret alone.

    The first at least an hour after the commitment; with rolling enrolment, after the lock.
    """
    loaded = committed_folder(stage)
    _, declared = stage_of(loaded, stage.name)
    if declared.seed != "public-round":
        return None
    locked = loaded.registration.time if loaded.registration is not None else ""
    return QUICKNET.expected(datetime.fromisoformat(locked) if is_rolling(loaded) else stage.committed_at)


def committed_units(stage: Stage) -> tuple[Units, list[tuple[int, str]]]:
    """The units of a committed stage as they were fixed, and the people in them.

    Returns:
        The units, their people without attributes; `(participant's id, stratum)` in the order of the people.
    """
    loaded = committed_folder(stage)
    _, declared = stage_of(loaded, stage.name)
    rows = list(
        Committed.objects.filter(stage=stage)
        .order_by("participant__key")
        .values_list("participant_id", "participant__key", "unit", "stratum", "beside")
    )
    known_of = {unit or key: (stratum, beside) for _, key, unit, stratum, beside in rows}
    names = sorted(known_of)
    labels = [known_of[name][0] for name in names]
    committed = stage.committed or {}
    beside = beside_kept(declared, [known_of[name][1] for name in names])
    units = Units(
        people=pl.DataFrame({identifier_of(loaded): [row[1] for row in rows]}),
        units=names,
        strata=strata_of(declared.drawn_within, labels),
        labels=labels if declared.drawn_within else None,
        ratio=committed["ratio"],
        cluster=[row[2] for row in rows] if declared.unit != "participant" else None,
        beside=replace(beside, numbers=tuple(committed.get("numbers", ()))),
    )
    return units, [(row[0], row[3]) for row in rows]


def strata_of(names: Sequence[str], labels: Sequence[str]) -> dict[str, list[str]]:
    """The values of stratifying columns from strata's names, which are rows of CSV."""
    values = {label: next(csv.reader([label]), []) or [""] for label in set(labels)}
    return {name: [values[label][place] for label in labels] for place, name in enumerate(names)}


def beside_kept(declared: DeclaredStage, kept: Sequence[Sequence[str]]) -> Beside:
    """What a stage's method looks at beside the strata, from what was kept of each unit."""
    columns = enumerate(declared.balanced_on)
    return beside_of(declared, {name: [values[place] for values in kept] for place, name in columns})


def _refuse_unsettled(study: Study, loaded: StudyFolder, name: str) -> None:
    """A stage that comes after others waits until they are drawn."""
    drawn = set(study.stages.filter(state="drawn").values_list("name", flat=True))
    waiting = [earlier for earlier in stages_before(loaded.protocol, name) if earlier not in drawn]
    if waiting:
        message = f"{', '.join(waiting)} comes before it and is not drawn yet; draw that first"
        raise InputError(Problem(study.name, name, message))


def _units_now(study: Study, loaded: StudyFolder, stage: Stage, answered: Answered) -> Units:
    """The units of a stage as people stand, drawn once on trial with a seed that is thrown away."""
    _, declared = stage_of(loaded, stage.name)
    people = people_frame(loaded, Participant.objects.filter(study=study, state="enrolled"))
    if not people.height:
        raise InputError(Problem(study.name, stage.name, "nobody is enrolled yet; import the roster first"))
    identifier = identifier_of(loaded)
    people = people.with_columns(_facts_before(study, loaded, stage.name, people[identifier], answered))
    units = units_of(loaded, stage.name, declared, people, identifier)
    _refuse_long([*(units.labels or ()), *(units.cluster or ())], study, stage)
    allocate(
        units.units,
        units.labels,
        units.ratio,
        method=declared.method,
        stage=stage.name,
        seed=secrets.token_bytes(32),
        blocks=declared.blocks if declared.method == "permuted-blocks" else None,
        beside=units.beside,
    )
    return units


def _facts_before(
    study: Study, loaded: StudyFolder, name: str, keys: pl.Series, answered: Answered
) -> Iterator[pl.Series]:
    """What a later stage may ask besides the roster: who answered when, and the arms of earlier stages."""
    for wave, times in answered.items():
        moments = [times.get(key) for key in keys]
        yield pl.Series(f"answered_{wave}", moments, dtype=pl.Datetime("us", "UTC"))
    for earlier in stages_before(loaded.protocol, name):
        rows = Allocation.objects.filter(stage__study=study, stage__name=earlier)
        arms = dict(rows.values_list("participant__key", "arm"))
        yield pl.Series(loaded.protocol.arm_column(earlier), [arms.get(key) for key in keys], dtype=pl.String)


def _refuse_long(names: Sequence[str], study: Study, stage: Stage) -> None:
    long = next((name for name in names if len(name) > _LONGEST), None)
    if long is not None:
        message = f'the name "{long[:60]}..." has {len(long)} characters; at most {_LONGEST} are kept'
        raise InputError(Problem(study.name, stage.name, message))


def _hashed(loaded: StudyFolder, stage: Stage, units: Units) -> str:
    _, declared = stage_of(loaded, stage.name)
    return roster_hash(units.units, units.columns, unit=declared.unit)


def _keep(study: Study, stage: Stage, units: Units, identifier: str) -> None:
    """A row for each person who is drawn."""
    ids = dict(Participant.objects.filter(study=study).values_list("key", "pk"))
    labels, beside = units.labels or [""] * len(units.units), units.beside.columns.values()
    known_of = {
        unit: {"stratum": stratum, "beside": [values[row] for values in beside]}
        for row, (unit, stratum) in enumerate(zip(units.units, labels, strict=True))
    }
    keys = units.people[identifier].to_list()
    clusters = units.cluster or [""] * len(keys)
    rows = (
        Committed(stage=stage, participant_id=ids[key], unit=unit, **known_of[unit or key])
        for key, unit in zip(keys, clusters, strict=True)
    )
    Committed.objects.bulk_create(rows, batch_size=_ROWS_AT_ONCE)
