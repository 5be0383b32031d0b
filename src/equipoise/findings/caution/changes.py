"""What a change score costs."""

from collections.abc import Iterator

import numpy as np

from equipoise.estimation.arrays import Floats, Ints
from equipoise.findings.sampling.measured import Measured

__all__ = ["less_precise_than_adjusting"]


def less_precise_than_adjusting(measured: Measured) -> Iterator[str]:
    """How much a change score widens the interval, where it is not adjusted for the score before as well.

    Both estimate the same effect. Vickers & Altman (2001), BMJ 323:1123.
    """
    wave = measured.analysis.change_from
    if wave is None or wave in (measured.analysis.adjust or ()):
        return
    before = measured.data.numbers(f"{measured.outcome}_{wave}")[measured.answered]
    after = measured.y + before
    spread = np.cov(np.stack([_within(values, measured.arm) for values in (after, before, measured.y)]))
    if not spread.diagonal().all():
        return
    correlation = spread[0, 1] / np.sqrt(spread[0, 0] * spread[1, 1])
    ratio = np.sqrt(spread[0, 0] * (1 - correlation**2) / spread[2, 2])
    yield (
        f"a change score: adjusting the score after for that of {wave} estimates the same effect; with a "
        f"correlation of {correlation:.2f} between them its standard error would be about {ratio:.0%} of "
        "this one, and people without a score before could stay"
    )


def _within(values: Floats, arm: Ints) -> Floats:
    """Values less the mean of their arm."""
    sums, counts = np.bincount(arm, values), np.maximum(np.bincount(arm), 1)
    return np.asarray(values - (sums / counts)[arm])
