"""The consent page: what taking part means, each activity asked on its own, the version kept with the
answer."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from equipoise.platform.database import writing
from equipoise.platform.fieldwork.actions import agree, decline
from equipoise.platform.fieldwork.models import Session
from equipoise.platform.fieldwork.prepared import Prepared, prepared
from equipoise.platform.fieldwork.tickets import Ticket, form_key
from equipoise.platform.fieldwork.views.frames import frame
from equipoise.platform.pages.fields import id_of
from equipoise.platform.pages.words import words_for
from equipoise.platform.people.actions import record_consents
from equipoise.platform.people.models import Consent
from equipoise.platform.people.queries import newest_consents
from equipoise.protocol.privacy import ConsentText

__all__ = ["consent_page", "consent_sent"]

SURVEY = "survey"
_ANSWERS = {"yes": True, "no": False}


def consent_page(
    request: HttpRequest,
    session: Session,
    ticket: Ticket,
    sent: QueryDict | None = None,
    *,
    unsaved: bool = False,
) -> HttpResponse:
    """The page; with what was sent, the problems beside each activity that was not answered.

    `unsaved` says that it was whole and could not be kept just now.
    """
    ready = _ready(session, ticket)
    text = ready.consent
    words = words_for(ticket.language)["survey"]
    said = _said(text, sent)
    newest = newest_consents(session.participant)
    missing = [name for name in text.asked if name not in said] if sent is not None else []
    problems = [{"id": id_of(f"consent.{name}"), "text": words["consent_missing"]} for name in missing]
    page = frame(
        session.participant.study,
        text.language,
        session,
        page_title=words["consent_title"],
        text=text,
        said=said if sent is not None else _before(newest, text),
        missing=missing,
        problems=problems,
        changed=_changed(newest, text),
        unsaved=unsaved,
        key=form_key(ticket, "consent"),
        others=[each for each in ready.questionnaire.languages if each != text.language],
    )
    status = 503 if unsaved else 422 if problems else 200
    return render(request, "fieldwork/consent.html", page, status=status)


def consent_sent(request: HttpRequest, session: Session, ticket: Ticket) -> bool:
    """Keep what was agreed to; False, with nothing kept, where an activity was left open."""
    ready = _ready(session, ticket)
    text = ready.consent
    said = _said(text, request.POST)
    if any(name not in said for name in text.asked):
        return False
    with writing():
        record_consents(
            session.participant,
            said,
            version=text.version,
            notice=ready.notice,
            language=text.language,
            channel=ticket.channel,
            actor=ticket.entered_by or f"participant:{session.participant.key}",
        )
        if said.get(SURVEY, True):
            agree(session, text.version)
        else:
            decline(session)
    return True


def _ready(session: Session, ticket: Ticket) -> Prepared:
    return prepared(session.participant.study, session.wave, ticket.language, session.version)


def _said(text: ConsentText, sent: Mapping[str, Any] | None) -> dict[str, bool]:
    given = sent or {}
    found = {name: _ANSWERS.get(given.get(f"consent.{name}", "")) for name in text.asked}
    return {name: answer for name, answer in found.items() if answer is not None}


def _before(newest: Mapping[str, Consent], text: ConsentText) -> dict[str, bool]:
    """What was said on an earlier page or wave to the same words; to other words it is asked anew."""
    held = {name: row.given for name, row in newest.items() if row.version == text.version}
    return {name: held[name] for name in text.asked if name in held}


def _changed(newest: Mapping[str, Consent], text: ConsentText) -> bool:
    """Whether the participant once answered other words in the same language."""
    return any(row.version != text.version for row in newest.values() if row.language == text.language)
