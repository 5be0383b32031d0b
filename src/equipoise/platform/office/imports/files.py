"""A roster into a study, by pages: the file, which column is which, a look at what would happen, confirm; and
an import taken back while it can be."""

from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from equipoise.errors import EquipoiseError, InputError, Problem
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.confirming import confirmed_act
from equipoise.platform.office.imports.columns import columns
from equipoise.platform.office.imports.lines import counts_for, file_of, lines
from equipoise.platform.office.imports.preview import preview
from equipoise.platform.office.uploads import LARGEST, received_table
from equipoise.platform.pages.filters import moment
from equipoise.platform.people.actions import undo_faults, undo_import
from equipoise.platform.people.enrolling import enrolment_is_open
from equipoise.platform.people.models import Participant, PendingImport, RosterImport
from equipoise.platform.people.pending import drop, keep, kept_by
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.policies import STUDY_ALLOWS, check_state
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of

__all__ = ["urlpatterns"]

KINDS = {
    "import": ("Enrol new people", "Whoever takes part already is left as they are."),
    "update": (
        "Bring people up to date",
        "Changes contact details and the like, by identifier. New people are enrolled while that is open.",
    ),
}
_COUNTED = {
    "new": "Enrolled",
    "known": "Took part already, left as they were",
    "kept_out": "Had left the study, kept out",
    "ineligible": "Not eligible",
    "unknown": "Eligibility unknown",
    "late": "Too late to be enrolled",
    "refused": "Rows refused",
    "contact": "Contact details changed",
    "facts": "Attributes changed",
    "moved": "Moved to another partner",
    "left": "Left their employer",
    "returned": "Came back",
    "kept": "Attributes kept, because lots hang on them",
    "unchanged": "Unchanged",
}


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("people.import", by_partner=True)
def upload(request: HttpRequest, study: Study) -> HttpResponse:
    """Choose a file; below, what was imported before."""
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            kept = _received(request, study)
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            problems = problems_in(error, file="file", kind="kind")
        else:
            return HttpResponseRedirect(reverse("import-columns", args=[study.name, kept.pk]), status=303)
    known = request.reach.narrow(Participant.objects.filter(study=study)).exists()
    zone = folder_of(study).protocol.study.timezone
    page = {
        "page_title": "Import a roster",
        "problems": problems,
        "kinds": [(name, *said) for name, said in KINDS.items()] if known else [],
        "kind": request.POST.get("kind") or ("import" if enrolment_is_open(study) else "update"),
        "largest": f"{LARGEST // 1_000_000} MB",
        "waiting": [(each, moment(each.at, zone)) for each in kept_by(request.user, study)],
        "imports": list(_imports(request, study)),
        "is_open": study.state in STUDY_ALLOWS["people.update"],
        "trail": [{"text": "People", "href": reverse("people", args=[study.name])}],
    }
    return render(request, "office/import_upload.html", page, status=422 if problems else 200)


@require_POST
@study_page("people.import", by_partner=True)
def discard(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Forget a file that was not confirmed."""
    drop(file_of(request, study, number))
    return HttpResponseRedirect(reverse("import", args=[study.name]), status=303)


@require_safe
@study_page("people.import", by_partner=True)
def done(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """What came of an import, and whether it can be undone."""
    imported = _imported(request, study, number)
    page = {
        "page_title": _title(imported),
        "imported": imported,
        "rows": _told(counts_for(request, imported.counts)),
        "may_undo": request.reach.everybody,
        "at": moment(imported.at, folder_of(study).protocol.study.timezone),
        "faults": [problem.message for problem in undo_faults(imported)],
        "trail": _trail(study),
    }
    return render(request, "office/import_done.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("people.import")
def undo(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Take an import back, once the study's name was typed."""
    imported = _imported(request, study, number)
    onward = reverse("import-done", args=[study.name, number])
    if imported.kind != "import" or (request.method != "POST" and undo_faults(imported)):
        return HttpResponseRedirect(onward, status=303)
    new = imported.counts["new"]
    page = {
        "page_title": "Undo an import",
        "says": [f"{new:,} people are removed from the study, with everything that the import brought."],
        "button_text": "Undo the import",
        "back": onward,
        "trail": _trail(study),
    }
    return confirmed_act(
        request,
        page,
        thing=study.name,
        act=lambda reason: undo_import(request.user, imported),
        done=f"The import is undone. {new:,} people were removed.",
        onward=onward,
        reason=False,
    )


def _received(request: HttpRequest, study: Study) -> PendingImport:
    kind = request.POST.get("kind", "import")
    if kind not in KINDS:
        raise InputError(Problem("", "kind", "choose what the file is for"))
    check_state(f"people.{kind}", study.state, of=study.name)
    name, place = received_table(request)
    return keep(request.user, study, name, place, kind)


def _imports(request: HttpRequest, study: Study) -> Iterator[dict[str, Any]]:
    zone = folder_of(study).protocol.study.timezone
    mine = request.reach.narrow(RosterImport.objects.filter(study=study))
    for each in mine.select_related("partner").order_by("-pk"):
        changed = sum(each.counts.get(name, 0) for name in ("contact", "facts", "moved", "left", "returned"))
        yield {
            "at": {
                "text": moment(each.at, zone),
                "href": reverse("import-done", args=[study.name, each.pk]),
            },
            "what": "Update" if each.kind == "update" else "Import",
            "partner": each.partner.title if each.partner else "As the rows say",
            "new": f"{each.counts['new']:,}",
            "changed": f"{changed:,}" if each.kind == "update" else "–",
            "state": "Undone" if each.undone_at else "Stands",
        }


def _imported(request: HttpRequest, study: Study, number: int) -> RosterImport:
    mine = request.reach.narrow(RosterImport.objects.filter(study=study))
    found = mine.select_related("study").filter(pk=number).first()
    if found is None:
        raise Http404
    return found


def _title(imported: RosterImport) -> str:
    if imported.undone_at is not None:
        return "This import was undone"
    return "Import" if imported.kind == "import" else "Update"


def _told(counts: dict[str, int]) -> list[tuple[str, str]]:
    return [
        (text, f"{counts[name]:,}") for name, text in _COUNTED.items() if counts.get(name) or name == "new"
    ]


def _trail(study: Study) -> list[dict[str, str]]:
    return [
        {"text": "People", "href": reverse("people", args=[study.name])},
        {"text": "Import a roster", "href": reverse("import", args=[study.name])},
    ]


_ROOT = "studies/<slug:name>/people/import"
urlpatterns = [
    path(f"{_ROOT}/", upload, name="import"),
    path(f"{_ROOT}/<int:number>/columns", columns, name="import-columns"),
    path(f"{_ROOT}/<int:number>/preview", preview, name="import-preview"),
    path(f"{_ROOT}/<int:number>/lines/<slug:what>", lines, name="import-lines"),
    path(f"{_ROOT}/<int:number>/discard", discard, name="import-discard"),
    path("studies/<slug:name>/people/imports/<int:number>/", done, name="import-done"),
    path("studies/<slug:name>/people/imports/<int:number>/undo", undo, name="import-undo"),
]
