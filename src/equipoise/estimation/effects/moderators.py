"""How an effect varies with a number measured before allocation: a line, and groups that show if one fits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.errors import DesignError
from equipoise.estimation.arrays import (
    Bools,
    Dof,
    Floats,
    Ints,
    arms_compared,
    contrast_weights,
    finite,
    finite_columns,
    name_of,
    refuse,
    same_length,
)
from equipoise.estimation.inference import Estimate, JointTest
from equipoise.estimation.least_squares.covariance import Variance
from equipoise.estimation.least_squares.linear import LinearFit, fit_linear

__all__ = ["PERCENTILES", "EffectAt", "EffectInBin", "ModeratedEffect", "effect_by_moderator"]

PERCENTILES = (10, 50, 90)


@dataclass(frozen=True)
class EffectAt:
    """The effect on the line at a percentile of the moderator among those analysed."""

    percentile: int
    value: float
    effect: Estimate


@dataclass(frozen=True)
class EffectInBin:
    """The effect at the median of a bin, from a line of its own; or why it has none.

    `low` and `high` are the moderator's ends in the bin, `counts` the people of each arm in it.
    """

    low: float
    high: float
    median: float
    counts: tuple[int, ...]
    effect: Estimate | None
    not_estimable: str | None


@dataclass(frozen=True)
class ModeratedEffect:
    """How an effect changes with a moderator.

    Attributes:
        slope: change of the effect for each unit of the moderator.
        at: the effect on the line at the 10th, 50th and 90th percentile.
        bins: the effect in each bin; none where people are too few for a line in each.
        linearity: that the effects in the bins, and their slopes there, lie on one line; None where fewer
            than two bins can be estimated, or a bin holds one value and so has no slope.
    """

    slope: Estimate
    at: tuple[EffectAt, ...]
    bins: tuple[EffectInBin, ...]
    linearity: JointTest | None


def effect_by_moderator(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    moderator: npt.ArrayLike,
    *,
    bins: int = 3,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    variance: Variance | None = None,
    dof: Dof = "satterthwaite",
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
) -> ModeratedEffect:
    """A contrast of arms as it varies with a number known before allocation.

    Args:
        outcome: (n,) in its own unit; NaN is refused, not dropped.
        arm: (n,) codes from 0; allocation as randomised.
        contrast: one weight an arm, adding up to 0.
        moderator: (n,) measured before allocation, in its own unit.
        bins: groups of about equal numbers of people.
        covariates: (n, p) measured before allocation, additive.
        strata: (n,) labels whose intercepts are absorbed.
        cluster: (n,) labels.
        variance: kind of covariance; left out, HC2, or CR2 with clusters.
        dof: degrees of freedom.
        level: coverage of the intervals.
        arm_names: for messages.
    Returns:
        The line with the moderator interacted with every arm, and the binning estimator beside it. The
        moderator was not drawn by lot: that the effect varies with it does not say that it is the cause.
    Raises:
        DesignError: an arm compared has nobody, or a moderator that does not vary.

    Hainmueller, Mummolo & Xu (2019), Political Analysis 27:163, eq. 4 (bins). The test of linearity is
    theirs for the effect alone: how the outcome itself depends on the moderator may bend.
    """
    y, codes, number = finite(outcome, "outcome"), np.asarray(arm, dtype=np.int64), finite(moderator, "by")
    extra = None if covariates is None else finite_columns(covariates, "covariates")
    same_length(len(y), arm=codes, by=number, covariates=extra)
    weights = contrast_weights(contrast, codes)
    present = np.flatnonzero(np.bincount(codes, minlength=len(weights)))
    _check_varies(codes, weights, number, arm_names)
    groups = None if cluster is None else np.asarray(cluster)
    kind: Variance = variance or ("HC2" if cluster is None else "CR2")
    model = _Model(
        y, codes, present, weights[present], number, extra,
        None if strata is None else np.asarray(strata), groups, kind, dof, level,
    )  # fmt: skip
    slope, at = model.line()
    try:
        found, linearity = model.binned(_bins(number, bins), len(weights))
    except DesignError:  # too few people for a line in every bin
        found, linearity = (), None
    return ModeratedEffect(slope, at, found, linearity)


@dataclass(frozen=True, eq=False)
class _Model:
    """The data of a moderated effect; `weights` is the contrast of the arms in `present`."""

    y: Floats
    arm: Ints
    present: Ints
    weights: Floats
    number: Floats
    extra: Floats | None
    strata: npt.NDArray[np.generic] | None
    cluster: npt.NDArray[np.generic] | None
    variance: Variance
    dof: Dof
    level: float

    @property
    def arms(self) -> Floats:
        return np.asarray(self.arm[:, None] == self.present, dtype=np.float64)

    @property
    def spread(self) -> float:
        return float(self.number.std())

    def fit(self, columns: Sequence[Floats]) -> LinearFit:
        parts = list(columns)
        if self.extra is not None:
            parts.append(self.extra - self.extra.mean(axis=0))
        return fit_linear(
            self.y,
            np.concatenate(parts, axis=1),
            variance=self.variance,
            strata=self.strata,
            cluster=self.cluster,
            dof=self.dof,
        )

    def line(self) -> tuple[Estimate, tuple[EffectAt, ...]]:
        """One line for each arm."""
        centre = float(self.number.mean())
        block = _Block(self, np.ones(len(self.y), dtype=np.bool_), centre, reference=self.strata is not None)
        fit = self.fit([block.columns])
        width = len(fit.coefficients)
        level, slope = block.level(0, width), block.slope(0, width)
        values = np.percentile(self.number, PERCENTILES)
        at = tuple(
            EffectAt(percentile, float(value), fit.contrast(level + (value - centre) * slope, self.level))
            for percentile, value in zip(PERCENTILES, values, strict=True)
        )
        return fit.contrast(slope, self.level), at

    def binned(self, rows: Sequence[Bools], arms: int) -> tuple[tuple[EffectInBin, ...], JointTest | None]:
        """A line for each arm in each bin, all in one fit."""
        medians = [float(np.median(self.number[each])) for each in rows]
        blocks = [
            _Block(self, each, median, reference=self.strata is not None and not place)
            for place, (each, median) in enumerate(zip(rows, medians, strict=True))
        ]
        fit = self.fit([block.columns for block in blocks])
        starts = np.concatenate(([0], np.cumsum([block.columns.shape[1] for block in blocks])))
        width = len(fit.coefficients)
        vectors = [
            (block.level(int(start), width), block.slope(int(start), width))
            for block, start in zip(blocks, starts, strict=False)
        ]
        found = tuple(
            self._in_bin(fit, each, median, vector[0], arms)
            for each, median, vector in zip(rows, medians, vectors, strict=True)
        )
        usable = [place for place, one in enumerate(found) if one.effect is not None]
        return found, _on_one_line(fit, [medians[at] for at in usable], [vectors[at] for at in usable])

    def _in_bin(self, fit: LinearFit, rows: Bools, median: float, vector: Floats, arms: int) -> EffectInBin:
        number = self.number[rows]
        counts = tuple(int(count) for count in np.bincount(self.arm[rows], minlength=arms))
        given = float(number.min()), float(number.max()), median, counts
        for code in self.present[self.weights != 0]:
            own = number[self.arm[rows] == code]
            if len(own) < 2 or (np.ptp(number) > 0 and np.ptp(own) == 0):
                why = "an arm has fewer than two people, or one value alone, where others differ"
                return EffectInBin(*given, None, why)
        try:
            return EffectInBin(*given, fit.contrast(vector, self.level), None)
        except DesignError as error:
            return EffectInBin(*given, None, str(error))


class _Block:
    """Columns of one line for each arm among some rows: levels at `centre`, a slope, the arms' own slopes.

    With `reference` the first arm has no level, since strata hold it. Slopes are in SDs of the moderator.
    """

    def __init__(self, model: _Model, rows: Bools, centre: float, *, reference: bool) -> None:
        self.weights, self.spread, self.first = model.weights, model.spread, int(reference)
        arms = model.arms * rows[:, None]
        away = ((model.number - centre) / self.spread * rows)[:, None]
        self.columns = np.concatenate((arms[:, self.first :], away, arms[:, 1:] * away), axis=1)

    def level(self, start: int, width: int) -> Floats:
        """The contrast at `centre`, as weights of all `width` columns; this block's begin at `start`."""
        vector, held = np.zeros(width), self.weights[self.first :]
        vector[start : start + len(held)] = held
        return vector

    def slope(self, start: int, width: int) -> Floats:
        """The change of the contrast for each unit of the moderator; the first arm's slope is common."""
        vector, begin = np.zeros(width), start + len(self.weights) - self.first + 1
        vector[begin : begin + len(self.weights) - 1] = self.weights[1:] / self.spread
        return vector


