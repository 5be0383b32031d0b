"""The columns that the answers to a survey give: the one definition for keeping and analysing them.

    single, yes-no, number, text, date, slider, likert, consent   QUESTION
    several                                                       QUESTION.OPTION, yes or no
    ranking                                                       QUESTION.OPTION, its rank from 1
    allocation                                                    QUESTION.OPTION, its share of the total
    likert-block                                                  QUESTION.ITEM
    instrument                                                    INSTRUMENT.ITEM
    the text beside something else (`other:`)                     QUESTION.other

A column `..._why` behind each says why there is no answer: `refused` (prefer not to say), `dont_know`,
`not_asked` (routed past), `not_reached`. What was asked and left empty has no reason. In expressions a dot or
hyphen of a name is an underscore: `used_for_visits`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from equipoise.errors import ScoringError
from equipoise.instruments.definition import Instrument
from equipoise.instruments.library import load
from equipoise.protocol.asked import OTHER, OTHER_TEXT, WHY
from equipoise.protocol.models.surveys import NOTHING_ASKED, Question, Survey
from equipoise.protocol.study import Study

__all__ = ["REASONS", "REASON_LABELS", "AnswerColumn", "answer_columns", "expression_name", "survey_columns"]

REASONS = ("refused", "dont_know", "not_asked", "not_reached")
ColumnKind = Literal["text", "category", "integer", "number", "date", "yes-no", "reason"]
REASON_LABELS = MappingProxyType(
    {
        "refused": "Prefer not to say",
        "dont_know": "Don't know",
        "not_asked": "Not asked: the answers before led past it",
        "not_reached": "Not reached: stopped before",
    }
)


@dataclass(frozen=True)
class AnswerColumn:
    """A column of a wave's answers.

    `values` are the codes that it can hold with their words, in order; empty where it is not coded. `key` is
    that of what is asked (`Asked.key`), which several columns can share; `item` the instrument's item. Items
    of an instrument are labelled by its title and their key, as no published wording leaves a study. A
    `reason` column belongs to the answer of the same key.
    """

    name: str
    type: ColumnKind
    label: str
    key: str
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    low: float | None = None
    high: float | None = None
    unit: str | None = None
    question: str | None = None
    instrument: str | None = None
    item: str | None = None

    @property
    def levels(self) -> tuple[str, ...] | None:
        """The codes of a category or a reason."""
        return tuple(self.values) if self.type in ("category", "reason") else None


def answer_columns(study: Study, survey: str) -> tuple[AnswerColumn, ...]:
    """Every column that a survey's answers give, in the order of the questions."""
    return survey_columns(study.surveys[survey])


def survey_columns(survey: Survey) -> tuple[AnswerColumn, ...]:
    """Every column of one survey's answers; instruments that the library does not have give none."""
    return tuple(
        column for page in survey.pages for question in page.questions for column in _columns(question)
    )


@lru_cache(maxsize=8192)
def expression_name(column: str) -> str:
    """A column's name inside an expression: `used_for.visits` is `used_for_visits` there."""
    return column.replace(".", "_").replace("-", "_")


def _columns(question: Question) -> Iterator[AnswerColumn]:
    if question.instrument is not None:
        yield from _items(question.instrument)
    elif question.type == "likert-block":
        for item, statement in question.items.items():
            yield from _likert(question, f"{question.id}.{item}", statement)
    elif question.type == "likert":
        yield from _likert(question, str(question.id), str(question.ask))
    elif question.type not in NOTHING_ASKED:
        yield from _own(question)


def _items(name: str) -> Iterator[AnswerColumn]:
    try:
        definition = load(name)
    except ScoringError:
        return  # the checks say so
    if not isinstance(definition, Instrument):
        return
    for item in definition.items:
        form = definition.format_of(item.key)
        key, label = f"{definition.id}.{item.key}", f"{definition.title}: {item.key}"
        column = AnswerColumn(
            key, "integer", label, key, low=form.low, high=form.high, instrument=name, item=item.key
        )
        yield from (column, _why(column))


def _likert(question: Question, key: str, label: str) -> Iterator[AnswerColumn]:
    codes = [float(code) for code in question.options]
    values = MappingProxyType(dict(question.options))
    column = AnswerColumn(
        key, "integer", label, key, values, low=min(codes), high=max(codes), question=question.id
    )
    yield from (column, _why(column))


def _own(question: Question) -> Iterator[AnswerColumn]:
    key, label = str(question.id), str(question.ask)
    options = {**question.options, **({OTHER: question.other} if question.other else {})}
    column = AnswerColumn(key, "text", label, key, question=question.id)
    match question.type:
        case "single":
            yield replace(column, type="category", values=MappingProxyType(options))
        case "several":
            yield from _each(replace(column, type="yes-no"), options)
        case "ranking":
            yield from _each(replace(column, type="integer", low=1.0, high=float(len(options))), options)
        case "allocation":
            share = replace(column, type="number", low=0.0, high=question.total, unit=question.unit)
            yield from _each(share, options)
        case "number" | "slider":
            yield replace(column, type="number", low=question.low, high=question.high, unit=question.unit)
        case "yes-no" | "consent":
            yield replace(column, type="yes-no")
        case "date":
            yield replace(column, type="date")
        case _:
            yield column
    if question.other is not None:
        yield replace(column, name=f"{key}.{OTHER_TEXT}", label=f"{label} {question.other}")
    yield _why(column)


def _each(column: AnswerColumn, options: Mapping[str, str]) -> Iterator[AnswerColumn]:
    for code, words in options.items():
        yield replace(column, name=f"{column.key}.{code}", label=f"{column.label} {words}")


def _why(column: AnswerColumn) -> AnswerColumn:
    return AnswerColumn(
        f"{column.key}{WHY}",
        "reason",
        f"Why there is no answer: {column.label}",
        column.key,
        REASON_LABELS,
        question=column.question,
        instrument=column.instrument,
        item=column.item,
    )
