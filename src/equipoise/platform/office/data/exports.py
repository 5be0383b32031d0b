"""The data of a study as files: asked for here, made by the worker, downloaded as often as needed."""

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_safe

from equipoise.errors import EquipoiseError
from equipoise.exchange import mask_limits
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.operations.marker import RECENT_SECONDS, heartbeat_age
from equipoise.platform.pages.filters import moment
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.policies import STUDY_ALLOWS
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.review.exporting import FORMATS
from equipoise.platform.review.jobs import ask_for_export, exports, zip_of
from equipoise.platform.review.models import Export

__all__ = ["urlpatterns"]

_SHOWN = 50
_WORDS = {
    "parquet": "Parquet (for analysis)",
    "csv": "CSV (for analysis)",
    "spreadsheet": "CSV for spreadsheets",
    "spss": "SPSS",
    "stata": "Stata",
}
_STATES = {
    "waiting": "Waiting for the worker",
    "making": "Being made",
    "ready": "Ready",
    "failed": "Could not be made",
    "dropped": "Deleted",
}


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("data.export")
def data(request: HttpRequest, study: Study) -> HttpResponse:
    """What was asked for and how far it is, and a form to ask."""
    problems: list[dict[str, str]] = []
    chosen = [name for name in request.POST.getlist("formats") if name in FORMATS]
    if request.method == "POST":
        try:
            ask_for_export(request.user, study, chosen)
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            problems = problems_in(error, formats="formats")
        else:
            messages.success(request, "The data are asked for. They are the first in the list.")
            return HttpResponseRedirect(reverse("exports", args=[study.name]), status=303)
    rows = exports(study)
    if wants_csv(request):
        header = ["Asked for (UTC)", "State", "Arms", "Formats", "Participants", "Files", "Size (bytes)"]
        return csv_file(f"{study.name}-exports", header, map(_line, rows.iterator(500)))
    shown = list(rows[:_SHOWN])
    zone = folder_of(study).protocol.study.timezone
    masked = study.results != "unmasked" and bool(folder_of(study).protocol.allocation)
    page = {
        "page_title": "Data",
        "problems": problems,
        "formats": [(name, _WORDS.get(name, name)) for name in FORMATS],
        "chosen": chosen or ["parquet", "csv"],
        "made": [_described(study, export, zone) for export in shown],
        "failed": [each.problem for each in shown if each.state == "failed" and each.problem][:1],
        "busy": any(each.state in ("waiting", "making") for each in shown),
        "worker": _working(),
        "results": study.results,
        "next": _next(study),
        "masked": masked,
        "limits": mask_limits(folder_of(study)) if masked else (),
        "may_review": request.may("data.review"),
        "file": "?format=csv" if shown else "",
    }
    return render(request, "office/exports.html", page, status=422 if problems else 200)


@require_safe
@study_page("data.export")
def export_file(request: HttpRequest, study: Study, export: str) -> HttpResponse:
    """One export as a zip file."""
    found = exports(study).select_related("study").filter(name=export).first()
    file = zip_of(found) if found is not None else None
    if file is None:
        raise Http404
    return FileResponse(file.open("rb"), as_attachment=True, filename=f"{study.name}-{export}.zip")


def _working() -> bool:
    """Whether a worker has shown itself lately."""
    age = heartbeat_age(Path(settings.WORKSPACE.folder), time.time())
    return age is not None and age < RECENT_SECONDS


def _next(study: Study) -> dict[str, str]:
    """The next step of the results, where the study's state allows it."""
    steps = {"masked": ("results-seal", "Seal the data"), "sealed": ("results-unmask", "Unmask the results")}
    if study.results not in steps or study.state not in STUDY_ALLOWS["results.seal"]:
        return {}
    name, text = steps[study.results]
    return {"href": reverse(name, args=[study.name]), "text": text}


def _described(study: Study, export: Export, zone: str) -> dict[str, Any]:
    asked: Any = moment(export.asked_at, zone)
    if zip_of(export) is not None:
        asked = {"text": asked, "href": reverse("export-file", args=[study.name, export.name])}
    return {
        "asked": asked,
        "state": _STATES["dropped" if export.state == "ready" and zip_of(export) is None else export.state],
        "arms": _arms(export),
        "formats": ", ".join(_WORDS.get(name, name) for name in export.formats),
        "rows": "–" if export.rows is None else f"{export.rows:,}",
        "size": "–" if export.size is None else f"{export.size / 1_000_000:,.1f}",
    }


def _arms(export: Export) -> str:
    return "–" if export.masked is None else "Masked" if export.masked else "Named"


def _line(export: Export) -> tuple[Any, ...]:
    """A row of the list as a file."""
    return (
        export.asked_at,
        _STATES[export.state],
        _arms(export),
        ", ".join(export.formats),
        export.rows,
        export.files,
        export.size,
    )


urlpatterns = [
    path("studies/<slug:name>/data/", data, name="exports"),
    path("studies/<slug:name>/data/<str:export>.zip", export_file, name="export-file"),
]
