"""A study's data from its assumptions, with an effect planted: the same tables that real data would be.

Every participant has a latent value for each outcome at each wave. Outcomes are correlated through a common
factor (better with better), waves through the before-after correlation. An effect acts on those who take
the intervention up, by week since launch where it is assumed to change. Then it is drawn who answers, when,
and what, item by item.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from equipoise import streams
from equipoise.diagnosis.answers import Latent, survey_answers
from equipoise.diagnosis.people import drawn_arms, invent_participants
from equipoise.diagnosis.ratings import task_ratings
from equipoise.diagnosis.response import answer_times, answered
from equipoise.errors import DesignError
from equipoise.findings.data import StudyData
from equipoise.findings.subgroups import weeks_since
from equipoise.instruments.scoring import Floats
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.factors import questions, waves_asking
from equipoise.protocol.facts import answers_schema
from equipoise.protocol.folder import Study
from equipoise.protocol.models.files import Survey
from equipoise.protocol.timeline import Timeline, timeline, waves_before
from equipoise.protocol.times import parse_duration

__all__ = ["Simulated", "simulate_study"]


@dataclass(frozen=True)
class Simulated:
    """Simulated tables and what was planted: by outcome and arm, the mean effect on everybody allocated."""

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
        DesignError: an outcome without an assumption.
        NotSupportedError: a design that cannot be simulated yet.
    """
    root = f"{seed:x}"
    _refuse_unassumed(study)
    if participants is None:
        participants = invent_participants(study, people, streams.generator(root, "simulation", "people"))
    if study.protocol.arm_column(study.protocol.main_stage) not in participants.columns:
        participants = drawn_arms(study, participants, streams.generator(root, "simulation", "allocation"))
    return _Simulation(study, participants, root, seed).run()


def _refuse_unassumed(study: Study) -> None:
    assumed = study.protocol.diagnosis.assume.outcomes
    lacking = [name for name in study.protocol.outcomes if name not in assumed]
    if lacking:
        raise DesignError(
            f"{study.protocol.study.id}: diagnosis.assume says nothing of {', '.join(lacking)}; a simulation "
            "needs the mean and SD of every outcome"
        )


