"""What a study says: its protocol in words, when it was locked, what was amended since, and every version."""

import io
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_safe

from equipoise.errors import EquipoiseError
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.studies.overview import received_folder
from equipoise.platform.pages.filters import moment
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.actions import add_amendment
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, wave_times
from equipoise.protocol import Study as StudyFolder
from equipoise.protocol.privacy import privacy_notice

__all__ = ["urlpatterns"]

_NARRATIVE = {"background": "Background", "methods": "Methods", "ethics": "Ethics"}


@require_safe
@study_page("study.see", by_partner=True)
def protocol(request: HttpRequest, study: Study) -> HttpResponse:
    """The protocol in force."""
    loaded = folder_of(study)
    zone = loaded.protocol.study.timezone
    versions = [
        {"number": version.number, "hash": version.protocol_hash, "entered": moment(version.entered_at, zone)}
        for version in study.versions.order_by("-number")
    ]
    page = {
        "page_title": "Protocol",
        "loaded": loaded,
        "protocol": loaded.protocol,
        "registration": loaded.registration,
        "locked": _locked(loaded),
        "amendments": list(enumerate(loaded.amendments, start=1)),
        "versions": versions,
        "waves": [
            (wave.label, moment(wave.opens, zone), moment(wave.closes, zone))
            for wave in wave_times(study).values()
        ],
        "narrative": [
            (title, loaded.narrative[name]) for name, title in _NARRATIVE.items() if name in loaded.narrative
        ],
        "notice": privacy_notice(loaded),
        "written": (loaded.folder / "protocol.yaml").read_text("utf-8"),
        "allocation": list(_allocation(loaded)),
        "outcomes": list(_outcomes(loaded)),
    }
    return render(request, "office/protocol.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("study.amend")
def amend(request: HttpRequest, study: Study) -> HttpResponse:
    """Put an amended folder in force."""
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            with received_folder(request, study.name) as folder:
                version = add_amendment(request.user, study, folder)
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            problems = problems_in(error, folder="folder")
        else:
            messages.success(request, f"Version {version.number} is in force.")
            return HttpResponseRedirect(reverse("study-protocol", args=[study.name]), status=303)
    page = {
        "page_title": "Amend the protocol",
        "problems": problems,
        "trail": [{"text": "Protocol", "href": reverse("study-protocol", args=[study.name])}],
    }
    return render(request, "office/amend.html", page, status=422 if problems else 200)


@require_safe
@study_page("study.see", by_partner=True)
def version_file(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """A version of the folder as it came in, as a zip file."""
    if not study.versions.filter(number=number).exists():
        raise Http404
    place = folder_of(study, number).folder
    return FileResponse(io.BytesIO(_zipped(place)), as_attachment=True, filename=f"{study.name}-{number}.zip")


def _locked(loaded: StudyFolder) -> str:
    if loaded.registration is None:
        return "Not locked"
    at = moment(datetime.fromisoformat(loaded.registration.time), loaded.protocol.study.timezone)
    return at if loaded.registration.clock == "real" else f"{at}, by a rehearsal's clock"


def _zipped(place: Path) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(path for path in place.rglob("*") if path.is_file()):
            archive.write(file, f"{place.parent.name}/{file.relative_to(place).as_posix()}")
    return written.getvalue()


def _allocation(loaded: StudyFolder) -> Iterator[dict[str, Any]]:
    for name, stage in loaded.protocol.allocation.items():
        arms = [(arm.label or key, arm.description or "") for key, arm in stage.arms.items()]
        yield {
            "name": name,
            "arms": arms,
            "unit": stage.unit,
            "strata": ", ".join(stage.strata) or "none",
            "method": str(stage.method).replace("-", " "),
            "when": stage.when,
            "seed": {
                "public-round": "The team's secret and a public round of drand",
                "team-secret": "The team's secret alone",
            }.get(str(stage.seed), str(stage.seed)),
        }


def _outcomes(loaded: StudyFolder) -> Iterator[tuple[str, str, str]]:
    for name, outcome in loaded.protocol.outcomes.items():
        yield outcome.label or name, outcome.role or "", ", ".join(outcome.waves)


urlpatterns = [
    path("studies/<slug:name>/protocol/", protocol, name="study-protocol"),
    path("studies/<slug:name>/protocol/amend", amend, name="study-amend"),
    path("studies/<slug:name>/protocol/versions/<int:number>.zip", version_file, name="study-version"),
]
