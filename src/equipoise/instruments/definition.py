"""What an instrument is: items by key, how they are answered, and the published rule that makes a score.

Definitions are data (`library/*.yaml`). They hold structure, scoring, reference values, licence and citation,
and demonstration wording of our own; never a published wording.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from equipoise.record import Identifier, Name, Record, Text

__all__ = [
    "AnswerFormat",
    "Band",
    "Composite",
    "Demonstration",
    "Instrument",
    "Item",
    "Licence",
    "Linear",
    "MissingRule",
    "Part",
    "Reference",
    "Score",
]

Direction = Literal["high", "low"]
Span = Annotated[
    tuple[float, float], AfterValidator(lambda span: _ordered(span))
]  # lowest and highest value that the rule can give


class AnswerFormat(Record):
    """How an item is answered: a coded choice between two whole numbers, or a count."""

    kind: Literal["choice", "count"] = "choice"
    low: int
    high: int
    labelled: Literal["all", "ends", "none"] = "all"
    asks: Text | None = None

    @model_validator(mode="after")
    def _has_two_answers(self) -> Self:
        if self.high <= self.low:
            raise ValueError(f"low is {self.low} and high is {self.high}: high must be the larger")
        return self

    @property
    def codes(self) -> range:
        """Every code that an answer may have."""
        return range(self.low, self.high + 1)

    @property
    def labelled_codes(self) -> tuple[int, ...]:
        """The codes that a wording pack puts words to."""
        if self.labelled == "all":
            return tuple(self.codes)
        return (self.low, self.high) if self.labelled == "ends" else ()


class Item(Record):
    """One item: its key, its answer format and its number in the published order (never used for scoring)."""

    key: Name
    answers: Name
    number: int | None = None


class MissingRule(Record):
    """How many items must be answered, and what stands in for the rest."""

    needs: int = Field(ge=1)
    fill: Literal["none", "mean", "centre"] = "none"
    source: Text
    checked: bool = False


class Linear(Record):
    """`multiply` x aggregate + `add`."""

    multiply: float = 1.0
    add: float = 0.0


class Band(Record):
    """A named stretch of a score: a convention of its source, no diagnosis, never used in an analysis."""

    name: Text
    low: float
    high: float


class Score(Record):
    """A published rule: which items, which of them reversed, what is done with them, what may come out."""

    title: Text
    items: tuple[Name, ...] = Field(min_length=1)
    reversed: tuple[Name, ...] = ()
    recode: Mapping[int, float] | None = None
    aggregate: Literal["sum", "mean"]
    linear: Linear | None = None
    table: Mapping[int, float] | None = None
    missing: MissingRule
    range: Span
    good: Direction
    skippable: bool = False
    bands: tuple[Band, ...] = ()
    bands_source: Text | None = None

    @model_validator(mode="after")
    def _is_a_rule(self) -> Self:
        _refuse_repeated(self.items, "items")
        if strangers := sorted(set(self.reversed) - set(self.items)):
            raise ValueError(f"reversed names {', '.join(strangers)}, which this score does not hold")
        if self.missing.needs > len(self.items):
            raise ValueError(f"missing.needs is {self.missing.needs} of {len(self.items)} items")
        if self.missing.needs < len(self.items) and self.missing.fill == "none":
            raise ValueError("missing.fill says what stands in for an unanswered item: mean or centre")
        if self.table is not None and (self.linear is not None or self.missing.needs < len(self.items)):
            raise ValueError("a conversion table is never interpolated: no linear rule, and all items needed")
        if self.bands and self.bands_source is None:
            raise ValueError("bands-source names who drew the bands")
        return self


class Licence(Record):
    """What a team may do with the published wording.

    O: open, may be used with attribution. P: published, the team confirms permission. L: licence or
        registration,
    and a live study is refused until its reference is recorded.
    """

    class_: Literal["O", "P", "L"]
    asks: Text
    source: Text
    checked: bool = False


class Reference(Record):
    """A published figure for a score. `checked: false` means that nobody has read it at the source yet."""

    score: Identifier
    what: Text
    value: float
    sd: float | None = None
    population: Text | None = None
    source: Text
    checked: bool


class Demonstration(Record):
    """Wording of our own, so that an example runs; no live study may use it."""

    introduction: Text
    items: Mapping[Name, Text]
    answers: Mapping[Name, Mapping[int, Text]] = Field(default_factory=dict)


class Definition(Record):
    """What scales and composites share."""

    id: Identifier
    version: int = Field(ge=1)
    title: Text
    measures: Text
    citation: Text
    licence: Licence
    references: tuple[Reference, ...] = ()
    not_confirmed: tuple[Text, ...] = ()


class Instrument(Definition):
    """Items and the scores that are made of them."""

    kind: Literal["scale"] = "scale"
    answers: Mapping[Name, AnswerFormat]
    items: tuple[Item, ...] = Field(min_length=1)
    scores: Mapping[Identifier, Score] = Field(min_length=1)
    default_score: Identifier | None = None
    demonstration: Demonstration

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        keys = self.keys
        _refuse_repeated(keys, "items")
        for item in self.items:
            _expect(item.answers, tuple(self.answers), f"items.{item.key}.answers")
        for name, score in self.scores.items():
            for key in score.items:
                _expect(key, keys, f"scores.{name}.items")
            _refuse_mixed_formats(self, name, score)
        for reference in self.references:
            _expect(reference.score, tuple(self.scores), "references.score")
        if self.default_score is not None:
            _expect(self.default_score, tuple(self.scores), "default-score")
        return self

    @property
    def keys(self) -> tuple[str, ...]:
        """The items' keys in the order in which they are asked."""
        return tuple(item.key for item in self.items)

    def format_of(self, key: str) -> AnswerFormat:
        """How the item of this key is answered."""
        return self.answers[next(item.answers for item in self.items if item.key == key)]

    def sole_score(self) -> str | None:
        """The score that is meant when none is named: the declared default, or the only one."""
        if self.default_score is not None:
            return self.default_score
        return next(iter(self.scores)) if len(self.scores) == 1 else None


