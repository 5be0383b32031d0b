"""Surveys: every name is there once, every question can be answered, and its words can be shown."""

from collections import Counter
from collections.abc import Iterator

from equipoise.errors import Problem, nearest
from equipoise.protocol.checks.piping import piping_problems
from equipoise.protocol.checks.questions import question_problems
from equipoise.protocol.checks.routing import routing_problems
from equipoise.protocol.checks.wording import instrument_problems
from equipoise.protocol.columns import answer_columns, expression_name
from equipoise.protocol.models.surveys import Survey
from equipoise.protocol.study import Study
from equipoise.protocol.translation import is_language

__all__ = ["check_surveys"]

Path = tuple[str | int, ...]


def check_surveys(study: Study) -> Iterator[Problem]:
    """Pages, questions, routing, piping, instruments, the order of pages."""
    for name, survey in study.surveys.items():
        path = f"surveys/{name}.yaml"
        yield from _identifiers(study, path, survey)
        yield from _columns(study, name, path)
        yield from routing_problems(study, path, survey)
        yield from piping_problems(study, path, survey)
        yield from _random_pages(study, path, survey)
        if not is_language(survey.language):
            message = f'"{survey.language}" is not a language tag; write one such as en-GB or cy'
            yield study.documents[path].problem(("language",), message)
        for number, page in enumerate(survey.pages):
            for place, question in enumerate(page.questions):
                where = ("pages", number, "questions", place)
                yield from question_problems(study, path, where, question)
                yield from instrument_problems(study, path, where, question)


def _identifiers(study: Study, path: str, survey: Survey) -> Iterator[Problem]:
    seen: set[tuple[str, str]] = set()
    for where, what, name in _named(survey):
        if (what, name) in seen:
            message = f'the {what} "{name}" stands twice; each needs its own id'
            if what == "instrument":
                message = f'the instrument "{name}" stands twice; a survey asks it once'
            yield study.documents[path].problem(where, message)
        seen.add((what, name))


def _named(survey: Survey) -> Iterator[tuple[Path, str, str]]:
    for number, page in enumerate(survey.pages):
        yield ("pages", number, "id"), "page", page.id
        for place, question in enumerate(page.questions):
            where = ("pages", number, "questions", place)
            if question.id is not None:
                yield (*where, "id"), "question", question.id
            if question.instrument is not None:
                yield (*where, "instrument"), "instrument", question.instrument


def _columns(study: Study, name: str, path: str) -> Iterator[Problem]:
    """Answers of different questions that an expression could not tell apart."""
    columns = {column.name: column for column in answer_columns(study, name)}
    shared = Counter(expression_name(column) for column in columns)
    for column in columns.values():
        said = expression_name(column.name)
        where = _place_of(study.surveys[name], column.question)
        if shared[said] > 1 and "." in column.name:
            message = f'the answer {column.name} and another are both "{said}" in expressions; rename one'
            yield study.documents[path].problem(where, message)


def _place_of(survey: Survey, question: str | None) -> Path:
    for number, page in enumerate(survey.pages):
        for place, one in enumerate(page.questions):
            if question is not None and one.id == question:
                return ("pages", number, "questions", place, "id")
    return ("pages",)


def _random_pages(study: Study, path: str, survey: Survey) -> Iterator[Problem]:
    pages = [page.id for page in survey.pages]
    moving = Counter(page for pages in survey.random_pages for page in pages)
    for number, together in enumerate(survey.random_pages):
        for place, page in enumerate(together):
            where = ("random-pages", number, place)
            if page not in pages:
                message = f'"{page}" is not a page of this survey. Pages: {nearest(page, pages)}'
                yield study.documents[path].problem(where, message)
            elif moving[page] > 1:
                message = f'the page "{page}" stands twice; it can change places within one set only'
                yield study.documents[path].problem(where, message)
        if len(together) < 2:
            message = "a set of pages that change places has two pages or more"
            yield study.documents[path].problem(("random-pages", number), message)
