"""Bounds on the effect on people who are spared an event under either arm, whichever way the arm moves it."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import (
    arms_compared,
    contrast_weights,
    finite,
    name_of,
    refuse,
    same_length,
)
from equipoise.estimation.missing.trimming import trimmed_mean

__all__ = ["bounds_in_any_direction"]


def bounds_in_any_direction(
    outcome: npt.ArrayLike,
    spared: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    known: npt.ArrayLike | None = None,
    arm_names: Sequence[str] | None = None,
) -> tuple[float, float]:
    """The least and greatest effect on people who are spared under either arm, without assuming a direction.

    At least p + q - 1 of everybody is spared under either arm, where the arms spare p and q. With so few of
    them, both arms hold others among those spared, and both are trimmed; more of them give nothing wider.

    Args:
        outcome: (n,) of all randomised; looked at only where `spared` and `known` are true.
        spared: (n,) to whom it did not happen.
        arm: (n,) codes from 0.
        contrast: one weight an arm; two of them not 0.
        known: (n,) whose outcome is known; left out, everybody's. The others count in the shares and are
            taken to be like those of their arm whose outcome is known.
        arm_names: for messages.
    Raises:
        DesignError: more than two arms, an arm in which nobody's outcome is known, or so few spared that
            nobody need be spared under both.

    Zhang & Rubin (2003), J. Educ. Behav. Stat. 28:353, section 4; trimming as in Horowitz & Manski (1995),
    Econometrica 63:281.
    """
    held, codes = np.asarray(spared, dtype=bool), np.asarray(arm, dtype=np.int64)
    seen = held if known is None else held & np.asarray(known, dtype=bool)
    values = np.where(seen, np.asarray(outcome, dtype=np.float64), 0.0)
    same_length(len(held), arm=codes, outcome=values, known=seen)
    weights = contrast_weights(contrast, codes)
    compared = sorted(arms_compared(weights), key=lambda code: -weights[code])
    if len(compared) != 2:
        raise refuse("contrast", f"compares {len(compared)} arms; these bounds compare two.")
    for code in compared:
        if not (seen & (codes == code)).any():
            who = name_of(code, arm_names, "arm")
            raise refuse("known", f"nobody in {who} was spared and has a known outcome.")
    shares = [float(held[codes == code].mean()) for code in compared]
    both = sum(shares) - 1
    if both <= 0:
        raise refuse(
            "spared",
            f"{shares[0]:.0%} and {shares[1]:.0%} were spared in the two arms, so it may be that nobody is "
            "spared under both, and there are no bounds without a direction.",
        )
    first, other = (finite(values[seen & (codes == code)], "outcome") for code in compared)
    kept = (len(first) * both / shares[0], len(other) * both / shares[1])
    low, high = (
        trimmed_mean(first, kept[0], lowest=end).mean - trimmed_mean(other, kept[1], lowest=not end).mean
        for end in (True, False)
    )
    scale = float(weights[compared[0]])
    return scale * low, scale * high
