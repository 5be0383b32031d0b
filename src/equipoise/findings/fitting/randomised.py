"""P-values and intervals from re-drawing the allocation, around an effect that a model has estimated."""

from dataclasses import replace

import numpy as np

from equipoise.allocation import METHODS
from equipoise.errors import DesignError, NotSupportedError
from equipoise.estimation.randomisation.moments import Statistic
from equipoise.estimation.randomisation.p_values import RandomisationTest, randomisation_test
from equipoise.estimation.randomisation.scores import SCORED_MODELS, score_of
from equipoise.estimation.randomisation.statistics import TESTED_MODELS, statistic_of
from equipoise.findings.fitting.clusters import Rows, rows_of
from equipoise.findings.fitting.fitted import Fitted
from equipoise.findings.fitting.means import randomised_in_strata
from equipoise.findings.sampling.measured import Measured
from equipoise.findings.sampling.redraws import Drawing, drawing_of
from equipoise.findings.sampling.sample import Ints, supported_contrast
from equipoise.findings.wording.estimands import model_words
from equipoise.instruments.scoring import Floats
from equipoise.protocol.checks.analyses import NO_GROUPS
from equipoise.protocol.factors import compared_stage
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study

__all__ = ["by_redraws", "contrast_of", "how_drawn", "not_redrawn", "statistic_for", "told_of_draws"]

FEWEST_DOF = 10
"""With clusters, and Satterthwaite's degrees of freedom under this, a t test is not to be relied upon."""
_NOTHING_REJECTED = "no interval: whatever the effect, so few allocations cannot reject it at this level"
_CLUSTERED = ("CR0", "CR1", "CR2", "CR3")


def by_redraws(measured: Measured, fitted: Fitted) -> Fitted:
    """The estimate with p-value and interval from the draw, where the analysis or few clusters ask for it.

    Raises:
        DesignError: the analysis asks for it, and the draw cannot be made again.
    """
    if measured.analysis.test.by == "randomisation":
        return _tested(measured, fitted)
    if not _few_clusters(measured, fitted):
        return fitted
    dof = f"{fitted.estimate.dof:.1f} degrees of freedom"
    try:
        found = _tested(measured, fitted)
    except (DesignError, NotSupportedError) as error:
        note = f"few clusters ({dof}): do not rely on the t test; the draw cannot be made again: {error}"
        return replace(fitted, notes=(*fitted.notes, note))
    why = f"few clusters ({dof}): the p-value and the interval are from re-drawing the allocation"
    return replace(found, notes=(why, *found.notes))


def statistic_for(
    measured: Measured, drawing: Drawing, *, inverted: bool, compared: list[int] | None = None
) -> Statistic:
    """The model's contrast as a function of the allocation; of a model fitted by likelihood its score.

    Args:
        measured: the outcome of those analysed.
        drawing: of the stage that the contrast compares.
        inverted: whether an interval will be asked for.
        compared: codes of the arms that are drawn again where the others may stay; None where every arm is.
    Raises:
        DesignError: the contrast or the model cannot be re-drawn.
    """
    rows = rows_of(measured)
    contrast = contrast_of(measured, drawing)
    place = _place_of(measured, drawing, rows)
    if measured.analysis.model in SCORED_MODELS:
        return _score_for(measured, drawing, rows, place, compared)
    shifted = (contrast > 0)[drawing.observed[place]].astype(np.float64) if inverted else None
    return statistic_of(
        str(measured.analysis.model),
        rows.y,
        place,
        contrast,
        shifted=shifted,
        covariates=rows.covariates,
        strata=rows.strata,
        randomised=randomised_in_strata(measured),
        cluster=rows.cluster,
        variance=measured.analysis.variance,
    )


def _score_for(
    measured: Measured, drawing: Drawing, rows: Rows, place: Ints, compared: list[int] | None
) -> Statistic:
    """The score among those whose arms are drawn again: arms that stay may differ, and say nothing."""
    kept = np.ones(len(place), dtype=bool)
    if compared is not None and drawing.exchangeable:
        kept = np.isin(drawing.observed[place], compared)
    return score_of(
        str(measured.analysis.model),
        rows.y[kept],
        place[kept],
        contrast_of(measured, drawing),
        covariates=None if rows.covariates is None else rows.covariates[kept],
        strata=None if rows.strata is None else rows.strata[kept],
        cluster=None if rows.cluster is None else rows.cluster[kept],
    )


def not_redrawn(study: Study, analysis: Analysis) -> str | None:
    """What keeps an analysis from being tested by re-drawing, in words that go on from "tests"; or None."""
    methods = [study.protocol.allocation[name].method for name in _stages(study, analysis)]
    later = [method for method in methods if method not in METHODS]
    rated = any(study.protocol.outcomes[name].task for name in analysis.outcomes or ())
    if analysis.by in NO_GROUPS or (analysis.by is not None and rated):
        return f"by {analysis.by}{' of ratings' if rated else ''}, which no draw tells apart"
    if analysis.kind != "as-randomised":
        return "of those who followed their arm, whom no draw chose"
    if any(study.protocol.gives_sequences(name) for name in _stages(study, analysis)):
        return None
    if rated:
        if analysis.model != "linear":
            return f"of ratings with the model {analysis.model}; supported: linear"
        return "with the variance two-way" if analysis.variance == "two-way" else None
    if analysis.model not in (*TESTED_MODELS, *SCORED_MODELS) and analysis.by is None:
        return f"with the model {analysis.model}; supported: {', '.join((*TESTED_MODELS, *SCORED_MODELS))}"
    if analysis.variance in ("two-way", "wild-bootstrap"):
        return f"with the variance {analysis.variance}"
    if analysis.model == "difference-in-means" and analysis.cluster and analysis.average_over == "people":
        return "of pairs of clusters whose people are averaged; supported: linear"
    return f"of allocation that is {later[0]}" if later else None


