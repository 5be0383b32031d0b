"""Lee's bounds: the effect on people who would answer under either arm, if the arm moves response one way."""

from collections.abc import Iterator

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.missing.lee import LeeBounds, lee_bounds
from equipoise.findings.beside.missing import bare, with_bounds
from equipoise.findings.fitting import Fitted
from equipoise.findings.results import Finding
from equipoise.findings.sampling.covariates import Labels, labels_of
from equipoise.findings.sampling.measured import Measured

__all__ = ["for_people_who_would_answer"]

FEWEST_POINTS = 2.0
"""A difference of response, in percentage points, under which the bounds are called uninformative."""
_WHOM = "for people who would answer under either arm, assuming the arm moves response one way only"


def for_people_who_would_answer(effect: Finding, measured: Measured, fitted: Fitted) -> Iterator[Finding]:
    """Lee's bounds where the analysis asks for them, by stratum where response allows it."""
    if "lee" not in (measured.analysis.missing or ()):
        return
    base = bare(effect).model_copy(
        update={
            "id": f"{effect.id}.lee",
            "tier": "supplementary" if effect.planned else "exploratory",
            "estimand": f"Difference in {_label(measured)} ({effect.contrast}), {_WHOM}.",
        }
    )
    try:
        found, notes = _found(measured)
    except DesignError as error:
        yield base.model_copy(update={"not_estimable": str(error)})
        return
    words = _words(found, measured)
    warnings = (*notes, *_uninformative(found))
    yield from with_bounds(base, (found.low, found.high), found.interval, words, warnings)


def _label(measured: Measured) -> str:
    return measured.study.protocol.outcomes[measured.outcome].label or measured.outcome


def _found(measured: Measured) -> tuple[LeeBounds, tuple[str, ...]]:
    """Bounds by stratum; where strata disagree in sign, or a stratum is too small, over all people.

    Raises:
        DesignError: an arm has no answers, or strata of unequal ratios cannot be looked at one by one.
    """
    if measured.analysis.average_over == "clusters":
        raise DesignError("each cluster counts once here, and Lee's bounds are of people")
    strata = measured.all_strata
    if strata is None:
        return _bounds(measured, None), ()
    try:
        return _bounds(measured, strata[measured.sample.inside]), ()
    except DesignError as error:
        if len(measured.study.protocol.allocation[measured.sample.stage].ratio) > 1:
            raise
        why = error.problems[0].message.partition(";")[0]  # what to do about it is done here
        return _bounds(measured, None), (f"not tightened by strata: {why}",)


def _bounds(measured: Measured, cells: Labels | None) -> LeeBounds:
    inside, cluster = measured.sample.inside, measured.analysis.cluster
    labels = None if cluster in (None, "participant") else labels_of(measured.data, str(cluster))[inside]
    return lee_bounds(
        np.where(measured.answered, measured.values, 0.0)[inside],
        measured.answered[inside],
        measured.sample.code[inside],
        measured.weights,
        cells=cells,
        cluster=labels,
        level=measured.analysis.interval,
        arm_names=measured.arm_names,
    )


def _words(found: LeeBounds, measured: Measured) -> str:
    if found.trimmed_arm is None:
        trimmed = "response is the same, so nothing is trimmed"
    else:
        name = measured.arm_names[found.trimmed_arm]
        trimmed = (
            f"{found.trimmed_share:.1%} of the answers of {name} trimmed from one end, then from the other; "
            "a part of a person counts in part"
        )
    by = " Trimmed within strata." if found.cells > 1 else ""
    return f"Lee bounds {_WHOM}; {trimmed}.{by}"


def _uninformative(found: LeeBounds) -> Iterator[str]:
    points = abs(found.response_difference) * 100
    if points < FEWEST_POINTS:
        yield (
            f"uninformative: response differs by {points:.1f} percentage points, under {FEWEST_POINTS:g}, "
            "so hardly anybody is trimmed and which way the arm moves response cannot be told"
        )
