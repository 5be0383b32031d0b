"""Whether an effect varies, by re-drawing: the null is that it is the same for everybody, whatever it is.

That null does not say how large the effect is, so it leaves a free number. Each value of it makes outcomes
that no draw changes, and a p-value; the largest counts, over the values that the data do not rule out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.estimation.arrays import refuse
from equipoise.estimation.randomisation.extremes import chance_of, reaches
from equipoise.estimation.randomisation.moderated import Apart, Moderation
from equipoise.estimation.randomisation.redraws import Redraws

__all__ = ["LEFT_OUT", "VariationTest", "variation_test"]

LEFT_OUT = 0.001
"""The chance that the effect lies outside the values looked at, which is added to the p-value."""
_VALUES = 41


@dataclass(frozen=True)
class VariationTest:
    """A test that an effect is the same for everybody.

    `statistic` is Wald's at the effect estimated, over its degrees of freedom; `p_value` with `LEFT_OUT` in
    it; `draws` and `mc_error` as in `RandomisationTest`.
    """

    statistic: float
    p_value: float
    draws: int
    exact: bool
    mc_error: float | None


def variation_test(moderation: Moderation, redraws: Redraws, effects: Sequence[float]) -> VariationTest:
    """Test that the effect is the same for everybody.

    Args:
        moderation: from `levels_apart` or `slopes_apart`.
        redraws: the allocations to compare with.
        effects: the ends of the values that the effect may have, but for a chance of `LEFT_OUT`, and between
            them the estimate.
    Returns:
        The largest p-value over values between the ends, plus `LEFT_OUT`. An allocation that allows no
        estimate, as one with nobody of a level in an arm, counts as extreme.
    Raises:
        DesignError: the allocation observed allows none.

    Berger & Boos (1994), JASA 89:1012, applied to effects that vary by Ding, Feller & Miratrix (2016), JRSS B
    78:655, section 4.
    """
    here, others = moderation(redraws.observed[None, :]), _joined([moderation(c) for c in redraws.pieces()])
    low, estimate, high = sorted(effects)
    if not np.isfinite(here.sizes(estimate)[0]):
        raise refuse("level", "has too few people in an arm, as allocated, for effects to be compared.")

    def p_value(effect: float) -> float:
        own = float(here.sizes(effect)[0])
        return chance_of(reaches(others.sizes(effect), own, studentised=True), redraws)

    largest = max(map(p_value, (estimate, *np.linspace(low, high, _VALUES).tolist())))
    error = None if redraws.exact else float(np.sqrt(largest * (1 - largest) / redraws.draws))
    statistic = float(here.sizes(estimate)[0])
    return VariationTest(statistic, min(1.0, largest + LEFT_OUT), redraws.draws, redraws.exact, error)


def _joined(parts: Sequence[Apart]) -> Apart:
    fields = ("effects", "own", "both", "moved", "undefined")
    return Apart(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields))
