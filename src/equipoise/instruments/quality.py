"""What is printed about the answers behind a score: who answered, floor and ceiling, straight-liners."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.instruments.definition import Instrument, Score
from equipoise.instruments.scoring import Answers, Floats, rule_of, score

__all__ = ["Quality", "quality", "straight_lined"]

_FEWEST_FOR_A_LINE = 3  # one or two equal answers are no pattern


@dataclass(frozen=True)
class Quality:
    """Quality of the answers to one score in one sample.

    Shares are of those scored; None where nobody was. `straight_liners` is None where the score holds no
    reversed item, because equal answers are then no contradiction. They are counted and never deleted.
    """

    n: int
    n_scored: int
    missing: Mapping[str, int]
    items_answered: Mapping[int, int]
    floor: float | None
    ceiling: float | None
    straight_liners: int | None


def quality(instrument: Instrument, score_name: str | None, answers: Answers) -> Quality:
    """Counts and shares of one score; call it once for each arm to report by arm.

    Args:
        instrument: the definition.
        score_name: which score; None where there is one, or a default.
        answers: by item key, shape (n,), as for `scoring.score`.
    Returns:
        `items_answered` says how many participants answered how many items; `floor` and `ceiling` are the
        shares at the lowest and highest value that the score can have, whichever of them is good.
    Raises:
        ScoringError: as for `scoring.score`.
    """
    rule = rule_of(instrument, score_name)
    scores = score(instrument, score_name, answers)
    known = scores.values[np.isfinite(scores.values)]
    counts = np.bincount(scores.n_answered, minlength=len(rule.items) + 1)
    return Quality(
        n=len(scores.values),
        n_scored=len(known),
        missing=scores.missing,
        items_answered={items: int(count) for items, count in enumerate(counts)},
        floor=_share_at(known, rule.range[0]),
        ceiling=_share_at(known, rule.range[1]),
        straight_liners=int(straight_lined(rule, answers).sum()) if _shows_lines(rule) else None,
    )


def straight_lined(rule: Score, answers: Answers) -> NDArray[np.bool_]:
    """Who gave the same answer to every item that they answered, reversed items included.

    Args:
        rule: a score that holds both reversed and other items.
        answers: by item key, shape (n,), as given, before any reversal.
    Returns:
        Shape (n,). Three answers at least, on both sides of the reversal; otherwise False.
    """
    given = np.column_stack([np.asarray(answers[key], dtype=np.float64) for key in rule.items])
    known = np.isfinite(given)
    reversed_items = np.array([key in rule.reversed for key in rule.items])
    lowest = np.where(known, given, np.inf).min(axis=1)
    highest = np.where(known, given, -np.inf).max(axis=1)
    both_sides = known[:, reversed_items].any(axis=1) & known[:, ~reversed_items].any(axis=1)
    return np.asarray((lowest == highest) & both_sides & (known.sum(axis=1) >= _FEWEST_FOR_A_LINE))


def _shows_lines(rule: Score) -> bool:
    return 0 < len(rule.reversed) < len(rule.items)


def _share_at(values: Floats, bound: float) -> float | None:
    return float(np.isclose(values, bound, rtol=0, atol=1e-9).mean()) if len(values) else None
