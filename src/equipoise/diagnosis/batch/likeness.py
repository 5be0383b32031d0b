"""Latent values of many trials: what leads for everybody, and all else, given that, for the rows analysed."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from equipoise.diagnosis.simulated.covariance import Variable, lower_root, own_covariance, shared_by_units
from equipoise.diagnosis.simulated.latents import Stream
from equipoise.diagnosis.simulated.units import unit_codes
from equipoise.estimation.arrays import Floats, Ints
from equipoise.protocol.checks.correlations import correlation_matrix
from equipoise.protocol.models.protocol import Protocol

__all__ = ["Likeness", "OfUnits"]

OfUnits = Mapping[tuple[str, str], Floats]
"""What units share, by unit and outcome, shape (trials, units)."""


class Likeness:
    """How the latent values of outcomes at waves go together.

    Args:
        protocol: its assumptions say what goes with what.
        people: typed; their units are columns.
        leading: the variables on which response leans, which are drawn for everybody.
        variables: those that are looked at.
    """

    def __init__(
        self,
        protocol: Protocol,
        people: pl.DataFrame,
        leading: Sequence[Variable],
        variables: Sequence[Variable],
    ) -> None:
        self.protocol = protocol
        self.leading, self.variables = tuple(leading), tuple(variables)
        self._units = unit_codes(protocol, people)
        self._shared = shared_by_units(protocol, self._units)
        self._ordered = (*self.leading, *(each for each in self.variables if each not in self.leading))
        self._root = lower_root(own_covariance(protocol, self._ordered, self._shared))

    def of_units(self, trials: int, stream: Stream) -> OfUnits:
        """What units share in so many trials."""
        found = {}
        for shared in self._shared:
            names, root = list(shared.variance), lower_root(correlation_matrix(self.protocol))
            count = int(self._units[shared.unit].max()) + 1
            chance = stream("unit", shared.unit).standard_normal((len(names), trials, count))
            for row, name in enumerate(names):
                value = np.tensordot(root[row], chance, axes=1)
                found[shared.unit, name] = np.sqrt(shared.variance[name]) * value
        return found

    def led(self, place: int, chance: Floats, of_units: OfUnits) -> Floats:
        """A leading variable of everybody, shape (trials, n).

        Args:
            place: which of them.
            chance: shape (leading, trials, n), standard normal.
            of_units: what the units share.
        """
        found = self._root[place, place] * chance[place]
        for before in np.flatnonzero(self._root[place, :place]):
            found += self._root[place, before] * chance[before]
        return np.asarray(found + self._in_common(self.leading[place][0], of_units, slice(None), slice(None)))

    def of_rows(
        self, lead: Floats, of_units: OfUnits, trial: Ints, person: Ints, stream: Stream
    ) -> list[Floats]:
        """The values of the variables, each of shape (rows,).

        Args:
            lead: shape (leading, rows), the chance of what leads.
            of_units: what the units share.
            trial, person: shape (rows,), whose row it is.
            stream: where the chance of all else comes from.
        """
        rest = len(self._ordered) - len(self.leading)
        chance = np.concatenate((lead, stream("latent").standard_normal((rest, len(trial)))))
        own = self._root[[self._ordered.index(variable) for variable in self.variables]] @ chance
        return [
            own[row] + self._in_common(outcome, of_units, trial, person)
            for row, (outcome, _) in enumerate(self.variables)
        ]

    def _in_common(
        self, outcome: str, of_units: OfUnits, trial: Ints | slice, person: Ints | slice
    ) -> Floats | float:
        parts = [
            of_units[shared.unit, outcome][trial, self._units[shared.unit][person]] for shared in self._shared
        ]
        return sum(parts[1:], parts[0]) if parts else 0.0
