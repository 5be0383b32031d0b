"""Which unit everybody is in, and invented people put into units of the planned sizes."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from equipoise.estimation.arrays import Ints
from equipoise.protocol.models.protocol import Protocol

__all__ = ["in_units", "unit_codes"]


def unit_codes(protocol: Protocol, people: pl.DataFrame) -> dict[str, Ints]:
    """For each declared unit that is a column of the people, the code of everybody's, shape (n,)."""
    return {
        name: people[name].cast(pl.String).fill_null("").rank("dense").to_numpy().astype(np.int64) - 1
        for name in protocol.units
        if name in people.columns
    }


def in_units(protocol: Protocol, people: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """People put into units of the planned sizes, where the protocol plans them; others stay as they are.

    What is drawn within strata has to be the same for all people of a unit that is drawn, and so has the
    larger unit that holds it: each unit takes these from one of its people.
    """
    for name, unit in protocol.units.items():
        if name not in people.columns:
            continue
        if unit.people is not None:
            names = _names(protocol, name, people.height, unit.people)
            weights = _weights(len(names), unit.people_cv, rng)
            codes = np.repeat(np.arange(len(names)), _sizes(people.height, weights))
            people = people.with_columns(pl.Series(name, [names[code] for code in rng.permutation(codes)]))
        strata = {
            column for stage in protocol.allocation.values() if stage.unit == name for column in stage.strata
        }
        constant = [
            column
            for column in {*strata, *([unit.in_] if unit.in_ else [])} - {name}
            if column in people.columns
        ]
        people = people.with_columns(pl.col(column).first().over(name) for column in sorted(constant))
    return people


def _names(protocol: Protocol, unit: str, people: int, planned: float) -> list[str]:
    roster: Mapping[str, object] = protocol.participants.roster if protocol.participants else {}
    levels = getattr(roster.get(unit), "levels", None)
    if levels:
        return list(levels)
    return [f"{unit} {number + 1}" for number in range(max(2, round(people / planned)))]


def _weights(units: int, spread: float, rng: np.random.Generator) -> np.ndarray:
    """How large units are beside each other, with this coefficient of variation."""
    return rng.gamma(1 / spread**2, size=units) if spread else np.ones(units)


def _sizes(people: int, weights: np.ndarray) -> Ints:
    """Whole sizes in proportion to weights that add up to the people, each at least one while they last."""
    ends = np.round(np.cumsum(weights) / weights.sum() * people).astype(np.int64)
    return np.diff(np.concatenate(([0], ends)))