class _Simulation:
    """One run, wave after wave; each purpose has its own stream of chance."""

    def __init__(self, study: Study, participants: pl.DataFrame, root: str, seed: int) -> None:
        self.study, self.root, self.seed = study, root, seed
        self.protocol = study.protocol
        self.assume = study.protocol.diagnosis.assume
        roster = self.protocol.participants.roster if self.protocol.participants else {}
        self.identifier = next(name for name, column in roster.items() if column.role == "identifier")
        kept = [name for name in participants.columns if name not in roster or roster[name].role != "contact"]
        self.people = participants.select(kept).sort(self.identifier)
        self.n = self.people.height
        self.latent: dict[str, Floats] = {}
        self.answered_before = np.zeros(self.n)
        self.planted: dict[str, dict[str, float]] = {}
        self.taken_up = self._stream("uptake").random(self.n) < self.assume.uptake

    def run(self) -> Simulated:
        times = timeline(self.protocol)
        answers = {wave: self._wave(wave, times) for wave in self._waves_in_order(times)}
        people = self.people[self.identifier]
        ratings = {
            task: task_ratings(self.study, task, people, self._stream("task", task))
            for task in self.protocol.tasks
        }
        self._sends(times)
        self._events()
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
        self._draw_latents(outcomes, wave)
        who = self._responders(wave, outcomes)
        moments = self._moments(wave, times, int(who.sum()))
        column = pl.Series(f"answered_{wave}", [None] * self.n, dtype=pl.Datetime("us", "UTC"))
        self.people = self.people.with_columns(column.scatter(np.flatnonzero(who), moments))
        if not questions(survey):
            return None
        week = weeks_since(moments, times.launch) if times.launch else np.ones(len(moments))
        after = wave not in waves_before(self.protocol, self.protocol.main_stage)
        latents = {
            name: Latent(self.latent[name][who], self._effect(name, who, week, after=after))
            for name in outcomes
        }
        found = survey_answers(self.study, survey, latents, int(who.sum()), self._stream("answers", wave))
        table = pl.DataFrame({self.identifier: self.people[self.identifier].filter(pl.Series(who)), **found})
        return self._routed(survey, self._with_gaps(table, wave))

    def _draw_latents(self, outcomes: list[str], wave: str) -> None:
        """New values, tied to the last by the before-after correlation and to each other by a common factor."""
        rho = self.assume.correlation
        common = self._stream("common", wave).standard_normal(self.n)
        for name in outcomes:
            sign = -1.0 if self.protocol.outcomes[name].good == "low" else 1.0
            own = self._stream("latent", wave, name).standard_normal(self.n)
            fresh = sign * np.sqrt(max(rho, 0.0)) * common + np.sqrt(1 - max(rho, 0.0)) * own
            r = self.assume.outcomes[name].before_after_correlation
            last = self.latent.get(name)
            self.latent[name] = fresh if last is None else r * last + np.sqrt(1 - r**2) * fresh

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
            arms = list(self.protocol.arms)
            column = self.people[self.protocol.arm_column(self.protocol.main_stage)].to_list()
            groups = np.array([arms.index(arm) for arm in column])
            others = float((groups > 0).mean())
            gap = response.differs_by_arm
            rates = np.array([rate - gap * others, *[rate + gap * (1 - others)] * (len(arms) - 1)]).clip(0, 1)
        who = answered(rates, leaning, groups, self._stream("response", wave))
        self.answered_before = who.astype(np.float64)
        return who

    def _moments(self, wave: str, times: Timeline, n: int) -> pl.Series:
        reminders = []
        spec = self.protocol.waves[wave]
        for text in spec.remind.after if spec.remind else ():
            duration = parse_duration(text)
            reminders.append(timedelta(days={"day": 1, "week": 7}.get(duration.unit, 30) * duration.count))
        found = answer_times(times.opens[wave], times.closes[wave], reminders, n, self._stream("when", wave))
        return pl.Series(found, dtype=pl.Datetime("us", "UTC"))

    def _effect(self, name: str, who: np.ndarray, week: Floats, *, after: bool) -> Floats:
        """The effect on each person who answers, in the outcome's unit; zero before the allocation."""
        effect = np.zeros(int(who.sum()))
        assumed = self.assume.outcomes[name]
        if not after or not self.protocol.allocation or not assumed.effects:
            return effect
        arms = self.people[self.protocol.arm_column(self.protocol.main_stage)].to_numpy()[who]
        for planted in assumed.effects:
            rows = arms == planted.arm
            size = np.full(len(effect), planted.constant)
            if planted.by_week:
                place = np.clip(week - 1, 0, len(planted.by_week) - 1).astype(np.int64)
                size = np.asarray(planted.by_week)[place]
            effect = np.where(rows & self.taken_up[who], effect + size, effect)
            if rows.any():
                self.planted.setdefault(name, {})[planted.arm] = float(size[rows].mean() * self.assume.uptake)
        return effect

    def _with_gaps(self, table: pl.DataFrame, wave: str) -> pl.DataFrame:
        share = self.assume.response.missing_item
        if not share:
            return table
        rng = self._stream("gaps", wave)
        items = [name for name in table.columns if "." in name]
        return table.with_columns(
            table[name].scatter(np.flatnonzero(rng.random(table.height) < share), None) for name in items
        )

    def _routed(self, survey: Survey, table: pl.DataFrame) -> pl.DataFrame:
        """Questions that were not shown have no answer."""
        schema = answers_schema(self.protocol, survey)
        known = table.join(self.people, on=self.identifier, how="left", maintain_order="left")
        missing = [name for name in schema.columns if name not in known.columns]
        known = known.with_columns([pl.lit(None, dtype=pl.String).alias(name) for name in missing])
        for page in survey.pages:
            for question in page.questions:
                for rule in (page.show_if, question.show_if):
                    if rule is not None and question.id in table.columns:
                        shown = compile_expression(rule, schema).evaluate_frame(known).fill_null(False)
                        hidden = np.flatnonzero(~shown.to_numpy())
                        table = table.with_columns(table[str(question.id)].scatter(hidden, None))
        return table

    def _sends(self, times: Timeline) -> None:
        """When each contact's first message went, to the arms that it is for; and who took it up."""
        if not self.protocol.allocation or times.launch is None:
            return
        arms = self.people[self.protocol.arm_column(self.protocol.main_stage)]
        for name, contact in self.protocol.contacts.items():
            sent = arms.is_in(list(contact.to.arm)) if contact.to.arm else pl.Series([True] * self.n)
            moments = pl.Series(
                f"sent_{name.replace('-', '_')}", [None] * self.n, dtype=pl.Datetime("us", "UTC")
            )
            if contact.from_.startswith("launch"):
                rows = np.flatnonzero(sent.to_numpy())
                self.people = self.people.with_columns(moments.scatter(rows, [times.launch] * len(rows)))
        treated = (arms != next(iter(self.protocol.arms))).to_numpy()
        self.people = self.people.with_columns(pl.Series("dose_taken_up", treated & self.taken_up))

    def _events(self) -> None:
        for name in dict.fromkeys((*self.protocol.events, *self.protocol.harms)):
            happened = self._stream("event", name).random(self.n) < self.assume.events.get(name, 0.0)
            self.people = self.people.with_columns(pl.Series(name, happened))
