"""Where a link leads: one page with one button. Opening it changes nothing, as mail scanners open every
link."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from equipoise.platform.fieldwork.actions import start_session
from equipoise.platform.fieldwork.links import find_link, find_open_link
from equipoise.platform.fieldwork.models import Session
from equipoise.platform.fieldwork.prepared import prepared
from equipoise.platform.fieldwork.sessions import SESSION_OF_WAVE
from equipoise.platform.fieldwork.standing import Standing, standing
from equipoise.platform.fieldwork.tickets import Ticket, open_codes, set_ticket
from equipoise.platform.fieldwork.views.frames import frame, notice_page, standing_page, wrong_link
from equipoise.platform.people.actions.newcomers import begin_arrival
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Study

__all__ = ["open_link", "personal_link"]


@require_http_methods(["GET", "HEAD", "POST"])
def personal_link(request: HttpRequest, token: str) -> HttpResponse:
    """A participant's own link to a wave."""
    link = find_link(token)
    if link is None or not link.wave:
        return wrong_link(request)
    participant = link.participant
    session = SESSION_OF_WAVE.first(participant.pk, link.wave)
    return _landed(request, participant.study, link.wave, participant, session)


@require_http_methods(["GET", "HEAD", "POST"])
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """A link for whoever comes. A browser that has begun is led back to its own session."""
    link = find_open_link(token)
    if link is None:
        return wrong_link(request)
    begun = Session.objects.select_related("participant__study").filter(
        code__in=open_codes(request), via__wave=link.wave, participant__study=link.study
    )
    session = begun.first()
    if session is not None:
        return _landed(request, link.study, link.wave, session.participant, session)
    if link.closed_at is not None:
        return notice_page(request, "wrong_link", status=410)
    found = standing(None, link.study, link.wave, None)
    if request.method == "POST" and found.answerable and not request.POST.get("website"):
        participant = begin_arrival(link.study)
        begin = start_session(participant, link.wave, language=request.POST.get("lang"), via=link)
        return _into(request, begin, Ticket(begin.code, begin.language))
    return _page(request, link.study, link.wave, found, None)


def _landed(
    request: HttpRequest, study: Study, wave: str, participant: Participant, session: Session | None
) -> HttpResponse:
    found = standing(participant, study, wave, session)
    if request.method == "POST" and found.answerable:
        begun = session or start_session(participant, wave, language=request.POST.get("lang"))
        language = request.POST.get("lang") or begun.language
        spoken = prepared(study, wave, language, begun.version).questionnaire.language
        return _into(request, begun, Ticket(begun.code, spoken))
    return _page(request, study, wave, found, session)


def _into(request: HttpRequest, session: Session, ticket: Ticket) -> HttpResponse:
    """On to the survey, whose addresses hold no token."""
    where = "survey" if session.consent else "survey-consent"
    response = HttpResponseRedirect(reverse(where, args=[session.code]), status=303)
    set_ticket(request, response, ticket)
    return response


def _page(
    request: HttpRequest, study: Study, wave: str, found: Standing, session: Session | None
) -> HttpResponse:
    wanted = request.GET.get("lang") or (session.language if session else None)
    asked = prepared(study, wave, wanted).questionnaire
    if not found.answerable:
        return standing_page(request, study, asked.language, found)
    page = frame(
        study,
        asked.language,
        page_title=asked.title,
        asked=asked,
        begun=session is not None and found.name == "open",
        honey=session is None,
    )
    return render(request, "fieldwork/landing.html", page)
