"""What is done for a participant who asked staff for it: no messages, leaving, or an erasure, by two."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from equipoise.errors import InputError, Problem
from equipoise.platform.approvals.actions import ask
from equipoise.platform.approvals.acts import ERASE
from equipoise.platform.fieldwork.actions import leave_study
from equipoise.platform.office.confirming import confirmed_act
from equipoise.platform.office.people.person import of_person
from equipoise.platform.people.actions import check_withdrawal
from equipoise.platform.people.models import Participant
from equipoise.platform.permissions import Acting
from equipoise.platform.registry.models import Study

__all__ = ["urlpatterns"]

_CHOICES = {
    "messages": ("Stop messages", "They stay in the study and are sent nothing more."),
    "everything": ("Leave the study", "They are not asked any more. What they answered is kept."),
    "erase": (
        "Leave and erase",
        "Their answers, contact details and roster entries are destroyed for good, once somebody else has "
        "approved it. On their own page, they can do it themselves at once.",
    ),
}
_ASKED = "The erasure is asked for. It is done once somebody else has approved it, see Approvals."
_CHANNELS = {"telephone": "By telephone", "paper": "On paper or by e-mail", "staff": "In person"}


@require_http_methods(["GET", "HEAD", "POST"])
@of_person("people.withdraw")
def leave(request: HttpRequest, study: Study, participant: Participant) -> HttpResponse:
    """Stop messages, leave or erase on a participant's behalf."""
    back = reverse("person", args=[study.name, participant.key])
    page = {
        "page_title": "Stop messages, leave or erase",
        "says": ["Do this only when the participant has asked for it. Only stopping messages can be undone."],
        "button_text": "Do what they asked",
        "back": back,
        "choices": [(name, *said) for name, said in _CHOICES.items()],
        "channels": list(_CHANNELS.items()),
        "template": "leave",
    }
    return confirmed_act(
        request,
        page,
        thing=participant.key,
        act=lambda reason: _leave(request.user, participant, request.POST, reason),
        done=_ASKED if request.POST.get("choice") == "erase" else "Done, and recorded.",
        onward=back,
    )


def _leave(who: Acting, participant: Participant, sent: Any, reason: str) -> None:
    choice, channel = sent.get("choice", ""), sent.get("channel", "")
    check_withdrawal(who, participant, choice, reason)
    if channel not in _CHANNELS:
        raise InputError(Problem("", "channel", "say how the participant asked"))
    if choice == "erase":
        subject = {"participant": participant.key, "channel": channel}
        ask(who, participant.study, ERASE, reason=reason, subject=subject)
        return
    leave_study(participant, choice, channel=channel, actor=who.actor, reason=reason)


urlpatterns = [path("studies/<slug:name>/people/<str:key>/leave", leave, name="person-leave")]
