"""Earlier answers and facts of the roster inside the words of a page: `You said {days_sick} days.`

`{NAME}` is a question's id or a roster column; a choice gives its words, a date is written out, several
choices are joined by commas. What was not answered is `…`. `{{` and `}}` are braces. Contact details and
identifiers are never put on a page.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime

from equipoise.protocol.asked import Asked, Block
from equipoise.protocol.faults import plain_number
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.questionnaire import Questionnaire, QuestionPage
from equipoise.protocol.replies import YES

__all__ = ["pipeable_columns", "piped", "piped_names", "piped_page", "words_known"]

NOT_ANSWERED = "…"
_FIELD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+.!<>|~-])")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def piped_names(text: str) -> Iterator[tuple[str, int]]:
    """The names that a text puts in, and where; a brace that is neither paired nor doubled is the name ''."""
    for found in _FIELD.finditer(text):
        if found[0] not in ("{{", "}}"):
            yield (found[1] or "").strip(), found.start()


def pipeable_columns(protocol: Protocol) -> tuple[str, ...]:
    """The roster columns that a page may show: neither contact details nor identifiers."""
    roster = protocol.participants.roster if protocol.participants else {}
    return tuple(name for name, column in roster.items() if column.role == "attribute")


def piped(text: str, words: Mapping[str, str]) -> str:
    """A text with its names replaced; a text without braces is as it was."""
    if "{" not in text and "}" not in text:
        return text
    return _FIELD.sub(lambda found: _said(found, words), text)


def words_known(
    questionnaire: Questionnaire, answers: Mapping[str, object], facts: Mapping[str, object]
) -> dict[str, str]:
    """What each name stands for on this participant's pages, in the questionnaire's words and language.

    Args:
        questionnaire: whose choices give the words.
        answers: by column.
        facts: only those that may be put on a page (`pipeable_columns`).
    """
    english = questionnaire.language.lower().startswith("en")
    words = {name: _fact(value, english) for name, value in facts.items() if value is not None}
    for asked in (asked for page in questionnaire.pages for asked in page.asked):
        said = _answer(asked, answers, english)
        if said:
            words[asked.key] = said
    return words


def piped_page(page: QuestionPage, words: Mapping[str, str]) -> QuestionPage:
    """A page with names replaced in its title, intros, questions, hints and the names of its files."""
    return replace(
        page,
        title=_maybe(page.title, words),
        intro=_maybe(page.intro, words),
        blocks=tuple(_block(block, words) for block in page.blocks),
    )


def _block(block: Block, words: Mapping[str, str]) -> Block:
    if block.instrument is not None:
        return block  # an instrument's wording stands as it was published
    asked = tuple(_asked(one, words) for one in block.asked)
    return replace(block, title=_maybe(block.title, words), intro=_maybe(block.intro, words), asked=asked)


def _asked(asked: Asked, words: Mapping[str, str]) -> Asked:
    plain = words
    if asked.kind == "information":
        words = {name: _MARKDOWN.sub(r"\\\1", said) for name, said in words.items()}
    return replace(
        asked,
        text=piped(asked.text, words),
        hint=_maybe(asked.hint, plain),
        media=_maybe(asked.media, plain),
        captions=_maybe(asked.captions, plain),
        transcript=_maybe(asked.transcript, plain),
    )


def _maybe(text: str | None, words: Mapping[str, str]) -> str | None:
    return None if text is None else piped(text, words)


def _said(found: re.Match[str], words: Mapping[str, str]) -> str:
    if found[0] in ("{{", "}}"):
        return found[0][0]
    return words.get((found[1] or "").strip(), NOT_ANSWERED)


def _answer(asked: Asked, answers: Mapping[str, object], english: bool) -> str:
    given = {name: answers[name] for name in asked.columns if name in answers}
    if asked.kind == "choices":
        labels = (code.label for code in asked.choices if given.get(f"{asked.key}.{code.code}") == YES)
        return ", ".join(labels)
    if asked.kind == "ranking":
        ranked = sorted(
            asked.choices, key=lambda choice: str(given.get(f"{asked.key}.{choice.code}", "")).zfill(3)
        )
        return ", ".join(choice.label for choice in ranked) if given else ""
    value = given.get(asked.key)
    if value is None:
        return ""
    if asked.choices:
        return str(given.get(asked.other) or asked.label(str(value)))
    return _fact(date.fromisoformat(str(value)) if asked.kind == "date" else value, english)


def _fact(value: object, english: bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return plain_number(float(value))
    if isinstance(value, datetime | date):
        month = f" {_MONTHS[value.month - 1]} " if english else f"/{value.month}/"
        return f"{value.day}{month}{value.year}"
    return str(value)
