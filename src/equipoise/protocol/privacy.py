"""The privacy notice and the consent page, generated from what the protocol says, and what it leaves blank.

A field left blank would be a sentence that nobody answers for, so a launch waits until there is none.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from equipoise.errors import Problem
from equipoise.protocol.canonical import canonical_bytes
from equipoise.protocol.consent_words import ConsentWords, consent_words
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.models.surveys import Survey
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import moment_of
from equipoise.protocol.translation import translation

__all__ = ["ConsentText", "Section", "consent_text", "missing_privacy", "notice_version", "privacy_notice"]

_NEEDED = {
    "controller": "who decides what is done with the data",
    "purpose": "what the data are for",
    "categories": "which data are kept",
    "basis": "the legal basis, such as a task carried out in the public interest",
    "recipients": "who else gets the data",
    "retention": "for how long the data are kept",
    "linkage": "whether and how answers are tied to people and to other records",
    "officer": "whom to ask about the data",
    "complaint": "to whom people can complain",
}


@dataclass(frozen=True)
class Section:
    """A part of the privacy notice; `body` is Markdown."""

    title: str
    body: str


@dataclass(frozen=True)
class ConsentText:
    """What a participant is told before they agree, in one language.

    `short` and `whole` are Markdown. `questions` are by activity, in the protocol's order: each activity that
    needs a yes. `version` is the SHA-256 (hexadecimal) of all of it; an agreement is to one version.
    """

    language: str
    short: str
    whole: str
    questions: Mapping[str, str]
    version: str

    @property
    def asked(self) -> tuple[str, ...]:
        """The activities that are asked about."""
        return tuple(self.questions)


def missing_privacy(study: Study) -> tuple[Problem, ...]:
    """Every blank that a launch waits for, with its place in the protocol."""
    document = study.documents["protocol.yaml"]
    given = study.protocol.privacy
    return tuple(
        document.problem(("privacy", field), f"is blank; say {what}, as participants are told")
        for field, what in _NEEDED.items()
        if getattr(given, field) is None
    )


def privacy_notice(study: Study, language: str | None = None) -> tuple[Section, ...]:
    """The notice, section by section; a blank field is left out, so ask `missing_privacy` first."""
    words = consent_words(language or study.protocol.study.language)
    return tuple(_sections(study, words))


def notice_version(study: Study) -> str:
    """SHA-256 of the notice in the study's own language, hexadecimal."""
    sections = [[section.title, section.body] for section in privacy_notice(study)]
    return hashlib.sha256(canonical_bytes(sections)).hexdigest()


def consent_text(study: Study, survey: str, language: str | None = None) -> ConsentText:
    """What taking part in a survey means, and what is asked about it.

    Args:
        study: loaded and checked.
        survey: its name; its `information` comes first in the whole text.
        language: of the page; what the study says itself stays in its own language where it has no other.

    An activity that the survey itself asks about (a question of type `consent`) is not asked twice.
    """
    spoken = language or study.protocol.study.language
    words = consent_words(spoken)
    translated = translation(study, survey, spoken)
    information = (translated.information if translated else None) or study.surveys[survey].information
    sections = [f"## {section.title}\n\n{section.body}" for section in _sections(study, words)]
    whole = "\n\n".join([*([information] if information else []), *sections])
    short = "\n".join(f"- {line}" for line in _short(study, words))
    questions = {
        activity: words.questions[activity]
        for activity, rule in _consents(study).items()
        if rule == "opt-in" and (activity != "messages" or study.protocol.contacts)
        if activity not in _asked_there(study.surveys[survey])
    }
    version = hashlib.sha256(canonical_bytes([spoken, short, whole, questions])).hexdigest()
    return ConsentText(spoken, short, whole, questions, version)


def _asked_there(survey: Survey) -> set[str]:
    return {str(one.activity) for page in survey.pages for one in page.questions if one.activity is not None}


def _consents(study: Study) -> dict[str, str]:
    consent = study.protocol.participants.consent if study.protocol.participants else {}
    return {str(activity): rule for activity, rule in consent.items()}


def _short(study: Study, words: ConsentWords) -> Iterator[str]:
    privacy = study.protocol.privacy
    yield words.voluntary
    yield words.stop
    if privacy.controller:
        yield words.asks.format(controller=privacy.controller)
    yield _tied(study.protocol, words)
    if privacy.retention:
        yield privacy.retention


def _sections(study: Study, words: ConsentWords) -> Iterator[Section]:
    privacy = study.protocol.privacy
    linkage = " ".join(part for part in (_tied(study.protocol, words), privacy.linkage) if part)
    basis = ". ".join(part for part in (privacy.basis, privacy.condition) if part)
    said = {
        "controller": privacy.controller,
        "purpose": privacy.purpose,
        "categories": "\n\n".join(
            part for part in (privacy.categories, _watched(study.protocol, words)) if part
        ),
        "basis": basis,
        "recipients": privacy.recipients,
        "linkage": linkage,
        "retention": privacy.retention,
        "rights": words.rights_text,
        "officer": privacy.officer,
        "complaint": privacy.complaint,
    }
    yield from (Section(words.titles[name], text) for name, text in said.items() if text)


def _watched(protocol: Protocol, words: ConsentWords) -> str:
    """That it is kept whether something was opened and played, where messages lead to anything."""
    return words.watching if any(contact.asset for contact in protocol.contacts.values()) else ""


def _tied(protocol: Protocol, words: ConsentWords) -> str:
    return words.answers[protocol.privacy.answers].format(until=_until(protocol, words))


def _until(protocol: Protocol, words: ConsentWords) -> str:
    """The day in words; a draft without a launch has only what the protocol writes."""
    text = protocol.privacy.linked_until
    if text is None or protocol.study.launch is None:
        return text or ""
    day = moment_of(protocol, text).astimezone(ZoneInfo(protocol.study.timezone))
    return f"{day.day} {words.months[day.month - 1]} {day.year}"
