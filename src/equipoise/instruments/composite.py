"""Composites: a weighted mean of scores, each standardised on one declared sample (all arms at baseline)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from equipoise.errors import Problem, ScoringError
from equipoise.instruments.definition import Composite
from equipoise.instruments.library import instrument
from equipoise.instruments.scoring import Answers, Floats, score

__all__ = ["ReferenceSample", "composite_values", "part_scores", "reference_sample"]

_SMALLEST_SAMPLE = 10  # a mean and an SD from fewer people than this are no yardstick


@dataclass(frozen=True)
class ReferenceSample:
    """Mean and SD of each part in the sample that standardises it, with the number of people behind them."""

    sample: str
    n: Mapping[str, int]
    mean: Mapping[str, float]
    sd: Mapping[str, float]


def part_scores(composite: Composite, answers: Mapping[str, Answers]) -> dict[str, Floats]:
    """The scores of a composite's parts.

    Args:
        composite: the definition.
        answers: by instrument, then by item key, shape (n,).
    Raises:
        ScoringError: an instrument is missing, or its answers are faulty.
    """
    needed = {part.instrument for part in composite.parts.values()}
    if missing := sorted(needed - set(answers)):
        message = f"{composite.id} needs answers to {', '.join(missing)}, and there are none"
        raise ScoringError(Problem("", "answers", message))
    return {
        name: score(instrument(part.instrument), part.score, answers[part.instrument]).values
        for name, part in composite.parts.items()
    }


def reference_sample(
    composite: Composite, parts: Mapping[str, Floats], sample: str = "baseline-all-arms"
) -> ReferenceSample:
    """Mean and SD (n - 1) of each part among those who have it.

    Args:
        composite: the definition.
        parts: scores of the sample by part, shape (n,), NaN where missing; all arms together, before
            allocation.
        sample: what the sample is; it has to be the one that the composite declares.
    Raises:
        ScoringError: another sample than the declared one, fewer than ten scores, or a part that does not
            vary.
    """
    _refuse_other_sample(composite, sample)
    _refuse_missing_parts(composite, parts)
    known = {name: parts[name][np.isfinite(parts[name])] for name in composite.parts}
    problems = [
        Problem(
            "",
            name,
            f"{len(values)} scores in the sample that standardises {composite.id}; it takes ten that differ",
        )
        for name, values in known.items()
        if len(values) < _SMALLEST_SAMPLE or np.ptp(values) == 0
    ]
    if problems:
        raise ScoringError(problems)
    return ReferenceSample(
        sample=sample,
        n={name: len(values) for name, values in known.items()},
        mean={name: float(values.mean()) for name, values in known.items()},
        sd={name: float(values.std(ddof=1)) for name, values in known.items()},
    )


def composite_values(composite: Composite, parts: Mapping[str, Floats], reference: ReferenceSample) -> Floats:
    """The composite: sum of weight x sign x z over the sum of weights; NaN where a part is missing.

    Args:
        composite: the definition.
        parts: scores by part, shape (n,).
        reference: what the parts are standardised on, from `reference_sample`.
    Raises:
        ScoringError: a part is absent, or the reference is not the declared sample.
    """
    _refuse_other_sample(composite, reference.sample)
    _refuse_missing_parts(composite, parts)
    weights = sum(part.weight for part in composite.parts.values())
    terms = [
        part.weight * part.sign * (parts[name] - reference.mean[name]) / reference.sd[name]
        for name, part in composite.parts.items()
    ]
    return np.asarray(np.sum(terms, axis=0) / weights, dtype=np.float64)


def _refuse_other_sample(composite: Composite, sample: str) -> None:
    if sample != composite.standardised_on:
        message = f'{composite.id} is standardised on "{composite.standardised_on}"; found "{sample}"'
        raise ScoringError(Problem("", "standardised-on", message))


def _refuse_missing_parts(composite: Composite, parts: Mapping[str, Floats]) -> None:
    if missing := sorted(set(composite.parts) - set(parts)):
        raise ScoringError(Problem("", "parts", f"{composite.id} has no scores for {', '.join(missing)}"))
