"""Effects among compliers by re-drawing the allocation: the Anderson-Rubin test, whatever take-up did."""

from dataclasses import replace

import numpy as np

from equipoise.estimation.randomisation.p_values import RandomisationTest, randomisation_test
from equipoise.estimation.randomisation.statistics import statistic_of
from equipoise.findings.fitting.complier import taken_by
from equipoise.findings.fitting.fitted import Fitted
from equipoise.findings.fitting.randomised import contrast_of, how_drawn, told_of_draws
from equipoise.findings.results import Interval
from equipoise.findings.sampling.measured import Measured
from equipoise.findings.sampling.redraws import drawing_of
from equipoise.findings.wording.estimands import model_words

__all__ = ["takers_by_redraws"]

_NO_ENDS = (
    "the interval by re-drawing has no ends: take-up hardly differed between the arms, so the draw rules out "
    "hardly any value"
)


def takers_by_redraws(measured: Measured, fitted: Fitted) -> Fitted:
    """The effect among compliers with p-value and interval from the draw, where the analysis asks for it.

    Under the null that taking one unit up changes every outcome by b, and allocation acts through take-up
    alone, the outcome less b times what was taken up is the same in every draw. Of b = 0 that tests the
    allocation itself; the interval holds every b that is not rejected. The estimate stays two-stage least
    squares'.

    Raises:
        DesignError: the draw cannot be made again, or take-up does not differ at all.

    Imbens & Rosenbaum (2005), Journal of the Royal Statistical Society A 168:109, section 3.
    """
    plan = measured.analysis.test
    if plan.by != "randomisation" or fitted.compliers is None:
        return fitted
    drawing = drawing_of(measured.study, measured.data, measured.sample.stage)
    contrast = contrast_of(measured, drawing)
    compared = np.flatnonzero(contrast).tolist()
    moved = fitted.compliers.take_up
    test = randomisation_test(
        statistic_of(
            "linear",
            measured.y,
            drawing.place[measured.answered],
            contrast,
            shifted=taken_by(measured) / moved,
            covariates=measured.columns,
            strata=measured.strata,
            cluster=measured.cluster,
            variance=measured.analysis.variance,
        ),
        drawing.redraws(plan.draws, compared),
        studentised=plan.statistic == "studentised",
        level=measured.analysis.interval,
    )
    told = (*fitted.notes, *told_of_draws(measured, drawing, test, compared))
    estimate = replace(fitted.estimate, statistic=test.statistic, p_value=test.p_value)
    fields = fitted.fields | {
        "interval": _interval(test, moved, measured.analysis.interval),
        "draws": test.draws,
        "mc_error": test.mc_error,
        "dof": None,
        "model": f"{model_words(measured.analysis, measured.outcome, measured.adjusted_for)}; "
        f"{how_drawn(measured, drawing, test)}, as randomised; interval by inverting that test, of the "
        "outcome less an effect times what was taken up (Anderson-Rubin)",
    }
    notes = told if test.interval is not None else (*told, _NO_ENDS)
    return replace(fitted, estimate=estimate, notes=notes, fields=fields)


def _interval(test: RandomisationTest, moved: float, level: float) -> Interval:
    """In units of take-up; without ends where the draw does not tell that take-up differs."""
    if test.interval is None:
        return Interval(level=level, low=None, high=None)
    low, high = sorted((test.interval.low / moved, test.interval.high / moved))
    return Interval(level=level, low=low, high=high)
