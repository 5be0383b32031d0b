"""The world in which trials are simulated, compiled once: who takes part, what is drawn, and for whom.

Only what an analysis looks at is drawn. Response may lean on one outcome a wave, so that this one is drawn
for everybody, and all else, given that, for those who are analysed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from equipoise.diagnosis.batch.likeness import Likeness, OfUnits
from equipoise.diagnosis.batch.response import answered_in_each
from equipoise.diagnosis.batch.samplers import Sampler, sampler_of
from equipoise.diagnosis.simulated.allocated import Codes, Lots, lots_of
from equipoise.diagnosis.simulated.covariance import Variable
from equipoise.diagnosis.simulated.effects import doses, selected
from equipoise.diagnosis.simulated.latents import Stream
from equipoise.diagnosis.simulated.timing import answer_weeks
from equipoise.estimation.arrays import Bools, Floats, Ints
from equipoise.protocol.factors import waves_asking
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import timeline, waves_before
from equipoise.roster import identifier_of

__all__ = ["Drawn", "World"]


@dataclass(frozen=True, eq=False)
class Drawn:
    """What was drawn in some trials; rows are the people analysed, trial after trial, in their order.

    Attributes:
        trials: how many.
        arms: by stage, everybody's arm in every trial, shape (trials, n).
        trial, person: shape (rows,), whose row it is.
        values: by outcome and wave, shape (rows,); NaN where there is no answer.
    """

    trials: int
    arms: Mapping[str, Codes]
    trial: Ints
    person: Ints
    values: Mapping[Variable, Floats]


class World:
    """Draws trials of a study.

    Args:
        study: with its assumptions.
        people: typed participants in the order of their identifier, with the pairs that a stage makes.
        variables: the outcomes and waves that are looked at, in order of time; an outcome without waves has
            the empty text.
    Raises:
        DesignError, NotSupportedError: a design or assumptions that cannot be simulated.
    """

    def __init__(self, study: Study, people: pl.DataFrame, variables: Sequence[Variable]) -> None:
        self.study, self.protocol = study, study.protocol
        self.assume = study.protocol.diagnosis.assume
        identifier = identifier_of(study)
        self.people = people
        self.n = people.height
        self.variables = tuple(variables)
        self.times = timeline(self.protocol)
        self.before = waves_before(self.protocol, self.protocol.main_stage)
        self.lots: dict[str, Lots] = {
            name: lots_of(study, name, self.people, identifier) for name in self.protocol.allocation
        }
        self.likeness = Likeness(self.protocol, self.people, self.leading, self.variables)
        self.samplers: dict[str, Sampler] = {
            outcome: sampler_of(study, outcome) for outcome, _ in self.variables
        }

    def draw(self, trials: int, stream: Stream) -> Drawn:
        """Trials, each with arms of its own.

        Args:
            trials: how many.
            stream: where the chance comes from; every purpose has its own.
        """
        arms = {name: lots.draw(trials, stream("allocation", name)) for name, lots in self.lots.items()}
        return self.given(arms, stream)

    def given(self, arms: Mapping[str, Codes], stream: Stream, *, everybody: bool = False) -> Drawn:
        """Trials with these arms; of people who all answer, where `everybody`."""
        trials = len(next(iter(arms.values())))
        chance = stream("lead").standard_normal((len(self.leading), trials, self.n))
        of_units = self.likeness.of_units(trials, stream)
        who = {} if everybody else self._who_answers(arms, chance, of_units, stream)
        rows, trial, person = self.analysed(who, trials)
        answered = {wave: answers.ravel()[rows] for wave, answers in who.items()}
        lead = chance.reshape(len(chance), trials * self.n)[:, rows]
        latents = self.likeness.of_rows(lead, of_units, trial, person, stream)
        taken = self._dose(len(rows), stream)
        at = {name: codes.ravel()[rows] for name, codes in arms.items()}
        weeks = {wave: self._weeks(wave, len(rows), stream) for _, wave in self.variables}
        effects = [self._effect(variable, at, taken, person, weeks) for variable in self.variables]
        values = {
            variable: self._values(variable, latents[place], effects[place], answered, stream)
            for place, variable in enumerate(self.variables)
        }
        return Drawn(trials, arms, trial, person, values)

    def who_answers(self, arms: Mapping[str, Codes], stream: Stream) -> dict[str, Bools]:
        """Who answers each wave in trials with these arms of people who are the same in all, (trials, n)."""
        chance = stream("lead").standard_normal((len(self.leading), 1, self.n))
        found = self._who_answers(arms, chance, self.likeness.of_units(1, stream), stream)
        shape = next(iter(arms.values())).shape
        return {wave: np.broadcast_to(answers, shape) for wave, answers in found.items()}

    def analysed(self, who: Mapping[str, Bools], trials: int) -> tuple[Ints, Ints, Ints]:
        """The places, trials and people of those who answer a wave after the allocation."""
        found: Bools = np.broadcast_to(True, (trials, self.n))
        if who and all(wave for _, wave in self.variables):
            after = [wave for wave in who if wave not in self.before]
            found = who[after[0]]
            for wave in after[1:]:
                found = found | who[wave]
        rows = np.flatnonzero(found)
        trial, person = np.divmod(rows, self.n)
        return rows, trial, person

    @cached_property
    def waves(self) -> tuple[str, ...]:
        """The waves whose response matters, in order of opening."""
        needed = {wave for _, wave in self.variables if wave}
        order = sorted(self.times.opens, key=lambda wave: self.times.opens[wave])
        if not self.assume.response.leans_on_before:
            return tuple(wave for wave in order if wave in needed)
        last = max((order.index(wave) for wave in needed), default=-1)
        return tuple(order[: last + 1])

    @cached_property
    def leading(self) -> tuple[Variable, ...]:
        """The outcome at each wave on which its response leans."""
        if not self.assume.response.leans_on_outcome:
            return ()
        found = []
        for wave in self.waves:
            asked = [
                name
                for name, spec in self.protocol.outcomes.items()
                if wave in waves_asking(self.protocol, self.study.surveys, spec)
            ]
            primary = [name for name in asked if self.protocol.outcomes[name].role == "primary"]
            if asked:
                found.append(((primary or asked)[0], wave))
        return tuple(found)

    def _who_answers(
        self,
        arms: Mapping[str, Codes],
        chance: Floats,
        of_units: OfUnits,
        stream: Stream,
    ) -> dict[str, Bools]:
        response, main = self.assume.response, self.protocol.main_stage
        found: dict[str, Bools] = {}
        last: Bools | None = None
        for wave in self.waves:
            wish = stream("response", wave).logistic(size=chance.shape[1:])
            if last is not None and response.leans_on_before:
                wish = wish + response.leans_on_before * last
            for place, (_, at) in enumerate(self.leading):
                if at == wave:
                    wish = wish + response.leans_on_outcome * self.likeness.led(place, chance, of_units)
            codes = None if wave in self.before else arms[main]
            rate, arm_count = response.waves.get(wave, 1.0), len(self.lots[main].names)
            last = answered_in_each(wish, codes, rate, response.differs_by_arm, arm_count)
            found[wave] = last
        return found

    def _dose(self, n: int, stream: Stream) -> Floats | None:
        """How much of an effect each row gets, shape (n,); None where all get the whole."""
        if self.assume.uptake == 1 and not self.assume.dose:
            return None
        taken = stream("uptake").random(n) < self.assume.uptake
        if not self.assume.dose:
            return taken.astype(np.float64)
        return np.asarray(taken * doses(self.assume, stream("dose").random(n)))

    def _values(
        self,
        variable: Variable,
        latent: Floats,
        effect: Floats,
        answered: Mapping[str, Bools],
        stream: Stream,
    ) -> Floats:
        outcome, wave = variable
        rows = answered.get(wave, np.ones(len(latent), dtype=bool))
        share = self.assume.outcomes[outcome].response
        if share < 1 and answered:
            rows = rows & (stream("own", wave, outcome).random(len(rows)) < share)
        draw = self.samplers[outcome]
        rng = stream("answers", wave, outcome)
        if rows.all():
            return draw(latent, effect, rng)
        found = np.full(len(latent), np.nan)
        found[rows] = draw(latent[rows], effect[rows], rng)
        return found

    def _effect(
        self,
        variable: Variable,
        arms: Mapping[str, Codes],
        dose: Floats | None,
        person: Ints,
        weeks: Mapping[str, Floats],
    ) -> Floats:
        """The effect on each row, in the outcome's unit."""
        outcome, wave = variable
        effect = np.zeros(len(person))
        if wave in self.before:
            return effect
        for planted in self.assume.outcomes[outcome].effects:
            stage = next(name for name, lots in self.lots.items() if planted.arm in lots.names)
            rows = arms[stage] == self.lots[stage].names.index(planted.arm)
            if planted.when:
                rows = rows & selected(self.people, planted)[person]
            size: Floats | float = planted.constant
            if any(planted.by_week):
                place = np.clip(weeks[wave] - 1, 0, len(planted.by_week) - 1).astype(np.int64)
                size = np.asarray(planted.by_week)[place]
            effect += rows * size
        return effect if dose is None else effect * dose

    def _weeks(self, wave: str, n: int, stream: Stream) -> Floats:
        """The week since launch of each row's answers to a wave; the first where no effect goes by week."""
        by_week = any(
            any(planted.by_week)
            for outcome, at in self.variables
            if at == wave and wave not in self.before
            for planted in self.assume.outcomes[outcome].effects
        )
        if not wave or not by_week:
            return np.ones(n)
        return answer_weeks(self.protocol, wave, self.times, n, stream("when", wave))
