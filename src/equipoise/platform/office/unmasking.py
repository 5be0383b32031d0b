"""Unmasking: from when on anybody can tell the arms apart."""

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from equipoise.platform.office.access import study_page
from equipoise.platform.office.confirming import confirmed_act
from equipoise.platform.permissions import Acting
from equipoise.platform.registry.actions import move_results
from equipoise.platform.registry.models import Study

__all__ = ["unmask_results", "urlpatterns"]


def unmask_results(who: Acting, study: Study, reason: str) -> None:
    """Let the arms be known: the data can then be exported with their names, and analysed.

    Raises:
        InputError: as for `move_results`; the data are not sealed, for one.
    """
    move_results(who, study, "unmasked", reason=reason)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("results.unmask")
def unmask(request: HttpRequest, study: Study) -> HttpResponse:
    """Unmask, once the name was typed."""
    page = {
        "page_title": "Unmask the results",
        "says": [
            "The arms are named in the data from here on, and whoever exports them knows who got what.",
            "Nothing planned after this was planned before the results were known. It cannot be taken back.",
        ],
        "button_text": "Unmask the results",
        "back": reverse("exports", args=[study.name]),
    }
    return confirmed_act(
        request,
        page,
        thing=study.name,
        act=lambda reason: unmask_results(request.user, study, reason),
        done="The results are unmasked. Data that are made from now on name the arms.",
        onward=reverse("exports", args=[study.name]),
    )


urlpatterns = [path("studies/<slug:name>/data/unmask", unmask, name="results-unmask")]
