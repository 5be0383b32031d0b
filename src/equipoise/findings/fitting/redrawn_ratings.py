"""P-values and intervals of effects on ratings from drawing again what was shown."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from equipoise.estimation.randomisation.p_values import RandomisationTest, randomisation_test
from equipoise.estimation.randomisation.statistics import statistic_of
from equipoise.findings.estimates import interval_of
from equipoise.findings.sampling.rated import Rated
from equipoise.findings.sampling.rated_draws import RatedDraw, rated_draw
from equipoise.protocol.study import Study

__all__ = ["Redrawn", "ratings_by_redraws"]


@dataclass(frozen=True)
class Redrawn:
    """What the draw says: `fields` of the finding, `how` for its model, `notes` for the reader."""

    fields: dict[str, Any]
    how: str
    notes: tuple[str, ...]


def ratings_by_redraws(study: Study, rated: Rated, task: str) -> Redrawn:
    """Test that what was shown changed nobody's rating.

    Args:
        study: whose.
        rated: the ratings.
        task: in which they were given.
    Raises:
        DesignError: what was shown cannot be drawn again.

    Errors go by participant in every draw, so that the test also holds in large trials where effects differ
    and are nil on average: CR2 where a participant is drawn as a whole, CR0 where ratings are.
    """
    plan = rated.analysis.test
    draw = rated_draw(study, rated, task)
    drawing, place = draw.drawing, draw.place
    weight = dict(zip(rated.cells.names, rated.cells.weights.tolist(), strict=True))
    contrast = np.array([weight[level] for level in drawing.plan.arms])
    test = randomisation_test(
        statistic_of(
            "linear",
            rated.values[rated.answered],
            place,
            contrast,
            shifted=(contrast > 0)[drawing.observed[place]].astype(np.float64),
            covariates=rated.adjusted[1],
            cluster=rated.cluster,
            variance="CR0" if draw.apart else "CR2",
        ),
        drawing.redraws(plan.draws, np.flatnonzero(contrast).tolist()),
        studentised=plan.statistic == "studentised",
        level=rated.analysis.interval,
    )
    found = test.interval
    return Redrawn(
        {
            "p_value": test.p_value,
            "statistic": test.statistic,
            "interval": None if found is None else interval_of(found),
            "draws": test.draws,
            "mc_error": test.mc_error,
            "dof": None,
        },
        _how(rated, test, draw),
        tuple(_told(rated, test)),
    )


def _how(rated: Rated, test: RandomisationTest, draw: RatedDraw) -> str:
    draws = f"all {test.draws:,} orders" if test.exact else f"{test.draws:,} draws"
    error = f"its {'CR0' if draw.apart else 'CR2'} standard error"
    studentised = rated.analysis.test.statistic == "studentised"
    statistic = f"the effect over {error}" if studentised else "the effect itself"
    words = f"p-value by re-drawing {draw.what} ({draws}), comparing {statistic}"
    if test.interval is None:
        return words
    return f"{words}; interval of a constant effect by inverting that test"


def _told(rated: Rated, test: RandomisationTest) -> list[str]:
    found = []
    if test.exact or test.smallest > 0.001:
        found.append(f"the smallest p-value that {test.draws:,} draws allow is {test.smallest:.3g}")
    if test.interval is None:
        found.append("no interval: whatever the effect, so few draws cannot reject it at this level")
    if (rated.inside & ~rated.answered).any():
        found.append("the randomisation test assumes that what was shown does not move who answers")
    return found
