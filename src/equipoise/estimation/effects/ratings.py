"""Conjoint and vignette experiments: component effects, marginal means and interactions of attributes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.errors import DesignError
from equipoise.estimation.arrays import Dof, Floats, Ints, finite, finite_columns, refuse, same_length
from equipoise.estimation.inference import Estimate, JointTest
from equipoise.estimation.least_squares.covariance import Variance
from equipoise.estimation.least_squares.linear import LinearFit, fit_linear
from equipoise.estimation.least_squares.two_way import fit_two_way

__all__ = [
    "Component",
    "Interaction",
    "LevelMean",
    "component_effects",
    "component_interaction",
    "marginal_means",
]


@dataclass(frozen=True)
class Component:
    """An attribute: the effect of each level against the first (whose place holds None), and all jointly.

    `joint` is None where it cannot be tested, as with two-way errors of too few stimuli.
    """

    effects: tuple[Estimate | None, ...]
    joint: JointTest | None


@dataclass(frozen=True)
class LevelMean:
    """The mean rating of profiles that show a level; or why it has none."""

    ratings: int
    mean: Estimate | None
    not_estimable: str | None


@dataclass(frozen=True)
class Interaction:
    """How a component effect of one attribute differs by level of another.

    `effects[i][j]` is the effect of level i + 1 of the first attribute at level j + 1 of the second, less
    that at the second's first level.
    """

    effects: tuple[tuple[Estimate, ...], ...]
    joint: JointTest


def component_effects(
    outcome: npt.ArrayLike,
    attributes: npt.ArrayLike,
    counts: Sequence[int],
    respondent: npt.ArrayLike,
    *,
    covariates: npt.ArrayLike | None = None,
    stimulus: npt.ArrayLike | None = None,
    variance: Variance = "CR2",
    dof: Dof = "satterthwaite",
    level: float = 0.95,
) -> tuple[Component, ...]:
    """Average marginal component effects of attributes drawn independently of each other.

    Args:
        outcome: (n,) ratings or choices.
        attributes: (n, a) codes from 0, one column an attribute.
        counts: (a,) number of levels of each.
        respondent: (n,) labels of those who rated.
        covariates: (n, p) what else was drawn or known before: position, task.
        stimulus: (n,) labels of the named stimuli, such as the names shown; with them the errors are two-way,
            so that they hold for other stimuli of the kind as well.
        variance: CR0 to CR3; without meaning where a stimulus is given.
        dof: degrees of freedom.
        level: coverage of the intervals.
    Returns:
        For each attribute its levels against the first, other attributes averaged in the shares in which they
        were drawn.
    Raises:
        DesignError: codes outside the attributes' levels, or a level that is never shown.

    Hainmueller, Hopkins & Yamamoto (2014), Polit. Anal. 22:1, section 3 (least squares on indicators).
    """
    y, codes = _checked(outcome, attributes, counts)
    parts = [_indicators(column, count) for column, count in zip(codes.T, counts, strict=True)]
    rest = [np.ones((len(y), 1)), *_centred(covariates, len(y))]
    fit = _regressed(y, np.concatenate((*rest, *parts), axis=1), respondent, stimulus, variance, dof)
    start = sum(part.shape[1] for part in rest)
    found = []
    for count in counts:
        rows = np.eye(len(fit.coefficients))[start : start + count - 1]
        found.append(Component((None, *(fit.contrast(row, level) for row in rows)), _joint(fit, rows)))
        start += count - 1
    return tuple(found)


def marginal_means(
    outcome: npt.ArrayLike,
    attribute: npt.ArrayLike,
    count: int,
    respondent: npt.ArrayLike,
    *,
    variance: Variance = "CR2",
    dof: Dof = "satterthwaite",
    level: float = 0.95,
) -> tuple[LevelMean, ...]:
    """The mean rating at each level of an attribute, averaged over all else as drawn.

    Args:
        outcome: (n,) ratings or choices.
        attribute: (n,) codes from 0.
        count: number of levels.
        respondent: (n,) labels of those who rated.
        variance: CR0 to CR3.
        dof: degrees of freedom.
        level: coverage of the intervals.
    Returns:
        A mean for each level. Unlike component effects they do not hang on which level is the first, so they
        can be compared between groups of respondents.
    Raises:
        DesignError: codes outside the levels.

    Leeper, Hobolt & Tilley (2020), Polit. Anal. 28:207.
    """
    y, codes = _checked(outcome, np.asarray(attribute)[:, None], [count], shown=False)
    held = np.unique(codes)
    people = np.asarray(respondent)
    fit = _regressed(y, (codes == held).astype(np.float64), people, None, variance, dof)
    place = {int(code): row for code, row in zip(held, np.eye(len(held)), strict=True)}
    return tuple(
        _level_mean(fit, place.get(code), int((codes == code).sum()), level) for code in range(count)
    )


def component_interaction(
    outcome: npt.ArrayLike,
    attributes: npt.ArrayLike,
    counts: Sequence[int],
    respondent: npt.ArrayLike,
    *,
    first: int,
    second: int,
    covariates: npt.ArrayLike | None = None,
    variance: Variance = "CR2",
    dof: Dof = "satterthwaite",
    level: float = 0.95,
) -> Interaction:
    """Average component interaction effects of two attributes, all others additive.

    Args:
        outcome, attributes, counts, respondent, covariates, variance, dof, level: as in `component_effects`.
        first, second: numbers of the two attributes.
    Returns:
        Differences of differences against the first levels of both, and the test that all are 0.
    Raises:
        DesignError: two levels that are never shown together, or an attribute crossed with itself.

    Hainmueller, Hopkins & Yamamoto (2014), Polit. Anal. 22:1, section 3.
    """
    y, codes = _checked(outcome, attributes, counts)
    if first == second:
        raise refuse("second", f"is attribute {second} as well; an interaction is of two attributes.")
    parts = [_indicators(column, count) for column, count in zip(codes.T, counts, strict=True)]
    product = (parts[first][:, :, None] * parts[second][:, None, :]).reshape(len(y), -1)
    rest = [np.ones((len(y), 1)), *_centred(covariates, len(y)), *parts]
    fit = _regressed(y, np.concatenate((*rest, product), axis=1), respondent, None, variance, dof)
    rows = np.eye(len(fit.coefficients))[-product.shape[1] :]
    found = [fit.contrast(row, level) for row in rows]
    width = counts[second] - 1
    return Interaction(
        tuple(tuple(found[start : start + width]) for start in range(0, len(found), width)),
        fit.joint_test(rows),
    )


def _checked(
    outcome: npt.ArrayLike, attributes: npt.ArrayLike, counts: Sequence[int], *, shown: bool = True
) -> tuple[Floats, Ints]:
    y, codes = finite(outcome, "outcome"), np.asarray(attributes, dtype=np.int64)
    same_length(len(y), attributes=codes)
    if codes.ndim != 2 or codes.shape[1] != len(counts):
        raise refuse("attributes", f"has shape {codes.shape}; expected a column for each of {len(counts)}.")
    for number, (column, count) in enumerate(zip(codes.T, counts, strict=True)):
        if column.min() < 0 or column.max() >= count:
            raise refuse("attributes", f"codes of attribute {number} are not all from 0 to {count - 1}.")
        absent = np.flatnonzero(np.bincount(column, minlength=count) == 0)
        if shown and len(absent):
            raise refuse("attributes", f"level {absent[0]} of attribute {number} is in no profile rated.")
    return y, codes


def _indicators(codes: Ints, count: int) -> Floats:
    return np.asarray(codes[:, None] == np.arange(1, count), dtype=np.float64)


def _centred(covariates: npt.ArrayLike | None, rows: int) -> list[Floats]:
    if covariates is None:
        return []
    columns = finite_columns(covariates, "covariates")
    same_length(rows, covariates=columns)
    return [columns - columns.mean(axis=0)]


def _regressed(
    y: Floats,
    design: Floats,
    respondent: npt.ArrayLike,
    stimulus: npt.ArrayLike | None,
    variance: Variance,
    dof: Dof,
) -> LinearFit:
    people = np.asarray(respondent)
    same_length(len(y), respondent=people)
    if stimulus is None:
        return fit_linear(y, design, variance=variance, cluster=people, dof=dof)
    shown = np.asarray(stimulus)
    same_length(len(y), stimulus=shown)
    return fit_two_way(y, design, np.stack((people.astype(str), shown.astype(str)), axis=1))


def _joint(fit: LinearFit, rows: Floats) -> JointTest | None:
    try:
        return fit.joint_test(rows)
    except DesignError:
        return None


def _level_mean(fit: LinearFit, row: Floats | None, ratings: int, level: float) -> LevelMean:
    if row is None:
        return LevelMean(ratings, None, "no profile rated shows this level")
    try:
        return LevelMean(ratings, fit.contrast(row, level), None)
    except DesignError as error:
        return LevelMean(ratings, None, str(error))
