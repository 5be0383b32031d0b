"""How answers become a score, exactly by the published rule, for all participants at once."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import Problem, ScoringError, nearest
from equipoise.instruments.definition import AnswerFormat, Instrument, Score

__all__ = ["REASONS", "Answers", "Floats", "Scores", "directed", "rule_of", "score"]

Floats = NDArray[np.float64]
Answers = Mapping[str, Floats]

# Why a score is missing, in the order of the codes in `Scores.why`; the first means that it is not.
REASONS = ("scored", "nothing answered", "too few answered", "skipped")
_SHOWN = 5  # faulty answers named for each item; the rest are counted


@dataclass(frozen=True)
class Scores:
    """Scores of n participants.

    `values` shape (n,), NaN where there is none; `n_answered` shape (n,), how many of the `n_items` were
    answered; `why` shape (n,), index into `REASONS`.
    """

    values: Floats
    n_answered: NDArray[np.int64]
    n_items: int
    why: NDArray[np.uint8]

    @property
    def missing(self) -> dict[str, int]:
        """How many participants have no score, by reason; reasons that nobody has are left out."""
        counts = {reason: int((self.why == code).sum()) for code, reason in enumerate(REASONS) if code}
        return {reason: count for reason, count in counts.items() if count}


def score(instrument: Instrument, score_name: str | None, answers: Answers) -> Scores:
    """Score answers by the instrument's published rule.

    Args:
        instrument: the definition.
        score_name: which of its scores; None where it has one, or a default.
        answers: by item key, shape (n,), codes as the definition gives them, NaN where there is no answer.
            Items of the instrument that this score does not use may be there too.
    Returns:
        Scores with the reason for each that is missing. Where nothing was answered on a part that a
        participant may skip (a client scale, and no clients), the reason is `skipped`.
    Raises:
        ScoringError: an item that is unknown or absent, or an answer that its item does not allow; all are
            told, with item, row (counted from 1) and value.

    Order of work: reverse (low + high - answer), recode, fill what the missing rule fills, sum or mean, then
    the linear rule or the conversion table. A table is looked up, never interpolated.
    """
    rule = rule_of(instrument, score_name)
    values = directed(instrument, score_name, answers)
    n_answered = np.isfinite(values).sum(axis=1)
    filled = _filled(_recoded(values, rule), rule, instrument)
    enough = (n_answered >= rule.missing.needs) & (n_answered > 0)
    result = np.where(enough, _transformed(_aggregated(filled, rule), rule), np.nan)
    return Scores(result, n_answered.astype(np.int64), len(rule.items), _why(n_answered, enough, rule))


def rule_of(instrument: Instrument, score_name: str | None) -> Score:
    """The rule of this name, or the one that is meant when none is named.

    Raises:
        ScoringError: no such score, or several and none named.
    """
    name = instrument.sole_score() if score_name is None else score_name
    names = tuple(instrument.scores)
    if name is None:
        message = f"{instrument.id} has several scores and no default; say which: {', '.join(names)}"
        raise ScoringError(Problem("", "score", message))
    if name not in instrument.scores:
        message = f'{instrument.id} has no score "{name}". It has: {nearest(name, names)}'
        raise ScoringError(Problem("", "score", message))
    return instrument.scores[name]


def directed(instrument: Instrument, score_name: str | None, answers: Answers) -> Floats:
    """The answers to a score's items after reversal, shape (n, items), so that all point the score's way.

    Raises:
        ScoringError: as for `score`.
    """
    rule = rule_of(instrument, score_name)
    _refuse_faulty(instrument, rule, answers)
    columns = [np.asarray(answers[key], dtype=np.float64) for key in rule.items]
    form = instrument.format_of(rule.items[0])
    flipped = [
        form.low + form.high - column if key in rule.reversed else column
        for key, column in zip(rule.items, columns, strict=True)
    ]
    return np.column_stack(flipped)


def _recoded(values: Floats, rule: Score) -> Floats:
    if rule.recode is None:
        return values
    result = np.full_like(values, np.nan)
    for code, worth in rule.recode.items():
        result[values == code] = worth
    return result


def _filled(values: Floats, rule: Score, instrument: Instrument) -> Floats:
    gaps = np.isnan(values)
    if rule.missing.fill == "none" or not gaps.any():
        return values
    if rule.missing.fill == "centre":
        form = instrument.format_of(rule.items[0])
        worth = [form.low, form.high] if rule.recode is None else list(rule.recode.values())
        return np.where(gaps, (min(worth) + max(worth)) / 2, values)
    answered = np.maximum((~gaps).sum(axis=1), 1)
    own_mean = np.where(gaps, 0.0, values).sum(axis=1) / answered
    return np.where(gaps, own_mean[:, None], values)


def _aggregated(values: Floats, rule: Score) -> Floats:
    total: Floats = values.sum(axis=1)
    return total if rule.aggregate == "sum" else total / values.shape[1]


def _transformed(aggregate: Floats, rule: Score) -> Floats:
    if rule.linear is not None:
        return rule.linear.multiply * aggregate + rule.linear.add
    if rule.table is None:
        return aggregate
    result = np.full_like(aggregate, np.nan)
    for raw, worth in rule.table.items():
        result[aggregate == raw] = worth
    return result


def _why(n_answered: NDArray[np.int64], enough: NDArray[np.bool_], rule: Score) -> NDArray[np.uint8]:
    nothing = REASONS.index("skipped" if rule.skippable else "nothing answered")
    short = np.where(n_answered == 0, nothing, REASONS.index("too few answered"))
    return np.where(enough, 0, short).astype(np.uint8)


def _refuse_faulty(instrument: Instrument, rule: Score, answers: Answers) -> None:
    problems = [
        Problem("", key, f"{instrument.id} has no such item. It has: {nearest(key, instrument.keys)}")
        for key in answers
        if key not in instrument.keys
    ]
    problems += [
        Problem(
            "",
            key,
            f"{instrument.id} needs answers to this item, and there is no such column; NaN if unanswered",
        )
        for key in rule.items
        if key not in answers
    ]
    shapes = {np.shape(answers[key]) for key in rule.items if key in answers}
    if len(shapes) > 1 or any(len(shape) != 1 for shape in shapes):
        problems.append(
            Problem("", instrument.id, f"items must be columns of one length; found shapes {sorted(shapes)}")
        )
    for key in rule.items:
        if key in answers:
            problems += _faulty_answers(
                key, np.asarray(answers[key], dtype=np.float64), instrument.format_of(key)
            )
    if problems:
        raise ScoringError(problems)


def _faulty_answers(key: str, column: Floats, form: AnswerFormat) -> list[Problem]:
    given = ~np.isnan(column)
    with np.errstate(invalid="ignore"):
        whole = column == np.floor(column)
        inside = (column >= form.low) & (column <= form.high) & np.isfinite(column)
    # Part days are real (half a day off sick); a part of a choice is not.
    faulty = given & ~(inside & (whole if form.kind == "choice" else True))
    rows = np.flatnonzero(faulty.ravel())
    allowed = f"{'whole numbers' if form.kind == 'choice' else 'a number'} from {form.low} to {form.high}"
    problems = [
        Problem("", key, f"row {row + 1}: found {column.ravel()[row]:g}; allowed: {allowed}, or empty")
        for row in rows[:_SHOWN]
    ]
    if len(rows) > _SHOWN:
        problems.append(Problem("", key, f"and {len(rows) - _SHOWN} more rows like these"))
    return problems
