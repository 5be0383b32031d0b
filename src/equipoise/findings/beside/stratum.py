"""The effect on people to whom an event would happen in neither arm: a principal stratum, bounded.

Nobody is seen in both arms, so nobody can be told to belong to the stratum, and the data alone do not give
its effect. If the arm moves the event one way only, the arm in which it happened more often holds, among
those to whom it did not happen, nobody but the stratum; of the other arm as many as were spared by it are
trimmed, first from the top and then from the bottom.
"""

from collections.abc import Iterator

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.missing.any_direction import bounds_in_any_direction
from equipoise.estimation.missing.lee import LeeBounds, lee_bounds
from equipoise.findings.beside.missing import bare, estimated_otherwise, with_bounds
from equipoise.findings.results import Finding
from equipoise.findings.sampling.covariates import Labels, labels_of
from equipoise.findings.sampling.measured import Measured
from equipoise.findings.sampling.strategies import events_with, met_any
from equipoise.protocol.names import in_words
from equipoise.protocol.study import Study

__all__ = ["bounded_in_stratum", "has_stratum"]

_ASSUMING = "assuming that the arm moves {events} one way only"
_SOURCE = "(Zhang and Rubin 2003; Lee 2009)"
_OTHERWISE_MISSING = (
    "those who did not answer, though it did not happen to them, are taken to be like those of their arm who "
    "did"
)


def has_stratum(study: Study) -> bool:
    """Whether the protocol asks for the effect in a principal stratum."""
    return bool(events_with(study, "principal-stratum"))


def bounded_in_stratum(effect: Finding, measured: Measured) -> Iterator[Finding]:
    """The effect, which cannot be estimated, with the reason; then its bounds (Zhang & Rubin 2003; Lee 2009).

    Args:
        effect: with nothing but its provenance.
        measured: what it would be found from.
    """
    events = events_with(measured.study, "principal-stratum")
    named = " or ".join(in_words(event) for event in events)
    yield effect.model_copy(
        update={
            "not_estimable": f"nobody is seen in both arms, so it is not known to whom {named} would happen "
            "in neither (principal stratum); the bounds beside it say what the data allow, "
            f"{_ASSUMING.format(events=named)}",
        }
    )
    base = _bound(effect, measured, named)
    try:
        lacking = [event for event in events if not measured.data.has(event)]
        if lacking:
            raise DesignError(f'the data have no column "{lacking[0]}", which says to whom it happened')
        found, notes = _found(measured)
    except DesignError as error:
        yield base.model_copy(update={"not_estimable": str(error)})
        return
    words = _words(found, measured, named)
    yield from with_bounds(base, (found.low, found.high), found.interval, words, notes)
    yield from _in_any_direction(base, measured, named)


def _bound(effect: Finding, measured: Measured, named: str) -> Finding:
    words = _estimand(effect, measured, f"by bounds, {_ASSUMING.format(events=named)}")
    sample, spared = measured.sample, ~met_any(measured.study, measured.data, "principal-stratum")
    return bare(effect).model_copy(
        update={
            "id": f"{effect.id}.principal-stratum",
            "tier": effect.tier if effect.tier == "exploratory" else "supplementary",
            "estimand": words,
            "n": sample.counts(spared & measured.answered),
            "n_missing": sample.counts(spared & ~measured.answered),
        }
    )


def _estimand(effect: Finding, measured: Measured, how: str) -> str:
    return estimated_otherwise(effect, measured, f"{how}, from those who answered")


def _found(measured: Measured) -> tuple[LeeBounds, tuple[str, ...]]:
    """Bounds by stratum of the allocation; over all people where the event allows no other.

    Raises:
        DesignError: the event or the answers leave nobody to compare in an arm.
    """
    inside, strata = measured.sample.inside, measured.all_strata
    spared = ~met_any(measured.study, measured.data, "principal-stratum")
    compared = inside & (measured.weights[measured.sample.code] != 0)
    silent = int((compared & spared & ~measured.answered).sum())
    notes = (f"{silent} people did not answer: {_OTHERWISE_MISSING}",) if silent else ()
    if strata is None:
        return _bounds(measured, spared, None), notes
    try:
        return _bounds(measured, spared, strata[inside]), notes
    except DesignError:
        if len(measured.study.protocol.allocation[measured.sample.stage].ratio) > 1:
            raise
        told = "not tightened by strata: in some the arm moves the event the other way, or too few are left"
        return _bounds(measured, spared, None), (*notes, told)


def _bounds(measured: Measured, spared: np.ndarray, cells: Labels | None) -> LeeBounds:
    inside, cluster = measured.sample.inside, measured.analysis.cluster
    labels = None if cluster in (None, "participant") else labels_of(measured.data, str(cluster))[inside]
    return lee_bounds(
        np.where(measured.answered, measured.values, 0.0)[inside],
        spared[inside],
        measured.sample.code[inside],
        measured.weights,
        known=measured.answered[inside],
        cells=cells,
        cluster=labels,
        level=measured.analysis.interval,
        arm_names=measured.arm_names,
    )


def _in_any_direction(base: Finding, measured: Measured, named: str) -> Iterator[Finding]:
    """The bounds that hold also where the arm causes the event in some and prevents it in others."""
    inside = measured.sample.inside
    told = base.model_copy(
        update={
            "id": f"{base.id}.any-direction",
            "estimand": _estimand(base, measured, f"by bounds, whichever way the arm moves {named} in whom"),
        }
    )
    try:
        if len(measured.study.protocol.allocation[measured.sample.stage].ratio) > 1:
            raise DesignError(
                "the ratio of the arms differs by stratum, and these bounds put strata together"
            )
        ends = bounds_in_any_direction(
            np.where(measured.answered, measured.values, 0.0)[inside],
            ~met_any(measured.study, measured.data, "principal-stratum")[inside],
            measured.sample.code[inside],
            measured.weights,
            known=measured.answered[inside],
            arm_names=measured.arm_names,
        )
    except DesignError as error:
        yield told.model_copy(update={"not_estimable": str(error)})
        return
    words = (
        f"bounds for people to whom {named} would happen in neither arm, whichever way the arm moves it in "
        "whom; both arms trimmed, as if as few as possible were such people, without an interval (Zhang and "
        "Rubin 2003)"
    )
    yield from with_bounds(told, ends, None, words)


def _words(found: LeeBounds, measured: Measured, named: str) -> str:
    whom = f"for people to whom {named} would happen in neither arm, {_ASSUMING.format(events=named)}"
    if found.trimmed_arm is None:
        return f"bounds {whom}; it happened equally often in both, so nothing is trimmed {_SOURCE}"
    by = ", within strata" if found.cells > 1 else ""
    arm = measured.arm_names[found.trimmed_arm]
    return (
        f"bounds {whom}; {found.trimmed_share:.1%} of those in {arm} to whom it did not happen trimmed from "
        f"one end, then from the other{by} {_SOURCE}"
    )
