"""The change since before as the outcome: declared, never chosen, because adjustment is more precise."""

from typing import Any

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import finite, same_length
from equipoise.estimation.effects.adjusted import linear_effect
from equipoise.estimation.inference import Estimate

__all__ = ["change_score_effect"]


def change_score_effect(
    after: npt.ArrayLike, before: npt.ArrayLike, arm: npt.ArrayLike, contrast: npt.ArrayLike, **options: Any
) -> Estimate:
    """A contrast of arms in the change of a score, after less before.

    Args:
        after: (n,) the score after.
        before: (n,) the score of the same people measured before allocation.
        arm: (n,) codes from 0.
        contrast: one weight an arm, adding up to 0.
        options: the further arguments of `linear_effect`; with the score before among the covariates it is
            the very estimate of the score after adjusted for it (Laird 1983, American Statistician 37:329).
    Returns:
        The contrast. It estimates the same effect as adjusting for the score before does; its variance,
        2 (1 - r) in outcome variances, is never below that one's 1 - r^2.
    Raises:
        DesignError: somebody lacks one of the scores: who lacks the one before can be adjusted for, and kept,
            but has no change.

    Vickers & Altman (2001), BMJ 323:1123; Senn (2006), Statistics in Medicine 25:4334.
    """
    later, earlier = finite(after, "after"), finite(before, "before")
    same_length(len(later), before=earlier)
    return linear_effect(np.asarray(later - earlier), arm, contrast, **options)