class Part(Record):
    """One part of a composite: a score of an instrument, its sign and its weight."""

    instrument: Identifier
    score: Identifier
    sign: Literal[1, -1] = 1
    weight: float = Field(default=1.0, gt=0)


class Composite(Definition):
    """A weighted mean of scores, each standardised on one declared sample."""

    kind: Literal["composite"]
    parts: Mapping[Name, Part] = Field(min_length=2)
    standardised_on: Literal["baseline-all-arms"]
    good: Direction
    missing: Literal["all-parts-needed"] = "all-parts-needed"


def _ordered(span: tuple[float, float]) -> tuple[float, float]:
    if span[0] >= span[1]:
        raise ValueError(f"range runs from {span[0]} to {span[1]}: the second must be the larger")
    return span


def _refuse_repeated(keys: tuple[str, ...], where: str) -> None:
    if repeated := sorted({key for key in keys if keys.count(key) > 1}):
        raise ValueError(f"{where} names {', '.join(repeated)} twice")


def _expect(found: str, allowed: tuple[str, ...], where: str) -> None:
    if found not in allowed:
        raise ValueError(f"{where}: {found!r} is not one of {', '.join(allowed)}")


def _refuse_mixed_formats(instrument: Instrument, name: str, score: Score) -> None:
    formats = [instrument.format_of(key) for key in score.items]
    if len({(form.kind, form.low, form.high) for form in formats}) > 1:
        raise ValueError(f"scores.{name}: its items are not answered on one and the same range of codes")
    if score.recode is not None and set(score.recode) != set(formats[0].codes):
        raise ValueError(
            f"scores.{name}.recode: must name every code from {formats[0].low} to {formats[0].high}"
        )
    if score.table is not None:
        totals = range(len(formats) * formats[0].low, len(formats) * formats[0].high + 1)
        if set(score.table) != set(totals):
            raise ValueError(f"scores.{name}.table: must hold every total from {totals[0]} to {totals[-1]}")