def _check_varies(arm: Ints, weights: Floats, number: Floats, arm_names: Sequence[str] | None) -> None:
    if np.ptp(number) == 0:
        raise refuse("by", f"is {number[0]:g} for everybody analysed, so nothing can vary with it.")
    for code in arms_compared(weights):
        own, name = number[arm == code], name_of(code, arm_names, "arm")
        if not len(own):
            raise refuse("arm", f"{name} has nobody with an outcome to compare.")
        if np.ptp(own) == 0:
            raise refuse("by", f"is {own[0]:g} for everybody in {name}, which so has no line along it.")


def _bins(number: Floats, count: int) -> list[Bools]:
    """Rows of each bin: cut at quantiles, a value whole in one bin; fewer bins where values repeat."""
    cuts = np.unique(np.quantile(number, np.arange(1, count) / count))
    place = np.searchsorted(cuts, number, side="left")
    return [place == bin_ for bin_ in np.unique(place)]


def _on_one_line(
    fit: LinearFit, medians: Sequence[float], vectors: Sequence[tuple[Floats, Floats]]
) -> JointTest | None:
    """Every bin's slope and level against what the first bin's line says of them."""
    if len(medians) < 2:
        return None
    level, slope = vectors[0]
    apart = [
        row
        for median, (own_level, own_slope) in zip(medians[1:], vectors[1:], strict=True)
        for row in (own_slope - slope, own_level - level - (median - medians[0]) * slope)
    ]
    try:
        return fit.joint_test(np.array(apart))
    except DesignError:
        return None
