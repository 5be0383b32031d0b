"""Translations: of a survey that is there, of questions that it has, and each of them whole or not at all."""

from collections.abc import Iterable, Iterator, Mapping

from equipoise.errors import Problem, nearest
from equipoise.protocol.checks.piping import translated_piping_problems
from equipoise.protocol.models.surveys import Page, PageWords, Question, QuestionWords, Survey, Translation
from equipoise.protocol.study import Study
from equipoise.protocol.translation import is_language, same_language, translated

__all__ = ["check_translations"]

Path = tuple[str | int, ...]
_WORDS = ("ask", "hint", "other", "unit", "message", "low_label", "high_label")


def check_translations(study: Study) -> Iterator[Problem]:
    """Every translation against its survey; and that surveys in other languages say yes and no themselves."""
    for path, translation in study.translations.items():
        name, language = translated(path) or ("", "")
        document = study.documents[path]
        if name not in study.surveys and f"surveys/{name}.yaml" in study.documents:
            continue  # it cannot be read, which is a problem of its own
        if name not in study.surveys:
            listed = nearest(name, list(study.surveys))
            message = f'this translates "{name}", which is not a survey of this study. Surveys: {listed}'
            yield document.problem((), message)
            continue
        survey = study.surveys[name]
        if not is_language(language):
            yield document.problem(
                (), f'"{language}" is not a language tag; name the file like {name}.cy.yaml'
            )
        elif same_language(language, [survey.language]) is not None:
            yield document.problem(
                (), f'the survey itself is in "{survey.language}"; change its own words there'
            )
        for where, message in _whole(survey, translation):
            yield document.problem(where, message)
        yield from translated_piping_problems(study, path, survey, translation)
    for name, survey in study.surveys.items():
        if not survey.language.lower().startswith("en"):
            yield from _yes_and_no(study, name, survey)


def _whole(survey: Survey, translation: Translation) -> Iterator[tuple[Path, str]]:
    if (translation.title is None) != (translation.information is None) and survey.information is not None:
        yield (), "the title and the information of a survey are translated together: write both"
    pages = {page.id: page for page in survey.pages}
    questions = {one.id: one for page in survey.pages for one in page.questions if one.id is not None}
    yield from _strangers("pages", translation.pages, pages, "a page of the survey", "Pages")
    yield from _strangers(
        "questions", translation.questions, questions, "a question of the survey", "Questions"
    )
    yield from _strangers("quotas", translation.quotas, survey.quotas, "a quota of the survey", "Quotas")
    for name in translation.pages.keys() & pages.keys():
        yield from _page(("pages", name), pages[name], translation.pages[name])
    for name in translation.questions.keys() & questions.keys():
        yield from _question(("questions", name), questions[name], translation.questions[name])


def _strangers(
    key: str, found: Iterable[str], known: Mapping[str, object], what: str, plural: str
) -> Iterator[tuple[Path, str]]:
    for name in found:
        if name not in known:
            yield (key, name), f'"{name}" is not {what}. {plural}: {nearest(name, list(known))}'


def _page(where: Path, page: Page, words: PageWords) -> Iterator[tuple[Path, str]]:
    for key in ("title", "intro"):
        yield from _both(where, key, getattr(page, key), getattr(words, key))
    if len(words.screen_out) != len(page.screen_out):
        yield (
            (*where, "screen-out"),
            f"found {len(words.screen_out)} messages; the page has {len(page.screen_out)}, in this order",
        )


def _question(where: Path, question: Question, words: QuestionWords) -> Iterator[tuple[Path, str]]:
    """Whole or not at all: half a question in each language could not be marked nor read aloud."""
    for key in _WORDS:
        yield from _both(where, key.replace("_", "-"), getattr(question, key), getattr(words, key))
    options: Iterable[str] = question.options
    if question.type in ("yes-no", "consent"):
        options = ("yes", "no")
    yield from _each(where, "options", options, words.options)
    yield from _each(where, "items", question.items, words.items)
    for key in ("media", "captions", "transcript"):
        if getattr(words, key) is not None and getattr(question, key) is None:
            yield (*where, key), f"the question has no `{key}`; take this away"


def _both(where: Path, key: str, own: str | None, other: str | None) -> Iterator[tuple[Path, str]]:
    if own is not None and other is None:
        yield where, f"`{key}` is not translated; what is translated is translated whole"
    if own is None and other is not None:
        yield (*where, key), f"the survey has no `{key}` here; take this away"


def _each(where: Path, key: str, own: Iterable[str], other: Iterable[str]) -> Iterator[tuple[Path, str]]:
    own, other = list(own), list(other)
    yield from (((*where, key, name), f'"{name}" is not among the {key}. They are: {nearest(name, own)}')
                for name in other if name not in own)  # fmt: skip
    missing = [name for name in own if name not in other]
    if missing:
        yield where, f"{key} not translated: {', '.join(missing)}; what is translated is translated whole"


def _yes_and_no(study: Study, name: str, survey: Survey) -> Iterator[Problem]:
    for number, page in enumerate(survey.pages):
        for place, question in enumerate(page.questions):
            if question.type in ("yes-no", "consent") and not question.options:
                message = (
                    f'write `options` with yes and no in "{survey.language}"; Equipoise has the English ones'
                )
                where = ("pages", number, "questions", place)
                yield study.documents[f"surveys/{name}.yaml"].problem(where, message)
