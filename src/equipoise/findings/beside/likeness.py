"""How alike people of one cluster are: what allocating clusters cost the trial, as planned and as it came.

One set for an outcome at a point of time, whatever the number of contrasts: it stands beside the first.
CONSORT's extension for cluster trials (Campbell, Piaggio, Elbourne & Altman 2012, BMJ 345:e5661), item 17a.
"""

from collections.abc import Iterator

from equipoise.errors import DesignError
from equipoise.estimation.mixed.icc import Likeness, design_effect, intracluster_correlation
from equipoise.findings.deciding.claims import effect_id
from equipoise.findings.estimates import interval_of
from equipoise.findings.fitting import Fitted
from equipoise.findings.results import Finding
from equipoise.findings.sampling.measured import Measured
from equipoise.protocol.names import in_words

__all__ = ["likeness_in_clusters"]

_HOW = "intracluster correlation within arms, by analysis of variance (may be negative); Searle's interval"
_ACHIEVED = "1 + ((1 + CV squared) x mean size - 1) x ICC, of the clusters analysed (Eldridge et al. 2006)"
_PLANNED = "1 + (people a cluster - 1) x ICC, as the protocol planned"


def likeness_in_clusters(effect: Finding, measured: Measured, fitted: Fitted) -> Iterator[Finding]:
    """The intracluster correlation, the design effect as it came and as planned, and fitted variances."""
    analysis, unit = measured.analysis, measured.study.protocol.allocation[measured.sample.stage].unit
    first = effect.contrast == analysis.contrast[0]
    if measured.cluster is None or analysis.cluster != unit or not first:
        return
    base = Finding(
        id=effect_id(measured.name, measured.outcome, measured.at, "icc"),
        analysis=measured.name,
        kind="variance-component",
        outcome=measured.outcome,
        at=effect.at,
        units="correlation",
        role=effect.role,
        planned=effect.planned,
        n=effect.n,
        model=_HOW,
    )
    try:
        found = intracluster_correlation(measured.y, measured.cluster, measured.arm, analysis.interval)
    except DesignError as error:
        yield base.model_copy(update={"not_estimable": str(error)})
        return
    yield base.model_copy(
        update={
            "estimate": found.correlation,
            "interval": interval_of(found.interval),
            "warnings": (_sizes(found, unit),),
        }
    )
    yield from _design_effects(base, found, measured)
    for name, variance in fitted.variances.items():
        yield base.model_copy(
            update={
                "id": effect_id(measured.name, measured.outcome, measured.at, f"variance.{name}"),
                "units": "variance",
                "estimate": variance,
                "model": f"variance of {name}, restricted maximum likelihood",
            }
        )


def _design_effects(base: Finding, found: Likeness, measured: Measured) -> Iterator[Finding]:
    stem = base.id.removesuffix("icc")
    yield base.model_copy(
        update={
            "id": f"{stem}design-effect",
            "units": "times",
            "estimate": found.design_effect,
            "model": _ACHIEVED,
        }
    )
    planned = measured.study.protocol.units.get(str(measured.analysis.cluster))
    if planned is not None and planned.icc is not None and planned.people is not None:
        yield base.model_copy(
            update={
                "id": f"{stem}design-effect.planned",
                "units": "times",
                "estimate": design_effect(planned.icc, planned.people),
                "n": {},
                "model": f"{_PLANNED}: {planned.people:g} people, ICC {planned.icc:g}",
            }
        )


def _sizes(found: Likeness, unit: str) -> str:
    noun = in_words(unit)
    return (
        f"{found.clusters} clusters ({noun}) of {found.mean_size:.1f} people on average, coefficient of "
        f"variation of their sizes {found.variation:.2f}"
    )
