"""Intervals by inverting a randomisation test: the constant effects that it does not reject.

An effect of tau is tested on the outcomes less tau for those whom it moved. In every draw the contrast is
then linear in tau and its variance quadratic, with coefficients that one pass over the draws has given, so
no draw is made or fitted again.
"""

from dataclasses import dataclass

import numpy as np

from equipoise.estimation.arrays import Floats, refuse
from equipoise.estimation.inference import Interval, check_level
from equipoise.estimation.randomisation.extremes import chance_of, reaches, sizes
from equipoise.estimation.randomisation.moments import Moments
from equipoise.estimation.randomisation.redraws import Redraws

__all__ = ["ConstantEffects"]

_STEPS = 200  # points between the estimate and a reach beyond which effects are rejected
_DOUBLINGS = 60
_HALVINGS = 60
_ROUNDING = 1e-9  # 1 - 0.95 is a little under 0.05, and a p-value of 0.05 rejects


@dataclass(frozen=True, eq=False)
class ConstantEffects:
    """Tests of effects that are the same for everybody.

    Attributes:
        observed: (1, 2) the contrast of the outcome, and of those whom an effect moved.
        redrawn: (m, 2) the same in every draw.
        redraws: what was drawn.
        studentised: whether contrasts are compared over their errors.
    """

    observed: Moments
    redrawn: Moments
    redraws: Redraws
    studentised: bool

    def p_value(self, effect: float) -> float:
        """Of the null that the effect is this for everybody."""
        here = float(sizes(self.observed, studentised=self.studentised, effect=effect)[0])
        others = sizes(self.redrawn, studentised=self.studentised, effect=effect)
        return chance_of(reaches(others, here, studentised=self.studentised), self.redraws)

    def interval(self, level: float) -> Interval | None:
        """The effects that are not rejected at 1 - level; None where none is rejected, however large.

        Raises:
            DesignError: the second outcome does not move the contrast by 1.

        The p-value falls on both sides of the estimate, though not always steadily. The bounds are the
        outermost effects not rejected, so the interval covers at least as often as the test accepts. Hodges
        & Lehmann (1963), Ann. Math. Stat. 34:598; Ernst (2004), Stat. Science 19:676, section 4.
        """
        check_level(level)
        if abs(self.observed.effect[0, 1] - 1) > 1e-6:
            raise refuse(
                "shifted", "does not move the contrast by 1, so there is no constant effect to test."
            )
        alpha = (1 - level) * (1 + _ROUNDING)
        low, high = self._bound(-1.0, alpha), self._bound(1.0, alpha)
        return None if low is None or high is None else Interval(level, low, high)

    def _bound(self, side: float, alpha: float) -> float | None:
        """The outermost effect on one side that is not rejected."""
        estimate = float(self.observed.effect[0, 0])
        reach = self._reach(side, alpha)
        if reach is None:
            return None
        points = estimate + reach * np.arange(_STEPS + 1) / _STEPS
        kept = [place for place, point in enumerate(points) if self.p_value(float(point)) > alpha]
        inside, outside = float(points[kept[-1]]), float(points[kept[-1] + 1])
        for _ in range(_HALVINGS):
            middle = (inside + outside) / 2
            if self.p_value(middle) > alpha:
                inside = middle
            else:
                outside = middle
        return inside

    def _reach(self, side: float, alpha: float) -> float | None:
        """How far from the estimate an effect is rejected: first a few errors away, then twice as far."""
        estimate = float(self.observed.effect[0, 0])
        reach = side * 4 * _spread(self.redrawn.effect[:, 0])
        for _ in range(_DOUBLINGS):
            if self.p_value(estimate + reach) <= alpha:
                return reach
            reach *= 2
        return None


def _spread(effects: Floats) -> float:
    """The standard deviation of the re-drawn contrasts; 1 where they are all alike."""
    return float(np.nanstd(effects)) or 1.0
