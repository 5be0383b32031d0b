"""The people expected: enough for the strata, with responses that are shares in every arm, alike or not."""

from collections.abc import Iterator
from math import prod

from equipoise.errors import Problem
from equipoise.protocol.checks.places import at
from equipoise.protocol.models.allocation import Stage, Unit
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import timeline, waves_before

__all__ = ["cells_of_strata", "check_expected", "response_by_arm", "units_expected"]

_ROUNDED = 1e-9


def check_expected(study: Study) -> Iterator[Problem]:
    """Strata, response by arm, intracluster correlations."""
    for name, stage in study.protocol.allocation.items():
        yield from _strata(study, name, stage)
    yield from _response(study)
    yield from _likeness(study)


def cells_of_strata(protocol: Protocol, stage: Stage) -> int:
    """How many strata a stage has at least, as far as the roster lists the levels of their columns."""
    roster = protocol.participants.roster if protocol.participants else {}
    sizes = []
    for column in stage.strata:
        known = roster.get(column)
        levels = len(known.levels or ()) if known is not None else 0
        sizes.append(2 if known is not None and known.type == "yes-no" else max(levels, 1))
    return prod(sizes)


def units_expected(protocol: Protocol, stage: Stage, people: int | None = None) -> float | None:
    """How many units a stage allocates, people or clusters; None where the protocol does not say.

    Args:
        protocol: says how many people are expected, which clusters there are or how many are in each.
        stage: of the protocol.
        people: in place of those expected.
    """
    if people is None and protocol.participants is not None:
        people = protocol.participants.expected
    if stage.unit == "participant" or protocol.participants is None:
        return people
    unit, column = protocol.units.get(stage.unit), protocol.participants.roster.get(stage.unit)
    if column is not None and column.levels:
        return len(column.levels)
    return people / unit.people if people is not None and unit is not None and unit.people else None


def response_by_arm(protocol: Protocol, wave: str) -> dict[str, float]:
    """The share that is assumed to answer a wave, by arm of the main stage.

    Before the allocation there is one share; after it, the other arms differ from the first by
    `differs-by-arm`, around the response of all.
    """
    response = protocol.diagnosis.assume.response
    rate = response.waves.get(wave, 1.0)
    stage = protocol.allocation.get(protocol.main_stage)
    if (
        stage is None
        or wave in waves_before(protocol, protocol.main_stage)
        or not stage.ratio
        or stage.to == "sequences"
    ):
        return dict.fromkeys(protocol.arms, rate)
    shares, arms = stage.ratio[0].shares, list(stage.arms)
    total = sum(shares.values())
    first = shares.get(next(iter(arms), ""), 0) / total if total else 0.0
    gap = response.differs_by_arm
    return {
        arm: rate - gap * (1 - first) if place == 0 else rate + gap * first for place, arm in enumerate(arms)
    }


def _strata(study: Study, name: str, stage: Stage) -> Iterator[Problem]:
    expected, arms = units_expected(study.protocol, stage), len(study.protocol.drawn(name))
    cells = cells_of_strata(study.protocol, stage)
    if expected is None or cells < 2 or expected >= cells * arms:
        return
    what = "people" if stage.unit == "participant" else f"units ({stage.unit})"
    most = int(expected // arms)
    message = (
        f"{expected:,.0f} {what} are expected in {cells:,} strata, {expected / cells:.2g} in each, and "
        f"there are {arms} arms: many strata could not have them all. Have {max(most, 1):,} strata or "
        f"fewer, or {cells * arms:,} {what} or more"
    )
    yield at(study, "allocation", name, "strata", message=message)


def _response(study: Study) -> Iterator[Problem]:
    protocol = study.protocol
    response = protocol.diagnosis.assume.response
    for wave, rate in response.waves.items():
        known = wave in protocol.waves and wave in timeline(protocol).opens
        rates = response_by_arm(protocol, wave) if known else {}
        wrong = {arm: share for arm, share in rates.items() if not -_ROUNDED <= share <= 1 + _ROUNDED}
        if not wrong:
            continue
        arm, share = next(iter(wrong.items()))
        room = min(rate, 1 - rate) / (abs(share - rate) / abs(response.differs_by_arm))
        message = (
            f"with a response of {rate:g} to {wave}, a difference of {response.differs_by_arm:g} by arm "
            f'would have {share:.3g} of the arm "{arm}" answer; it can be {room:.2g} at most, either way'
        )
        yield at(study, "diagnosis", "assume", "response", "differs-by-arm", message=message)


def _likeness(study: Study) -> Iterator[Problem]:
    """People of a cluster cannot be less alike than -1 / (people - 1)."""
    protocol = study.protocol
    for name, unit in protocol.units.items():
        if unit.icc is not None:
            yield from _too_unlike(study, ("units", name, "icc"), unit, unit.icc)
    stage = protocol.allocation.get(protocol.main_stage)
    allocated = protocol.units.get(stage.unit) if stage is not None else None
    for name, assumed in protocol.diagnosis.assume.outcomes.items():
        if assumed.icc is None:
            continue
        where = ("diagnosis", "assume", name, "icc")
        if stage is None or stage.unit == "participant":
            message = "an intracluster correlation, and no clusters are allocated; leave it out"
            yield at(study, *where, message=message)
        elif allocated is not None:
            yield from _too_unlike(study, where, allocated, assumed.icc)


def _too_unlike(study: Study, path: tuple[str, ...], unit: Unit, icc: float) -> Iterator[Problem]:
    least = -1 / (unit.people - 1) if unit.people is not None and unit.people > 1 else -1.0
    if icc < least - _ROUNDED:
        message = (
            f"an intracluster correlation of {icc:g} among {unit.people:g} people; in clusters of that "
            f"size it is {least:.3g} at least"
        )
        yield at(study, *path, message=message)
