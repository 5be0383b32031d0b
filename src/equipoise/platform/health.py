"""Pages for machines that look after a workspace: is it alive, can it take answers, how much is there.

They hold nothing of any person, need no session, and change nothing.
"""

import time
from collections.abc import Callable
from threading import Lock
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe

from equipoise.platform.audit.models import Chain
from equipoise.platform.database import writing
from equipoise.platform.delivery.watch.watching import behind
from equipoise.platform.operations.held import sending_held
from equipoise.platform.operations.marker import RECENT_SECONDS, heartbeat_age
from equipoise.platform.operations.measures import measures, prometheus
from equipoise.platform.operations.schema import migrations
from equipoise.platform.startup import is_loopback

__all__ = ["health", "messages", "metrics", "ready", "urlpatterns"]

_KEPT_SECONDS = 1.0


class _Kept:
    """The last answer of this process, so that whoever asks often costs the database nothing."""

    def __init__(self, look: Callable[[], dict[str, Any]]) -> None:
        self.look, self.lock, self.until = look, Lock(), 0.0
        self.said: dict[str, Any] = {}

    def answer(self) -> dict[str, Any]:
        """What is known, looked at anew once a second at most."""
        with self.lock:
            if time.monotonic() >= self.until:
                self.said = self.look()
                self.until = time.monotonic() + _KEPT_SECONDS
            return self.said

    def forget(self) -> None:
        """Look anew with the next question."""
        self.until = 0.0


def _look() -> dict[str, Any]:
    database = _database()
    tables = _tables() if database == "ok" else "unknown"
    worker = _worker()
    good = database == "ok" and tables == "ok" and worker in ("ok", "elsewhere")
    return {"ready": "yes" if good else "no", "database": database, "migrations": tables, "worker": worker}


def _messages() -> dict[str, Any]:
    """Nothing goes out by itself where no worker is, or where sending is held."""
    try:
        found = behind()
    except DatabaseError:
        return {"messages": "unknown"}
    stands = "behind" if found.late else "alarm" if found.alarms else "ok"
    return {
        "messages": "held" if sending_held(settings.WORKSPACE) else stands,
        "due": found.due,
        "late": found.late,
        "unknown": found.unknown,
        "alarms": found.alarms,
        "oldest_due": found.oldest and found.oldest.isoformat(timespec="seconds"),
    }


kept, kept_messages = _Kept(_look), _Kept(_messages)


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Whether this process answers; the database is not asked."""
    return JsonResponse({"health": "ok"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Whether answers can be taken: the database can be written to, has the tables that this version expects,
    and the worker is alive."""
    said = kept.answer()
    return JsonResponse(said, status=200 if said["ready"] == "yes" else 503)


@require_safe
def messages(request: HttpRequest) -> JsonResponse:
    """Whether messages go out as they should: due against sent, for this machine and those that are named.

    Raises:
        Http404: for everybody else.
    """
    if not _may_measure(request):
        raise Http404
    said = kept_messages.answer()
    return JsonResponse(said, status=200 if said["messages"] == "ok" else 503)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Counts in Prometheus' text format, for this machine and the addresses that the workspace names.

    Raises:
        Http404: for everybody else.
    """
    if not _may_measure(request):
        raise Http404
    text = "".join(f"{line}\n" for line in prometheus(measures()))
    return HttpResponse(text, content_type="text/plain; version=0.0.4; charset=utf-8")


def _database() -> str:
    """Ask for the right to write, as an answer does, and give it back with nothing written."""
    try:
        with writing():
            Chain.objects.filter(name="").update(number=0)
    except DatabaseError:
        return "cannot be written to"
    return "ok"


def _tables() -> str:
    try:
        found = migrations()
    except DatabaseError:
        return "unknown"
    if found.unknown:
        return "of a later version"
    return "pending" if found.pending else "ok"


def _worker() -> str:
    """With PostgreSQL the worker may be at another machine, whose files are not here."""
    age = heartbeat_age(settings.WORKSPACE.folder, time.time())
    if age is None:
        return "none" if connection.vendor == "sqlite" else "elsewhere"
    return "ok" if age <= RECENT_SECONDS else "silent"


def _may_measure(request: HttpRequest) -> bool:
    """What was passed on never counts as coming from this machine, although the proxy may be on it."""
    address, named = request.META.get("REMOTE_ADDR", ""), settings.WORKSPACE.settings.metrics
    return address in named or (is_loopback(address) and not request.passed_on)


urlpatterns = [
    path("health", health, name="health"),
    path("ready", ready, name="ready"),
    path("health/messages", messages, name="health-messages"),
    path("metrics", metrics, name="metrics"),
]
