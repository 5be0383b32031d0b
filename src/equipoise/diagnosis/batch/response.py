"""Who answers each wave, in many trials at once."""

import numpy as np

from equipoise.diagnosis.simulated.allocated import Codes
from equipoise.estimation.arrays import Bools, Floats

__all__ = ["answered_in_each"]


def answered_in_each(wish: Floats, arm: Codes | None, rate: float, gap: float, arms: int) -> Bools:
    """Who answers, shape (trials, n): in each arm of each trial exactly its rounded share.

    Args:
        wish: shape (trials, n) or (1, n), how much each wants to; those who want it most answer.
        arm: shape (trials, n), the arms between which response may differ; None before the allocation.
        rate: the share that answers over all.
        gap: how much likelier the other arms answer than the first.
        arms: how many arms there are.
    """
    if arm is None:
        return _most_willing(wish, round(rate * wish.shape[1]))
    trials, n = arm.shape
    wish = np.broadcast_to(wish, arm.shape)
    found = np.empty(wish.shape, dtype=bool)
    for trial in range(trials):
        counts = np.bincount(arm[trial], minlength=arms)
        others = 1 - counts[0] / n
        shares = np.array([rate - gap * others, *[rate + gap * (1 - others)] * (arms - 1)]).clip(0, 1)
        cut = np.empty(arms)
        for each in range(arms):
            cut[each] = _cut(wish[trial][arm[trial] == each], round(float(shares[each]) * int(counts[each])))
        found[trial] = wish[trial] >= cut[arm[trial]]
    return found


def _most_willing(wish: Floats, count: int) -> Bools:
    n = wish.shape[1]
    if not 0 < count < n:
        return np.full(wish.shape, count > 0)
    cut = np.partition(wish, n - count, axis=1)[:, n - count]
    return np.asarray(wish >= cut[:, None])


def _cut(wish: Floats, count: int) -> float:
    """The wish of the last who answers."""
    if count <= 0:
        return np.inf
    place = len(wish) - count
    return float(np.partition(wish, place)[place])
