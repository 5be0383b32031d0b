"""Restricted maximum likelihood by Newton's steps; a variance that the data want below 0 is held at 0."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from equipoise.estimation.arrays import Bools, Floats, refuse
from equipoise.estimation.mixed.moments import Moments, Restricted, restricted

__all__ = ["Covariance", "Maximum", "NotConverged", "maximise"]

_ROUNDS = 200
_HALVINGS = 40
_CLOSE = 1e-10
"""Newton's decrement (the squared distance to the maximum, in standard errors) from which one step arrives:
near the maximum a step squares the distance, and the likelihood is too flat to see it rise."""
_TOLD_APART = 1e-9
"""Parameters whose scaled information has a smaller eigenvalue than this cannot be told apart."""


class NotConverged(Exception):
    """The likelihood has no maximum that can be found under this covariance."""


class Covariance(Protocol):
    """A covariance of rows with some parameters; see `RandomIntercepts` and `Repeated`."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters."""

    @property
    def start(self) -> Floats:
        """Where to begin, for an outcome with variance 1."""

    @property
    def nonnegative(self) -> Bools:
        """Which parameters may be 0 and not below."""

    def moments(self, values: Floats) -> Moments | None:
        """Cross products at these values; None where they are no covariance."""


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where the restricted likelihood is highest: values of the parameters, and the likelihood there."""

    values: Floats
    at: Restricted


def maximise(covariance: Covariance) -> Maximum:
    """The parameters under which the restricted likelihood is highest.

    Args:
        covariance: with the data inside.
    Returns:
        The maximum; a variance at the boundary is exactly 0.
    Raises:
        DesignError: two parameters that the data cannot tell apart; the message names them.
        NotConverged: no maximum was found.

    Newton's steps on the observed information where it is positive, else on the expected (Fisher scoring),
    halved until the likelihood rises; Jennrich & Sampson (1976), Technometrics 18:11.
    """
    values = covariance.start
    at = _likelihood(covariance, values)
    if at is None:
        raise NotConverged
    _check_told_apart(at.expected, covariance.names)
    for _ in range(_ROUNDS):
        free = ~covariance.nonnegative | (values > 0) | (at.score > 0)
        step = np.zeros(len(values))
        step[free] = _newton(at, free)
        if float(at.score @ step) < _CLOSE:
            return _arrived(covariance, values, step, at)
        moved = _uphill(covariance, values, step, at)
        if moved is None:
            raise NotConverged
        values, at = moved
    raise NotConverged


def _likelihood(covariance: Covariance, values: Floats) -> Restricted | None:
    moments = covariance.moments(values)
    return None if moments is None else restricted(moments)


def _newton(at: Restricted, free: Bools) -> Floats:
    chosen = np.ix_(free, free)
    try:
        np.linalg.cholesky(at.observed[chosen])
        return np.asarray(np.linalg.solve(at.observed[chosen], at.score[free]))
    except np.linalg.LinAlgError:
        pass
    try:
        return np.asarray(np.linalg.solve(at.expected[chosen], at.score[free]))
    except np.linalg.LinAlgError:
        raise NotConverged from None


def _uphill(
    covariance: Covariance, values: Floats, step: Floats, at: Restricted
) -> tuple[Floats, Restricted] | None:
    """The first of ever shorter steps that the likelihood does not fall by; None where there is none."""
    for halving in range(_HALVINGS):
        moved = _kept_possible(covariance, values + step / 2**halving)
        found = _likelihood(covariance, moved)
        if found is not None and found.log_likelihood > at.log_likelihood:
            return moved, found
    return None


def _arrived(covariance: Covariance, values: Floats, step: Floats, at: Restricted) -> Maximum:
    """The maximum: the last step, or where it began if that step leaves what is possible."""
    moved = _kept_possible(covariance, values + step)
    found = _likelihood(covariance, moved)
    return Maximum(values, at) if found is None else Maximum(moved, found)


def _kept_possible(covariance: Covariance, values: Floats) -> Floats:
    return np.where(covariance.nonnegative, np.maximum(values, 0.0), values)


def _check_told_apart(information: Floats, names: tuple[str, ...]) -> None:
    each = np.diagonal(information)
    lost = np.flatnonzero(~(each > _TOLD_APART * each.max()))
    if len(lost):
        raise refuse(
            names[int(lost[0])],
            "has no variance that the data could show: the design fits each of its levels. Leave out the "
            "effects or covariates that do, or leave it out.",
        )
    lowest, vectors = np.linalg.eigh(information / np.sqrt(np.outer(each, each)))
    if lowest[0] < _TOLD_APART:
        mixed = np.argsort(-np.abs(vectors[:, 0]), kind="stable")[:2]
        first, second = (names[int(place)] for place in sorted(mixed))
        raise refuse(
            first,
            f"cannot be told from {second}: no two rows share one without the other. Each level needs "
            "several rows; leave one of the two out.",
        )
