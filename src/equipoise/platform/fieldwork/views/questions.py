"""A page's questions as HTML, and what is wrong with what was typed in the page's language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.urls import reverse
from markupsafe import Markup

from equipoise.platform.pages.fields import target_of
from equipoise.platform.pages.questions import question_html
from equipoise.platform.pages.words import Words, words_for
from equipoise.protocol.answering import Reading
from equipoise.protocol.asked import Asked, Block
from equipoise.protocol.faults import Fault
from equipoise.protocol.questionnaire import QuestionPage

__all__ = ["BlockHtml", "Problems", "blocks_html", "fault_words"]


@dataclass(frozen=True)
class BlockHtml:
    """A block ready for the template: its words, and its questions as HTML."""

    block: Block
    questions: tuple[Markup, ...]


@dataclass(frozen=True)
class Problems:
    """What is wrong: by the key of the question, and for the summary with the id of the field."""

    by_key: Mapping[str, str]
    summary: tuple[Mapping[str, str], ...]


def blocks_html(
    page: QuestionPage,
    typed: Mapping[str, Sequence[str]],
    problems: Problems,
    language: str,
    code: str,
) -> tuple[BlockHtml, ...]:
    """The blocks of a page; a question that is neither answered nor wrong comes from memory."""
    return tuple(
        BlockHtml(
            block,
            tuple(
                question_html(_placed(asked, code), typed, problems.by_key.get(asked.key), language=language)
                for asked in block.asked
            ),
        )
        for block in page.blocks
    )


def fault_words(page: QuestionPage, reading: Reading | None, language: str) -> Problems:
    """The problems of a reading in the words of a language; those that it lacks stay English."""
    if reading is None:
        return Problems({}, ())
    words = words_for(language)
    keys = {field: asked for asked in page.asked for field in _fields(asked, reading)}
    found = [(field, _worded(fault, words)) for field, fault in reading.problems.items()]
    by_key: dict[str, str] = {}
    for field, text in found:
        by_key.setdefault(keys[field].key, text)
    return Problems(
        by_key, tuple({"id": target_of(keys[field], field), "text": text} for field, text in found)
    )


def _worded(fault: Fault, words: Words) -> str:
    template = words["faults"].get(fault.template)
    if template is None:
        return str(fault)
    values = {name: words["fault_values"].get(said, said) for name, said in fault.values.items()}
    return str(Fault(template, values))


def _fields(asked: Asked, reading: Reading) -> list[str]:
    """The fields with a problem that belong to a question."""
    begins = (f"{asked.key}.", f"{asked.key}__")
    return [field for field in reading.problems if field == asked.key or field.startswith(begins)]


def _placed(asked: Asked, code: str) -> Asked:
    """A video with the addresses of its files."""
    if asked.kind != "video":
        return asked
    places = {
        name: reverse("survey-media", args=[code, path.removeprefix("media/")])
        for name in ("media", "captions", "transcript")
        if (path := getattr(asked, name)) is not None
    }
    return replace(asked, **places)
