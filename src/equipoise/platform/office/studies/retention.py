"""How long a study keeps what, and the certificates of what was deleted because its time had come."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from equipoise.platform.office.access import study_page
from equipoise.platform.office.downloads import attachment, csv_file, wants_csv
from equipoise.platform.operations.models import Deletion
from equipoise.platform.operations.retention.certificates import KINDS, certificate_lines
from equipoise.platform.operations.retention.timers import Timer, timers
from equipoise.platform.pages.filters import moment
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of

__all__ = ["announcements", "urlpatterns"]

NAMES = {"contacts": "Contact details", "answers": "Answers"}


@require_safe
@study_page("audit.see")
def retention(request: HttpRequest, study: Study) -> HttpResponse:
    """What is kept until when, and what was deleted."""
    made = list(Deletion.objects.filter(study=study).order_by("-pk"))
    if wants_csv(request):
        header = ["What", "Due (UTC)", "Deleted (UTC)", "Certificate (SHA-256)"]
        lines = ((NAMES[row.kind], row.due_at, row.at, row.hash) for row in made)
        return csv_file(f"{study.name}-deletions", header, lines)
    zone, kinds = folder_of(study).protocol.study.timezone, {row.kind for row in made}
    page = {
        "page_title": "How long data are kept",
        "told": folder_of(study).protocol.privacy.retention,
        "kept": [_kept(timer, zone, timer.kind in kinds) for timer in timers(study)],
        "made": [_made(study, row, zone) for row in made],
        "trail": [{"text": "Record", "href": reverse("study-record", args=[study.name])}],
    }
    return render(request, "office/retention.html", page)


@require_safe
@study_page("audit.see")
def certificate(request: HttpRequest, study: Study, number: int, ending: str) -> HttpResponse:
    """A certificate as a file: the JSON that was hashed, or its words."""
    row = Deletion.objects.filter(study=study, pk=number).first()
    if row is None or ending not in ("json", "txt"):
        raise Http404
    words = "".join(f"{line}\n" for line in certificate_lines(row))
    text, kind = (row.certificate, "application/json") if ending == "json" else (words, "text/plain")
    response = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    return attachment(response, f"{study.name}-{row.kind}-deleted-{row.at:%Y%m%d}.{ending}")


def announcements(study: Study) -> Iterator[dict[str, str]]:
    """What is deleted within two weeks, for the pages that say what needs somebody; in no query where the
    study's waves have fixed times."""
    zone = folder_of(study).protocol.study.timezone
    for timer in timers(study):
        if timer.due is not None and timer.announced and not timer.is_due:
            text = f"{NAMES[timer.kind]} are deleted {moment(timer.due, zone)}"
            yield {"text": text, "href": reverse("retention", args=[study.name])}


def _kept(timer: Timer, zone: str, deleted: bool) -> dict[str, Any]:
    if timer.due is None:
        state = "Not known before the study is closed"
    elif not timer.is_due:
        state = _moment(timer.due, zone)
    else:
        state = (
            "Deleted" if deleted else f"{_moment(timer.due, zone)}: the worker deletes them within the hour"
        )
    return {
        "what": NAMES[timer.kind],
        "says": KINDS[timer.kind],
        "kept": f"{timer.kept} after answering has ended",
        "due": state,
        "soon": timer.announced and not timer.is_due,
    }


def _made(study: Study, row: Deletion, zone: str) -> dict[str, Any]:
    files = {ending: reverse("certificate", args=[study.name, row.pk, ending]) for ending in ("txt", "json")}
    return {
        "what": NAMES[row.kind],
        "due": _moment(row.due_at, zone),
        "at": {"text": _moment(row.at, zone), "href": files["txt"]},
        "hash": {"text": row.hash[:12], "href": files["json"]},
    }


def _moment(when: datetime, zone: str) -> str:
    return str(moment(when, zone))


urlpatterns = [
    path("studies/<slug:name>/record/kept/", retention, name="retention"),
    path("studies/<slug:name>/record/kept/<int:number>.<slug:ending>", certificate, name="certificate"),
]
