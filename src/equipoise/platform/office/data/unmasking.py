"""Unmasking: asked for by one person, done as soon as another one approves it."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from equipoise.platform.approvals.actions import ask
from equipoise.platform.approvals.acts import UNMASK
from equipoise.platform.approvals.queries import in_state, requests
from equipoise.platform.office.access import study_page
from equipoise.platform.office.confirming import confirmed_act
from equipoise.platform.registry.models import Study

__all__ = ["urlpatterns"]


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("results.unmask")
def unmask(request: HttpRequest, study: Study) -> HttpResponse:
    """Ask for it, once the name was typed; where somebody has asked already, that request is shown."""
    waiting = in_state(requests(study).filter(act=UNMASK), "waiting").first()
    if waiting is not None:
        return HttpResponseRedirect(reverse("approval", args=[study.name, waiting.number]), status=303)
    page = {
        "page_title": "Ask to unmask the results",
        "says": [
            "It takes two people: you ask, and somebody else approves it within 14 days.",
            "The arms are named in the data from then on, and whoever exports them knows who got what. "
            "Nothing planned after that was planned before the results were known. It cannot be taken back.",
        ],
        "button_text": "Ask for it",
        "back": reverse("exports", args=[study.name]),
    }
    return confirmed_act(
        request,
        page,
        thing=study.name,
        act=lambda reason: ask(request.user, study, UNMASK, reason=reason),
        done="It is asked for. The results are unmasked once somebody else has approved it.",
        onward=reverse("approvals", args=[study.name]),
    )


urlpatterns = [path("studies/<slug:name>/data/unmask", unmask, name="results-unmask")]
