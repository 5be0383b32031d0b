"""Assumptions from data that there are already: a pilot, or an earlier wave of the study itself.

Means, spreads, correlations, likeness in clusters and response are estimated, each with its interval and the
numbers behind it. An effect never is. A pilot's estimate of it is far too uncertain to plan with, and trials
that were begun because a pilot's effect looked large are planned with the luckiest ones: they come out too
small (Kraemer et al. 2006, Arch. Gen. Psychiatry 63:484). What is planned for is the smallest effect that
would matter.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from scipy import stats

from equipoise.errors import DesignError
from equipoise.estimation.arrays import Bools, Floats
from equipoise.estimation.inference import Interval
from equipoise.estimation.mixed.icc import Likeness, intracluster_correlation
from equipoise.findings.reading.data import StudyData
from equipoise.findings.reading.scores import scored
from equipoise.protocol.factors import reference_arm
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import waves_before

__all__ = ["Counted", "PilotOutcome", "PilotResponse", "PilotValues", "values_from"]

LEVEL = 0.95
FEWEST = 10
"""Of fewer answers nothing is estimated: the interval would be wider than any assumption."""


@dataclass(frozen=True)
class Counted:
    """A value with its interval and the people behind it; `among` says who they are."""

    value: float
    interval: Interval
    n: int
    among: str = ""


@dataclass(frozen=True)
class PilotOutcome:
    """What data say of one outcome.

    Attributes:
        name, at: the outcome, and the wave of mean and SD (empty where it has none).
        mean: of the arm to compare with, or of everybody where arms are not known.
        sd: pooled within arms.
        before_after: correlation with the score before, within arms; None without one.
        zero_share: of a count, who have none at all.
        likeness: of people of one cluster within arms; None where no clusters are allocated.
    """

    name: str
    at: str
    mean: Counted
    sd: Counted
    before_after: Counted | None = None
    zero_share: Counted | None = None
    likeness: Likeness | None = None


@dataclass(frozen=True)
class PilotResponse:
    """The share that answered a wave, and by how much the other arms differed from the first."""

    wave: str
    share: Counted
    differs_by_arm: Counted | None = None


@dataclass(frozen=True)
class PilotValues:
    """What data say of everything that a diagnosis assumes, but for the effects.

    `correlations` are by pair of outcomes, within arms, as the scores are; `unit` is that of the clusters.
    `left_out` names outcomes of which there are too few answers.
    """

    study: str
    outcomes: tuple[PilotOutcome, ...]
    correlations: dict[tuple[str, str], Counted] = field(default_factory=dict)
    response: tuple[PilotResponse, ...] = ()
    unit: str | None = None
    left_out: tuple[str, ...] = ()


def values_from(study: Study, data: StudyData) -> PilotValues:
    """Estimate assumptions from a study's data.

    Args:
        study: whose outcomes and waves the data have.
        data: as read; an outcome that is not scored yet is scored.
    Raises:
        DesignError: no outcome has enough answers.
    """
    source = _Source(study, scored(study, data))
    outcomes = {name: source.outcome(name) for name, spec in study.protocol.outcomes.items() if not spec.task}
    found = [each for each in outcomes.values() if each is not None]
    if not found:
        raise DesignError(
            f"{study.protocol.study.id}: no outcome has {FEWEST} answers or more, so nothing can be assumed "
            "from these data"
        )
    return PilotValues(
        study=study.protocol.study.id,
        outcomes=tuple(found),
        correlations=dict(source.correlations(found)),
        response=tuple(source.responses()),
        unit=source.unit,
        left_out=tuple(name for name, each in outcomes.items() if each is None),
    )


class _Source:
    """The data, with the arm of everybody as a number: all 0 where there are no arms."""

    def __init__(self, study: Study, data: StudyData) -> None:
        self.study, self.data, self.protocol = study, data, study.protocol
        self.arms: list[str] = [""]
        self.arm = np.zeros(data.participants.height, dtype=np.int64)
        column = self.protocol.arm_column(self.protocol.main_stage)
        self.before = (
            waves_before(self.protocol, self.protocol.main_stage) if self.protocol.allocation else ()
        )
        if data.has(column):
            labels = data.participants[column].cast(str).fill_null("").to_list()
            known = [arm for arm in self.protocol.arms if arm in labels]
            self.arms = [*known, *sorted(set(labels) - set(known))]
            self.arm = np.array([self.arms.index(label) for label in labels])
        stage = self.protocol.allocation.get(self.protocol.main_stage)
        clustered = stage is not None and stage.unit != "participant" and data.has(stage.unit)
        self.unit = stage.unit if clustered and stage is not None else None

    def outcome(self, name: str) -> PilotOutcome | None:
        """None of fewer answers than would say anything."""
        at = self._wave(name)
        y = None if at is None else self._values(name, at)
        if y is None or (~np.isnan(y)).sum() < FEWEST:
            return None
        known = ~np.isnan(y)
        spec = self.protocol.outcomes[name]
        return PilotOutcome(
            name=name,
            at=str(at),
            mean=self._mean(y, known),
            sd=_sd(self._within(y, known), self._freedom(known), self._among()),
            before_after=self._before_after(name, y),
            zero_share=_share(y[known] == 0, "of those who answered") if spec.scale == "count" else None,
            likeness=self._likeness(y, known),
        )

    def correlations(self, outcomes: list[PilotOutcome]) -> Iterator[tuple[tuple[str, str], Counted]]:
        """Of each two outcomes, each at its wave."""
        for first, second in combinations(outcomes, 2):
            x, y = (self._values(each.name, each.at) for each in (first, second))
            found = None if x is None or y is None else self._correlation(x, y)
            if found is not None:
                yield (first.name, second.name), found

    def responses(self) -> Iterator[PilotResponse]:
        for wave in self.protocol.waves:
            if not self.data.has(f"answered_{wave}"):
                continue
            answered = self.data.happened(f"answered_{wave}")
            after = wave not in self.before and len(self.arms) > 1
            gap = _gap(answered, self.arm > 0, self.arms[0]) if after and not self.data.masked else None
            yield PilotResponse(wave, _share(answered, "of the participants"), gap)

    def _wave(self, name: str) -> str | None:
        """The first wave after the allocation with answers; before it where there is none after."""
        waves = self.protocol.outcomes[name].waves
        ordered = [*(w for w in waves if w not in self.before), *self.before[::-1]] if waves else [""]
        return next((wave for wave in ordered if self._values(name, wave) is not None), None)

    def _values(self, name: str, wave: str) -> Floats | None:
        column = self.protocol.frame_column(name, wave or None)
        if not self.data.has(column):
            return None
        values = self.data.numbers(column)
        return None if np.isnan(values).all() else values

    def _among(self) -> str:
        return "within arms" if len(self.arms) > 1 else "of everybody"

    def _mean(self, y: Floats, known: Bools) -> Counted:
        reference = reference_arm(self.arms) or ""
        rows = known & (self.arm == self.arms.index(reference)) if self._tells(reference) else known
        among = f'of the arm "{reference}"'
        if rows is known or rows.sum() < FEWEST:
            rows, among = known, "of everybody"
        values = y[rows]
        half = float(
            stats.t.ppf(0.5 + LEVEL / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
        )
        mean = float(values.mean())
        return Counted(mean, Interval(LEVEL, mean - half, mean + half), len(values), among)

    def _tells(self, arm: str) -> bool:
        """Whether an arm is known by its name."""
        return arm in self.protocol.arms and not self.data.masked

    def _within(self, y: Floats, rows: Bools) -> Floats:
        """What is left of the values of some people when the mean of their arm is taken off."""
        arm = self.arm[rows]
        count = np.maximum(np.bincount(arm, minlength=len(self.arms)), 1)
        return np.asarray(y[rows] - (np.bincount(arm, y[rows], minlength=len(self.arms)) / count)[arm])

    def _freedom(self, rows: Bools) -> int:
        return int(rows.sum()) - len(np.unique(self.arm[rows]))

    def _before_after(self, name: str, y: Floats) -> Counted | None:
        waves = [wave for wave in self.before if wave != self._wave(name)]
        before = self._values(name, waves[-1]) if waves else None
        return None if before is None else self._correlation(before, y)

    def _correlation(self, x: Floats, y: Floats) -> Counted | None:
        rows = ~np.isnan(x) & ~np.isnan(y)
        if rows.sum() < FEWEST:
            return None
        first, second = self._within(x, rows), self._within(y, rows)
        squares = float((first**2).sum() * (second**2).sum())
        if squares == 0:
            return None
        r = float((first * second).sum() / np.sqrt(squares))
        half = float(stats.norm.ppf(0.5 + LEVEL / 2)) / np.sqrt(self._freedom(rows) - 2)
        z = np.arctanh(np.clip(r, -1 + 1e-15, 1 - 1e-15))
        interval = Interval(LEVEL, float(np.tanh(z - half)), float(np.tanh(z + half)))
        return Counted(r, interval, int(rows.sum()), self._among())

    def _likeness(self, y: Floats, known: Bools) -> Likeness | None:
        if self.unit is None:
            return None
        cluster = self.data.participants[self.unit].cast(str).fill_null("").to_numpy()
        try:
            return intracluster_correlation(y[known], cluster[known], self.arm[known], LEVEL)
        except DesignError:
            return None  # one cluster in an arm, or one person in each: likeness cannot be seen


def _sd(deviations: Floats, freedom: int, among: str) -> Counted:
    """The pooled SD with the interval that it has for normal outcomes."""
    sd = float(np.sqrt((deviations**2).sum() / freedom))
    tails = stats.chi2.ppf((0.5 + LEVEL / 2, 0.5 - LEVEL / 2), freedom)
    low, high = (float(sd * np.sqrt(freedom / tail)) for tail in tails)
    return Counted(sd, Interval(LEVEL, low, high), len(deviations), among)


def _share(yes: Bools, among: str) -> Counted:
    """A share with Wilson's interval."""
    found = stats.binomtest(int(yes.sum()), len(yes)).proportion_ci(LEVEL, method="wilson")
    return Counted(float(yes.mean()), Interval(LEVEL, float(found.low), float(found.high)), len(yes), among)


def _gap(answered: Bools, others: Bools, first: str) -> Counted:
    """How much more often the other arms answered than the first, by Newcombe's interval of two shares.

    Newcombe (1998), Statistics in Medicine 17:873, method 10.
    """
    one, rest = _share(answered[~others], ""), _share(answered[others], "")
    gap = rest.value - one.value
    low = gap - np.hypot(rest.value - rest.interval.low, one.interval.high - one.value)
    high = gap + np.hypot(rest.interval.high - rest.value, one.value - one.interval.low)
    among = f'of the other arms, less that of "{first}"'
    return Counted(gap, Interval(LEVEL, float(low), float(high)), len(answered), among)
