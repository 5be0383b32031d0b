"""Sealing: from when on the data stand.

The seal enters the hash of the data in the study's record: the very hash that `findings.json` carries when
these data are analysed. So it can be shown later that what was analysed was there before the arms were known.
"""

import tempfile
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from equipoise.findings.data import read_data
from equipoise.findings.hashing import data_hash
from equipoise.platform.office.access import study_page
from equipoise.platform.office.confirming import confirmed_act
from equipoise.platform.office.exporting import write_frame
from equipoise.platform.permissions import Acting
from equipoise.platform.registry.actions import check_results, move_results
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import current_version, folder_of

__all__ = ["seal_results", "urlpatterns"]


def seal_results(who: Acting, study: Study, reason: str) -> str:
    """Fix the data: from here on nothing can be changed without showing.

    Args:
        who: needs `results.seal`.
        study: closed, so that no answer comes any more.
        reason: such as who has reviewed the data without knowing the arms.
    Returns:
        The hash of the data.
    Raises:
        InputError: as for `move_results`; or there are no data.
    """
    check_results(who, study, "sealed", reason)
    with tempfile.TemporaryDirectory(prefix="equipoise-seal-") as folder:
        write_frame(study, Path(folder))
        found = data_hash(read_data(folder_of(study), Path(folder)))
    details = {"data_hash": found, "protocol_hash": current_version(study).protocol_hash}
    move_results(who, study, "sealed", reason=reason, details=details)
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("results.seal")
def seal(request: HttpRequest, study: Study) -> HttpResponse:
    """Seal, once the name was typed."""
    page = {
        "page_title": "Seal the data",
        "says": [
            "The hash of all data is entered in the study's record. It is the hash that an analysis of these "
            "data will carry.",
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
