"""One stage of a study, drawn and recorded: when it may be, with which seed, and how.

Every caller that draws (the command line, a platform) comes through here, so that all draw alike.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from equipoise.allocation.allocating import Allocation, allocate
from equipoise.allocation.chance.roster_hash import roster_hash
from equipoise.allocation.chance.seed import PublicRound, Seed, commitment, derive_seed
from equipoise.allocation.people.units import Units, is_rolling
from equipoise.allocation.record import AllocationRecord, record_of
from equipoise.allocation.verify import refuse_other_arms
from equipoise.errors import CheckFailedError, DesignError, Problem, nearest
from equipoise.protocol.models.allocation import Stage
from equipoise.protocol.registration import current_hash, refuse_changed
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import timeline, waves_before

__all__ = ["draw_stage", "record_arrivals", "refuse_unready", "stage_of", "stage_seed"]


def stage_of(study: Study, name: str | None) -> tuple[str, Stage]:
    """A stage by its name; the main one when none is named.

    Raises:
        DesignError: the study allocates nobody, or has no such stage.
    """
    stages = study.protocol.allocation
    place = f"{study.folder.name}/protocol.yaml"
    if not stages:
        raise DesignError(Problem(place, "allocation", "this study allocates nobody: it declares no arms"))
    name = name or study.protocol.main_stage
    if name not in stages:
        message = f'"{name}" is not a stage of this study. Stages: {nearest(name, list(stages))}'
        raise DesignError(Problem(place, "allocation", message))
    return name, stages[name]


def refuse_unready(study: Study, stage: str, now: datetime) -> None:
    """Stop where a stage may not be drawn yet: the draw waits for the lock and for the waves before it.

    Args:
        study: as loaded.
        stage: the stage's name.
        now: the moment, with its zone; the caller reads the clock.
    Raises:
        ProtocolError: the study is not the one that was locked.
        DesignError: it is not locked, or a wave before the draw is still open: nobody shall answer that
            wave knowing the arm.
    """
    refuse_changed(study)
    if study.registration is None:
        message = "this study is not locked, so no secret was committed to; lock it first: `equipoise lock`"
        raise DesignError(Problem(f"{study.folder.name}/lock.json", "", message))
    closes = timeline(study.protocol).closes
    document = study.documents["protocol.yaml"]
    problems = [
        document.problem(
            ("waves", wave, "closes"),
            f"closes at {_written(closes[wave])} and it is {_written(now)}; the draw waits until then",
        )
        for wave in waves_before(study.protocol, stage)
        if closes[wave] > now
    ]
    if problems:
        raise DesignError(problems)


def stage_seed(
    study: Study, stage: str, secret: bytes, *, roster_hash: str, public_round: PublicRound | None = None
) -> Seed:
    """A stage's seed from the team's secret, if it is the one that the lock committed to.

    Args:
        study: locked.
        stage: the stage's name.
        secret: the team's 32 random bytes.
        roster_hash: of the units; with rolling enrolment it is left aside and the protocol's hash stands in.
        public_round: the round that the lock foresees, if there is one.
    Raises:
        CheckFailedError: another secret than the one committed to.
    """
    committed = study.registration.seed_commitment if study.registration else None
    if commitment(secret) != committed:
        place = f"{study.folder.name}/lock.json"
        raise CheckFailedError(f"this is not the secret that {place} committed to")
    return derive_seed(
        secret,
        protocol_hash=current_hash(study),
        stage=stage,
        roster_hash=None if is_rolling(study) else roster_hash,
        public_round=public_round,
    )


def draw_stage(
    study: Study, name: str, stage: Stage, units: Units, seed: Seed, *, roster_recorded: str | None = None
) -> tuple[Allocation, AllocationRecord]:
    """Draw a stage's arms, and record the draw.

    Args:
        study: as loaded.
        name: the stage's name.
        stage: what the protocol says of it.
        units: as `units_of` gives them; in order of arrival with rolling enrolment.
        seed: as `stage_seed` gives it, or one given outright.
        roster_recorded: when the roster's hash was recorded (ISO 8601), which decides the public round.
    """
    drawn = allocate(
        units.units,
        units.labels,
        units.ratio,
        method=stage.method,
        stage=name,
        seed=seed.value,
        blocks=stage.blocks if stage.method == "permuted-blocks" else None,
        arrival=is_rolling(study),
        beside=units.beside,
    )
    record = record_of(
        drawn,
        seed,
        stage=name,
        strata=tuple(units.strata),
        roster_hash=roster_hash(units.units, units.columns, unit=stage.unit),
        protocol_hash=current_hash(study) if study.registration is not None else None,
        roster_recorded=roster_recorded,
        unit=stage.unit,
    )
    return drawn, record


def record_arrivals(
    study: Study, name: str, stage: Stage, units: Units, arms: Sequence[str], seed: Seed
) -> AllocationRecord:
    """Record what was allocated one by one, after having drawn all of it again.

    The hash that fixed the draw is the protocol's, so the public round counts from the moment of the lock.

    Args:
        study: with rolling enrolment.
        name: the stage's name.
        stage: what the protocol says of it.
        units: everybody who has arrived, in order of arrival.
        arms: the arm that each was given on arrival.
        seed: as `stage_seed` gives it.
    Raises:
        CheckFailedError: somebody was given another arm than the draw gives; the first is named.
    """
    locked = study.registration.time if study.registration is not None else None
    drawn, record = draw_stage(study, name, stage, units, seed, roster_recorded=locked)
    refuse_other_arms(drawn, arms)
    return record


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
