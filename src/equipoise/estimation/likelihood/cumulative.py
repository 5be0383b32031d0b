"""The likelihood of ordered answers under proportional odds, and its maximum."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from equipoise.estimation.arrays import Floats, Ints
from equipoise.estimation.likelihood.named_design import NamedDesign
from equipoise.estimation.likelihood.separation import separation_error

__all__ = ["Cumulative", "density", "maximise"]

_ROUNDS = 100
_CONVERGED = 1e-9
"""Change of thresholds and predictors after which Newton's next step is below rounding."""
_DIVERGED = 30.0
"""A predictor this far out means a fitted chance of 0 or 1: the estimate does not exist."""


@dataclass(frozen=True, eq=False)
class Cumulative:
    """An answer lies between two thresholds, of which the first has none below it and the last none above.

    Attributes:
        columns: (n, k) the regression's columns, without one for the first arm.
        answer: (n,) codes of the answers from 0, rising.
        categories: how many there are; the first `categories - 1` parameters are the thresholds.
    """

    columns: Floats
    answer: Ints
    categories: int

    def ends(self, parameters: Floats) -> tuple[Floats, Floats]:
        """Both ends for every row."""
        cuts = np.concatenate(([-np.inf], parameters[: self.categories - 1], [np.inf]))
        shift = self.columns @ parameters[self.categories - 1 :]
        return cuts[self.answer] - shift, cuts[self.answer + 1] - shift

    def log_likelihood(self, parameters: Floats) -> float:
        """Minus infinity where thresholds are out of order."""
        if (np.diff(parameters[: self.categories - 1]) <= 0).any():
            return -np.inf
        with np.errstate(divide="ignore"):
            return float(np.log(_between(*self.ends(parameters))).sum())

    def derivatives(self, parameters: Floats) -> tuple[Floats, Floats]:
        """(n, k) scores and the (k, k) observed information."""
        low, high = self.ends(parameters)
        chance = _between(low, high)
        up, down = density(high) / chance, density(low) / chance
        upper, lower = self._design(self.answer), self._design(self.answer - 1)
        scores = upper * up[:, None] - lower * down[:, None]
        bend = upper.T @ (upper * (up * (1 - 2 * special.expit(high)))[:, None])
        bend -= lower.T @ (lower * (down * (1 - 2 * special.expit(low)))[:, None])
        return scores, np.asarray(scores.T @ scores - bend)

    def by_predictor(self, parameters: Floats) -> tuple[Floats, Floats]:
        """(n,) scores by the linear predictor, (n, k) minus the second derivatives by it and a parameter.

        A predictor that rises by one is every threshold that falls by one.
        """
        low, high = self.ends(parameters)
        chance = _between(low, high)
        up, down = density(high) / chance, density(low) / chance
        upper, lower = self._design(self.answer), self._design(self.answer - 1)
        scores = upper * up[:, None] - lower * down[:, None]
        bend = upper * (up * (1 - 2 * special.expit(high)))[:, None]
        bend -= lower * (down * (1 - 2 * special.expit(low)))[:, None]
        return down - up, (down - up)[:, None] * scores + bend

    def _design(self, cut: Ints) -> Floats:
        thresholds = (cut[:, None] == np.arange(self.categories - 1)).astype(np.float64)
        return np.concatenate((thresholds, -self.columns), axis=1)


def _between(low: Floats, high: Floats) -> Floats:
    """The logistic distribution between two ends, without cancellation in its upper tail."""
    turned = low > 0
    top, bottom = np.where(turned, -low, high), np.where(turned, -high, low)
    return np.asarray(special.expit(top) - special.expit(bottom))


def density(at: Floats) -> Floats:
    """The density of the logistic distribution."""
    return np.asarray(special.expit(at) * special.expit(-at))


def maximise(model: Cumulative, named: NamedDesign) -> Floats:
    """Newton's method with halved steps, from the thresholds of everyone together.

    Args:
        model: the likelihood.
        named: the columns with those of all arms, for the message.
    Returns:
        Thresholds, then the coefficients of the columns.
    Raises:
        DesignError: answers that are predicted perfectly.
    """
    shares = np.cumsum(np.bincount(model.answer))[:-1] / len(model.answer)
    at = np.concatenate((special.logit(shares), np.zeros(model.columns.shape[1])))
    for _ in range(_ROUNDS):
        scores, information = model.derivatives(at)
        try:
            step = np.asarray(np.linalg.solve(information, scores.sum(axis=0)), dtype=np.float64)
        except np.linalg.LinAlgError:
            break
        step = _shortened(model, at, step)
        at = at + step
        cuts = model.categories - 1
        moved = max(np.abs(step[:cuts]).max(), np.abs(model.columns @ step[cuts:]).max(initial=0.0))
        if np.abs(model.columns @ at[cuts:]).max(initial=0.0) > _DIVERGED:
            break
        if moved < _CONVERGED:
            return at
    lowest, highest = model.answer == 0, model.answer == model.categories - 1
    raise separation_error(named, lowest, highest, "proportional-odds")


def _shortened(model: Cumulative, at: Floats, step: Floats) -> Floats:
    before = model.log_likelihood(at)
    for _ in range(40):
        if model.log_likelihood(at + step) >= before - 1e-10 * abs(before):
            break
        step = step / 2
    return step
