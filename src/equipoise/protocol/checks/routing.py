"""Conditions of a survey: they can be read, ask what is known by then, and leave everybody a way on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from equipoise.errors import EquipoiseError, Problem
from equipoise.protocol.columns import expression_name, survey_columns
from equipoise.protocol.expressions import Schema, check_expression
from equipoise.protocol.expressions.tokens import tokens
from equipoise.protocol.facts import answers_schema
from equipoise.protocol.models.surveys import Page, Question, Survey
from equipoise.protocol.study import Study

__all__ = ["routing_problems"]

Path = tuple[str | int, ...]
_NO_WAY_ROUND = (
    "a required question needs an honest way round it: `prefer-not-to-say: true` or `dont-know: true`. Only "
    "screening (its page has `screen-out`, `eligible` or a quota names it) and attention checks (`correct`) "
    "go without"
)


@dataclass(frozen=True)
class _Condition:
    """A condition at its place: on which page, at which question of it (none: the page itself)."""

    path: Path
    text: str
    page: int
    question: int | None = None
    when: str = (
        "before"  # what it may ask of its own page: before its question, or anything by the page's end
    )


def routing_problems(study: Study, path: str, survey: Survey) -> Iterator[Problem]:
    """What is wrong with the conditions of a survey, and with questions that nobody can pass by."""
    document = study.documents[path]
    schema = answers_schema(study.protocol, survey)
    asked = dict(_asked(survey))
    for condition in _conditions(survey):
        for message in _said(condition, survey, schema, asked):
            yield document.problem(condition.path, message)
    for name, quota in survey.quotas.items():
        for message in check_expression(quota.when, schema, expects="bool") if quota.when else ():
            yield document.problem(("quotas", name, "when"), message)
    yield from _no_way_round(study, path, survey)


def _conditions(survey: Survey) -> Iterator[_Condition]:
    for number, page in enumerate(survey.pages):
        if page.show_if is not None:
            yield _Condition(("pages", number, "show-if"), page.show_if, number, when="never")
        for place, rule in enumerate(page.screen_out):
            yield _Condition(("pages", number, "screen-out", place, "when"), rule.when, number, when="end")
        for place, question in enumerate(page.questions):
            where = ("pages", number, "questions", place)
            if question.show_if is not None:
                yield _Condition((*where, "show-if"), question.show_if, number, place)
            if question.valid is not None:
                yield _Condition((*where, "valid"), question.valid, number, place, when="end")


def _said(
    condition: _Condition, survey: Survey, schema: Schema, asked: Mapping[str, tuple[int, int]]
) -> Iterator[str]:
    messages = check_expression(condition.text, schema, expects="bool")
    if messages:
        yield from messages
        return
    for name in sorted(_names(condition.text) & set(asked)):
        if not _known(condition, survey, asked[name]):
            yield (
                f'"{name}" is not answered by then; a condition asks what stands before it on every '
                "participant's way"
            )


def _known(condition: _Condition, survey: Survey, at: tuple[int, int]) -> bool:
    """Whether a question's answer is there when a condition is evaluated, in every order of pages."""
    page, question = at
    if page == condition.page:
        if condition.when == "end":
            return True
        listed = survey.pages[page].order == "listed"
        return condition.when == "before" and listed and question < (condition.question or 0)
    here, there = survey.pages[condition.page].id, survey.pages[page].id
    together = any(here in pages and there in pages for pages in survey.random_pages)
    return not together and _earliest(survey, condition.page) > page if page < condition.page else False


def _earliest(survey: Survey, page: int) -> int:
    """The first place that a page can have."""
    places = {other.id: place for place, other in enumerate(survey.pages)}
    sets = [pages for pages in survey.random_pages if survey.pages[page].id in pages]
    return min([places[name] for pages in sets for name in pages if name in places], default=page)


def _names(text: str) -> set[str]:
    try:
        return {token.text for token in tokens(text) if token.sort == "name"}
    except EquipoiseError:
        return set()


def _asked(survey: Survey) -> Iterator[tuple[str, tuple[int, int]]]:
    """Where each answer is asked, by its name in expressions."""
    for number, page in enumerate(survey.pages):
        for place, question in enumerate(page.questions):
            alone = survey.model_copy(update={"pages": (page.model_copy(update={"questions": (question,)}),)})
            for column in survey_columns(alone):
                yield expression_name(column.name), (number, place)


def _no_way_round(study: Study, path: str, survey: Survey) -> Iterator[Problem]:
    """Screening and attention checks may be required without a way round; nothing else."""
    eligible = study.protocol.participants.eligible if study.protocol.participants else None
    decide = [eligible, *(quota.when for quota in survey.quotas.values())]
    counted = {name for text in decide for name in _names(text or "")}
    for number, page in enumerate(survey.pages):
        for place, question in enumerate(page.questions):
            if _must_be_answered(question) and not _screens(page, question, counted):
                where = ("pages", number, "questions", place, "required")
                yield study.documents[path].problem(where, _NO_WAY_ROUND)


def _must_be_answered(question: Question) -> bool:
    way_round = question.prefer_not_to_say or question.dont_know
    return question.required and not way_round and question.type != "consent"


def _screens(page: Page, question: Question, counted: set[str]) -> bool:
    return question.correct is not None or bool(page.screen_out) or question.id in counted
