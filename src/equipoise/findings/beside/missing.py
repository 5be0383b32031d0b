"""What missing answers allow: bounds that need no assumption, and how wrong they would have to be."""

from collections.abc import Iterator

from equipoise.errors import DesignError
from equipoise.estimation import inference
from equipoise.estimation.inference import Estimate
from equipoise.estimation.missing.attrition import manski_bounds, tipping_points
from equipoise.findings.estimates import interval_of
from equipoise.findings.fitting import Fitted
from equipoise.findings.results import Finding, Interval
from equipoise.findings.sampling.covariates import Labels, labels_of
from equipoise.findings.sampling.measured import Measured
from equipoise.findings.wording.estimands import estimand
from equipoise.protocol.waves import SLOPE

__all__ = ["bare", "estimated_otherwise", "for_all_randomised", "range_of", "with_bounds"]

_BOUNDS = "Manski bounds: every missing answer at the worst, then at the best, possible value"
_ALLOWING = "interval for the effect, which allows for sampling as well (Imbens and Manski 2004)"
_TIPPING = (
    "how far the mean of this arm's missing answers would have to lie from that of its answers for the "
    "interval of the effect on all randomised to change sides of zero"
)
_OF_PEOPLE = "worked out for an average over people only, and here each cluster counts once"
_NO_TIPPING = "no shift of this arm's missing answers changes the conclusion"


def for_all_randomised(effect: Finding, measured: Measured, fitted: Fitted) -> Iterator[Finding]:
    """Bounds that need no assumption, and how wrong one arm's missing answers would have to be."""
    base = bare(effect)
    asked = measured.analysis.missing or ()
    if measured.analysis.average_over == "clusters":
        yield from (
            base.model_copy(update={"id": f"{base.id}.{kind}", "not_estimable": _OF_PEOPLE})
            for kind in ("bounds", "tipping-point")
            if kind in asked
        )
        return
    if "bounds" in asked:
        yield from _bounds(base, measured)
    if "tipping-point" in asked:
        yield from _tipping(base, measured, fitted.estimate)


def bare(effect: Finding) -> Finding:
    """A bound of an effect, with nothing of the effect's own numbers."""
    tier = "sensitivity" if effect.planned else "exploratory"
    return effect.model_copy(
        update={
            "kind": "bound",
            "tier": tier,
            "estimate": None,
            "std_error": None,
            "dof": None,
            "statistic": None,
            "p_value": None,
            "interval": None,
            "standardised": None,
            "draws": None,
            "mc_error": None,
            "model": None,
            "warnings": (),
        }
    )


def estimated_otherwise(effect: Finding, measured: Measured, how: str) -> str:
    """The effect's estimand in words, estimated in another way."""
    return estimand(
        measured.study,
        measured.analysis,
        measured.outcome,
        measured.at or None,
        str(effect.contrast),
        estimated=how,
    )


def with_bounds(
    base: Finding,
    ends: tuple[float, float],
    interval: inference.Interval | None,
    words: str,
    warnings: tuple[str, ...] = (),
) -> Iterator[Finding]:
    """Bounds, then the interval that allows for sampling too, where there is one."""
    bounds = Interval(level=None, low=ends[0], high=ends[1])
    yield base.model_copy(update={"interval": bounds, "model": words, "warnings": warnings})
    if interval is not None:
        update = {"id": f"{base.id}.interval", "interval": interval_of(interval), "model": _ALLOWING}
        yield base.model_copy(update=update)


def _bounds(base: Finding, measured: Measured) -> Iterator[Finding]:
    finding = base.model_copy(update={"id": f"{base.id}.bounds", "model": _BOUNDS})
    span, sample = range_of(measured), measured.sample
    if span is None:
        why = "what is measured has no lowest and highest possible value"
        yield finding.model_copy(update={"not_estimable": why})
        return
    inside = sample.inside
    try:
        found = manski_bounds(
            measured.values[inside],
            measured.answered[inside],
            sample.code[inside],
            sample.cells.weights,
            span,
            cluster=_counted_once(measured),
            level=measured.analysis.interval,
        )
    except DesignError as error:
        yield finding.model_copy(update={"not_estimable": str(error)})
        return
    # people of one cluster are alike, so that an interval needs clusters that count once
    alike = measured.analysis.cluster not in (None, "participant") and _counted_once(measured) is None
    yield from with_bounds(finding, (found.low, found.high), None if alike else found.interval, _BOUNDS)


def range_of(measured: Measured) -> tuple[float, float] | None:
    """The lowest and highest possible value, or change since before; a change a week has none."""
    span = measured.study.protocol.outcomes[measured.outcome].range
    if span is None or measured.at == SLOPE:
        return None
    return span if measured.analysis.change_from is None else (span[0] - span[1], span[1] - span[0])


def _counted_once(measured: Measured) -> Labels | None:
    """The clusters of everybody in the sample, where each counts once."""
    if measured.analysis.average_over != "clusters" or measured.analysis.cluster in (None, "participant"):
        return None
    return labels_of(measured.data, str(measured.analysis.cluster))[measured.sample.inside]


def _tipping(base: Finding, measured: Measured, estimate: Estimate) -> Iterator[Finding]:
    sample, span = measured.sample, range_of(measured)
    inside = sample.inside
    try:
        points = tipping_points(
            estimate,
            measured.values[inside],
            measured.answered[inside],
            sample.code[inside],
            sample.cells.weights,
            span,
            cluster=_counted_once(measured),
        )
    except DesignError as error:  # a model of several waves may have an arm without answers at this one
        yield base.model_copy(
            update={"id": f"{base.id}.tipping-point", "not_estimable": str(error), "model": _TIPPING}
        )
        return
    for point in points:
        name = sample.cells.names[point.arm]
        impossible = point.possible is False
        yield base.model_copy(
            update={
                "id": f"{base.id}.tipping-point.{name}",
                "arm": name,
                "estimate": point.to_change,
                "not_estimable": _NO_TIPPING if point.to_change is None else None,
                "model": _TIPPING,
                "warnings": ("such a shift lies outside what the outcome can be",) if impossible else (),
            }
        )
