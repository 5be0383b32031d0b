"""The studies of the workspace: which are where, what needs somebody today, and one at a glance."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_safe

from equipoise.errors import EquipoiseError, InputError, Problem
from equipoise.platform.clock import now
from equipoise.platform.fieldwork.queries import Response, responses
from equipoise.platform.office.access import office_page, problems_in, study_page, visible_studies
from equipoise.platform.office.confirming import confirmed_act
from equipoise.platform.office.disclosed import reached, told
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.office.messages.calls import waiting_sends
from equipoise.platform.office.messages.coming import messages_at_a_glance
from equipoise.platform.office.studies.needs import needs, to_do
from equipoise.platform.pages.filters import moment
from equipoise.platform.permissions import NotAllowedError, Reach, can
from equipoise.platform.policies import STUDY_MOVES
from equipoise.platform.receiving import LARGEST_UPLOAD
from equipoise.platform.registry.actions import add_study, move_study
from equipoise.platform.registry.models import Programme, Study
from equipoise.platform.registry.queries import folder_of, wave_times
from equipoise.platform.registry.readiness import conditions
from equipoise.platform.staff.actions import Place, grant
from equipoise.platform.staff.models import Role, StaffMember, Standing
from equipoise.protocol.intake import unpack_study

__all__ = ["received_folder", "urlpatterns"]

_WHERE = {
    "privacy": "study-protocol",
    "support": "study-protocol",
    "contact": "study-protocol",
    "locked": "study-protocol",
    "roster": "import",
    "secret": "allocation",
    "arrivals": "allocation",
}
_MOVES = {
    ("locked", "live"): ("Launch the study", "Participants can answer from each wave's opening on."),
    ("live", "paused"): (
        "Pause the study",
        "Nobody can answer until it is resumed. Waves close when the protocol says, paused or not.",
    ),
    ("paused", "live"): ("Resume the study", "Participants can answer again."),
    ("closed", "published"): ("Publish the study", "Its results can be unmasked. This cannot be undone."),
}
_CLOSE = ("Close the study", "Nobody can answer any more. This cannot be undone.")


@require_safe
@office_page()
def home(request: HttpRequest) -> HttpResponse:
    """Every study that somebody may see, by programme, and what needs them today."""
    studies = list(visible_studies(request.user).prefetch_related("stages"))
    today = needs(Standing(request.user), studies)
    by_programme: dict[Programme | None, list[dict[str, Any]]] = {}
    for study in studies:
        row = {"study": study, "today": today[study.pk]}
        by_programme.setdefault(study.programme, []).append(row)
    groups = sorted(by_programme.items(), key=lambda item: (item[0] is None, item[0] and item[0].title))
    page = {
        "page_title": "Your studies",
        "groups": groups,
        "may_add": can(request.user, "study.add"),
        "rehearsal": not settings.WORKSPACE.live,
    }
    return render(request, "office/home.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@office_page("study.add")
def add(request: HttpRequest) -> HttpResponse:
    """Take a study into the workspace: a zip of its locked folder."""
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            study = _added(request)
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            problems = problems_in(error, folder="folder", programme="programme", lead="lead")
        else:
            messages.success(request, f"{study.title} is here.")
            return HttpResponseRedirect(reverse("study", args=[study.name]), status=303)
    members = StaffMember.objects.filter(is_active=True).order_by("name")
    page = {
        "page_title": "Add a study",
        "problems": problems,
        "typed": request.POST,
        "members": [(str(member.pk), member.name) for member in members],
        "programmes": list(Programme.objects.order_by("name").values_list("name", flat=True)),
        "trail": [{"text": "Your studies", "href": reverse("office-home")}],
    }
    return render(request, "office/add_study.html", page, status=422 if problems else 200)


@require_safe
@study_page("study.see", by_partner=True)
def overview(request: HttpRequest, study: Study) -> HttpResponse:
    """Is everything as it should be? The checklist until launch, then waves and response."""
    zone = folder_of(study).protocol.study.timezone
    rows = list(_waves(study, zone, request.reach))
    if wants_csv(request):
        least = "" if request.reach.everybody else " (at least)"
        header = [
            "Wave",
            "Opens (UTC)",
            "Closes (UTC)",
            "State",
            "Asked",
            f"Started{least}",
            f"Complete{least}",
            *(() if least else ("Complete (%)",)),
        ]
        return csv_file(f"{study.name}-waves", header, (row["csv"] for row in rows))
    leads = Role.objects.filter(study_id=study.pk, role="lead").select_related("member")
    moves = [
        {"to": to, "text": _move(study.state, to)[0]}
        for to, verb in STUDY_MOVES[study.state].items()
        if request.may(verb)
    ]
    checklist = list(_checklist(study)) if study.state == "locked" else []
    page = {
        "page_title": "Overview",
        "checklist": checklist,
        "waits": any(row["condition"].needed and row["condition"].problem for row in checklist),
        "today": list(_needs(request, study, rows)),
        "waves": rows,
        "in_tens": not request.reach.everybody,
        "told": told,
        "moves": moves,
        "sending": messages_at_a_glance(study) if request.may("messages.calendar") else None,
        "zone": zone,
        "now": moment(now(), zone),
        "leads": ", ".join(row.member.name for row in leads) or "Nobody yet",
        "protocol": folder_of(study).protocol.study,
    }
    return render(request, "office/study.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("study.see")
def move(request: HttpRequest, study: Study, to: str) -> HttpResponse:
    """Launch, pause, resume, close or publish, once the name was typed."""
    if to not in STUDY_MOVES[study.state]:
        return HttpResponseRedirect(reverse("study", args=[study.name]), status=303)
    if not request.may(STUDY_MOVES[study.state][to]):
        raise NotAllowedError("this move needs another role")
    title, says = _move(study.state, to)
    page = {
        "page_title": title,
        "says": [says],
        "button_text": title,
        "danger": to in ("closed", "published"),
        "back": reverse("study", args=[study.name]),
    }
    return confirmed_act(
        request,
        page,
        thing=study.name,
        act=lambda reason: move_study(request.user, study, to, reason=reason),
        done=f"The study is {to}.",
        onward=reverse("study", args=[study.name]),
    )


@contextmanager
def received_folder(request: HttpRequest, name: str = "study") -> Iterator[Path]:
    """An uploaded zip file as a folder, for as long as it is looked at; nothing is left behind.

    Raises:
        InputError: no file, one too large, or one that `unpack_study` refuses.
    """
    upload = request.FILES.get("folder")
    if upload is None:
        raise InputError(Problem("", "folder", "choose the zip file of the locked study folder"))
    if upload.size > LARGEST_UPLOAD:
        megabytes = LARGEST_UPLOAD // 1_000_000
        message = f"the file is larger than {megabytes} MB; leave out what the study does not need"
        raise InputError(Problem("", "folder", message))
    place = settings.WORKSPACE.folder / "uploads"
    place.mkdir(mode=0o700, exist_ok=True)
    above = Path(tempfile.mkdtemp(dir=place))
    try:
        unpack_study(upload.file, above / name, name="the zip file")
        yield above / name
    finally:
        shutil.rmtree(above, ignore_errors=True)


def _added(request: HttpRequest) -> Study:
    programme = request.POST.get("programme", "").strip() or None
    if programme is not None and programme not in _programmes():
        message = "is not a programme of this workspace; add it to workspace.yaml, or leave it empty"
        raise InputError(Problem("", "programme", message))
    lead = StaffMember.objects.filter(pk=_number(request.POST.get("lead", "")), is_active=True).first()
    if lead is None:
        raise InputError(Problem("", "lead", "choose who leads the study; they do everything that follows"))
    with received_folder(request) as folder:
        study = add_study(request.user, folder, programme=programme)
    grant(request.user, lead, "lead", Place(study))
    return study


def _programmes() -> set[str]:
    return {*Programme.objects.values_list("name", flat=True), *settings.WORKSPACE.settings.programmes}


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 12 else None


def _waves(study: Study, zone: str, whose: Reach) -> Iterator[dict[str, Any]]:
    """Each wave with its response: of everybody or, to a partner in tens, of its own people."""
    answered: dict[str, Response] = {}
    for row in reached(responses(study, whose), whose):
        if whose.everybody and row.partner is None:
            answered[row.wave] = row
        elif not whose.everybody:
            answered[row.wave] = _added_up(answered.get(row.wave), row)
    for wave in wave_times(study).values():
        row = answered.get(wave.wave, Response(wave.wave, None, 0, 0, 0))
        rate = None if row.rate is None else 100 * row.rate
        numbers = (row.asked, row.started, row.complete)
        share = (rate and round(rate, 1),) if whose.everybody else ()
        yield {
            "wave": wave,
            "opens": moment(wave.opens, zone),
            "closes": moment(wave.closes, zone),
            "row": row,
            "rate": rate,
            "csv": (wave.label, wave.opens, wave.closes, wave.state, *numbers, *share),
        }


def _added_up(so_far: Response | None, row: Response) -> Response:
    """The response of two partners together, of which each is told in tens already."""
    if so_far is None:
        return row
    numbers = (getattr(so_far, name) + getattr(row, name) for name in ("asked", "started", "complete"))
    return Response(row.wave, None, *numbers)


def _needs(request: HttpRequest, study: Study, waves: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    """What is to be done in one study; its own page says by a checklist what a launch needs."""
    if study.state != "locked":
        yield from needs(request.user, [study])[study.pk]
        yield from waiting_sends(request.user, study)
    enrols = folder_of(study).protocol.participants
    nobody = not any(row["row"].asked for row in waves)
    if study.state == "live" and nobody and enrols is not None and request.may("people.import"):
        if enrols.enrolment == "roster":
            yield to_do("Nobody is enrolled: import the roster", "import", study)
        elif enrols.enrolment == "open-link":
            yield to_do("Nobody has come yet: make an open link", "open-links", study)


def _checklist(study: Study) -> Iterator[dict[str, Any]]:
    for each in conditions(study):
        where = _WHERE.get(each.name)
        problem = each.problem
        hint = "" if problem is None else _hint(problem)
        yield {"condition": each, "hint": hint, "href": _address(where, study) if problem else ""}


def _hint(problem: Problem) -> str:
    """What is missing, with its place where that is one of the protocol's."""
    return f"{problem.where} {problem.message}" if "." in problem.where else problem.message


def _address(where: str | None, study: Study) -> str:
    return reverse(where, args=[study.name]) if where else ""


def _move(state: str, to: str) -> tuple[str, str]:
    return _CLOSE if to == "closed" else _MOVES[state, to]


urlpatterns = [
    path("", home, name="office-home"),
    path("add-study", add, name="study-add"),
    path("studies/<slug:name>/", overview, name="study"),
    path("studies/<slug:name>/move/<slug:to>", move, name="study-move"),
]
