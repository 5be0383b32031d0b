"""Cautions about how an outcome was measured: whether its items agree, and whether people read them."""

from collections.abc import Iterator

import numpy as np

from equipoise.errors import ScoringError
from equipoise.findings.reading.scores import answers_of
from equipoise.findings.sampling.measured import Measured
from equipoise.instruments.definition import Instrument
from equipoise.instruments.library import load
from equipoise.instruments.quality import quality
from equipoise.instruments.reliability import cronbach_alpha, spearman_brown
from equipoise.instruments.scoring import Answers, directed, rule_of

__all__ = ["straight_lines", "unreliable"]

RELIABLE = 0.7
"""Nunnally (1978), Psychometric Theory, chapter 7: the least for research on groups."""
STRAIGHT = 0.1


def unreliable(measured: Measured) -> Iterator[str]:
    """A score whose items hang together too little at the wave that is analysed."""
    asked = _asked(measured)
    if asked is None:
        return
    definition, score, answers = asked
    rule = rule_of(definition, score)
    if len(rule.items) < 2 or definition.format_of(rule.items[0]).kind == "count":
        return
    items = directed(definition, score, answers)
    items = items[np.isfinite(items).all(axis=1)]
    try:
        found = cronbach_alpha(items) if items.shape[1] > 2 else spearman_brown(items)
    except ScoringError:
        return  # too few answered every item; the reliability itself says so
    if found.estimate < RELIABLE:
        yield (
            f"the score measured with a reliability of {found.estimate:.2f} here ({found.name}), below "
            f"{RELIABLE:g}: noise widens the interval, and shrinks effects in standard deviations"
        )


def straight_lines(measured: Measured) -> Iterator[str]:
    """Many who gave one answer to every item, the reversed ones included."""
    asked = _asked(measured)
    if asked is None:
        return
    found = quality(*asked)
    if found.straight_liners is not None and found.n_scored:
        share = found.straight_liners / found.n_scored
        if share > STRAIGHT:
            yield (
                f"{share:.0%} of those scored gave the same answer to every item, reversed ones included; "
                "they are counted and kept"
            )


def _asked(measured: Measured) -> tuple[Instrument, str | None, Answers] | None:
    """The instrument and the answers at the wave analysed, where both are at hand."""
    outcome = measured.study.protocol.outcomes[measured.outcome]
    if outcome.instrument is None or measured.at not in measured.data.answers:
        return None
    definition = load(outcome.instrument)
    if not isinstance(definition, Instrument):
        return None
    return definition, outcome.score, answers_of(definition, measured.data.answers[measured.at])
