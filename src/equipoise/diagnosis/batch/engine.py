"""The quick way of simulating a study: many trials at once, and what is not plain walked trial by trial."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from scipy import special

from equipoise import streams
from equipoise.allocation import people_in_pairs
from equipoise.diagnosis.batch.as_data import trial_data
from equipoise.diagnosis.batch.deciding import decided_in_each
from equipoise.diagnosis.batch.fitted import Effect, effect_of
from equipoise.diagnosis.batch.population import Population, population_of
from equipoise.diagnosis.batch.suited import why_not_fitted
from equipoise.diagnosis.batch.world import Drawn, World
from equipoise.diagnosis.claims import Claim
from equipoise.diagnosis.simulated.covariance import Variable
from equipoise.diagnosis.simulated.latents import Stream
from equipoise.diagnosis.simulated.truth import true_effects
from equipoise.diagnosis.trials import Trials
from equipoise.diagnosis.whole import walked
from equipoise.estimation.arrays import Bools, Floats
from equipoise.findings.reading.data import StudyData
from equipoise.protocol.factors import waves_asking
from equipoise.protocol.study import Study
from equipoise.roster import identifier_of

__all__ = ["BatchEngine"]

_CELLS = 2**16
"""People of all trials of a chunk together, about: what the caches of a processor hold."""
_PRODUCTS = 2**21
"""Numbers that the products of the clusters of a chunk may take."""
_MOST = 256
_MOST_WALKED = 8
"""Trials of a chunk: fewer where an effect is walked trial by trial."""
_NUMBERS = ("estimate", "std_error", "low", "high", "p_value")


class BatchEngine:
    """Draws the trials of a chunk as arrays and fits each effect in all of them.

    Where the assumptions say `people: fixed`, the seed makes the people, and only arms are drawn anew: the
    truth is then the mean effect on these people. Of an effect that is walked trial by trial it is unknown,
    unless nothing acts.

    Args:
        study: with the assumptions of the scenario.
        people: typed participants, the same in every trial.
        claims: the effects that are estimated.
    """

    def __init__(self, study: Study, people: pl.DataFrame, claims: tuple[Claim, ...]) -> None:
        self.study, self.claims = study, claims
        identifier = identifier_of(study)
        people = people_in_pairs(study, people.sort(identifier), identifier)
        columns = tuple(people.columns)
        self.effects: dict[str, Effect] = {
            claim.id: effect_of(study, claim, people, identifier)
            for claim in claims
            if why_not_fitted(study, claim, columns) is None
        }
        self.world = World(study, people, self._variables())
        self.truth = true_effects(study, claims, people)
        self._people: tuple[int, Population] | None = None
        self.size = max(1, min(_MOST, _CELLS // max(people.height, 1)))
        largest = max((effect.products for effect in self.effects.values()), default=0)
        self.size = max(1, min(self.size, _PRODUCTS // max(largest, 1)))
        if len(self.effects) < len(claims):
            self.size = min(self.size, _MOST_WALKED)

    def trials(self, chunk: int, seed: int) -> Trials:
        """The trials of a chunk."""
        return replace(self.found(self.drawn(chunk, seed)), truth=self._truth(seed))

    def drawn(self, chunk: int, seed: int) -> Drawn:
        """What is drawn in the trials of a chunk."""
        people = self.population(seed) if self._fixed else self.world
        return people.draw(self.size, _stream(str(chunk), seed))

    def population(self, seed: int) -> Population:
        """The people who are the same in every trial of a seed."""
        if self._people is None or self._people[0] != seed:
            self._people = seed, population_of(self.world, _stream("fixed", seed))
        return self._people[1]

    def _truth(self, seed: int) -> Floats:
        """The effects in the population, or in the very people who are the same in every trial."""
        if not self._fixed:
            return self.truth
        people = self.population(seed)
        found = np.where(self.truth == 0, 0.0, np.nan)
        for column, claim in enumerate(self.claims):
            if claim.id in self.effects:
                found[column] = people.truth(self.effects[claim.id])
        return found

    @property
    def _fixed(self) -> bool:
        return self.study.protocol.diagnosis.assume.people == "fixed"

    def data(self, drawn: Drawn, trial: int) -> StudyData:
        """The data of one of the trials that were drawn."""
        return trial_data(self.world, drawn, trial)

    def found(self, drawn: Drawn) -> Trials:
        """What the analyses find in the trials that were drawn."""
        shape = (drawn.trials, len(self.claims))
        numbers = {name: np.full(shape, np.nan) for name in _NUMBERS}
        analysed, open_ = np.zeros(shape), np.ones(shape, dtype=bool)
        for column, claim in enumerate(self.claims):
            if claim.id in self.effects:
                fitted = self.effects[claim.id].fit(drawn)
                analysed[:, column], open_[:, column] = fitted.analysed, ~fitted.fits.plain
                level = self.study.protocol.analyses[claim.analysis].interval
                plain, fits = fitted.fits.plain, fitted.fits
                inferred = _inferred(fits.estimate[plain], fits.std_error[plain], fits.dof[plain], level)
                for name, values in zip(_NUMBERS, inferred, strict=True):
                    numbers[name][plain, column] = values
        self._walk(drawn, open_, numbers, analysed)
        rejected = decided_in_each(self.study, self.claims, numbers["p_value"])
        return Trials(self.claims, rejected=rejected, analysed=analysed, truth=self.truth, **numbers)

    def _walk(self, drawn: Drawn, open_: Bools, numbers: dict[str, Floats], analysed: Floats) -> None:
        """Fill in what is open by the analysis itself."""
        for trial in np.flatnonzero(open_.any(axis=1)):
            data = self.data(drawn, int(trial))
            for column in np.flatnonzero(open_[trial]):
                finding = walked(self.study, data, self.claims[column])
                analysed[trial, column] = sum(finding.n.values())
                if finding.estimate is None or finding.interval is None:
                    continue
                values = (
                    finding.estimate,
                    finding.std_error,
                    finding.interval.low,
                    finding.interval.high,
                    finding.p_value,
                )
                for name, value in zip(_NUMBERS, values, strict=True):
                    numbers[name][trial, column] = np.nan if value is None else value

    def _variables(self) -> tuple[Variable, ...]:
        """What is looked at, in order of time."""
        found: dict[Variable, None] = {}
        for claim in self.claims:
            if claim.id in self.effects:
                found |= dict.fromkeys(self.effects[claim.id].variables)
                continue
            spec = self.study.protocol.outcomes[claim.outcome]
            waves: Sequence[str] = spec.waves or ("",)
            if spec.column is None:
                waves = waves_asking(self.study.protocol, self.study.surveys, spec)
            found |= dict.fromkeys((claim.outcome, wave) for wave in waves)
        return tuple(found)


def _stream(chunk: str, seed: int) -> Stream:
    def stream(*names: str) -> np.random.Generator:
        return streams.generator(f"{seed:x}", "simulation", "diagnosis", chunk, *names)

    return stream


def _inferred(
    estimate: Floats, error: Floats, dof: Floats, level: float
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Estimates with errors, t intervals and two-sided p-values, as `estimate_from` has them."""
    reach = special.stdtrit(dof, 0.5 + level / 2) * error
    p_value = 2 * special.stdtr(dof, -np.abs(estimate / error))
    return estimate, error, estimate - reach, estimate + reach, p_value
