"""A posted page: what was answered, why not, what is wrong, and what has to be asked now."""

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from equipoise.errors import InputError, Problem
from equipoise.protocol.asked import Asked
from equipoise.protocol.faults import Fault
from equipoise.protocol.journey import Answers, Facts, Rules
from equipoise.protocol.questionnaire import QuestionPage
from equipoise.protocol.replies import DATE_FIELDS, DONT_KNOW, REFUSED, YES, Form, field_names, reply

__all__ = ["FORM_FIELDS", "Reading", "form_fields", "read_answers"]

# What a form has of its own besides the questions; names that begin with two lines are the form's too.
FORM_FIELDS = frozenset({"csrfmiddlewaretoken"})
_NO_RULES = Rules(MappingProxyType({}))
_FIELD_OF = {"dont_know": DONT_KNOW, "refused": REFUSED}


@dataclass(frozen=True)
class Reading:
    """What a posted page said.

    `answers` are by column and plain JSON: text, whole numbers and numbers, `yes` and `no`, dates as
    `2021-03-01`. `reasons` are by column (`days_sick_why`): `refused` or `dont_know`. `problems` are by
    field, to be shown beside it; what was typed is in `typed`, for the page to show again. `still_to_ask` are
    the keys of questions that these answers lead to and that the page did not show: show it again with them.
    """

    answers: Answers
    reasons: Mapping[str, str]
    problems: Mapping[str, Fault]
    still_to_ask: tuple[str, ...]
    typed: Mapping[str, tuple[str, ...]]

    @property
    def complete(self) -> bool:
        """Whether the page needs nothing more."""
        return not self.problems and not self.still_to_ask


def read_answers(
    page: QuestionPage,
    form: Form,
    *,
    rules: Rules = _NO_RULES,
    answers: Answers = MappingProxyType({}),
    facts: Facts = MappingProxyType({}),
    displayed: Collection[str] | None = None,
) -> Reading:
    """Read and check one posted page; nothing is kept of what these answers lead past.

    Args:
        page: the whole page as the questionnaire has it, with the questions that hang on others of it.
        form: the posted fields, as `replies` names them, each with its values.
        rules: of the survey, for conditions and the rules of single questions.
        answers: of the other pages, by column.
        facts: the roster's columns.
        displayed: the keys that the page showed; without it, what the answers before lead to, and whatever
            the form has a field of.
    Raises:
        InputError: a field that is not on the page, or a value that it does not offer: a tampered form.
    """
    _refuse_strangers(page, form)
    known = dict(answers)
    for name in (name for asked in page.asked for name in asked.columns):
        known.pop(name, None)
    seen = set(displayed) if displayed is not None else _displayed(page, form, rules, answers, facts)
    found: dict[str, str | int | float] = {}
    reasons: dict[str, str] = {}
    problems: dict[str, Fault] = {}
    still: list[str] = []
    for asked in _led_to(page, rules, known, facts):
        if asked.key not in seen:
            still += [asked.key] if asked.answered else []
            continue
        said = reply(asked, form)
        problems |= said.problems
        found |= said.answers
        known |= said.answers
        reasons |= {asked.why: said.reason} if said.reason else {}
    problems |= _broken(page, rules, known, facts, {*found} if not problems else set())
    typed = {name: tuple(map(_printable, form[name])) for name in _names(page) if name in form}
    return Reading(found, reasons, problems, tuple(still), typed)


def form_fields(
    page: QuestionPage, answers: Answers, reasons: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """The fields that would post these answers: what a page shows when somebody comes back to it."""
    return dict(
        entry
        for asked in page.asked
        if asked.answered
        for entry in _fields(asked, answers, reasons.get(asked.why))
    )


def _led_to(
    page: QuestionPage, rules: Rules, known: Mapping[str, str | int | float], facts: Facts
) -> Iterator[Asked]:
    """What is asked, block by block; `known` grows with the answers while this runs."""
    for block in page.blocks:
        if rules.hold(block.show_if, known, facts):
            yield from block.asked


def _displayed(page: QuestionPage, form: Form, rules: Rules, answers: Answers, facts: Facts) -> set[str]:
    before = {asked.key for asked in _led_to(page, rules, answers, facts)}
    return before | {asked.key for asked in page.asked if any(name in form for name in field_names(asked))}


def _broken(
    page: QuestionPage, rules: Rules, known: Answers, facts: Facts, answered: Collection[str]
) -> dict[str, Fault]:
    """The rules of single questions that their answers break; asked only once every field can be read."""
    return {
        asked.key: Fault(str(asked.message))
        for asked in page.asked
        if asked.valid is not None and asked.columns[0] in answered
        if rules.hold(asked.valid, known, facts) is False
    }


def _refuse_strangers(page: QuestionPage, form: Form) -> None:
    ours = {*_names(page), *FORM_FIELDS}
    strangers = [name for name in form if name not in ours and not name.startswith("__")]
    if strangers:
        message = (
            "this field is not on the page. It may have changed: go back to the page and answer it as shown"
        )
        raise InputError([Problem("", name[:60], message) for name in strangers[:10]])


def _names(page: QuestionPage) -> Iterable[str]:
    return [name for asked in page.asked for name in field_names(asked)]


def _printable(text: str) -> str:
    """What was typed without what a page cannot show again."""
    return "".join(
        letter for letter in text if letter in "\n\r\t" or unicodedata.category(letter) not in ("Cc", "Cs")
    )


def _fields(asked: Asked, answers: Answers, reason: str | None) -> Iterator[tuple[str, tuple[str, ...]]]:
    if reason in _FIELD_OF:
        yield asked.key, (_FIELD_OF[str(reason)],)
        return
    given = {name: answers[name] for name in asked.columns if name in answers}
    if asked.kind == "choices":
        ticked = [code.code for code in asked.choices if given.get(f"{asked.key}.{code.code}") == YES]
        yield asked.key, tuple(ticked)
    elif asked.kind == "date" and asked.key in given:
        day = date.fromisoformat(str(given[asked.key]))
        parts = (day.day, day.month, day.year)
        yield from (
            (f"{asked.key}{part}", (str(value),)) for part, value in zip(DATE_FIELDS, parts, strict=True)
        )
    elif asked.kind in ("ranking", "allocation"):
        yield from ((name, (_written(value),)) for name, value in given.items())
    elif asked.key in given:
        yield asked.key, (_written(given[asked.key]),)
    if asked.other in given:
        yield asked.other, (str(given[asked.other]),)


def _written(value: str | float) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)
