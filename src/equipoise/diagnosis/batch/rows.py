"""The rows of many trials, trial after trial, and what is fitted to them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.estimation.arrays import Bools, Floats, Ints

__all__ = ["Fits", "Rows"]


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of many trials.

    Attributes:
        trials: how many trials.
        trial: shape (rows,), in order.
        place: shape (rows,), the place of each row in its trial.
        counts: shape (trials,), rows of each.
    """

    trials: int
    trial: Ints
    place: Ints
    counts: Ints

    @classmethod
    def of(cls, trials: int, trial: Ints) -> "Rows":
        """Rows by their trial."""
        counts = np.bincount(trial, minlength=trials)
        starts = np.cumsum(counts) - counts
        return cls(trials, trial, np.arange(len(trial)) - starts[trial], counts)

    def sums(self, values: Floats) -> Floats:
        """Sums by trial."""
        return np.asarray(np.bincount(self.trial, values, minlength=self.trials), dtype=np.float64)

    def centred(self, values: Floats) -> Floats:
        """Values less the mean of their trial."""
        return values - (self.sums(values) / np.maximum(self.counts, 1))[self.trial]

    def padded(self, columns: Sequence[Floats]) -> Floats:
        """Shape (trials, longest, columns), 0 beyond a trial's rows."""
        found = np.zeros((self.trials, int(self.counts.max(initial=0)), len(columns)))
        for number, column in enumerate(columns):
            found[self.trial, self.place, number] = column
        return found

    def largest(self, values: Floats) -> Floats:
        """The largest size of a value in each trial, shape (trials,)."""
        return np.asarray(np.abs(self.padded([values])).max(axis=(1, 2), initial=0.0))


@dataclass(frozen=True, eq=False)
class Fits:
    """A contrast in every trial, each of shape (trials,); `plain` says where the numbers can be relied on."""

    estimate: Floats
    std_error: Floats
    dof: Floats
    plain: Bools
