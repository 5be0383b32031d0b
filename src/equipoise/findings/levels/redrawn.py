"""The p-value of an interaction from drawing the allocation again."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from equipoise.errors import DesignError
from equipoise.estimation.effects.adjusted import linear_effect
from equipoise.estimation.randomisation.moderated import Moderation, levels_apart, slopes_apart
from equipoise.estimation.randomisation.variation import LEFT_OUT, VariationTest, variation_test
from equipoise.findings.fitting.randomised import contrast_of
from equipoise.findings.levels.variances import variance_of
from equipoise.findings.results import Finding
from equipoise.findings.sampling.measured import Measured
from equipoise.findings.sampling.redraws import drawing_of

__all__ = ["interaction_by_redraws"]


def interaction_by_redraws(
    finding: Finding, measured: Measured, moderator: npt.NDArray[np.generic]
) -> Finding:
    """The test that the effect does not vary, with its p-value by re-drawing where the analysis asks for it.

    Args:
        finding: the interaction as a regression found it; its estimate and interval stay.
        measured: the outcome of those whose moderator is known.
        moderator: (n,) a number, or labels of two levels or more, of those analysed.
    """
    if measured.analysis.test.by != "randomisation" or finding.not_estimable is not None:
        return finding
    try:
        test, method = _tested(measured, moderator)
    except DesignError as error:
        numbers = ("estimate", "std_error", "dof", "statistic", "p_value", "interval")
        return finding.model_copy(update=dict.fromkeys(numbers) | {"not_estimable": str(error)})
    statistic = test.statistic
    if finding.estimate is not None:
        statistic = float(np.copysign(np.sqrt(statistic), finding.estimate))
    draws = f"all {test.draws:,} allocations" if test.exact else f"{test.draws:,} draws"
    how = (
        f"p-value by re-drawing the {method} allocation ({draws}) under the null that the effect is the same "
        f"for everybody: the largest over the effects in its {1 - LEFT_OUT:.1%} interval, plus {LEFT_OUT:g}"
    )
    found = {"statistic": statistic, "p_value": test.p_value, "dof": None, "draws": test.draws}
    return finding.model_copy(update=found | {"mc_error": test.mc_error, "model": f"{finding.model}; {how}"})


def _tested(measured: Measured, moderator: npt.NDArray[np.generic]) -> tuple[VariationTest, str]:
    drawing = drawing_of(measured.study, measured.data, measured.sample.stage)
    contrast, place = contrast_of(measured, drawing), drawing.place[measured.answered]
    numeric = np.issubdtype(moderator.dtype, np.number)
    prepare: Callable[..., Moderation] = slopes_apart if numeric else levels_apart
    moderation = prepare(
        measured.y,
        (contrast > 0)[drawing.observed[place]].astype(np.float64),
        place,
        contrast,
        moderator,
        adjusted=measured.columns_and_strata,
        cluster=measured.cluster,
    )
    whole = linear_effect(
        measured.y,
        measured.arm,
        measured.weights,
        covariates=measured.columns,
        strata=measured.strata,
        cluster=measured.cluster,
        variance=variance_of(measured.analysis),
        level=1 - LEFT_OUT,
        arm_names=measured.arm_names,
    )
    redraws = drawing.redraws(measured.analysis.test.draws, np.flatnonzero(contrast).tolist())
    ends = (whole.interval.low, whole.estimate, whole.interval.high)
    return variation_test(moderation, redraws, ends), drawing.plan.method
