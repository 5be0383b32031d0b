"""The arms of simulated trials, drawn by the real method of every stage."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from equipoise.allocation import Design, is_rolling, people_in_pairs, simulate, units_of
from equipoise.errors import NotSupportedError
from equipoise.estimation.arrays import Ints
from equipoise.protocol.models.allocation import Stage
from equipoise.protocol.study import Study
from equipoise.roster import identifier_of

__all__ = ["NOBODY", "Codes", "Lots", "as_column", "lots_of", "with_arms"]

Codes = npt.NDArray[np.int8]

NOBODY = -1
"""The code of those whom a stage does not draw."""


@dataclass(frozen=True, eq=False)
class Lots:
    """How one stage draws lots for these people.

    Attributes:
        column: of its arms among the participants.
        names: what it draws, in the order of the protocol.
        plan: the procedure for its units.
        unit: shape (n,), the unit of each person, or NOBODY.
    """

    column: str
    names: tuple[str, ...]
    plan: Design
    unit: Ints

    def draw(self, trials: int, rng: np.random.Generator) -> Codes:
        """The code of everybody's arm, shape (trials, n), in the order of `names`."""
        place = np.array([self.names.index(arm) for arm in self.plan.arms], dtype=np.int8)
        codes = place[simulate(self.plan, trials, rng)]
        if len(self.unit) == codes.shape[1] and (self.unit == np.arange(len(self.unit))).all():
            return codes
        return np.asarray(np.where(self.unit == NOBODY, NOBODY, codes[:, self.unit]), dtype=np.int8)


def lots_of(study: Study, name: str, people: pl.DataFrame, identifier: str) -> Lots:
    """How a stage draws lots for these people.

    Args:
        study: as loaded.
        name: of the stage.
        people: typed, with the arms of the stages before it where it selects by them.
        identifier: the column that tells people apart.
    Raises:
        DesignError: a stratum or a unit is not known of everybody, or the method does not fit the people.
        NotSupportedError: the stage selects people by what happens after another.
    """
    stage: Stage = study.protocol.allocation[name]
    absent = [key for key in (*stage.drawn_within, stage.unit) if key not in ("participant", *people.columns)]
    derived = study.protocol.participants.derived if study.protocol.participants else {}
    lacking = [key for key in absent if key not in derived]
    if lacking:
        raise NotSupportedError(
            f"simulating the stage {name}: {', '.join(lacking)} is no column of the participants"
        )
    units = units_of(study, name, stage, people, identifier)
    place = {unit: number for number, unit in enumerate(units.units)}
    own = units.units if units.cluster is None else units.cluster
    drawn = dict(zip(units.people[identifier].to_list(), own, strict=True))
    found = [place[drawn[person]] if person in drawn else NOBODY for person in people[identifier].to_list()]
    return Lots(
        study.protocol.arm_column(name),
        tuple(study.protocol.drawn(name)),
        units.plan(stage, arrival=is_rolling(study)),
        np.array(found, dtype=np.int64),
    )


def with_arms(study: Study, people: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The people with a column of arms for every stage, once.

    Raises:
        DesignError, NotSupportedError: as `lots_of`.
    """
    identifier = identifier_of(study)
    people = people_in_pairs(study, people, identifier)
    for name in study.protocol.allocation:
        lots = lots_of(study, name, people, identifier)
        people = people.with_columns(as_column(lots, lots.draw(1, rng)[0]))
    return people


def as_column(lots: Lots, codes: Codes) -> pl.Series:
    """Codes as the column of arms."""
    names: Mapping[int, str] = dict(enumerate(lots.names))
    return pl.Series(lots.column, [names.get(int(code)) for code in codes], dtype=pl.String)
