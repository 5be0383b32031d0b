"""A partner's account of what was sent: the file, its columns, a look at what would be noted, and confirm."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST

from equipoise.errors import EquipoiseError, InputError, Problem
from equipoise.platform.delivery.files import ReceiptFile, look_at_receipts, read_receipts
from equipoise.platform.delivery.files.reading import columns_of_table, receipt_columns, receipt_header
from equipoise.platform.delivery.files.receiving import Receipts, occasions_of
from equipoise.platform.delivery.models import PartnerFile
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.office.imports.lines import read_counts, shown_lists, unreadable, written_counts
from equipoise.platform.office.matching import Sought, matching
from equipoise.platform.office.messages.files import RECEIPTS, send_words
from equipoise.platform.office.messages.words import way
from equipoise.platform.office.uploads import LARGEST, received_table
from equipoise.platform.people.models import PendingImport
from equipoise.platform.people.pending import choose, drop, keep, source_of, the_pending
from equipoise.platform.people.reading import RosterSource
from equipoise.platform.permissions import NotAllowedError, check_permission
from equipoise.platform.policies import check_state
from equipoise.platform.registry.models import Study
from equipoise.roster import propose_mapping

__all__ = ["urlpatterns"]

_VERB = "messages.files"
_SHOWN = 10
_LISTS = {
    "problems": ("Problems", ("Line", "Column", "Problem")),
    "notes": ("Changed or noticed in reading", ("Column", "What", "Rows")),
}
_WOULD = {
    "sent": "Would be noted as sent",
    "failed": "Would be noted as not sent",
    "known": "Say what is noted already",
    "gone": "Of people who had everything erased; nothing of it is kept",
    "refused": "Rows with a problem",
}


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("messages.files")
def receipts(request: HttpRequest, study: Study) -> HttpResponse:
    """Choose a receipt file."""
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            pending = _received(request, study)
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            problems = problems_in(error, file="file", send="send")
        else:
            onward = reverse("receipt-columns", args=[study.name, pending.pk])
            return HttpResponseRedirect(onward, status=303)
    made = PartnerFile.objects.filter(study=study, kind="made").order_by("contact")
    names = list(made.values_list("contact", flat=True).distinct())
    page = {
        "page_title": "Take receipts",
        "problems": problems,
        "sends": [(name, send_words(study, name, None)) for name in names],
        "send": request.POST.get("send", names[0] if len(names) == 1 else ""),
        "largest": f"{LARGEST // 1_000_000} MB",
        "trail": _trail(study),
    }
    return render(request, "office/message_receipts.html", page, status=422 if problems else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("messages.files")
def columns(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Say which column is which."""
    pending = _pending(request, study, number)
    times = occasions_of(study, pending.choices["send"])
    sought = Sought(
        what=send_words(study, pending.choices["send"], None),
        declared=receipt_columns(study, times),
        header=lambda source, _: receipt_header(study, _file(pending, source), times),
        propose=lambda table: propose_mapping(table, columns_of_table(study, table, times)).mapping.columns,
        kind="receipt",
        onward="See what would be noted",
        trail=_trail(study),
    )
    return matching(request, study, pending, sought)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("messages.files")
def preview(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Look, then confirm."""
    pending = _pending(request, study, number)
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            expected = read_counts(request.POST.get("expected", ""))
            with source_of(pending) as source:
                done = read_receipts(request.user, study, _file(pending, source), expected=expected)
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            problems = problems_in(error)[:_SHOWN]
        else:
            drop(pending)
            messages.success(request, _done(done))
            return HttpResponseRedirect(reverse("message-files", args=[study.name]), status=303)
    try:
        with source_of(pending) as source:
            looked = look_at_receipts(study, _file(pending, source))
    except EquipoiseError as error:
        return unreadable(request, pending, error, _trail(study), kind="receipt", another="receipts")
    if wants_csv(request):
        return csv_file(f"{study.name}-receipts-problems", _LISTS["problems"][1], _listed(looked, "problems"))
    page = _page(study, pending, looked) | {"problems": problems}
    return render(request, "office/receipt_preview.html", page, status=422 if problems else 200)


@require_POST
@study_page("messages.files")
def discard(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Forget a file that was not confirmed."""
    drop(_pending(request, study, number))
    return HttpResponseRedirect(reverse("message-files", args=[study.name]), status=303)


def _received(request: HttpRequest, study: Study) -> PendingImport:
    check_permission(request.user, _VERB, study)
    check_state(_VERB, study.state, of=study.name)
    send = request.POST.get("send", "")
    if not send:
        raise InputError(Problem("", "send", "choose what was sent"))
    occasions_of(study, send)
    name, place = received_table(request)
    pending = keep(request.user, study, name, place, RECEIPTS)
    choose(pending, {"send": send})
    return pending


def _pending(request: HttpRequest, study: Study, number: int) -> PendingImport:
    found = the_pending(request.user, study, number, kinds=(RECEIPTS,))
    if found is None:
        raise Http404
    return found


def _file(pending: PendingImport, source: RosterSource) -> ReceiptFile:
    chosen = pending.choices
    return ReceiptFile(source.path, chosen["send"], source.mapping, source.encoding, chosen.get("header"))


def _page(study: Study, pending: PendingImport, looked: Receipts) -> dict[str, Any]:
    counts, blocked = looked.counts, looked.refusals()
    lists = {name: _listed(looked, name) for name in _LISTS}
    news = counts["sent"] + counts["failed"]
    return {
        "page_title": "What would be noted",
        "pending": pending,
        "what": send_words(study, pending.choices["send"], None),
        "numbers": [(text, f"{counts[name]:,}") for name, text in _WOULD.items() if counts[name]],
        "lists": shown_lists(_LISTS, lists),
        "blocked": blocked[0].message if blocked else "",
        "expected": written_counts(counts),
        "button_text": f"Note {news:,} {'message' if news == 1 else 'messages'}",
        "hash": looked.read.file_hash[:16],
        "trail": _trail(study),
    }


def _listed(looked: Receipts, what: str) -> Sequence[tuple[Any, ...]]:
    """The rows of one list; nothing in them says who somebody is."""
    if what == "problems":
        return looked.report.refusals.select("place", "column", "reason").rows()
    return [(note.column, note.message, note.rows) for note in looked.report.notes]


def _trail(study: Study) -> list[dict[str, str]]:
    return way(study, {"text": "Files", "href": reverse("message-files", args=[study.name])})


def _done(taken: PartnerFile) -> str:
    return f"{taken.counts['sent']:,} noted as sent, {taken.counts['failed']:,} as not sent."


_PLACE = "studies/<slug:name>/messages/receipts/"
urlpatterns = [
    path(_PLACE, receipts, name="receipts"),
    path(f"{_PLACE}<int:number>/columns", columns, name="receipt-columns"),
    path(f"{_PLACE}<int:number>/preview", preview, name="receipt-preview"),
    path(f"{_PLACE}<int:number>/discard", discard, name="receipt-discard"),
]
