"""The page on which the data are sealed, and what the seal takes in."""

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from equipoise.platform.office.access import study_page
from equipoise.platform.office.confirming import confirmed_act
from equipoise.platform.registry.models import Study
from equipoise.platform.review.models import Exclusion
from equipoise.platform.review.sealing import seal_results

__all__ = ["urlpatterns"]


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("results.seal")
def seal(request: HttpRequest, study: Study) -> HttpResponse:
    """Seal, once the name was typed."""
    excluded = Exclusion.objects.filter(study=study, withdrawn=None).count()
    page = {
        "page_title": "Seal the data",
        "says": [
            "The hash of all data, of the list of exclusions and of the locked protocol is entered in the "
            "study's record. An analysis of exactly these data carries it.",
            f"{excluded:,} exclusions hold. None can be added or taken back after the seal.",
            "Do this when the data have been looked through without the arms. It cannot be taken back.",
        ],
        "button_text": "Seal the data",
        "back": reverse("exports", args=[study.name]),
    }
    return confirmed_act(
        request,
        page,
        thing=study.name,
        act=lambda reason: seal_results(request.user, study, reason),
        done="The data are sealed.",
        onward=reverse("exports", args=[study.name]),
    )


urlpatterns = [path("studies/<slug:name>/data/seal", seal, name="results-seal")]
