"""A study's data from its assumptions, with an effect planted: the same tables that real data would be.

Every participant has a latent value for each outcome at each wave, correlated as assumed. An effect acts on
those who take the intervention up, by week since launch where it is assumed to change. Then it is drawn who
answers, when, and what, item by item. An outcome that is read from a column gets that column.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from equipoise import streams
from equipoise.diagnosis.simulated.allocated import with_arms
from equipoise.diagnosis.simulated.answers import Latent, answered_by, column_values, survey_answers
from equipoise.diagnosis.simulated.effects import doses, mean_dose, selected, share_selected
from equipoise.diagnosis.simulated.latents import Latents, Stream
from equipoise.diagnosis.simulated.people import invent_participants
from equipoise.diagnosis.simulated.ratings import task_ratings
from equipoise.diagnosis.simulated.refusals import refuse_unassumed
from equipoise.diagnosis.simulated.response import answered
from equipoise.diagnosis.simulated.routing import routed
from equipoise.diagnosis.simulated.schedules import arms_at, arms_of_stage, with_periods
from equipoise.diagnosis.simulated.timing import answer_moments
from equipoise.diagnosis.simulated.units import unit_codes
from equipoise.errors import DesignError
from equipoise.findings.levels.subgroups import weeks_since
from equipoise.findings.reading.data import StudyData
from equipoise.instruments.scoring import Floats
from equipoise.protocol.columns import answer_columns
from equipoise.protocol.factors import questions, waves_asking
from equipoise.protocol.recorded import times_of_events
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import Timeline, timeline, waves_before
from equipoise.protocol.times import parse_time, resolve
from equipoise.roster import identifier_of

__all__ = ["Simulated", "simulate_study"]


@dataclass(frozen=True)
class Simulated:
    """Simulated tables and what was planted.

    `planted` has, by outcome and arm, the mean effect on everybody allocated, those who did not take it up
    among them; where it changes by week, at the weeks in which the last wave was answered.
    """

    data: StudyData
    planted: Mapping[str, Mapping[str, float]]
    seed: int


def simulate_study(
    study: Study, seed: int, *, participants: pl.DataFrame | None = None, people: int | None = None
) -> Simulated:
    """Simulate a study once.

    Args:
        study: `diagnosis.assume` says what is assumed.
        seed: any whole number; the same seed gives the same data.
        participants: typed rows of real or synthetic people, with their arms where they have been
            allocated; None to invent them and draw their arms.
        people: how many to invent; None for as many as the study expects.
    Raises:
        DesignError: nobody to simulate, or assumptions that are missing or cannot be had.
        NotSupportedError: a design that cannot be simulated yet.
    """
    root = f"{seed:x}"
    refuse_unassumed(study)
    if participants is None:
        participants = invent_participants(study, people, streams.generator(root, "simulation", "people"))
    if study.protocol.arm_column(study.protocol.main_stage) not in participants.columns:
        participants = with_arms(study, participants, streams.generator(root, "simulation", "allocation"))
    if participants.is_empty():
        raise DesignError(f"{study.protocol.study.id}: there is nobody to simulate")
    return _Simulation(study, participants, root, seed).run()


class _Simulation:
    """One run, wave after wave; each purpose has its own stream of chance."""

    def __init__(self, study: Study, participants: pl.DataFrame, root: str, seed: int) -> None:
        self.study, self.root, self.seed = study, root, seed
        self.protocol = study.protocol
        self.assume = study.protocol.diagnosis.assume
        roster = self.protocol.participants.roster if self.protocol.participants else {}
        self.identifier = identifier_of(study)
        kept = [name for name in participants.columns if name not in roster or roster[name].role != "contact"]
        people = participants.select(kept).sort(self.identifier)
        self.people = with_periods(study, people, self._stream("periods"))
        self.n = self.people.height
        units = unit_codes(self.protocol, self.people)
        self.latents = Latents(self.protocol, self.n, self._stream, units)
        self.latent: dict[str, Floats] = {}
        self.answered_before = np.zeros(self.n)
        self.planted: dict[str, dict[str, float]] = {}
        self.taken_up = self._stream("uptake").random(self.n) < self.assume.uptake
        self.dose = self.taken_up * doses(self.assume, self._stream("dose").random(self.n))

    def run(self) -> Simulated:
        times = timeline(self.protocol)
        answers = {wave: self._wave(wave, times) for wave in self._waves_in_order(times)}
        people = self.people[self.identifier]
        ratings = {task: task_ratings(self.study, task, people, self._stream) for task in self.protocol.tasks}
        self._columns_without_wave()
        self._sends(times)
        self._events(times)
        data = StudyData(
            identifier=self.identifier,
            participants=self.people,
            ratings=ratings,
            answers={wave: table for wave, table in answers.items() if table is not None},
            source="simulated",
        )
        return Simulated(data, self.planted, self.seed)

    def _stream(self, *names: str) -> np.random.Generator:
        return streams.generator(self.root, "simulation", *names)

    def _waves_in_order(self, times: Timeline) -> list[str]:
        return sorted(times.opens, key=lambda wave: times.opens[wave])

    def _wave(self, wave: str, times: Timeline) -> pl.DataFrame | None:
        survey = self.study.surveys[self.protocol.waves[wave].survey]
        outcomes = [
            name
            for name, outcome in self.protocol.outcomes.items()
            if wave in waves_asking(self.protocol, self.study.surveys, outcome)
        ]
        self.latent |= {name: self.latents.draw(name, wave) for name in outcomes}
        who = self._responders(wave, outcomes)
        moments = answer_moments(self.protocol, wave, times, int(who.sum()), self._stream("when", wave))
        column = pl.Series(f"answered_{wave}", [None] * self.n, dtype=pl.Datetime("us", "UTC"))
        self.people = self.people.with_columns(column.scatter(np.flatnonzero(who), moments))
        week = weeks_since(moments, times.launch) if times.launch else np.ones(len(moments))
        after = wave not in waves_before(self.protocol, self.protocol.main_stage)
        latents = {
            name: Latent(self.latent[name][who], self._effect(name, wave, who, week, after=after))
            for name in outcomes
        }
        for name in outcomes:
            if self.protocol.outcomes[name].column is not None:
                self._column(name, wave, who, latents[name])
        if not questions(survey):
            return None
        found = survey_answers(self.study, survey, latents, int(who.sum()), self._of_wave(wave))
        table = pl.DataFrame({self.identifier: self.people[self.identifier].filter(pl.Series(who)), **found})
        table = self._without_own(table, wave, outcomes)
        return routed(self.protocol, survey, self._with_gaps(table, wave), self.people)

    def _of_wave(self, wave: str) -> Stream:
        return lambda *names: self._stream("answers", wave, *names)

    def _columns_without_wave(self) -> None:
        """Outcomes that everybody has once, from a column."""
        everybody = np.ones(self.n, dtype=bool)
        for name, spec in self.protocol.outcomes.items():
            if spec.column is not None and not spec.waves:
                effect = self._effect(name, "", everybody, np.ones(self.n), after=True)
                self._column(name, "", everybody, Latent(self.latents.draw(name, ""), effect))

    def _column(self, name: str, wave: str, who: np.ndarray, latent: Latent) -> None:
        spec = self.protocol.outcomes[name]
        column = self.protocol.frame_column(name, wave or None) if len(spec.waves) > 1 else str(spec.column)
        values = pl.Series(column, [None] * self.n, dtype=pl.Float64)
        assumed = self.assume.outcomes[name]
        found = column_values(name, spec, assumed, latent)
        rows = np.flatnonzero(who)
        if assumed.response < 1:
            kept = self._stream("own", wave, name).random(len(rows)) < assumed.response
            rows, found = rows[kept], found[kept]
        self.people = self.people.with_columns(values.scatter(rows, found))

    def _responders(self, wave: str, outcomes: list[str]) -> np.ndarray:
        response = self.assume.response
        rate = response.waves.get(wave, 1.0)
        primary = next((name for name in outcomes if self.protocol.outcomes[name].role == "primary"), None)
        first = primary or next(iter(outcomes), None)
        leaning = response.leans_on_before * (self.answered_before - self.answered_before.mean())
        if first is not None:
            leaning = leaning + response.leans_on_outcome * self.latent[first]
        groups, rates = np.zeros(self.n, dtype=np.int64), np.array([rate])
        if self.protocol.allocation and wave not in waves_before(self.protocol, self.protocol.main_stage):
            arms = self._main_arms()
            column = arms_at(self.study, self.people, self.protocol.main_stage, first or "", wave).to_list()
            groups = np.array([0 if arm is None else arms.index(arm) for arm in column])
            others = float((groups > 0).mean())
            gap = response.differs_by_arm
            rates = np.array([rate - gap * others, *[rate + gap * (1 - others)] * (len(arms) - 1)]).clip(0, 1)
        who = answered(rates, leaning, groups, self._stream("response", wave))
        self.answered_before = who.astype(np.float64)
        return who

    def _effect(self, name: str, wave: str, who: np.ndarray, week: Floats, *, after: bool) -> Floats:
        """The effect on each person who answers, in the outcome's unit; zero before the allocation."""
        effect = np.zeros(int(who.sum()))
        assumed = self.assume.outcomes[name]
        if not after or not self.protocol.allocation or not assumed.effects:
            return effect
        means: dict[str, float] = {}
        for planted in assumed.effects:
            arms = arms_at(self.study, self.people, self._stage_of(planted.arm), name, wave)
            rows = (arms == planted.arm).fill_null(False).to_numpy()[who]
            rows &= selected(self.people, planted)[who]
            size = np.full(len(effect), planted.constant)
            if planted.by_week:
                place = np.clip(week - 1, 0, len(planted.by_week) - 1).astype(np.int64)
                size = np.asarray(planted.by_week)[place]
            effect = effect + rows * size * self.dose[who]
            if rows.any():
                mean = float(size[rows].mean()) * share_selected(self.people, planted)
                means[planted.arm] = means.get(planted.arm, 0.0) + mean
        taken = self.assume.uptake * mean_dose(self.assume)
        self.planted.setdefault(name, {}).update(
            {arm: round(mean * taken, 12) for arm, mean in means.items()}
        )
        return effect

    def _main_arms(self) -> list[str]:
        return list(arms_of_stage(self.study, self.protocol.main_stage))

    def _stage_of(self, arm: str) -> str:
        """The stage that gives this arm."""
        stages = self.protocol.allocation
        return next(name for name in stages if arm in arms_of_stage(self.study, name))

    def _with_gaps(self, table: pl.DataFrame, wave: str) -> pl.DataFrame:
        share = self.assume.response.missing_item
        if not share:
            return table
        columns = answer_columns(self.study, self.protocol.waves[wave].survey)
        keys = {column.name: column.key for column in columns if column.name in table.columns}
        items = [name for name in keys if "." in name]
        # What has several columns (a ranking, say) is left out as a whole.
        gaps = {
            key: self._stream("gaps", wave, key).random(table.height) < share
            for key in dict.fromkeys(keys[name] for name in items)
        }
        return table.with_columns(
            table[name].scatter(np.flatnonzero(gaps[keys[name]]), None) for name in items
        )

    def _without_own(self, table: pl.DataFrame, wave: str, outcomes: list[str]) -> pl.DataFrame:
        """The answers without those to outcomes that only some of those who answer the wave answer."""
        for name in outcomes:
            share = self.assume.outcomes[name].response
            if share < 1:
                missed = np.flatnonzero(self._stream("own", wave, name).random(table.height) >= share)
                columns = answered_by(self.protocol.outcomes[name])
                table = table.with_columns(
                    table[column].scatter(missed, None) for column in columns if column in table.columns
                )
        return table

    def _sends(self, times: Timeline) -> None:
        """When each contact's first message went, to the arms that it is for; and who took it up."""
        if not self.protocol.allocation or times.launch is None:
            return
        arms = self.people[self.protocol.arm_column(self.protocol.main_stage)]
        for name, contact in self.protocol.contacts.items():
            sent = arms.is_in(list(contact.to.arm)) if contact.to.arm else pl.Series([True] * self.n)
            moments = pl.Series(
                self.protocol.sent_column(name), [None] * self.n, dtype=pl.Datetime("us", "UTC")
            )
            if contact.from_.startswith("launch"):
                rows = np.flatnonzero(sent.to_numpy())
                zone = ZoneInfo(self.protocol.study.timezone)
                first = resolve(parse_time(contact.from_), {"launch": times.launch}, zone, "sends")
                self.people = self.people.with_columns(moments.scatter(rows, [first] * len(rows)))
        treated = (arms != self._main_arms()[0]).to_numpy()  # of a sequence everybody is, sooner or later
        self.people = self.people.with_columns(pl.Series("dose_taken_up", treated & self.taken_up))

    def _events(self, times: Timeline) -> None:
        """What happened to whom, and where the study has to know it when: any time until the last wave."""
        dated = times_of_events(self.protocol)
        for name in dict.fromkeys((*self.protocol.events, *self.protocol.harms)):
            happened = self._stream("event", name).random(self.n) < self.assume.events.get(name, 0.0)
            self.people = self.people.with_columns(pl.Series(name, happened))
            if name in dated and times.launch is not None:
                length = max(times.closes.values(), default=times.launch) - times.launch
                at = [
                    times.launch + length * part for part in self._stream("event", name, "at").random(self.n)
                ]
                moments = pl.Series(dated[name], at, dtype=pl.Datetime("us", "UTC"))
                self.people = self.people.with_columns(
                    moments.zip_with(pl.Series(happened), moments.clear(self.n))
                )
