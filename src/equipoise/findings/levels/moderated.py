"""A contrast along a number known before the allocation: a line, and thirds that show whether it fits."""

from collections.abc import Iterator

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.effects.moderators import EffectAt, EffectInBin, effect_by_moderator
from equipoise.findings.estimates import with_estimate
from equipoise.findings.levels.redrawn import interaction_by_redraws
from equipoise.findings.levels.variances import dof_of, variance_of
from equipoise.findings.results import Finding
from equipoise.findings.sampling.measured import Measured
from equipoise.instruments.scoring import Floats

__all__ = ["by_number"]

_LINE = "linear regression with a line along {by} for each arm"
_BINS = "linear regression with a line for each arm in each third of {by}; the effect at the third's median"


def by_number(measured: Measured, base: Finding, number: Floats) -> Iterator[Finding]:
    """The change of the effect for each unit, the effect at percentiles and in thirds, a test of the line.

    Args:
        measured: the outcome.
        base: what all these findings share.
        number: shape (participants,), NaN where it is not known.
    """
    by, analysis = str(measured.analysis.by), measured.analysis
    try:
        known = measured.among(~np.isnan(number))
        found = effect_by_moderator(
            known.y,
            known.arm,
            known.weights,
            number[known.answered],
            covariates=known.columns,
            strata=known.strata,
            cluster=known.cluster,
            variance=variance_of(analysis),
            dof=dof_of(analysis),
            level=analysis.interval,
            arm_names=known.arm_names,
        )
    except DesignError as error:
        yield base.model_copy(update={"not_estimable": str(error)})
        return
    base = base.model_copy(update={"warnings": (*base.warnings, *known.covariates.notes)})
    adjusted = f", adjusted for {' and '.join(known.adjusted_for)}" if known.adjusted_for else ""
    errors = f"{adjusted}; {variance_of(analysis)} standard errors"
    line = base.model_copy(
        update={"model": _LINE.format(by=by) + errors, "n": known.sample.counts(known.answered)}
    )
    words = f"change of the effect for each unit of {by}; {line.model}"
    slope = with_estimate(line, found.slope, id=f"{base.id}.interaction", model=words, margin=None)
    yield interaction_by_redraws(slope, known, number[known.answered])
    yield from (_at_percentile(line, by, each) for each in found.at)
    binned = base.model_copy(update={"model": _BINS.format(by=by) + errors})
    yield from (_in_bin(binned, by, place, each, known) for place, each in enumerate(found.bins, 1))
    if found.linearity is not None:
        yield line.model_copy(
            update={
                "id": f"{base.id}.linearity",
                "kind": "test",
                "statistic": found.linearity.statistic,
                "dof": found.linearity.dof_denominator,
                "p_value": found.linearity.p_value,
                "model": f"joint test that the effects in the thirds of {by} lie on one line",
            }
        )


def _at_percentile(line: Finding, by: str, each: EffectAt) -> Finding:
    """The effect on the line, without a test of its own."""
    named = line.model_copy(
        update={
            "id": f"{line.id}.{by}=p{each.percentile}",
            "level": f"{each.value:g} ({each.percentile}th percentile)",
        }
    )
    return with_estimate(named, each.effect, statistic=None, p_value=None)


def _in_bin(binned: Finding, by: str, place: int, each: EffectInBin, measured: Measured) -> Finding:
    ends = f"{each.low:g}" if each.low == each.high else f"{each.low:g} to {each.high:g}"
    named = binned.model_copy(
        update={
            "id": f"{binned.id}.{by}=bin{place}",
            "level": ends,
            "n": dict(zip(measured.arm_names, each.counts, strict=True)),
            "not_estimable": each.not_estimable,
        }
    )
    if each.effect is None:
        return named
    return with_estimate(named, each.effect, statistic=None, p_value=None)
