"""Item-level answers from a latent score, so that simulated data go through the real scoring.

The latent is standard normal in the population; an effect of d latent SDs is added to it by the caller. The
score that comes out has the wanted population mean and SD and follows the latent almost perfectly:
reliability is a matter of how answers spread over items, not of noise in the score, so that correlations and
effects which a protocol states for *scores* are the ones that appear.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from equipoise.errors import NotSupportedError, Problem, ScoringError
from equipoise.instruments.definition import Composite, Instrument, Score
from equipoise.instruments.library import instrument as library_instrument
from equipoise.instruments.scoring import Floats, rule_of, score

__all__ = [
    "ScoreCurve",
    "answers_for",
    "answers_for_composite",
    "counts_for",
    "latent_shift",
    "planning_values",
    "score_curve",
]

Ints = NDArray[np.int64]

# Midpoints of 4,000 equal shares of the standard normal: expectations over it to about 1e-4 of an SD.
_GRID: Floats = np.asarray(stats.norm.ppf((np.arange(4000) + 0.5) / 4000), dtype=np.float64)
_ATTAINED = 0.01  # a target is met when mean and SD are within this share of the SD
_ITEM_SPREAD = 0.35  # SD of the items' own difficulty, in answer steps


def answers_for(
    instrument: Instrument,
    score_name: str | None,
    target_mean: float,
    target_sd: float,
    latent: Floats,
    generator: np.random.Generator,
    alpha: float = 0.85,
) -> dict[str, Floats]:
    """Answers to a score's items for people with these latent values.

    Args:
        instrument: the definition.
        score_name: which score; None where there is one, or a default.
        target_mean: mean of the score in the population, in the score's unit.
        target_sd: SD of the score in the population.
        latent: shape (n,), standard normal where there is no effect; high latent, high score.
        generator: the stream of chance.
        alpha: internal consistency aimed at. From .8 it is met to .05; bounds hold answers together, so that
            lower ones come out up to .1 higher.
    Returns:
        By item key, shape (n,), whole codes that the definition allows.
    Raises:
        ScoringError: mean and SD that no distribution inside the score's range of this shape can have.

    The population mean and SD are met to 1% of the SD; the score's correlation with the latent is above .95
    unless the score has fewer than about eight values or is piled up at an end. A score's expectation is the
    latent's line, cut off at the range; counts follow a negative binomial by its quantiles, so that many are
    zero.
    """
    curve = score_curve(instrument, score_name, target_mean, target_sd)
    return curve.answers(np.asarray(latent, dtype=np.float64), generator, alpha)


def score_curve(
    instrument: Instrument, score_name: str | None, target_mean: float, target_sd: float
) -> "ScoreCurve":
    """How latent values become scores of complete answers, worked out once for many draws.

    Args:
        instrument, score_name, target_mean, target_sd: as `answers_for` takes them.
    Returns:
        A curve whose scores are distributed as those of the answers that `answers_for` gives.
    Raises:
        ScoringError: as `answers_for`.
    """
    rule = rule_of(instrument, score_name)
    values, totals = _attainable(instrument, score_name, rule)
    worth = np.full(int(totals.max()) + 1, np.nan)
    worth[totals] = values
    return ScoreCurve(instrument, rule, _curve(instrument, score_name, target_mean, target_sd), worth)


def latent_shift(
    instrument: Instrument, score_name: str | None, target_mean: float, target_sd: float, effect: float
) -> float:
    """The latent shift that moves the population's mean score by exactly `effect`.

    Args:
        instrument: the definition.
        score_name: which score; None where there is one, or a default.
        target_mean: mean of the score without the shift.
        target_sd: SD of the score without the shift.
        effect: difference of means wanted, in the score's unit.
    Raises:
        ScoringError: an effect that the score's range leaves no room for.

    Near `effect / target_sd`; it differs where answers pile up at an end of the range, and for counts.
    """
    curve = _curve(instrument, score_name, target_mean, target_sd)
    start = curve.moments(0.0)[0]

    def gap(shift: float) -> float:
        return curve.moments(shift)[0] - start - effect

    if effect == 0:
        return 0.0
    if gap(-8.0) * gap(8.0) > 0:
        raise ScoringError(
            Problem(
                "",
                instrument.id,
                f"an effect of {effect:g} on a mean of {target_mean:g} leaves the score's range",
            )
        )
    return float(optimize.brentq(gap, -8.0, 8.0, xtol=1e-10))


def answers_for_composite(
    composite: Composite, target_sd: float, latent: Floats, generator: np.random.Generator
) -> dict[str, dict[str, Floats]]:
    """Answers to the items of a composite's parts.

    Args:
        composite: the definition; its parts weigh alike.
        target_sd: SD of the composite in the population, between about 0.6 (parts unrelated) and 1 (parts
            alike). Its mean is 0 by construction, and an effect of d latent SDs is d x `target_sd` of the
            composite.
        latent: shape (n,), standard normal where there is no effect; high latent, high composite.
        generator: the stream of chance.
    Returns:
        By instrument, then by item key.
    Raises:
        ScoringError: an SD out of that range.
        NotSupportedError: parts of different weights.
    """
    parts = composite.parts
    if len({part.weight for part in parts.values()}) > 1:
        raise NotSupportedError(
            f"simulating {composite.id}: parts of different weights are not supported yet"
        )
    if not 1 / np.sqrt(len(parts)) <= target_sd <= 1:
        message = (
            f"an SD of {target_sd:g}: the mean of {len(parts)} standardised parts has one from 0.58 to 1"
        )
        raise ScoringError(
            Problem("", composite.id, message.replace("0.58", f"{1 / np.sqrt(len(parts)):.2f}"))
        )
    noise = generator.standard_normal((len(latent), len(parts)))
    # Noise that sums to nothing over the parts leaves the composite itself to the latent.
    noise = (noise - noise.mean(axis=1, keepdims=True)) * np.sqrt(len(parts) / (len(parts) - 1))
    result: dict[str, dict[str, Floats]] = {}
    for column, part in enumerate(parts.values()):
        instrument = library_instrument(part.instrument)
        own = target_sd * np.asarray(latent) + np.sqrt(1 - target_sd**2) * noise[:, column]
        answers = answers_for(
            instrument, part.score, *planning_values(instrument, part.score), part.sign * own, generator
        )
        result.setdefault(part.instrument, {}).update(answers)
    return result


def counts_for(target_mean: float, target_sd: float, highest: int, latent: Floats) -> Floats:
    """Counts of a question of a study's own, such as days of absence, from the latent.

    Args:
        target_mean: mean in the population.
        target_sd: SD in the population, above the square root of the mean.
        highest: the highest count that the question allows.
        latent: shape (n,), standard normal where there is no effect; high latent, high count.
    Returns:
        Shape (n,), whole numbers from 0, the quantiles of a negative binomial cut at `highest`.
    Raises:
        ScoringError: an SD that is too small for a count with many zeros, or a mean out of range.
    """
    if not 0 < target_mean < target_sd**2 or target_mean >= highest:
        message = f"found mean {target_mean:g} and SD {target_sd:g}; the SD must exceed the root of the mean"
        raise ScoringError(Problem("", "count", f"{message}, and the mean lie between 0 and {highest}"))
    return _solved_count(target_mean, target_sd, highest, "count").counts(
        np.asarray(latent, dtype=np.float64)
    )


def planning_values(instrument: Instrument, score_name: str | None) -> tuple[float, float]:
    """Mean and SD to plan with: the first reference that has both, else middle and a sixth of the range."""
    name = instrument.sole_score() if score_name is None else score_name
    rule = rule_of(instrument, score_name)
    figures = [reference for reference in instrument.references if reference.score == name]
    for reference in figures:
        if reference.what == "mean" and reference.sd is not None:
            return reference.value, reference.sd
    alone = {reference.what: reference.value for reference in figures}
    low, high = rule.range
    return alone.get("mean", (low + high) / 2), alone.get("standard deviation", (high - low) / 6)


@dataclass(frozen=True)
class _Curve:
    """How a latent value becomes a total: the score's expectation is `centre + slope x latent`, cut at its
    range.

    `values` are the scores that complete answers can have, in order; `totals` the sums of answers that give
    them.
    """

    values: Floats
    totals: Ints
    centre: float
    slope: float

    def expected(self, latent: Floats) -> Floats:
        return np.clip(self.centre + self.slope * latent, self.values[0], self.values[-1])

    def moments(self, shift: float) -> tuple[float, float]:
        """Mean and SD of the score over the population, with the latent shifted."""
        aim = self.expected(_GRID + shift)
        below, above, share = self._neighbours(aim)
        rounding = share * (1 - share) * (self.values[above] - self.values[below]) ** 2
        return float(aim.mean()), float(np.sqrt(aim.var() + rounding.mean()))

    def draw(self, latent: Floats, generator: np.random.Generator) -> Floats:
        """Totals, rounded up or down by chance so that the expected score stays on the line."""
        below, above, share = self._neighbours(self.expected(latent))
        up = generator.random(len(latent)) < share
        return self.totals[np.where(up, above, below)].astype(np.float64)

    @cached_property
    def _step(self) -> float | None:
        """Between any value and the next, where that is always the same."""
        steps = np.diff(self.values)
        return float(steps[0]) if np.ptp(steps) < 1e-9 * steps[0] else None

    def _neighbours(self, aim: Floats) -> tuple[Ints, Ints, Floats]:
        if self._step is None:
            place = np.searchsorted(self.values, aim)
        else:
            place = np.ceil((aim - self.values[0]) / self._step).astype(np.int64)
        above = np.clip(place, 1, len(self.values) - 1)
        below = above - 1
        share = (aim - self.values[below]) / (self.values[above] - self.values[below])
        return below, above, np.asarray(share, dtype=np.float64)


@dataclass(frozen=True)
class _CountCurve:
    """Counts by the quantiles of a negative binomial (size, share), cut at the highest count allowed."""

    highest: int
    size: float
    share: float

    def draw(self, latent: Floats, generator: np.random.Generator) -> Floats:
        return self.counts(latent)

    def moments(self, shift: float) -> tuple[float, float]:
        # The probability of each count is that of the latent stretch which is mapped to it.
        cumulated = stats.nbinom.cdf(np.arange(self.highest), self.size, self.share)
        edges = stats.norm.cdf(stats.norm.ppf(np.clip(cumulated, 1e-300, 1.0)) - shift)
        chances = np.diff(np.concatenate([[0.0], edges, [1.0]]))
        counts = np.arange(self.highest + 1)
        mean = float(chances @ counts)
        return mean, float(np.sqrt(max(chances @ (counts - mean) ** 2, 0.0)))

    def counts(self, latent: Floats) -> Floats:
        counts = stats.nbinom.ppf(stats.norm.cdf(latent), self.size, self.share)
        return np.asarray(np.minimum(counts, self.highest), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class ScoreCurve:
    """Scores and answers by latent values; `worth` is the score of complete answers by their total."""

    instrument: Instrument
    rule: Score
    curve: _Curve | _CountCurve
    worth: Floats

    def scores(self, latent: Floats, generator: np.random.Generator) -> Floats:
        """The scores of people with these latent values, shape (n,), without their answers."""
        return self.worth[self.curve.draw(latent, generator).astype(np.intp)]

    def answers(
        self, latent: Floats, generator: np.random.Generator, alpha: float = 0.85
    ) -> dict[str, Floats]:
        """The answers of people with these latent values, as `answers_for` gives them."""
        totals = self.curve.draw(latent, generator)
        if len(self.rule.items) == 1:
            return _undirected(totals[:, None], self.instrument, self.rule)
        directed = _spread_over_items(totals, self.instrument, self.rule, alpha, generator)
        return _undirected(directed, self.instrument, self.rule)


def _curve(instrument: Instrument, score_name: str | None, mean: float, sd: float) -> _Curve | _CountCurve:
    rule = rule_of(instrument, score_name)
    form = instrument.format_of(rule.items[0])
    place = f"{instrument.id}: {rule.title}"
    if not (rule.range[0] < mean < rule.range[1]) or not sd > 0:
        message = (
            f"found mean {mean:g} and SD {sd:g}; the score runs from {rule.range[0]:g} to {rule.range[1]:g}"
        )
        raise ScoringError(Problem("", place, message))
    if form.kind == "count" and sd**2 > mean:
        return _solved_count(mean, sd, form.high, place)
    values, totals = _attainable(instrument, score_name, rule)
    return _solved(values, totals, mean, sd, place)


def _solved(values: Floats, totals: Ints, mean: float, sd: float, place: str) -> _Curve:
    def gap(parameters: Floats) -> Floats:
        got = _Curve(values, totals, parameters[0], float(np.exp(parameters[1]))).moments(0.0)
        return np.array([got[0] - mean, got[1] - sd]) / sd

    start = np.array([mean, np.log(sd)])
    bounds = ([values[0] - 20 * sd, np.log(sd) - 8], [values[-1] + 20 * sd, np.log(sd) + 4])
    found = optimize.least_squares(gap, start, bounds=bounds, xtol=1e-12, ftol=1e-12, diff_step=1e-5)
    _refuse_unattained(found.fun, mean, sd, place)
    return _Curve(values, totals, float(found.x[0]), float(np.exp(found.x[1])))


def _solved_count(mean: float, sd: float, highest: int, place: str) -> _CountCurve:
    def curve(parameters: Floats) -> _CountCurve:
        size, share = np.exp(parameters[0]), 1 / (1 + np.exp(-parameters[1]))
        return _CountCurve(highest, float(size), float(share))

    def gap(parameters: Floats) -> Floats:
        got = curve(parameters).moments(0.0)
        return np.array([(got[0] - mean) / sd, (got[1] - sd) / sd])

    share = mean / sd**2
    start = np.array([np.log(mean * share / (1 - share)), np.log(share / (1 - share))])
    found = optimize.least_squares(gap, start, bounds=(start - 6, start + 6), xtol=1e-12, ftol=1e-12)
    _refuse_unattained(found.fun, mean, sd, place)
    return curve(found.x)


def _refuse_unattained(gaps: Floats, mean: float, sd: float, place: str) -> None:
    if np.abs(gaps).max() > _ATTAINED:
        message = (
            f"a mean of {mean:g} with an SD of {sd:g} cannot be had; nearest is {mean + gaps[0] * sd:.3g}"
        )
        raise ScoringError(Problem("", place, f"{message} with {sd + gaps[1] * sd:.3g}. Take a smaller SD"))


def _attainable(instrument: Instrument, score_name: str | None, rule: Score) -> tuple[Floats, Ints]:
    """Every score that complete answers can have, in order, with the total of directed answers behind it."""
    form = instrument.format_of(rule.items[0])
    k = len(rule.items)
    if rule.recode is not None and len(set(np.diff([rule.recode[code] for code in form.codes]))) > 1:
        raise NotSupportedError(
            f"simulating {instrument.id}: a recode with uneven steps is not supported yet"
        )
    totals = np.arange(k * form.low, k * form.high + 1)
    # Spread each total as evenly as it goes; the score depends on the total alone.
    directed = totals[:, None] // k + (np.arange(k) < (totals % k)[:, None])
    values = score(instrument, score_name, _undirected(directed.astype(np.float64), instrument, rule)).values
    order = np.argsort(values)
    return values[order], totals[order].astype(np.int64)


def _spread_over_items(
    totals: Floats, instrument: Instrument, rule: Score, alpha: float, generator: np.random.Generator
) -> Floats:
    """Whole answers, shape (n, items), that add up to each total and differ as much as alpha wants."""
    form = instrument.format_of(rule.items[0])
    k = len(rule.items)
    difficulty = _ITEM_SPREAD * np.resize([1.0, -1.0, 0.0], k)
    noise = generator.standard_normal((len(totals), k))
    wish = totals[:, None] / k + (difficulty - difficulty.mean()) + _item_noise(totals, k, alpha) * noise
    answers: Floats = np.clip(np.floor(wish + 0.5), form.low, form.high)
    for _ in range(k * (form.high - form.low)):
        missing = totals - answers.sum(axis=1)
        if not missing.any():
            break
        answers += _one_step(wish - answers, answers, missing, form.low, form.high)
    return answers


def _item_noise(totals: Floats, k: int, alpha: float) -> float:
    """SD of an item's own noise, from alpha = k/(k-1) (1 - k item variance / variance of the total)."""
    variance = float(totals.var())
    item_variance = variance * (1 - alpha * (k - 1) / k) / k
    rounding = 1 / 12
    return float(np.sqrt(max((item_variance - variance / k**2 - rounding) / (1 - 1 / k), 0.0)))


def _one_step(wanted: Floats, answers: Floats, missing: Floats, low: int, high: int) -> Floats:
    """One step up (or down) in the items that want it most, in as many items as the total still lacks."""
    direction = np.sign(missing)[:, None]
    room = np.where(direction > 0, answers < high, answers > low)
    eagerness = np.where(room, wanted * direction, -np.inf)
    rank = np.argsort(np.argsort(-eagerness, axis=1, kind="stable"), axis=1, kind="stable")
    return np.asarray(np.where(room & (rank < np.abs(missing)[:, None]), direction, 0.0), dtype=np.float64)


def _undirected(directed: Floats, instrument: Instrument, rule: Score) -> dict[str, Floats]:
    form = instrument.format_of(rule.items[0])
    return {
        key: form.low + form.high - directed[:, column] if key in rule.reversed else directed[:, column]
        for column, key in enumerate(rule.items)
    }
