"""The data of a study as files: made on request, kept in the workspace, downloaded as often as needed."""

import io
import json
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_safe

from equipoise.errors import EquipoiseError
from equipoise.platform.clock import now
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.pages.filters import moment
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.policies import STUDY_ALLOWS
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.review.exporting import FORMATS, export_study

__all__ = ["urlpatterns"]

_NAME = re.compile(r"\d{8}T\d{12}Z$")
_WORDS = {
    "parquet": "Parquet (for analysis)",
    "csv": "CSV (for analysis)",
    "spreadsheet": "CSV for spreadsheets",
    "spss": "SPSS",
    "stata": "Stata",
}


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("data.export")
def exports(request: HttpRequest, study: Study) -> HttpResponse:
    """Those that were made, and a new one."""
    problems: list[dict[str, str]] = []
    chosen = [name for name in request.POST.getlist("formats") if name in FORMATS]
    if request.method == "POST":
        try:
            _make(request, study, chosen)
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            problems = problems_in(error, formats="formats")
        else:
            messages.success(request, "The data are ready. They are the first in the list.")
            return HttpResponseRedirect(reverse("exports", args=[study.name]), status=303)
    zone = folder_of(study).protocol.study.timezone
    page = {
        "page_title": "Data",
        "problems": problems,
        "formats": [(name, _WORDS.get(name, name)) for name in FORMATS],
        "chosen": chosen or ["parquet", "csv"],
        "made": [_described(study, place, zone) for place in _kept(study)],
        "results": study.results,
        "next": _next(study),
        "masked": study.results != "unmasked" and bool(folder_of(study).protocol.allocation),
    }
    return render(request, "office/exports.html", page, status=422 if problems else 200)


@require_safe
@study_page("data.export")
def export_file(request: HttpRequest, study: Study, export: str) -> HttpResponse:
    """One export as a zip file."""
    place = _place(study) / export
    if not _NAME.match(export) or not place.is_dir():
        raise Http404
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(each for each in place.rglob("*") if each.is_file()):
            archive.write(file, f"{study.name}/{file.relative_to(place).as_posix()}")
    written.seek(0)
    return FileResponse(written, as_attachment=True, filename=f"{study.name}-{export}.zip")


def _next(study: Study) -> dict[str, str]:
    """The next step of the results, where the study's state allows it."""
    steps = {"masked": ("results-seal", "Seal the data"), "sealed": ("results-unmask", "Unmask the results")}
    if study.results not in steps or study.state not in STUDY_ALLOWS["results.seal"]:
        return {}
    name, text = steps[study.results]
    return {"href": reverse(name, args=[study.name]), "text": text}


def _make(request: HttpRequest, study: Study, formats: list[str]) -> None:
    name = now().strftime("%Y%m%dT%H%M%S%fZ")
    export_study(request.user, study, _place(study) / name, formats=formats or ("parquet", "csv"))


def _place(study: Study) -> Path:
    return Path(settings.WORKSPACE.folder) / "exports" / study.name


def _kept(study: Study) -> list[Path]:
    found = _place(study)
    return sorted((each for each in found.glob("*") if _NAME.match(each.name)), reverse=True)


def _described(study: Study, place: Path, zone: str) -> dict[str, Any]:
    said = json.loads((place / "dictionary.json").read_text("utf-8"))
    files = [each for each in place.rglob("*") if each.is_file()]
    made = _moment(place.name)
    return {
        "made": {"text": moment(made, zone), "href": reverse("export-file", args=[study.name, place.name])},
        "arms": "Masked" if said["masked"] else "Named",
        "files": f"{len(files):,}",
        "size": f"{sum(each.stat().st_size for each in files) / 1_000_000:,.1f}",
    }


def _moment(name: str) -> datetime:
    return datetime.strptime(name, "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)


urlpatterns = [
    path("studies/<slug:name>/data/", exports, name="exports"),
    path("studies/<slug:name>/data/<str:export>.zip", export_file, name="export-file"),
]
