"""Crossovers: people or clusters that get several arms, one after another, in an order that was drawn.

Each is compared with itself, so what people differ in anyway cancels. Periods are fixed effects. Where
clusters were drawn, people of one cluster and period are more alike than those of two periods, so each
cluster has an intercept for each of its periods as well; then other people may be measured in each.
Carry-over (an arm that still acts in the next period) is estimated beside the effect and never decides which
model is used: in two periods it is confounded with the order, and testing it first spoils the error rate.

Grizzle (1965), Biometrics 21:467; Senn (2002), Cross-over Trials in Clinical Research, ch. 3; Freeman (1989),
Statistics in Medicine 8:1421, on testing first; Turner, White & Croudace (2007), Statistics in Medicine
26:274, on clusters.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import Bools, Floats, Ints, codes_of, contrast_weights, refuse, same_length
from equipoise.estimation.inference import Estimate
from equipoise.estimation.least_squares.linear import fit_linear
from equipoise.estimation.mixed.arms import adjustments
from equipoise.estimation.mixed.fit import MixedDof, MixedFit, fit_mixed

__all__ = ["CrossoverFit", "TwoByTwo", "fit_crossover", "two_by_two"]


@dataclass(frozen=True, eq=False)
class CrossoverFit:
    """A fit of a crossover.

    Attributes:
        fit: the model.
        arms: how many arms there are.
        carries: whether carry-over is in the model.
    """

    fit: MixedFit
    arms: int
    carries: bool

    def effect(
        self, contrast: npt.ArrayLike, level: float = 0.95, dof: MixedDof = "kenward-roger"
    ) -> Estimate:
        """A contrast of arms in the period in which they are given."""
        return self._of(contrast, 0, level, dof)

    def carry_over(
        self, contrast: npt.ArrayLike, level: float = 0.95, dof: MixedDof = "kenward-roger"
    ) -> Estimate:
        """The same contrast of what the arms leave behind in the period after.

        Raises:
            DesignError: carry-over is not in the model, or cannot be told from the arms and periods.
        """
        if not self.carries:
            raise refuse("carry_over", "is not in this model; fit it with carry_over=True.")
        return self._of(contrast, self.arms, level, dof)

    def _of(self, contrast: npt.ArrayLike, offset: int, level: float, dof: MixedDof) -> Estimate:
        weights = contrast_weights(contrast, np.empty(0, dtype=np.int64))
        vector = np.zeros(len(self.fit.coefficients))
        # The first arm is the reference and has no column; its weight is what the others leave.
        vector[offset + 1 : offset + self.arms] = weights[1:]
        return self.fit.contrast(vector, level, dof)


@dataclass(frozen=True)
class TwoByTwo:
    """The closed form of two arms in two periods: the first arm less the second, the first period less the
    second, and twice the mean carry-over of the first arm less that of the second."""

    effect: Estimate
    period: Estimate
    carry_over: Estimate


def fit_crossover(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    *,
    arms: int,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    carry_over: bool = False,
    cluster: npt.ArrayLike | None = None,
) -> CrossoverFit:
    """Fits arms and periods, with an intercept for each person, or each cluster and its periods, or both.

    Args:
        outcome: (n, periods), NaN where somebody has no outcome.
        arm: (n, periods) codes from 0: which arm each person (or their cluster) had in each period.
        arms: how many arms there are.
        covariates: (n, p) measured before the first period; the same for all of a person's periods, they
            matter only for people who lack a period.
        strata: (n,) labels, entered as covariates are.
        carry_over: whether what the arm of the period before leaves behind is in the model.
        cluster: (n,) labels, where clusters were drawn.
    Returns:
        The fit.
    Raises:
        DesignError: an arm that nobody had, nobody and no cluster measured in two periods, or a design that
            cannot be estimated.
    """
    values, had = np.asarray(outcome, dtype=np.float64), np.asarray(arm, dtype=np.int64)
    if values.shape != had.shape or values.ndim != 2 or values.shape[1] < 2:
        raise refuse("outcome", "needs two periods or more, with the arm of each person in each of them.")
    there = ~np.isnan(values)
    _check_arms(had[there], arms)
    person, period = np.nonzero(there)
    current = _indicators(had, arms)[there]
    before = np.zeros_like(_indicators(had, arms))
    before[:, 1:] = _indicators(had, arms)[:, :-1]
    periods = (period[:, None] == np.arange(values.shape[1])).astype(np.float64)
    extra = adjustments(len(values), covariates, strata)[person]
    left = [before[there]] if carry_over else []
    reference = np.zeros((len(person), 1))
    design = np.concatenate(
        [periods, extra, *(part for each in (current, *left) for part in (reference, each))], axis=1
    )
    group = None if cluster is None else codes_of(cluster, "cluster")[0][person]
    fit = fit_mixed(values[there], design, _intercepts(person, period, group))
    effects = arms * (2 if carry_over else 1)
    return CrossoverFit(fit.rearranged(np.roll(np.arange(design.shape[1]), effects)), arms, carry_over)


def two_by_two(outcome: npt.ArrayLike, second_first: npt.ArrayLike, level: float = 0.95) -> TwoByTwo:
    """Two arms in two periods, from the differences and sums of those with both.

    Args:
        outcome: (n, 2) by period, without gaps.
        second_first: (n,) whether a person had the second arm first.
        level: coverage of the intervals.
    Returns:
        Estimates with pooled variances and n - 2 degrees of freedom.
    Raises:
        DesignError: an order with fewer than two people, or an outcome that does not vary.

    Senn (2002), section 3.6: half the difference between the orders' mean differences.
    """
    values, order = np.asarray(outcome, dtype=np.float64), np.asarray(second_first, dtype=bool)
    same_length(len(values), second_first=order)
    if values.ndim != 2 or values.shape[1] != 2:
        raise refuse("outcome", "has other than two periods; use fit_crossover.")
    halves = (values[:, 0] - values[:, 1]) / 2
    return TwoByTwo(
        _between(halves, order, level),
        _sum_of_orders(halves, order, level),
        _between(values.sum(axis=1), order, level),
    )


def _between(values: Floats, order: Bools, level: float) -> Estimate:
    """The mean of those with the first arm first, less the others'."""
    _check_orders(order)
    design = np.column_stack((np.ones(len(values)), ~order)).astype(np.float64)
    return fit_linear(values, design, variance="classical", dof="residual").contrast((0, 1), level)


