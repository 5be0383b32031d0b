"""Messages that leave as a file: which are to be made, each made and downloaded, and what came back."""

import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from equipoise.errors import EquipoiseError, InputError, Problem
from equipoise.platform.delivery.channels.partner_file import FORMS
from equipoise.platform.delivery.files import MOST_LETTERS, FileOf, file_of, files_of, make_file, mark_posted
from equipoise.platform.delivery.models import PartnerFile
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.office.listing import leaf_of
from equipoise.platform.office.messages.words import minute, named, way
from equipoise.platform.operations.held import sending_held
from equipoise.platform.people.pending import kept_by
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.sends import sends

__all__ = ["RECEIPTS", "send_words", "urlpatterns"]

RECEIPTS = "receipts"  # what an upload is kept as
_FORMS = {"xlsx": "Workbook (XLSX); leading zeros and plus signs stay", "csv": "CSV"}
_KINDS = {"made": "File made", "receipts": "Receipts taken", "posted": "Said to be posted"}
_ENDED = {
    ("sent", "delivered"): "Sent",
    ("failed", "missed", "cancelled"): "Not sent",
    ("unknown",): "In doubt",
}
_CAME = {
    "at": "When",
    "kind": "What",
    "send": "Send",
    "whose": "Whose people",
    "people": "People",
    "left_out": "Left out",
    "hash": "Hash of the file",
}


@require_safe
@study_page("messages.files")
def files(request: HttpRequest, study: Study) -> HttpResponse:
    """What waits for a file or for its receipts, and every file that was made or came."""
    came = PartnerFile.objects.filter(study=study).select_related("partner").order_by("-pk")
    zone = _zone(study)
    if wants_csv(request):
        rows = (tuple(_came(study, row, zone)[key] for key in _CAME) for row in came.iterator(500))
        return csv_file(f"{study.name}-message-files", list(_CAME.values()), rows)
    leaf = leaf_of(request, came.count())
    shown = list(came[leaf.rows])
    page = {
        "page_title": "Messages that leave as a file",
        "waiting": [_waiting(study, each, zone) for each in files_of(study)],
        "came": [_came(study, row, zone) for row in shown],
        "left_out": any(row.counts.get("left_out") for row in shown),
        "came_columns": [
            {"key": key, "text": text, "number": key in ("people", "left_out")} for key, text in _CAME.items()
        ],
        "may_come": came.filter(kind="made").exists(),
        "pending": [
            (each, minute(each.at, zone)) for each in kept_by(request.user, study, kinds=(RECEIPTS,))
        ],
        "zone": zone,
        "trail": way(study),
        **leaf.values({}),
    }
    return render(request, "office/message_files.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("messages.files")
def message_file(request: HttpRequest, study: Study, send: str, number: int, partner: str) -> HttpResponse:
    """One file: how far it is; POST makes it, and answers with it."""
    wanted = _wanted(study, send, number, partner)
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            return _made(request, study, wanted, partner)
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            problems = problems_in(error, form="form")
    page = _page(request, study, wanted, partner) | {"problems": problems}
    return render(request, "office/message_file.html", page, status=422 if problems else 200)


@require_POST
@study_page("messages.files")
def posted(request: HttpRequest, study: Study, send: str, number: int) -> HttpResponse:
    """Say on which day the letters were posted."""
    wanted = _wanted(study, send, number, "none")
    try:
        letters = mark_posted(request.user, study, send, number, _day(request))
    except NotAllowedError:
        raise
    except EquipoiseError as error:
        page = _page(request, study, wanted, "none") | {"problems": problems_in(error, day="day")}
        return render(request, "office/message_file.html", page, status=422)
    said = "1 letter is" if letters == 1 else f"{letters:,} letters are"
    messages.success(request, f"{said} noted as posted.")
    return HttpResponseRedirect(reverse("message-files", args=[study.name]), status=303)


def send_words(study: Study, name: str, occasion: int | None) -> str:
    """A send with its occasion; its name where the protocol in force no longer has it."""
    send = sends(folder_of(study)).get(name)
    label, times = (send.label, send.times) if send is not None else (name, 1)
    return named(label, occasion, times) if occasion is not None else label


def _wanted(study: Study, send: str, number: int, partner: str) -> FileOf:
    try:
        return file_of(study, send, number, partner)
    except InputError:
        raise Http404 from None


def _made(request: HttpRequest, study: Study, wanted: FileOf, partner: str) -> HttpResponse:
    """The file as a download; nothing of it is left behind."""
    if sending_held(settings.WORKSPACE):
        raise InputError(
            Problem("", "", "This is a restored copy, from which nothing is sent until released")
        )
    place = Path(settings.WORKSPACE.folder) / "uploads"
    place.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place) as folder:
        made = make_file(
            request.user,
            study,
            wanted.send,
            wanted.occasion,
            partner=partner,
            form=request.POST.get("form") or None,
            again=request.POST.get("again") == "yes",
            folder=Path(folder),
        )
        return FileResponse(made.open("rb"), as_attachment=True, filename=made.name)


