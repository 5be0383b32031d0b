"""Means, SDs and effects that the scale of an outcome leaves room for."""

from collections.abc import Iterator, Sequence
from math import sqrt

from equipoise.errors import Problem
from equipoise.protocol.checks.places import at
from equipoise.protocol.factors import questions
from equipoise.protocol.models.assumptions import AssumedEffect, AssumedOutcome
from equipoise.protocol.models.outcomes import Outcome
from equipoise.protocol.models.surveys import Question
from equipoise.protocol.study import Study

__all__ = ["check_on_scale", "sizes_of", "span_of"]

_ROUNDED = 1e-9


def check_on_scale(study: Study) -> Iterator[Problem]:
    """What is assumed of each outcome lies on its scale, the effects of every arm included.

    On a scale from a to b the largest SD with a mean of m is sqrt((m - a)(b - m)): everybody at one end or
    the other (Bhatia & Davis 2000, American Mathematical Monthly 107:353).
    """
    for name, assumed in study.protocol.diagnosis.assume.outcomes.items():
        outcome = study.protocol.outcomes.get(name)
        span = None if outcome is None else span_of(study, outcome)
        if span is None:
            continue
        low, high = span
        if not low <= assumed.mean <= high:
            message = f"a mean of {assumed.mean:g} on a scale from {low:g} to {high:g}"
            yield at(study, "diagnosis", "assume", name, "mean", message=message)
            continue
        yield from _spread(study, name, assumed, low, high)
        yield from _effects(study, name, assumed, low, high)


def span_of(study: Study, outcome: Outcome) -> tuple[float, float] | None:
    """The lowest and highest value of an outcome, from its range or its question; None where one is open."""
    if outcome.scale == "yes-no":
        return (0.0, 1.0)
    if outcome.range is not None or outcome.question is None or outcome.task is not None:
        return outcome.range
    survey, _, name = outcome.question.rpartition(".")
    asked = questions(study.surveys[survey]) if survey in study.surveys else []
    return next((_of_question(question) for question in asked if question.id == name), None)


def _of_question(question: Question) -> tuple[float, float] | None:
    if question.type in ("yes-no", "consent"):
        return (0.0, 1.0)
    if question.type in ("likert", "single"):
        codes = [float(code) for code in question.options if code.removeprefix("-").isdecimal()]
        return (min(codes), max(codes)) if codes and len(codes) == len(question.options) else None
    return None if question.low is None or question.high is None else (question.low, question.high)


def _spread(study: Study, name: str, assumed: AssumedOutcome, low: float, high: float) -> Iterator[Problem]:
    most = sqrt((assumed.mean - low) * (high - assumed.mean))
    shares = (low, high) == (0.0, 1.0)  # of yes and no, the SD follows from the mean and is not looked at
    if assumed.sd is not None and not shares and assumed.sd > most + _ROUNDED:
        message = (
            f"an SD of {assumed.sd:g} on a scale from {low:g} to {high:g}: with a mean of {assumed.mean:g} "
            f"it is {most:.3g} at most, when everybody is at one end or the other"
        )
        yield at(study, "diagnosis", "assume", name, "sd", message=message)


def _effects(study: Study, name: str, assumed: AssumedOutcome, low: float, high: float) -> Iterator[Problem]:
    below, above = low - assumed.mean, high - assumed.mean
    for arm in dict.fromkeys(effect.arm for effect in assumed.effects):
        sizes = sizes_of([effect for effect in assumed.effects if effect.arm == arm])
        furthest = min(sizes) if min(sizes) < below - _ROUNDED else max(sizes)
        if not below - _ROUNDED <= furthest <= above + _ROUNDED:
            message = (
                f"an effect of {furthest:g} takes a mean of {assumed.mean:g} to {assumed.mean + furthest:g}, "
                f"and the scale runs from {low:g} to {high:g}; there is room for effects from {below:g} to "
                f"{above:g}"
            )
            yield at(study, "diagnosis", "assume", name, "effect", message=message)


def sizes_of(effects: Sequence[AssumedEffect]) -> list[float]:
    """Every size that the effect of one arm takes, subgroup by subgroup and week by week."""
    everywhere = [effect for effect in effects if not effect.when]
    base = [sum(sizes) for sizes in _in_step([_weeks(effect) for effect in everywhere])] or [0.0]
    further = [sum(sizes) for effect in effects if effect.when for sizes in _in_step([base, _weeks(effect)])]
    return [*base, *further]


def _weeks(effect: AssumedEffect) -> list[float]:
    return list(effect.by_week) or [effect.constant]


def _in_step(sizes: Sequence[list[float]]) -> list[tuple[float, ...]]:
    """Week by week; a list that ends goes on with its last."""
    longest = max((len(each) for each in sizes), default=0)
    return [tuple(each[min(week, len(each) - 1)] for each in sizes) for week in range(longest)]
