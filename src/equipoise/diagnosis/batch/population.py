"""People who are the same in every trial: what each would answer in every arm; only lots are drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from equipoise.diagnosis.batch.fitted import Effect
from equipoise.diagnosis.batch.world import Drawn, World
from equipoise.diagnosis.simulated.allocated import Codes
from equipoise.diagnosis.simulated.covariance import Variable
from equipoise.diagnosis.simulated.latents import Stream
from equipoise.estimation.arrays import Floats, Ints

__all__ = ["Population", "population_of"]


@dataclass(frozen=True, eq=False)
class Population:
    """What everybody would answer.

    Attributes:
        world: who they are, and how lots are drawn.
        stream: where the chance comes from that makes them who they are.
        cells: every combination of arms, as the codes of each stage.
        values: by outcome and wave, shape (cells, n).
    """

    world: World
    stream: Stream
    cells: tuple[tuple[int, ...], ...]
    values: Mapping[Variable, Floats]

    def draw(self, trials: int, stream: Stream) -> Drawn:
        """Trials of these people, who are allocated anew in each, and answer as they would in that arm.

        Args:
            trials: how many.
            stream: where the chance of the allocation comes from.
        """
        world = self.world
        arms = {name: lots.draw(trials, stream("allocation", name)) for name, lots in world.lots.items()}
        return self.given(arms)

    def given(self, arms: Mapping[str, Codes]) -> Drawn:
        """Trials with these arms."""
        trials = len(next(iter(arms.values())))
        who = self.world.who_answers(arms, self.stream)
        rows, trial, person = self.world.analysed(who, trials)
        cell = self._cell([codes.ravel()[rows] for codes in arms.values()])
        values = {}
        for variable, everybody in self.values.items():
            answers = everybody[cell, person]
            wave = variable[1]
            values[variable] = np.where(who[wave].ravel()[rows], answers, np.nan) if wave in who else answers
        return Drawn(trials, arms, trial, person, values)

    def truth(self, effect: Effect) -> float:
        """The mean effect on these people themselves, of those whose answers are known in every arm."""
        outcome = sum(weight * self.values[variable] for variable, weight in effect.waves)
        stages = list(self.world.lots)
        weights = np.zeros(len(self.cells))
        for place, cell in enumerate(self.cells):
            code = 0
            for stage, levels in zip(effect.stages, effect.cells.levels, strict=True):
                code = code * len(levels) + cell[stages.index(stage)]
            alike = len(self.cells) / len(effect.cells.weights)
            weights[place] = effect.cells.weights[code] / alike
        return float(np.nanmean((weights @ np.asarray(outcome))[effect.inside]))

    def _cell(self, codes: Sequence[Codes]) -> Ints:
        found = np.zeros(len(codes[0]), dtype=np.int64)
        for stage, each in zip(self.world.lots.values(), codes, strict=True):
            found = found * len(stage.names) + each
        return found


def population_of(world: World, stream: Stream) -> Population:
    """The people of a world, with what they would answer in every combination of arms.

    Args:
        world: whose trials are drawn.
        stream: where the chance comes from; the same for every combination, so that people stay who they are.
    """
    cells = tuple(product(*(range(len(lots.names)) for lots in world.lots.values())))
    found: dict[Variable, list[Floats]] = {variable: [] for variable in world.variables}
    for cell in cells:
        arms = {
            name: np.full((1, world.n), code, dtype=np.int8)
            for name, code in zip(world.lots, cell, strict=True)
        }
        for variable, values in world.given(arms, stream, everybody=True).values.items():
            found[variable].append(values)
    return Population(world, stream, cells, {name: np.stack(each) for name, each in found.items()})
