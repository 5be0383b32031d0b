"""The pages of a survey, one after the other: consent, questions, the end; and what happens when one is
sent."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from equipoise.errors import InputError
from equipoise.platform.fieldwork.actions import send_page
from equipoise.platform.fieldwork.journeys import Journey, journey_of
from equipoise.platform.fieldwork.models import Session
from equipoise.platform.fieldwork.sessions import SESSION_BY_CODE
from equipoise.platform.fieldwork.standing import Standing, standing
from equipoise.platform.fieldwork.tickets import (
    FormKey,
    Ticket,
    form_key,
    read_form_key,
    set_ticket,
    ticket_for,
)
from equipoise.platform.fieldwork.views.consent import consent_page, consent_sent
from equipoise.platform.fieldwork.views.frames import frame, notice_page, standing_page
from equipoise.platform.fieldwork.views.questions import blocks_html, fault_words
from equipoise.protocol.answering import Reading, form_fields, read_answers
from equipoise.protocol.piping import pipeable_columns, piped_page, words_known
from equipoise.protocol.questionnaire import QuestionPage

__all__ = ["consent", "later", "question_page", "survey", "thanks"]

View = Callable[..., HttpResponse]
CONSENT = "consent"
_KEY = "__key"
_LATER = "later"


def with_session(view: View) -> View:
    """Give a view its session and ticket, or the page that says how to get one.

    The form of a page is a ticket of its own, so that what was typed is not lost to a time-out.
    """

    @wraps(view)
    def found(request: HttpRequest, code: str, **parts: str) -> HttpResponse:
        key = read_form_key(request.POST.get(_KEY, "")) if request.method == "POST" else None
        ticket = ticket_for(request, code)
        if key is not None and key.code == code:
            ticket = ticket or key.ticket
        if ticket is None:
            return notice_page(request, "expired", status=403)
        session = SESSION_BY_CODE.first(code)
        if session is None:
            return notice_page(request, "expired", status=403)
        return view(request, session, ticket, **parts)

    return found


@require_http_methods(["GET", "HEAD"])
@with_session
def survey(request: HttpRequest, session: Session, ticket: Ticket) -> HttpResponse:
    """Where the participant left off."""
    return HttpResponseRedirect(_address(session, _furthest(session, ticket)))


@require_http_methods(["GET", "HEAD", "POST"])
@with_session
def consent(request: HttpRequest, session: Session, ticket: Ticket) -> HttpResponse:
    """What taking part means, and each activity asked on its own."""
    found = _standing(session)
    if not found.answerable:
        return standing_page(request, session.participant.study, ticket.language, found, session=session)
    if request.method != "POST":
        return consent_page(request, session, _spoken(request, ticket))
    try:
        complete = consent_sent(request, session, ticket)
    except OperationalError:
        return consent_page(request, session, ticket, sent=request.POST, unsaved=True)
    if not complete:
        return consent_page(request, session, ticket, sent=request.POST)
    return _onward(request, session, ticket, _furthest(session, ticket) if session.consent else "thanks")


@require_http_methods(["GET", "HEAD", "POST"])
@with_session
def question_page(request: HttpRequest, session: Session, ticket: Ticket, page: str) -> HttpResponse:
    """A page of questions."""
    found = _standing(session)
    if found.name != "open" or not session.consent:
        return _elsewhere(request, session, ticket, found)
    shown_to = _spoken(request, ticket)
    journey = journey_of(session, shown_to.language)
    asked = journey.page(page)
    if asked is None:
        return HttpResponseRedirect(_address(session, _page_name(journey)), status=303)
    if request.method == "POST":
        return _sent(request, session, ticket, journey, asked)
    return _page(request, session, shown_to, journey, asked)


@require_http_methods(["GET", "HEAD"])
@with_session
def thanks(request: HttpRequest, session: Session, ticket: Ticket) -> HttpResponse:
    """The end, however it came."""
    found = _standing(session)
    if found.answerable and session.state != "declined":
        return HttpResponseRedirect(_address(session, _furthest(session, ticket)))
    message = ended_message(session, ticket) if found.name in ("screened-out", "quota-full") else ""
    return standing_page(
        request, session.participant.study, ticket.language, found, session=session, message=message
    )


@require_http_methods(["GET", "HEAD"])
@with_session
def later(request: HttpRequest, session: Session, ticket: Ticket) -> HttpResponse:
    """What was put aside, and how to come back to it."""
    found = _standing(session)
    name = "later" if found.answerable else found.name
    put_aside = Standing(name, found.opens, found.closes)
    return standing_page(request, session.participant.study, ticket.language, put_aside, session=session)


def ended_message(session: Session, ticket: Ticket) -> str:
    """What the survey itself says to somebody who was screened out or met a full quota."""
    journey = journey_of(session, ticket.language)
    asked = journey.questionnaire
    if session.state == "quota-full":
        return " ".join(quota.message for quota in asked.quotas[:1])
    rules = [rule for page in journey.pages if page.id in journey.reached for rule in page.screen_out]
    hold = journey.prepared.rules.hold
    return next((rule.message for rule in rules if hold(rule.when, journey.answers, journey.facts)), "")


def _sent(
    request: HttpRequest, session: Session, ticket: Ticket, journey: Journey, shown: QuestionPage
) -> HttpResponse:
    key = read_form_key(request.POST.get(_KEY, ""))
    if key is None or (key.code, key.page) != (session.code, shown.id):
        return HttpResponseRedirect(_address(session, shown.id), status=303)
    typed = {name: values for name, values in request.POST.lists() if name != _LATER}
    page = journey.questionnaire.page(shown.id)
    try:
        reading = read_answers(
            page,
            typed,
            rules=journey.prepared.rules,
            answers=journey.answers,
            facts=journey.facts,
            displayed=key.displayed,
        )
    except InputError:
        return notice_page(
            request, "changed", language=ticket.language, study=session.participant.study, status=400
        )
    put_aside = _LATER in request.POST
    if not put_aside and not reading.complete:
        return _page(request, session, ticket, journey, shown, reading)
    said = {**reading.answers, **reading.reasons}
    try:
        sent = send_page(session, journey, page, said, key=key, whole=not put_aside)
    except OperationalError:
        return _page(request, session, ticket, journey, shown, reading, unsaved=True)
    if put_aside and sent.state == "started":
        return _onward(request, session, ticket, _LATER)
    return _onward(
        request, session, ticket, _page_name(sent.journey) if sent.state == "started" else "thanks"
    )


def _page(
    request: HttpRequest,
    session: Session,
    ticket: Ticket,
    journey: Journey,
    shown: QuestionPage,
    reading: Reading | None = None,
    *,
    unsaved: bool = False,
) -> HttpResponse:
    """A page as it stands: blank, as answered before, or as just typed with what is wrong."""
    page = _with_follow_ups(journey, shown, reading)
    if journey.prepared.piped:
        known = {name: journey.facts[name] for name in _pipeable(journey) if name in journey.facts}
        page = piped_page(page, words_known(journey.questionnaire, journey.answers, known))
    typed: Mapping[str, Sequence[str]]
    typed = reading.typed if reading is not None else form_fields(page, journey.answers, journey.reasons)
    problems = fault_words(page, reading, ticket.language)
    before = journey.before(shown)
    displayed = [asked.key for asked in page.asked] if _hangs_on_itself(journey, shown) else None
    values: dict[str, Any] = {
        "page_title": page.title or journey.questionnaire.title,
        "page": page,
        "blocks": blocks_html(page, typed, problems, ticket.language, session.code),
        "problems": problems.summary,
        "unsaved": unsaved,
        "key": form_key(ticket, shown.id, displayed),
        "back_url": _address(session, before.id) if before is not None else "",
        "progress": {"page": journey.number(shown), "pages": len(journey.pages)},
        "demonstration": any(block.demonstration for block in page.blocks),
        "others": [
            each for each in journey.questionnaire.languages if each != journey.questionnaire.language
        ],
    }
    around = frame(session.participant.study, journey.questionnaire.language, session, **values)
    status = 503 if unsaved else 422 if problems.summary else 200
    return render(request, "fieldwork/question_page.html", around, status=status)


def _with_follow_ups(journey: Journey, shown: QuestionPage, reading: Reading | None) -> QuestionPage:
    """The page with the questions that its own answers lead to."""
    if reading is None:
        return shown
    answered = journey.with_answers(shown, reading.answers, reading.reasons, whole=False)
    return next((page for page in answered.pages if page.id == shown.id), shown)


def _hangs_on_itself(journey: Journey, shown: QuestionPage) -> bool:
    return any(block.show_if for block in journey.questionnaire.page(shown.id).blocks)


def _pipeable(journey: Journey) -> tuple[str, ...]:
    return pipeable_columns(journey.prepared.folder.protocol)


def _standing(session: Session) -> Standing:
    return standing(session.participant, session.participant.study, session.wave, session)


def _elsewhere(request: HttpRequest, session: Session, ticket: Ticket, found: Standing) -> HttpResponse:
    if found.answerable:
        return HttpResponseRedirect(_address(session, CONSENT), status=303)
    return standing_page(request, session.participant.study, ticket.language, found, session=session)


def _furthest(session: Session, ticket: Ticket) -> str:
    if session.state not in ("started", "declined"):
        return "thanks"
    if session.state == "declined" or not session.consent:
        return CONSENT
    return _page_name(journey_of(session, ticket.language))


def _page_name(journey: Journey) -> str:
    onward = journey.next_page
    return onward.id if onward is not None else "thanks"


def _address(session: Session, where: str) -> str:
    names = {CONSENT: "survey-consent", "thanks": "survey-thanks", _LATER: "survey-later"}
    if where in names:
        return reverse(names[where], args=[session.code])
    return reverse("survey-page", args=[session.code, where])


def _onward(request: HttpRequest, session: Session, ticket: Ticket, where: str) -> HttpResponse:
    response = HttpResponseRedirect(_address(session, where), status=303)
    set_ticket(request, response, _kept(request, ticket))
    return response


def _kept(request: HttpRequest, ticket: Ticket) -> Ticket:
    """The ticket in the language of the page that was sent."""
    key: FormKey | None = read_form_key(request.POST.get(_KEY, ""))
    return key.ticket if key is not None else ticket


def _spoken(request: HttpRequest, ticket: Ticket) -> Ticket:
    """The ticket in the language that a link of the page asks for; it is kept once the page is sent."""
    wanted = request.GET.get("lang")
    return Ticket(ticket.code, wanted[:20], ticket.channel, ticket.entered_by) if wanted else ticket
