"""`studies/STUDY/exports`: the data of a study, asked for, made by the worker, fetched as files.

What is in them is what staff get by the page Data: no name, no contact detail, and arms by letters until the
results are unmasked.
"""

import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from ninja import Router, Schema, Status
from pydantic import Field

from equipoise.platform.api.limits import count_dear
from equipoise.platform.office.downloads import attachment
from equipoise.platform.registry.models import Study
from equipoise.platform.review.formats import FORMATS
from equipoise.platform.review.jobs import ask_for_export, zip_of
from equipoise.platform.review.jobs import exports as exports_of
from equipoise.platform.review.models import Export

__all__ = ["router"]

router = Router(tags=["Frames"])
WHOLE = "data.zip"
_LISTED = 50
_PIECE = 1 << 16
_ROOT = "studies/{slug:study}/exports"
_AFTER_SECONDS = "2"
_BYTES = {
    "200": {
        "description": "The file",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class ExportWanted(Schema, extra="forbid"):
    """Which formats; Parquet and CSV where none is named."""

    formats: list[Literal["parquet", "csv", "spreadsheet", "spss", "stata"]] = Field(
        [], max_length=len(FORMATS)
    )


class ExportSaid(Schema):
    """An export. `files` are there once it is `ready`; `masked` and `rows` are known then."""

    name: str
    state: Literal["waiting", "making", "ready", "failed", "dropped"]
    formats: list[str]
    masked: bool | None
    rows: int | None
    asked_at: datetime
    ended_at: datetime | None
    problem: str
    files: list[str]


class ExportsSaid(Schema):
    """The exports of a study, newest first, no more than fifty."""

    exports: list[ExportSaid]


@router.post(_ROOT, response={202: ExportSaid}, url_name="api-exports", operation_id="ask_for_export")
def ask(request: HttpRequest, response: HttpResponse, study: str, wanted: ExportWanted) -> Status:
    """Ask for the data. They are made soon; Location says where to look."""
    count_dear(request)
    made = ask_for_export(request.auth.service, request.auth.study, wanted.formats)
    response.headers["Location"] = reverse("api-export", args=[study, made.name])
    response.headers["Retry-After"] = _AFTER_SECONDS
    return Status(202, _said(made))


@router.get(_ROOT, response=ExportsSaid, url_name="api-exports", operation_id="exports")
def exports(request: HttpRequest, study: str) -> dict[str, Any]:
    """What was asked for, by staff and services alike."""
    return {"exports": [_said(each) for each in exports_of(request.auth.study)[:_LISTED]]}


@router.get(f"{_ROOT}/{{slug:export}}", response=ExportSaid, url_name="api-export", operation_id="one_export")
def export(request: HttpRequest, study: str, export: str) -> dict[str, Any]:
    """How far an export is, and its files."""
    return _said(_named(request.auth.study, export))


@router.get(
    f"{_ROOT}/{{slug:export}}/{{path:file}}",
    url_name="api-export-file",
    operation_id="export_file",
    openapi_extra={"responses": _BYTES},
)
def export_file(request: HttpRequest, study: str, export: str, file: str) -> StreamingHttpResponse:
    """One file of an export that is ready, or all of them as `data.zip`."""
    found = _named(request.auth.study, export)
    place = zip_of(found)
    if place is not None and file == WHOLE:
        return FileResponse(place.open("rb"), as_attachment=True, filename=f"{study}-{found.name}.zip")
    if place is None or file not in _files(found, place):
        raise Http404
    sent = StreamingHttpResponse(_member(place, f"{study}/{file}"), content_type="application/octet-stream")
    return attachment(sent, Path(file).name)


def _named(study: Study, name: str) -> Export:
    found = exports_of(study).filter(name=name).first()
    if found is None:
        raise Http404
    return found


def _said(export: Export) -> dict[str, Any]:
    place = zip_of(export)
    fields = ("name", "state", "formats", "masked", "rows", "asked_at", "ended_at", "problem")
    return {
        **{name: getattr(export, name) for name in fields},
        "files": [] if place is None else [WHOLE, *_files(export, place)],
    }


def _files(export: Export, place: Path) -> list[str]:
    with zipfile.ZipFile(place) as archive:
        return [name.removeprefix(f"{export.study.name}/") for name in archive.namelist()]


def _member(place: Path, name: str) -> Iterator[bytes]:
    with zipfile.ZipFile(place) as archive, archive.open(name) as file:
        while piece := file.read(_PIECE):
            yield piece