def _day(request: HttpRequest) -> date:
    try:
        return date.fromisoformat(request.POST.get("day", "").strip())
    except ValueError:
        raise InputError(Problem("", "day", "write a day, such as 2021-04-14")) from None


def _page(request: HttpRequest, study: Study, wanted: FileOf, partner: str) -> dict[str, Any]:
    zone, counts = _zone(study), wanted.counts
    waits, filed = counts.get("planned", 0), counts.get("sending", 0)
    post = wanted.carrier == "post"
    return {
        "page_title": send_words(study, wanted.send, wanted.occasion),
        "about": [
            ("Goes by", "Post" if post else "Partner"),
            ("Whose people", _whose(wanted)),
            ("Due", minute(wanted.due, zone)),
            ("To be put into a file", f"{waits:,}"),
            ("In a file, nothing came back", f"{filed:,}"),
            *_ended(counts),
        ],
        "made": minute(wanted.made, zone) if wanted.made is not None else "",
        "post": post,
        "most": MOST_LETTERS if post and waits > MOST_LETTERS else 0,
        "forms": [(form, _FORMS[form]) for form in FORMS],
        "form": request.POST.get("form", FORMS[0]),
        "waits": waits,
        "filed": filed,
        "live": study.state == "live",
        "day": request.POST.get("day", ""),
        "posted": reverse("message-posted", args=[study.name, wanted.send, wanted.occasion]) if post else "",
        "zone": zone,
        "trail": way(study, {"text": "Files", "href": reverse("message-files", args=[study.name])}),
    }


def _ended(counts: dict[str, int]) -> Iterator[tuple[str, str]]:
    """What became of those that wait no more; what there is none of is left out."""
    for states, text in _ENDED.items():
        number = sum(counts.get(state, 0) for state in states)
        if number:
            yield text, f"{number:,}"


def _waiting(study: Study, each: FileOf, zone: str) -> dict[str, Any]:
    partner = each.partner.name if each.partner is not None else "none"
    return {
        "what": {
            "text": send_words(study, each.send, each.occasion),
            "href": reverse("message-file", args=[study.name, each.send, each.occasion, partner]),
        },
        "whose": _whose(each),
        "due": minute(each.due, zone),
        "waits": f"{each.counts.get('planned', 0):,}",
        "filed": f"{each.counts.get('sending', 0):,}",
    }


def _whose(each: FileOf) -> str:
    if each.carrier == "post":
        return "Everybody’s"
    return each.partner.title if each.partner is not None else "Of no partner"


def _came(study: Study, row: PartnerFile, zone: str) -> dict[str, Any]:
    counts = row.counts
    return {
        "at": minute(row.at, zone),
        "kind": _KINDS[row.kind],
        "send": send_words(study, row.contact, row.occasion),
        "whose": row.partner.title if row.partner is not None else "–",
        "people": counts.get("people", counts.get("sent", 0) + counts.get("failed", 0)),
        "left_out": counts.get("left_out", "–"),
        "hash": row.file_hash[:16] or "–",
    }


def _zone(study: Study) -> str:
    return folder_of(study).protocol.study.timezone


_PLACE = "studies/<slug:name>/messages/files/"
urlpatterns = [
    path(_PLACE, files, name="message-files"),
    path(f"{_PLACE}<str:send>/<int:number>/posted", posted, name="message-posted"),
    path(f"{_PLACE}<str:send>/<int:number>/<slug:partner>/", message_file, name="message-file"),
]