def _stages(study: Study, analysis: Analysis) -> list[str]:
    """The stages of allocation whose arms an analysis compares."""
    protocol = study.protocol
    named = [compared_stage(protocol, [supported_contrast(study, text)]) for text in analysis.contrast]
    return [name for name in dict.fromkeys(named) if name in protocol.allocation]


def contrast_of(measured: Measured, drawing: Drawing) -> Floats:
    """The contrast's weights by the codes of the draw.

    Raises:
        DesignError: it compares arms of several stages.
    """
    cells = measured.sample.cells
    if cells.factors != (measured.study.protocol.arm_column(drawing.stage),):
        raise DesignError(
            f"compares arms of several stages ({', '.join(cells.factors)}), and no draw of one of them "
            "tells what chance does to it; take `test: t`"
        )
    weight = dict(zip(cells.names, cells.weights.tolist(), strict=True))
    return np.array([weight[arm] for arm in drawing.plan.arms])


def _few_clusters(measured: Measured, fitted: Fitted) -> bool:
    analysis = measured.analysis
    stage = measured.study.protocol.allocation.get(measured.sample.stage)
    return (
        stage is not None
        and analysis.cluster == stage.unit != "participant"
        and analysis.target == "all"
        and analysis.kind == "as-randomised"
        and analysis.model in TESTED_MODELS
        and analysis.variance in _CLUSTERED
        and analysis.dof == "satterthwaite"
        and fitted.estimate.dof < FEWEST_DOF
    )


def _tested(measured: Measured, fitted: Fitted) -> Fitted:
    plan = measured.analysis.test
    drawing = drawing_of(measured.study, measured.data, measured.sample.stage)
    compared = np.flatnonzero(contrast_of(measured, drawing)).tolist()
    redraws = drawing.redraws(plan.draws, compared)
    test = randomisation_test(
        statistic_for(measured, drawing, inverted=True, compared=compared),
        redraws,
        studentised=plan.statistic == "studentised",
        level=measured.analysis.interval,
    )
    scored = measured.analysis.model in SCORED_MODELS
    interval = test.interval or fitted.estimate.interval
    estimate = replace(fitted.estimate, statistic=test.statistic, p_value=test.p_value, interval=interval)
    fields = fitted.fields | {
        "draws": test.draws,
        "mc_error": test.mc_error,
        "dof": None,
        "model": f"{model_words(measured.analysis, measured.outcome, measured.adjusted_for)}; "
        f"{how_drawn(measured, drawing, test)}{_how_inverted(measured, test)}",
    }
    notes = (*fitted.notes, *told_of_draws(measured, drawing, test, compared))
    if test.interval is None and not scored:
        fields["interval"] = None
        notes += (_NOTHING_REJECTED,)
    return replace(fitted, estimate=estimate, notes=notes, fields=fields)


def _place_of(measured: Measured, drawing: Drawing, rows: Rows) -> Ints:
    """The unit of the draw that each row belongs to."""
    place = drawing.place[measured.answered]
    if measured.analysis.average_over != "clusters" or measured.cluster is None or rows.cluster is None:
        return place
    unit = dict(zip(measured.cluster.astype(str).tolist(), place.tolist(), strict=True))
    return np.array([unit[str(cluster)] for cluster in rows.cluster])


def how_drawn(measured: Measured, drawing: Drawing, test: RandomisationTest) -> str:
    """How the p-value arose, in words that follow the model's."""
    draws = f"all {test.draws:,} allocations" if test.exact else f"{test.draws:,} draws"
    studentised = measured.analysis.test.statistic == "studentised"
    statistic = "the effect over its standard error" if studentised else "the effect itself"
    if measured.analysis.model in SCORED_MODELS:
        over = ", over its robust error" if studentised else ""
        statistic = f"the score of the arm in that model fitted without it{over}"
    return f"p-value by re-drawing the {drawing.plan.method} allocation ({draws}), comparing {statistic}"


def _how_inverted(measured: Measured, test: RandomisationTest) -> str:
    if measured.analysis.model in SCORED_MODELS:
        return "; the interval is the model's"
    return "" if test.interval is None else "; interval of a constant effect by inverting that test"


def told_of_draws(
    measured: Measured, drawing: Drawing, test: RandomisationTest, compared: list[int]
) -> tuple[str, ...]:
    """What the test rests on, for the reader."""
    found = []
    if test.exact or test.smallest > 0.001:
        found.append(f"the smallest p-value that {test.draws:,} allocations allow is {test.smallest:.3g}")
    if (measured.sample.inside & ~measured.answered).any():
        found.append("the randomisation test assumes that the arm does not move who answers")
    if not drawing.possible:
        found.append(
            f"{drawing.plan.method} allocation cannot give these numbers by arm, so the data lack people who "
            "were randomised: re-drawn with the numbers found, as if whoever is absent were so by chance"
        )
    if len(compared) < len(drawing.plan.arms) and not drawing.exchangeable:
        found.append("the randomisation test takes no arm to differ from any other, also those not compared")
    return tuple(found)
