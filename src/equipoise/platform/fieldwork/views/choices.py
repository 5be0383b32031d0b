"""A participant's choices: stop messages, leave the study, have everything erased; done at once, no sign-
in."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from equipoise.platform.fieldwork.actions import leave_study
from equipoise.platform.fieldwork.links import find_link
from equipoise.platform.fieldwork.models import Session
from equipoise.platform.fieldwork.tickets import Ticket
from equipoise.platform.fieldwork.views.frames import chosen_language, frame, notice_page, wrong_link
from equipoise.platform.fieldwork.views.pages import with_session
from equipoise.platform.pages.words import words_for
from equipoise.platform.people.actions import resume_messages
from equipoise.platform.people.models import Participant

__all__ = ["CHOICES", "session_choices", "stop_link"]

CHOICES = ("messages", "everything", "erase")
_ONE_CLICK = "List-Unsubscribe"


@require_http_methods(["GET", "HEAD", "POST"])
@with_session
def session_choices(request: HttpRequest, session: Session, ticket: Ticket) -> HttpResponse:
    """The choices of somebody who is in a survey."""
    back = reverse("survey", args=[session.code])
    return _choices(request, session.participant, ticket.language, back=back)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def stop_link(request: HttpRequest, token: str) -> HttpResponse:
    """The choices by the link in a message. A mail program's own button posts here without a page (RFC
    8058)."""
    link = find_link(token)
    if link is None:
        return wrong_link(request)
    if request.method == "POST" and request.POST.get(_ONE_CLICK) == "One-Click":
        _stop_at_once(link.participant)
        return HttpResponse("", content_type="text/plain")
    return csrf_protect(_by_link)(request, link.participant)


def _by_link(request: HttpRequest, participant: Participant) -> HttpResponse:
    return _choices(request, participant, chosen_language(request, participant.study), back="")


def _stop_at_once(participant: Participant) -> None:
    if participant.state in ("enrolled", "screening") and participant.messages_stopped_at is None:
        leave_study(participant, "messages", channel="web", actor=f"participant:{participant.key}")


def _choices(request: HttpRequest, participant: Participant, language: str, *, back: str) -> HttpResponse:
    from equipoise.platform.registry.queries import folder_of

    spoken = language or folder_of(participant.study).protocol.study.language
    words = words_for(spoken)["survey"]
    if participant.state == "erased":
        return notice_page(request, "erased", language=spoken, study=participant.study, status=410)
    choice = request.POST.get("choice", "") if request.method == "POST" else ""
    if request.method == "POST" and choice == "resume":
        resume_messages(participant, channel="web", actor=f"participant:{participant.key}")
        return HttpResponseRedirect(f"{request.path}?done=resume", status=303)
    if choice in CHOICES and (choice == "messages" or request.POST.get("sure") == "yes"):
        if participant.state != "withdrawn" or choice == "erase":
            leave_study(participant, choice, channel="web", actor=f"participant:{participant.key}")
        return _done(request, participant, spoken, choice, back)
    problems: list[dict[str, str]] = []
    if request.method == "POST" and choice not in CHOICES:
        problems = [{"id": "choice", "text": words["choose_one"]}]
    values: dict[str, Any] = {
        "page_title": words["sure_title"][choice] if choice in CHOICES else words["choices_title"],
        "problems": problems,
        "choice": choice if choice in CHOICES else "",
        "choices": [each for each in CHOICES if each == "erase" or participant.state != "withdrawn"],
        "stopped": participant.messages_stopped_at is not None,
        "left": participant.state == "withdrawn",
        "resumed": request.GET.get("done") == "resume",
        "back_url": back,
    }
    page = frame(participant.study, spoken, None, **values)
    return render(request, "fieldwork/choices.html", page, status=422 if problems else 200)


def _done(
    request: HttpRequest, participant: Participant, language: str, choice: str, back: str
) -> HttpResponse:
    """Said on the page itself: after an erasure there is no page left to go to."""
    said = words_for(language)["survey"]["chosen"][choice]
    values = {
        "page_title": said["title"],
        "text": said["text"],
        "support": (),
        "onward": "",
        "back_url": back if choice == "messages" else "",
    }
    return render(request, "fieldwork/standing.html", frame(participant.study, language, None, **values))
