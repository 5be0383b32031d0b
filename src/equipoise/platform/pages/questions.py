"""One question of a survey as HTML.

A page of an instrument has 19 questions or more, and most are shown with nothing in them. What is the same
for everybody is therefore written once and kept: the blank question of each wording, and the question with
one of its choices taken. What a person has written is never kept.
"""

from functools import cache, lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from equipoise.platform.pages.fields import Form, Typed, id_of, target_of, typed_into
from equipoise.platform.pages.prose import prose
from equipoise.platform.pages.words import words_for
from equipoise.protocol.asked import Asked
from equipoise.protocol.faults import plain_number
from equipoise.protocol.replies import DATE_FIELDS, DONT_KNOW, REFUSED

__all__ = ["question_html"]

_KEPT = 8_192  # questions: some two kilobytes each
_MACROS = {
    "choice": "choice",
    "choices": "choices",
    "consent": "choice",
    "number": "number",
    "slider": "slider",
    "text": "line",
    "long-text": "lines",
    "date": "date",
    "ranking": "ranking",
    "allocation": "allocation",
    "information": "information",
    "video": "video",
}
_SCALE_WIDTH, _LETTER_WIDTH, _BETWEEN = 640, 9, 8  # pixels, of a short scale in a row


def question_html(
    asked: Asked,
    form: Form | None = None,
    problem: str | None = None,
    *,
    language: str = "en-GB",
    heading: bool = False,
    transcript: str = "",
) -> Markup:
    """One question with its label or legend, hint, message and fields.

    Args:
        asked: what is asked; a video's `media`, `captions` and `transcript` are addresses here.
        form: what was typed, as sent or as `form_fields` gives it; other questions' fields do no harm.
        problem: what is wrong, to be said beside the field.
        language: that of the page; a question in another language has its own `lang`.
        heading: whether the question is the page's heading, where it is alone on its page.
        transcript: the words of a video, in Markdown, to stand under it.
    Returns:
        A form group whose first field has the id `id_of(asked.key)`; see `fields.target_of`.
    """
    typed = typed_into(asked, form)
    if transcript or not _can_be_kept(asked, typed, problem):
        return _written(asked, typed, problem, language, heading, transcript)
    return _kept(asked, typed, problem, language, heading)


def _can_be_kept(asked: Asked, typed: Typed, problem: str | None) -> bool:
    """Whether it is one of few: nothing typed and nothing wrong, or one of the choices on offer."""
    if problem is not None:
        return False
    if not typed:
        return True
    offered = {DONT_KNOW, REFUSED, *(choice.code for choice in asked.choices)}
    return asked.kind in ("choice", "consent") and typed in {((asked.key, (code,)),) for code in offered}


@lru_cache(_KEPT)
def _kept(asked: Asked, typed: Typed, problem: None, language: str, heading: bool) -> Markup:
    return _written(asked, typed, problem, language, heading, "")


def _written(
    asked: Asked, typed: Typed, problem: str | None, language: str, heading: bool, transcript: str
) -> Markup:
    words = words_for(asked.lang or language)
    macro = getattr(_templates().get_template("components/questions.html").module, _MACROS[asked.kind])
    shown: dict[str, Any] = {
        "asked": asked,
        "id": id_of(asked.key),
        "typed": dict(typed),
        "problem": problem,
        "problem_lang": language if asked.lang else None,
        "error": words_for(language)["error"],
        "words": words,
        "lang": asked.lang,
        "words_lang": None if _same(words["language"], asked.lang or language) else words["language"],
        "heading": heading,
        "scale": _is_short_scale(asked),
        "transcript": transcript,
    }
    return Markup(macro(shown))  # noqa: S704


@cache
def _templates() -> Environment:
    """Apart from the pages' own environment: what is kept must not depend on a request."""
    templates = Environment(
        loader=PackageLoader("equipoise.platform.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"prose": prose, "plain": plain_number, "id_of": id_of}
    templates.globals |= {
        "target_of": target_of,
        "DATE_FIELDS": DATE_FIELDS,
        "DONT_KNOW": DONT_KNOW,
        "REFUSED": REFUSED,
    }
    return templates


def _is_short_scale(asked: Asked) -> bool:
    """Whether the choices fit in one row: three or more, each word narrower than its share of the column."""
    count = len(asked.choices)
    if asked.kind != "choice" or count < 3 or any(choice.other for choice in asked.choices):
        return False
    words = [word for choice in asked.choices for word in choice.label.split()]
    longest = max(len(word) for word in words) if words else 0
    lengthy = any(len(choice.label) > 30 for choice in asked.choices)
    return not lengthy and longest * _LETTER_WIDTH <= _SCALE_WIDTH / count - _BETWEEN


def _same(one: str, other: str) -> bool:
    return one.split("-")[0].lower() == other.split("-")[0].lower()
