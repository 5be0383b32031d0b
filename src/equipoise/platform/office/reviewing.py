"""The data review: whose answers are left out of which analyses, decided while nobody knows the arms.

People go by their codes here. Who may review may not see who they are, and need not.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_safe

from equipoise.errors import EquipoiseError
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.confirming import confirmed_act
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.office.review_files import wanted_in
from equipoise.platform.pages.filters import moment
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.review.actions import Wanted, exclude, what_can_be_left_out, withdraw_exclusion
from equipoise.platform.review.looks import tell_look
from equipoise.platform.review.models import Exclusion
from equipoise.platform.review.queries import exclusions, looks
from equipoise.platform.staff.models import StaffMember

__all__ = ["urlpatterns"]

_A_PAGE = 50
_HOLDS = {"held": "Holds", "taken": "Taken back"}
_SORTS = {"participant": "participant__key", "reason": "reason", "at": "at"}
_HEADER = ("Participant", "Left out of", "Reason", "Decided (UTC)", "By", "Taken back (UTC)", "By", "Why")


@require_safe
@study_page("data.review")
def review(request: HttpRequest, study: Study) -> HttpResponse:
    """Every exclusion, those taken back too, by page, in the order and with the filter of the address."""
    chosen = _chosen(request)
    rows = _filtered(study, chosen)
    if wants_csv(request):
        names = _names()
        lines = (_line(each, names) for each in rows.iterator(2_000))
        return csv_file(f"{study.name}-exclusions", _HEADER, lines)
    count = rows.count()
    last = max(1, -(-count // _A_PAGE))
    number = min(max(1, _whole(request.GET.get("page", "1"))), last)
    zone = folder_of(study).protocol.study.timezone
    masked = study.results == "masked"
    page = {
        "page_title": "Data review",
        "masked": masked,
        "results": study.results,
        "columns": list(_columns(chosen, masked=masked)),
        "rows": list(_shown(study, rows[(number - 1) * _A_PAGE : number * _A_PAGE], zone, masked=masked)),
        "count": count,
        "chosen": chosen,
        "states": [("", "Any"), *_HOLDS.items()],
        "number": number,
        "last": last,
        "paged": f"?{urlencode({**chosen, 'page': '{page}'}, safe='{}')}",
        "file": f"?{urlencode({**chosen, 'format': 'csv'})}",
        "looks": [
            {
                "on": f"{look.on:%Y-%m-%d}",
                "seen": look.seen,
                "answered": f"{look.answered:,} of {look.asked:,}",
                "declared": "Yes" if look.declared else "No",
            }
            for look in looks(study)
        ],
        "trail": _way(study, here=False),
    }
    return render(request, "office/review.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("data.review")
def add(request: HttpRequest, study: Study) -> HttpResponse:
    """Leave one participant out of something."""
    sent = request.POST
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        one = Wanted(sent.get("participant", "").strip(), tuple(sent.getlist("of")), sent.get("reason", ""))
        problems = _tried(request, lambda: exclude(request.user, study, [one]))
        if not problems:
            return _done(request, study, f"{one.participant} is left out.")
    known = what_can_be_left_out(study)
    page = {
        "page_title": "Leave somebody out",
        "problems": problems,
        "typed": sent,
        "known": list(known.items()),
        "of": sent.getlist("of"),
        "trail": _way(study),
    }
    return render(request, "office/review_add.html", page, status=422 if problems else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("data.review")
def upload(request: HttpRequest, study: Study) -> HttpResponse:
    """Leave many out by a file, all of them or none."""
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        found: list[int] = []
        problems = _tried(
            request, lambda: found.append(exclude(request.user, study, wanted_in(request.FILES.get("file"))))
        )
        if not problems:
            return _done(request, study, f"{found[0]:,} exclusions are entered.")
    page = {
        "page_title": "Leave many out by a file",
        "problems": [{**each, "id": "file"} for each in problems[:20]],
        "more": max(0, len(problems) - 20),
        "known": list(what_can_be_left_out(study).items()),
        "trail": _way(study),
    }
    return render(request, "office/review_upload.html", page, status=422 if problems else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("data.review")
def take_back(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Take an exclusion back; both stay in the list."""
    found = Exclusion.objects.select_related("study", "participant").filter(study=study, pk=number).first()
    if found is None:
        raise Http404
    page = {
        "page_title": "Take an exclusion back",
        "says": [
            f"{found.participant.key} is left out of {_of(found)} because: {found.reason}",
            "The list keeps both: that they were left out, and that it was taken back.",
        ],
        "button_text": "Take it back",
        "back": reverse("data-review", args=[study.name]),
    }
    return confirmed_act(
        request,
        page,
        thing=found.participant.key,
        act=lambda reason: withdraw_exclusion(request.user, found, reason),
        done="The exclusion is taken back.",
        onward=reverse("data-review", args=[study.name]),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("data.review")
def look(request: HttpRequest, study: Study) -> HttpResponse:
    """Tell that somebody has seen results by arm."""
    sent = request.POST
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        problems = _tried(
            request, lambda: tell_look(request.user, study, sent.get("seen", ""), sent.get("on", ""))
        )
        if not problems:
            return _done(request, study, "The look is kept. It goes with the data and is said in the report.")
    page = {
        "page_title": "Somebody has seen results by arm",
        "problems": problems,
        "typed": sent,
        "trail": _way(study),
    }
    return render(request, "office/review_look.html", page, status=422 if problems else 200)


def _tried(request: HttpRequest, act: Any) -> list[dict[str, str]]:
    """Do it, and say what was refused."""
    try:
        act()
    except NotAllowedError:
        raise
    except EquipoiseError as error:
        fields = ("participant", "of", "reason", "seen", "on", "file")
        return problems_in(error, **({} if request.FILES else {name: name for name in fields}))
    return []


def _done(request: HttpRequest, study: Study, said: str) -> HttpResponse:
    messages.success(request, said)
    return HttpResponseRedirect(reverse("data-review", args=[study.name]), status=303)


def _chosen(request: HttpRequest) -> dict[str, str]:
    """What the address asks for, and only what there is."""
    allowed = {"state": tuple(_HOLDS), "sort": (*_SORTS, *(f"-{name}" for name in _SORTS))}
    return {name: value for name, ok in allowed.items() if (value := request.GET.get(name, "")) in ok}


def _filtered(study: Study, chosen: Mapping[str, str]) -> "QuerySet[Exclusion]":
    rows = exclusions(study)
    if "state" in chosen:
        rows = rows.filter(withdrawn__isnull=chosen["state"] == "held")
    sort = chosen.get("sort", "-at")
    field = _SORTS[sort.removeprefix("-")]
    return rows.order_by(f"-{field}" if sort.startswith("-") else field, "pk")


def _columns(chosen: Mapping[str, str], *, masked: bool) -> Iterator[dict[str, Any]]:
    now = chosen.get("sort", "-at")
    for name, text in (("participant", "Participant"), ("reason", "Reason"), ("at", "Decided")):
        towards = f"-{name}" if now == name else name
        order = {name: "ascending", f"-{name}": "descending"}.get(now, "")
        sort_url = f"?{urlencode({**chosen, 'sort': towards})}"
        yield {"key": name, "text": text, "sort_url": sort_url, "sorted": order}
        if name == "participant":
            yield {"key": "of", "text": "Left out of"}
    yield {"key": "by", "text": "By"}
    yield {"key": "state", "text": "State"}
    if masked:
        yield {"key": "act", "text": "Change"}


def _shown(study: Study, rows: Any, zone: str, *, masked: bool) -> Iterator[dict[str, Any]]:
    names = _names()
    for each in rows:
        taken = getattr(each, "withdrawn", None)
        act: Any = "–"
        if masked and taken is None:
            href = reverse("data-review-take-back", args=[study.name, each.pk])
            act = {"text": "Take back", "href": href}
        yield {
            "participant": each.participant.key,
            "of": _of(each),
            "reason": each.reason,
            "at": moment(each.at, zone),
            "by": names.get(each.actor, each.actor),
            "state": "Holds" if taken is None else f"Taken back {moment(taken.at, zone)}: {taken.reason}",
            "act": act,
        }


def _line(each: Exclusion, names: Mapping[str, str]) -> tuple[Any, ...]:
    taken = getattr(each, "withdrawn", None)
    after = (None, None, None) if taken is None else (taken.at, names.get(taken.actor), taken.reason)
    return (each.participant.key, _of(each), each.reason, each.at, names.get(each.actor, each.actor), *after)


def _of(each: Exclusion) -> str:
    return ", ".join(each.of) or "all analyses"


def _names() -> dict[str, str]:
    return {member.actor: member.name for member in StaffMember.objects.all()}


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 1


def _way(study: Study, *, here: bool = True) -> list[dict[str, str]]:
    steps = {"Data": "exports", "Data review": "data-review"} if here else {"Data": "exports"}
    return [{"text": text, "href": reverse(name, args=[study.name])} for text, name in steps.items()]


_ROOT = "studies/<slug:name>/data/review/"
urlpatterns = [
    path(_ROOT, review, name="data-review"),
    path(f"{_ROOT}add", add, name="data-review-add"),
    path(f"{_ROOT}upload", upload, name="data-review-upload"),
    path(f"{_ROOT}look", look, name="data-review-look"),
    path(f"{_ROOT}<int:number>/take-back", take_back, name="data-review-take-back"),
]
