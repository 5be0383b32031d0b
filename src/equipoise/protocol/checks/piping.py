"""Names in braces inside the words of a survey: known by then, and never contact details."""

from collections.abc import Iterator

from equipoise.errors import Problem, nearest
from equipoise.protocol.models.surveys import NOTHING_ASKED, Page, Survey, Translation
from equipoise.protocol.piping import pipeable_columns, piped_names
from equipoise.protocol.study import Study

__all__ = ["piping_problems", "translated_piping_problems"]

Path = tuple[str | int, ...]


def piping_problems(study: Study, path: str, survey: Survey) -> Iterator[Problem]:
    """Fields of a survey's own words that stand for nothing."""
    for number, page in enumerate(survey.pages):
        known = _known(study, survey, number)
        for where, text in _texts(page, ("pages", number)):
            yield from _fields(study, path, where, text, known)


def translated_piping_problems(
    study: Study, path: str, survey: Survey, translation: Translation
) -> Iterator[Problem]:
    """The same of its words in another language."""
    for number, page in enumerate(survey.pages):
        known = _known(study, survey, number)
        words = translation.pages.get(page.id)
        texts = (
            [(("pages", page.id, key), getattr(words, key)) for key in ("title", "intro")] if words else []
        )
        for question in page.questions:
            said = translation.questions.get(question.id or "")
            if said is not None:
                texts += [
                    (("questions", str(question.id), key), getattr(said, key)) for key in ("ask", "hint")
                ]
        for where, text in texts:
            yield from _fields(study, path, where, text, known)


def _texts(page: Page, where: Path) -> Iterator[tuple[Path, str | None]]:
    yield (*where, "title"), page.title
    yield (*where, "intro"), page.intro
    for place, question in enumerate(page.questions):
        yield (*where, "questions", place, "ask"), question.ask
        yield (*where, "questions", place, "hint"), question.hint


def _known(study: Study, survey: Survey, page: int) -> list[str]:
    """What can be put into the words of a page: earlier answers and the roster's attributes."""
    together = {name for pages in survey.random_pages if survey.pages[page].id in pages for name in pages}
    first = min((place for place, other in enumerate(survey.pages) if other.id in together), default=page)
    earlier = [
        str(question.id)
        for other in survey.pages[:first]
        for question in other.questions
        if question.id is not None and question.type not in (*NOTHING_ASKED, "likert-block", "allocation")
    ]
    return [*pipeable_columns(study.protocol), *earlier]


def _fields(study: Study, path: str, where: Path, text: str | None, known: list[str]) -> Iterator[Problem]:
    for name, _ in piped_names(text or ""):
        if name == "":
            message = "a brace stands alone; write {NAME} for an answer, and {{ or }} for a brace itself"
            yield study.documents[path].problem(where, message)
        elif name not in known:
            message = (
                f'"{{{name}}}" is neither a question of an earlier page nor a roster column to show. '
                f"Known here: {nearest(name, known)}"
            )
            yield study.documents[path].problem(where, message)