def _sum_of_orders(values: Floats, order: Bools, level: float) -> Estimate:
    design = np.column_stack((order, ~order)).astype(np.float64)
    return fit_linear(values, design, variance="classical", dof="residual").contrast((1, 1), level)


def _check_orders(order: Bools) -> None:
    for has, name in ((~order, "the first arm first"), (order, "the second arm first")):
        if has.sum() < 2:
            raise refuse("second_first", f"{int(has.sum())} people had {name}; expected 2 or more.")


def _intercepts(person: Ints, period: Ints, group: Ints | None) -> dict[str, Ints]:
    """Of clusters, of their periods where these have several rows, and of people measured more than once."""
    found: dict[str, Ints] = {}
    if group is not None:
        found["cluster"] = group
        pair = np.unique(group * (int(period.max()) + 1) + period, return_inverse=True)[1].ravel()
        if len(pair) > int(pair.max()) + 1:
            found["cluster and period"] = pair
    if len(np.unique(person)) < len(person):
        found["person"] = person
    if not found:
        raise refuse(
            "outcome",
            "has nobody who is measured in two periods, so nobody can be compared with themselves; name the "
            "clusters that were drawn, or measure people again.",
        )
    return found


def _check_arms(had: Ints, arms: int) -> None:
    counts = np.bincount(had, minlength=arms)
    if len(counts) > arms or not counts.all():
        raise refuse(
            "arm", f"codes run from 0 to {len(counts) - 1}; expected every arm from 0 to {arms - 1}."
        )


def _indicators(had: Ints, arms: int) -> Floats:
    """A column for each arm but the first, shape (n, periods, arms - 1)."""
    return np.asarray(had[:, :, None] == np.arange(1, arms), dtype=np.float64)
