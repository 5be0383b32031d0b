"""The covariance of a person's waves: unstructured, Toeplitz, or first-order autoregressive.

People are independent, and those with the same waves answered share their covariance. So the rows reduce to
one table of cross products for each pattern of answered waves, whatever the number of people.

Jennrich & Schluchter (1986), Biometrics 42:805.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from equipoise.estimation.arrays import Bools, Floats, Ints
from equipoise.estimation.mixed.moments import Curvature, Moments

__all__ = ["STRUCTURES", "Repeated", "Structure", "people_by_pattern", "repeated"]

Structure = Literal["unstructured", "toeplitz", "ar1"]
STRUCTURES: tuple[Structure, ...] = ("unstructured", "toeplitz", "ar1")
_FIRST_CORRELATION = 0.5
"""Between neighbouring waves, where the search begins."""


@dataclass(frozen=True, eq=False)
class _Pattern:
    """People who answered the same waves: `waves` (t,), `people`, `products` (t, t, k + 1, k + 1)."""

    waves: Ints
    people: int
    products: Floats


@dataclass(frozen=True, eq=False)
class Repeated:
    """The covariance of the waves of a person under a structure.

    Attributes:
        structure: `unstructured` has a parameter for each pair of waves, `toeplitz` one for each distance in
            waves, `ar1` a variance and the correlation of neighbours. The last two take the variance to be
            the same at each wave, and waves to be equally far apart.
        waves: how many waves there are.
    """

    structure: Structure
    waves: int
    _patterns: tuple[_Pattern, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters, waves and distances counted from 1."""
        if self.structure == "ar1":
            return ("variance", "correlation")
        if self.structure == "toeplitz":
            return ("variance", *(f"covariance {lag} apart" for lag in range(1, self.waves)))
        pairs = zip(*np.tril_indices(self.waves), strict=True)
        return tuple(f"variance {i + 1}" if i == j else f"covariance {j + 1} {i + 1}" for i, j in pairs)

    @property
    def start(self) -> Floats:
        """Equal correlations of a half; for AR(1) falling ones."""
        if self.structure == "ar1":
            return np.array([1.0, _FIRST_CORRELATION])
        if self.structure == "toeplitz":
            return np.append(1.0, np.full(self.waves - 1, _FIRST_CORRELATION))
        later, earlier = np.tril_indices(self.waves)
        return np.where(later == earlier, 1.0, _FIRST_CORRELATION)

    @property
    def nonnegative(self) -> Bools:
        """None: what is no covariance is refused as a whole."""
        return np.zeros(len(self.names), dtype=bool)

    def moments(self, values: Floats) -> Moments | None:
        """The cross products at some values; None where they are no covariance."""
        whole, slopes, bends = self.covariance(values)
        if not _positive(whole):
            return None
        count, width = len(values), self._patterns[0].products.shape[2]
        log_det, cross = 0.0, np.zeros((width, width))
        first, second = np.zeros((count, width, width)), np.zeros((count, count, width, width))
        traces, pairs = np.zeros(count), np.zeros((count, count))
        curved, curved_traces = np.zeros_like(second), np.zeros_like(pairs)
        for pattern in self._patterns:
            chosen = np.ix_(pattern.waves, pattern.waves)
            inverse = np.asarray(np.linalg.inv(whole[chosen]), dtype=np.float64)
            turned = inverse @ slopes[:, chosen[0], chosen[1]]
            products = turned[:, None] @ turned[None, :]
            log_det += pattern.people * float(np.linalg.slogdet(whole[chosen])[1])
            cross += _weighted(inverse, pattern)
            first += _weighted(turned @ inverse, pattern)
            second += _weighted(products @ inverse, pattern)
            traces += pattern.people * np.einsum("iaa->i", turned)
            pairs += pattern.people * np.einsum("ijaa->ij", products)
            if bends is not None:
                bent = inverse @ bends[:, :, chosen[0], chosen[1]]
                curved += _weighted(bent @ inverse, pattern)
                curved_traces += pattern.people * np.einsum("ijaa->ij", bent)
        curvature = None if bends is None else Curvature(curved, curved_traces)
        return Moments(log_det, cross, first, second, traces, pairs, curvature)

    def covariance(self, values: Floats) -> tuple[Floats, Floats, Floats | None]:
        """The covariance of all waves (T, T), its first derivatives, and its second where not all are 0."""
        apart = np.abs(np.subtract.outer(np.arange(self.waves), np.arange(self.waves)))
        if self.structure == "ar1":
            return _autoregressive(values, apart)
        if self.structure == "toeplitz":
            which = apart
        else:
            which = np.empty((self.waves, self.waves), dtype=np.int64)
            later, earlier = np.tril_indices(self.waves)
            which[later, earlier] = which[earlier, later] = np.arange(len(later))
        slopes = (which == np.arange(len(values))[:, None, None]).astype(np.float64)
        return values[which], slopes, None


def repeated(structure: Structure, person: Ints, wave: Ints, columns: Floats) -> Repeated:
    """Reduces the rows to cross products by pattern of answered waves.

    Args:
        structure: of the covariance.
        person: (n,) codes from 0.
        wave: (n,) codes from 0 in the order of time; no person has a wave twice.
        columns: (n, k + 1) the design, and the outcome last.
    Returns:
        The covariance.
    """
    patterns = []
    for waves, people, places in people_by_pattern(person, wave, len(columns)):
        rows = columns[places]
        products = np.tensordot(rows, rows, axes=(0, 0)).transpose(0, 2, 1, 3)
        patterns.append(_Pattern(waves, len(people), products))
    return Repeated(structure, int(wave.max()) + 1, tuple(patterns))


def people_by_pattern(person: Ints, wave: Ints, rows: int) -> Iterator[tuple[Ints, Ints, Ints]]:
    """Those who answered the same waves: the waves (t,), the people (p,), and their rows (p, t).

    Args:
        person, wave: as in `repeated`.
        rows: how many there are.
    """
    place = np.full((int(person.max()) + 1, int(wave.max()) + 1), -1)
    place[person, wave] = np.arange(rows)
    answered, which = np.unique(place >= 0, axis=0, return_inverse=True)
    for number, there in enumerate(answered):
        people = np.flatnonzero(which.ravel() == number)
        yield np.flatnonzero(there), people, place[people][:, there]


def _weighted(weights: Floats, pattern: _Pattern) -> Floats:
    """The sum over pairs of waves of a weight times the cross products of these two waves."""
    return np.tensordot(weights, pattern.products, axes=((-2, -1), (0, 1)))


def _autoregressive(values: Floats, apart: Ints) -> tuple[Floats, Floats, Floats]:
    variance, correlation = values
    powers = correlation**apart
    slope = apart * correlation ** np.maximum(apart - 1, 0)
    bend = apart * (apart - 1) * correlation ** np.maximum(apart - 2, 0)
    zero = np.zeros_like(powers)
    return (
        variance * powers,
        np.array([powers, variance * slope]),
        np.array([[zero, slope], [slope, variance * bend]]),
    )


def _positive(matrix: Floats) -> bool:
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True
