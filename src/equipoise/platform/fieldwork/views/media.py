"""A study's videos with their captions and transcripts, in ranges, for whoever is in its survey."""

import mimetypes
import re

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from equipoise.platform.fieldwork.models import Session
from equipoise.platform.fieldwork.tickets import Ticket
from equipoise.platform.fieldwork.views.pages import with_session
from equipoise.platform.registry.media import pieces
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol import Study as StudyFolder

__all__ = ["media", "media_file"]

_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")
_TYPES = {
    ".vtt": "text/vtt; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}


@require_safe
@with_session
def media(request: HttpRequest, session: Session, ticket: Ticket, path: str) -> HttpResponse:
    """One file of `media/`, for somebody who is in the survey."""
    return media_file(request, folder_of(session.participant.study, session.version), path)


def media_file(request: HttpRequest, folder: StudyFolder, path: str) -> HttpResponse:
    """One file of `media/`; only those that the lock knows, so no path leads anywhere else.

    Args:
        request: may ask for a part of it.
        folder: of a version of a study.
        path: below `media/`.
    """
    name = f"media/{path}"
    if name not in folder.media:
        raise Http404
    return _ranged(request, folder, name)


def _ranged(request: HttpRequest, folder: StudyFolder, name: str) -> HttpResponse:
    place = folder.folder / name
    size = place.stat().st_size
    kind = (
        _TYPES.get(place.suffix.lower()) or mimetypes.guess_type(place.name)[0] or "application/octet-stream"
    )
    asked = _RANGE.match(request.headers.get("Range", ""))
    first, last = 0, size - 1
    if asked is not None and asked[0] != "bytes=-":
        first = int(asked[1]) if asked[1] else max(0, size - int(asked[2]))
        last = min(int(asked[2]), size - 1) if asked[1] and asked[2] else size - 1
        if first > last:
            return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    response = StreamingHttpResponse(pieces(folder, name, first, last), content_type=kind)
    response.headers["Content-Length"] = str(last - first + 1)
    response.headers["Accept-Ranges"] = "bytes"
    if asked is not None:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return response
