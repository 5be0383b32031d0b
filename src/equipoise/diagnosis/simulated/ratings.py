"""Vignettes drawn and rated: attributes by their shares, answers by the assumed shifts and interactions."""

import numpy as np
import polars as pl

from equipoise.diagnosis.simulated.latents import Stream
from equipoise.instruments.scoring import Floats
from equipoise.protocol.models.allocation import Task
from equipoise.protocol.models.assumptions import AssumedOutcome
from equipoise.protocol.models.files import Vignette
from equipoise.protocol.models.outcomes import Outcome
from equipoise.protocol.study import Study

__all__ = ["task_ratings"]


def task_ratings(study: Study, name: str, people: pl.Series, stream: Stream) -> pl.DataFrame:
    """The ratings of one task by these people, one row a rating.

    Args:
        study: with the task, its vignette and the assumptions of the outcomes measured by it.
        name: the task.
        people: identifiers; the column is named as in the roster.
        stream: where the chance comes from: what is drawn, and each outcome, have their own.
    """
    task = study.protocol.tasks[name]
    vignette = study.vignettes[task.vignette]
    n, k = len(people), task.per_person
    rows = {
        people.name: pl.Series(people.name, np.repeat(people.to_numpy(), k)),
        "position": pl.Series("position", np.tile(np.arange(1.0, k + 1), n)),
    }
    drawn = _drawn(task, vignette, n, stream("task", name))
    rows |= {factor: pl.Series(factor, levels) for factor, levels in drawn.items()}
    for outcome, spec in study.protocol.outcomes.items():
        assumed = study.protocol.diagnosis.assume.outcomes.get(outcome)
        if spec.task == name and assumed is not None:
            marks = _rated(spec, assumed, drawn, n, k, stream("task", name, outcome))
            rows[str(spec.question)] = pl.Series(str(spec.question), marks)
    return pl.DataFrame(rows)


def _drawn(task: Task, vignette: Vignette, n: int, rng: np.random.Generator) -> dict[str, list[str]]:
    """The level of every factor for each rating, people after one another."""
    found: dict[str, list[str]] = {}
    k = task.per_person
    if task.present:
        ways, shares = list(task.present), np.array(list(task.present.values()), dtype=float)
        if task.assign == "between":
            people = rng.permutation(np.resize(np.repeat(np.arange(len(ways)), shares.astype(int)), n))
            found[task.present_as] = [ways[way] for way in np.repeat(people, k)]
        else:
            found[task.present_as] = _spread(ways, shares, n, k, rng)
    for name, attribute in vignette.attributes.items():
        shares = np.array(list(attribute.levels.values()), dtype=float)
        found[name] = _spread(list(attribute.levels), shares, n, k, rng)
    return found


def _spread(levels: list[str], shares: Floats, n: int, k: int, rng: np.random.Generator) -> list[str]:
    """Levels in their shares within each person as far as they go, in a random order of their own."""
    deck = np.repeat(np.arange(len(levels)), shares.astype(int))
    hands = [np.concatenate([rng.permutation(deck) for _ in range(-(-k // len(deck)))])[:k] for _ in range(n)]
    return [levels[place] for hand in hands for place in rng.permutation(hand)]


def _rated(
    spec: Outcome,
    assumed: AssumedOutcome,
    drawn: dict[str, list[str]],
    n: int,
    k: int,
    rng: np.random.Generator,
) -> Floats:
    expected = np.full(n * k, assumed.mean)
    for factor, shifts in assumed.attributes.items():
        expected += np.array([shifts.get(level, 0.0) for level in drawn[factor]])
    for interaction in assumed.interactions:
        here = np.ones(n * k, dtype=bool)
        for factor, level in interaction.when.items():
            here &= np.array(drawn[factor]) == level
        expected += interaction.add * here
    expected += np.repeat(
        rng.normal(0.0, assumed.participant_sd, n) if assumed.participant_sd else np.zeros(n), k
    )
    if spec.scale == "yes-no":
        yes: Floats = (rng.random(n * k) < np.clip(expected, 0.0, 1.0)).astype(np.float64)
        return yes
    own = np.sqrt(max((assumed.sd or 1.0) ** 2 - assumed.participant_sd**2, 0.0))
    low, high = spec.range or (-np.inf, np.inf)
    marks: Floats = np.clip(np.round(expected + own * rng.standard_normal(n * k)), low, high)
    return marks
