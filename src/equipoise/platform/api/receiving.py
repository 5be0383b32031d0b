"""A file that a service sends: as the body, or as a part of a form; bounded before it comes in."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

from django.conf import settings
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParser

from equipoise.platform.api.problems import UnsuitableError
from equipoise.platform.office.uploads import LARGEST, check_roster
from equipoise.platform.people.pending import safe_name

__all__ = ["CONTENT_TYPES", "FORM", "received_file"]

FORM = "multipart/form-data"
CONTENT_TYPES = {
    "text/csv": ".csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.apache.parquet": ".parquet",
}
_AROUND = 100_000  # bytes of a form besides the file in it
_PIECE = 1 << 16


@contextmanager
def received_file(request: HttpRequest, name: str) -> Iterator[Path]:
    """The file of a request, whole, for as long as it is read; nothing of it is left behind.

    Args:
        request: with the file as its body, or as `file` of a form.
        name: of the file, by which problems are told; that of the form, or `roster`, when empty.
    Raises:
        UnsuitableError: too large, cut off, of unknown length, or of a type that is not taken.
        InputError: it is no table, as `check_roster` says.
    """
    length = _length(request)
    place = settings.WORKSPACE.folder / "uploads"
    place.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place) as folder, tempfile.NamedTemporaryFile(dir=place) as body:
        _keep_body(request, Path(body.name), length)
        if request.content_type == FORM:
            path = _part(request, Path(body.name), Path(folder), name)
        else:
            path = Path(folder) / safe_name(name or "roster" + CONTENT_TYPES[request.content_type])
            shutil.copyfile(body.name, path)
        check_roster(path)
        yield path


def _length(request: HttpRequest) -> int:
    """The length that is said, if what is said of the body can be taken at all."""
    kind, said = request.content_type, request.META.get("CONTENT_LENGTH", "")
    if kind != FORM and kind not in CONTENT_TYPES:
        found = f"found {kind}" if kind else "no Content-Type was given"
        message = f"{found}; taken are {', '.join((*CONTENT_TYPES, FORM))}"
        raise UnsuitableError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message)
    if not said.isdecimal():
        raise UnsuitableError(HTTPStatus.LENGTH_REQUIRED, "say by Content-Length how long the file is")
    if int(said) > LARGEST + (_AROUND if kind == FORM else 0):
        message = f"the file is larger than {LARGEST // 1_000_000} MB; send it in parts, one a partner"
        raise UnsuitableError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)
    return int(said)


def _keep_body(request: HttpRequest, body: Path, length: int) -> None:
    with body.open("wb") as file:
        while piece := request.read(_PIECE):
            file.write(piece)
        if file.tell() != length:
            message = "the file was cut off on its way; send it again"
            raise UnsuitableError(HTTPStatus.BAD_REQUEST, message)


def _part(request: HttpRequest, body: Path, folder: Path, name: str) -> Path:
    """The file of a form; the form is read from what was kept of it, so that a part of one is never taken."""
    with body.open("rb") as form:
        _, files = MultiPartParser(request.META, form, [TemporaryFileUploadHandler()]).parse()
    sent = files.get("file")
    if sent is None:
        raise UnsuitableError(HTTPStatus.BAD_REQUEST, "the form has no part named file")
    path = folder / safe_name(name or sent.name)
    with sent, path.open("wb") as file:
        shutil.copyfileobj(sent, file)
    return path
