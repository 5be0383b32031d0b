"""The randomisation test where sequences of arms were drawn: it gives the sequences out anew."""

from dataclasses import dataclass

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.randomisation.in_turn import in_turn
from equipoise.estimation.randomisation.p_values import RandomisationTest, randomisation_test
from equipoise.findings.sampling.periods import Periods
from equipoise.findings.sampling.redraws import drawing_of

__all__ = ["Permuted", "permuted"]


@dataclass(frozen=True)
class Permuted:
    """A test by giving out the sequences anew, with `notes` for the reader."""

    test: RandomisationTest
    notes: tuple[str, ...]

    @property
    def how(self) -> str:
        """The test in words that follow those of a model."""
        found = self.test
        draws = f"all {found.draws:,} allocations" if found.exact else f"{found.draws:,} draws"
        return (
            f"p-value by giving out the sequences anew ({draws}), comparing a constant effect by least "
            "squares with unit and period effects, over its standard error; interval of the model"
        )


def permuted(periods: Periods) -> Permuted:
    """Test that no arm changed anybody's outcome in any period.

    Raises:
        DesignError: the draw cannot be made again, or the contrast is not one arm less another of two.
    """
    drawing = drawing_of(periods.study, periods.data, periods.sample.stage)
    arm = _moving(periods)
    steps = [periods.schedule.sequences[name] for name in drawing.plan.arms]
    person, period = np.nonzero(periods.there)
    row = np.cumsum(periods.analysed) - 1
    statistic = in_turn(
        periods.values[person, period],
        drawing.place[person],
        period,
        [[step == arm for step in sequence] for sequence in steps],
        covariates=None if periods.columns is None else periods.columns[row[person]],
    )
    plan = periods.analysis.test
    studentised = plan.statistic == "studentised"
    test = randomisation_test(statistic, drawing.redraws(plan.draws), studentised=studentised)
    notes = []
    if test.exact:
        notes.append(f"the smallest p-value that {test.draws:,} allocations allow is {test.smallest:.3g}")
    if (periods.sample.inside & ~periods.there.all(axis=1)).any():
        notes.append("the randomisation test assumes that the arm does not move who answers")
    return Permuted(test, tuple(notes))


def _moving(periods: Periods) -> str:
    """The arm that the contrast adds, where the other is the only other one."""
    weights: list[float] = periods.weights.tolist()
    if sorted(weights) != [-1.0, 1.0]:
        raise DesignError(
            "the sequences can be given out anew for one arm less another where there are two; take `test: t`"
        )
    arm: str = periods.arms[weights.index(1.0)]
    return arm
