"""Answers that come by telephone or on paper: staff enter them on the participant's own pages, marked so."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from equipoise.errors import InputError, Problem
from equipoise.platform.audit.actions import record
from equipoise.platform.database import writing
from equipoise.platform.fieldwork.actions import start_session
from equipoise.platform.fieldwork.models import Session
from equipoise.platform.fieldwork.standing import standing
from equipoise.platform.fieldwork.tickets import Ticket, set_ticket
from equipoise.platform.office.access import study_page
from equipoise.platform.people.models import Participant
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.policies import check_state
from equipoise.platform.registry.models import Study

__all__ = ["CHANNELS", "urlpatterns"]

CHANNELS = {"telephone": "By telephone", "paper": "On paper"}


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("surveys.enter")
def staff_entry(request: HttpRequest, study: Study, key: str, wave: str) -> HttpResponse:
    """Say how the answers came, then go on to the participant's pages."""
    participant = get_object_or_404(Participant.objects.select_related("study"), study=study, key=key)
    session = Session.objects.filter(participant=participant, wave=wave).first()
    found = standing(participant, study, wave, session)
    problems: list[dict[str, str]] = []
    if request.method == "POST" and found.answerable:
        channel = request.POST.get("channel", "")
        if channel in CHANNELS:
            return _begin(request, participant, wave, channel)
        problems = [{"id": "channel", "text": "Choose how the answers came to you"}]
    page = {
        "study": study,
        "page_title": "Enter answers for a participant",
        "participant": participant,
        "wave": wave,
        "standing": found.name,
        "channels": CHANNELS,
        "problems": problems,
        "back": reverse("person", args=[study.name, key]),
    }
    return render(request, "office/entry.html", page, status=422 if problems else 200)


def _begin(request: HttpRequest, participant: Participant, wave: str, channel: str) -> HttpResponse:
    session = begin_entry(request.user, participant, wave, channel)
    response = HttpResponseRedirect(reverse("survey", args=[session.code]), status=303)
    set_ticket(request, response, Ticket(session.code, session.language, channel, request.user.actor))
    return response


def begin_entry(who: Acting, participant: Participant, wave: str, channel: str) -> Session:
    """Begin or go on with a session on behalf of a participant; recorded, and marked on every page sent.

    Raises:
        InputError: another channel, or the study's state does not allow it.
    """
    study = participant.study
    check_permission(who, "surveys.enter", study)
    check_state("surveys.enter", study.state, of=study.name)
    if channel not in CHANNELS:
        raise InputError(Problem(study.name, "channel", f'"{channel}" is none of: {", ".join(CHANNELS)}'))
    with writing():
        session = start_session(participant, wave, language=None, channel=channel, entered_by=who.actor)
        details = {"participant": participant.key, "wave": wave, "channel": channel}
        record(study.name, who.actor, "surveys.enter", details)
    return session


urlpatterns = [
    path("studies/<slug:name>/people/<str:key>/enter/<str:wave>", staff_entry, name="staff-entry"),
]
