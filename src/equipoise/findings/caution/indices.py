"""What an index is made of, and of whom it is known in part."""

from collections.abc import Iterator

import numpy as np

from equipoise.findings.reading.indices import index_at
from equipoise.findings.sampling.measured import Measured
from equipoise.protocol.waves import SLOPE, points_of

__all__ = ["made_of_parts"]


def made_of_parts(measured: Measured) -> Iterator[str]:
    """The weights of an index's parts at each wave, and how many of those analysed lack some of them."""
    outcomes = measured.study.protocol.outcomes
    outcome = outcomes[measured.outcome]
    if outcome.index is None:
        return
    labels = [outcomes[part].label or part for part in outcome.index]
    waves = outcome.waves if measured.at == SLOPE else points_of(measured.at)
    for wave in (wave for wave in waves or ("",) if wave in (*outcome.waves, "")):
        found = index_at(measured.study, measured.data, outcome, wave)
        columns = [measured.study.protocol.frame_column(part, wave or None) for part in outcome.index]
        known = ~np.isnan(np.stack([measured.data.numbers(column) for column in columns], axis=1))
        partly = int((measured.answered & ~known.all(axis=1)).sum())
        shares = ", ".join(f"{one} {weight:.2f}" for one, weight in zip(labels, found.weights, strict=True))
        yield (
            f"weights of the index{f' at {wave}' if wave else ''}: {shares}; {partly} of "
            f"{int(measured.answered.sum())} answered some of it and not all, and count with what they "
            f"answered (at least {outcome.least_answered:.0%} of it)"
        )
