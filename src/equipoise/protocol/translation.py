"""Words in another language: which files of a survey or message hold them, which language suits another."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from equipoise.protocol.models.surveys import Translation
from equipoise.protocol.study import Study

__all__ = ["languages", "message_paths", "same_language", "translated", "translation"]

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def translated(path: str) -> tuple[str, str] | None:
    """The survey and the language of `surveys/wellbeing.cy.yaml`; None for a file that is no translation."""
    survey, dot, language = PurePosixPath(path).stem.rpartition(".")
    return (survey, language) if dot else None


def is_language(tag: str) -> bool:
    """Whether a text looks like a language tag (BCP 47): `cy`, `en-GB`."""
    return _LANGUAGE.fullmatch(tag) is not None


def languages(study: Study, survey: str) -> tuple[str, ...]:
    """The languages in which a survey can be met, its own first."""
    others = (translated(path) for path in study.translations)
    found = [other[1] for other in others if other is not None and other[0] == survey]
    return (study.surveys[survey].language, *found)


def translation(study: Study, survey: str, language: str) -> Translation | None:
    """The words of a survey in a language, or None where it has none of its own."""
    return study.translations.get(f"surveys/{survey}.{language}.yaml")


def same_language(wanted: str, offered: Iterable[str]) -> str | None:
    """Of the languages on offer the one wanted: by its whole tag, or else by its first part."""
    offered = list(offered)
    whole = {tag.lower(): tag for tag in reversed(offered)}
    first = {tag.lower().partition("-")[0]: tag for tag in reversed(offered)}
    return whole.get(wanted.lower()) or first.get(wanted.lower().partition("-")[0])


def message_paths(study: Study, template: str) -> dict[str, str]:
    """The files of a message by language: `messages/invite.md` and its translations, its own language first.

    Args:
        study: whose messages.
        template: the path that the protocol names.
    """
    own = study.messages.get(template)
    found = {} if own is None else {own.language: template}
    for path in study.messages:
        other = translated(path)
        if other is not None and f"{PurePosixPath(path).parent}/{other[0]}.md" == template:
            found.setdefault(other[1], path)
    return found
