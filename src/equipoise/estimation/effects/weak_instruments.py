"""What stays sound where allocation hardly moved take-up: the Anderson-Rubin set; and how far it did move."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import linalg, stats

from equipoise.estimation.arrays import Floats, finite
from equipoise.estimation.effects.two_stage import Instruments
from equipoise.estimation.inference import JointTest, check_level
from equipoise.estimation.least_squares.linear import LinearFit, fit_linear

__all__ = ["ConfidenceSet", "FirstStage", "ReducedForms", "anderson_rubin", "first_stage"]

_REAL = 1e-6
"""A root is real if its imaginary part is below this share of its size; one root too many does no harm."""


@dataclass(frozen=True)
class ConfidenceSet:
    """Values that a test does not reject: intervals in order, with infinite ends or not; maybe none."""

    level: float
    parts: tuple[tuple[float, float], ...]

    @property
    def bounded(self) -> bool:
        """Whether it is one interval with two ends."""
        return len(self.parts) == 1 and bool(np.isfinite(self.parts[0]).all())

    def contains(self, value: float) -> bool:
        """Whether the value is not rejected."""
        return any(low <= value <= high for low, high in self.parts)


@dataclass(frozen=True)
class FirstStage:
    """How strongly the instruments move take-up.

    `robust` tests that they do not move it, with the covariance asked for. `effective` is the F of Montiel
    Olea & Pflueger (2013), J. Bus. Econ. Stat. 31:358, section 3; with one instrument both are the same.
    """

    robust: JointTest
    effective: float


@dataclass(frozen=True, eq=False)
class ReducedForms:
    """Least squares on the instruments and the exogenous columns: of the outcome, of take-up, and of both.

    `unit` is a size of the outcome beside one of take-up; `both` is of outcome + unit x take-up.
    """

    outcome: LinearFit
    taken: LinearFit
    both: LinearFit
    unit: float

    @classmethod
    def of(cls, outcome: Floats, taken: npt.ArrayLike, model: Instruments) -> "ReducedForms":
        """The fits of an outcome (n,) and one kind of take-up (n,)."""
        amounts = finite(taken, "take_up")
        unit = (float(np.std(outcome)) or 1.0) / (float(np.std(amounts)) or 1.0)
        first, second, third = map(model.reduced_form, (outcome, amounts, outcome + unit * amounts))
        return cls(first, second, third, unit)


def first_stage(taken: LinearFit, model: Instruments) -> FirstStage:
    """The tests of the first stage, for one kind of take-up.

    Args:
        taken: the reduced form of take-up.
        model: the instruments and the rest.
    Returns:
        The robust F and the effective F, both with the covariance of `model`.
    Raises:
        DesignError: instruments that repeat each other, or take-up that follows them exactly.
    """
    pick = model.selector
    for one in pick:
        taken.contrast(one)
    slopes, covariance = _of_instruments(taken, model)
    moved = np.stack([_unexplained(column, model) for column in model.columns.T], axis=1)
    gram = moved.T @ moved
    return FirstStage(taken.joint_test(pick), float(slopes @ gram @ slopes / np.trace(covariance @ gram)))


def anderson_rubin(forms: ReducedForms, model: Instruments, level: float = 0.95) -> ConfidenceSet:
    """Effects b for which "outcome - b x take-up is unrelated to the instruments" is not rejected.

    Args:
        forms: of outcome and take-up.
        model: the instruments and the rest.
        level: coverage.
    Returns:
        The exact set of the robust test with the covariance and dof of `model`: an interval, two rays, the
        whole line, or, with more instruments than one, perhaps nothing.
    Raises:
        DesignError: instruments that cannot be told apart from all else.

    Anderson & Rubin (1949), Ann. Math. Stat. 20:46; the robust form: Andrews, Stock & Sun (2019), Annu. Rev.
    Econ. 11:727, section 5. With d the reduced form of outcome - b x take-up and V its covariance, the test
    just rejects where [[critical, d'], [d, V]] is singular: its entries are quadratic in b, so the ends are
    eigenvalues and need no search.
    """
    unit, critical = forms.unit, _critical(forms.outcome, model, check_level(level))
    own, held = _of_instruments(forms.outcome, model)
    moved, moved_held = _of_instruments(forms.taken, model)
    moved, moved_held = unit * moved, unit**2 * moved_held
    cross = _of_instruments(forms.both, model)[1] - held - moved_held
    roots = _singular(
        _bordered(critical, own, held), _bordered(0.0, -moved, -cross), _bordered(0.0, 0 * own, moved_held)
    )

    def kept(b: float) -> bool:
        away = own - b * moved
        return bool(away @ np.linalg.solve(held - b * cross + b**2 * moved_held, away) <= critical)

    return ConfidenceSet(level, tuple((low * unit, high * unit) for low, high in _between(roots, kept)))


def _unexplained(column: Floats, model: Instruments) -> Floats:
    """An instrument less what the exogenous columns and the strata explain of it."""
    if not model.exogenous.shape[1]:
        return model.within_strata(column)
    return fit_linear(column, model.exogenous, variance="classical", strata=model.strata).residuals


def _of_instruments(fit: LinearFit, model: Instruments) -> tuple[Floats, Floats]:
    """The instruments' coefficients in a reduced form, and their covariance."""
    pick = model.selector
    return pick @ np.nan_to_num(fit.coefficients), pick @ np.nan_to_num(fit.covariance) @ pick.T


def _critical(outcome: LinearFit, model: Instruments, level: float) -> float:
    """The Wald statistic at which the test of all instruments just rejects; its dof rest on the design."""
    test, count = outcome.joint_test(model.selector), model.columns.shape[1]
    left = test.dof_denominator
    adjusted = model.dof == "satterthwaite" and model.variance != "classical"
    shrink = left / (left + count - 1) if adjusted else 1.0
    return float(stats.f.isf(1 - level, count, left) * count / shrink)


def _bordered(corner: float, edge: Floats, inner: Floats) -> Floats:
    return np.block([[np.array([[corner]]), edge[None, :]], [edge[:, None], inner]])


def _singular(constant: Floats, linear: Floats, square: Floats) -> list[float]:
    """The real b at which constant + b linear + b^2 square is singular, in order."""
    size = len(constant)
    nought, one = np.zeros((size, size)), np.eye(size)
    found = linalg.eigvals(
        np.block([[nought, one], [-constant, -linear]]), np.block([[one, nought], [nought, square]])
    )
    found = found[np.isfinite(found)]
    return sorted(float(root.real) for root in found if abs(root.imag) <= _REAL * (1 + abs(root)))


def _between(roots: list[float], kept: Callable[[float], bool]) -> Iterator[tuple[float, float]]:
    """The stretches between roots whose inside is kept, neighbours joined."""
    ends = [-np.inf, *roots, np.inf]
    start: float | None = None
    for low, high in pairwise(ends):
        if kept(_inside(low, high)):
            start = low if start is None else start
        elif start is not None:
            yield start, low
            start = None
    if start is not None:
        yield start, np.inf


def _inside(low: float, high: float) -> float:
    if np.isinf(low) and np.isinf(high):
        return 0.0
    if np.isinf(low):
        return high - 1 - abs(high)
    return low + 1 + abs(low) if np.isinf(high) else (low + high) / 2
