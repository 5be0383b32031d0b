"""One request for what takes two people: what it says, and what whoever looks can do of it."""

from collections.abc import Iterable, Iterator, Mapping

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from equipoise.errors import InputError
from equipoise.platform.approvals.actions import Rehearsal, decide, take_back
from equipoise.platform.approvals.acts import ACTS, ERASE, IDENTIFY
from equipoise.platform.approvals.identified import can_be_taken, take_file
from equipoise.platform.approvals.models import ApprovalRequest
from equipoise.platform.approvals.queries import STATES, request_numbered, somebody_decides, state_of
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.confirming import confirmed_act
from equipoise.platform.office.downloads import attachment
from equipoise.platform.pages.filters import moment
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.staff.actions import CommandLine, System
from equipoise.platform.staff.models import StaffMember

__all__ = ["names_of", "told_of", "urlpatterns"]

_PROGRAMS = {
    CommandLine.actor: "The command line",
    Rehearsal.actor: "The rehearsal's second person",
    System.actor: "Nobody: its time was over",
}
_FORMS = (
    ("xlsx", "XLSX, for a spreadsheet"),
    (
        "csv",
        "CSV, for other programs; a text that begins like a formula, as +44 does, has an apostrophe in front",
    ),
)
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_CHOICES = (
    ("approve", "Approve", "It is done at once, and recorded with both names."),
    ("refuse", "Refuse", "Nothing is done. It can be asked for again."),
)


@require_safe
@study_page("approvals.see")
def approval(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """One request."""
    return _shown(request, study, _found(study, number))


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("approvals.see")
def approval_decide(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Approve or refuse what somebody else asked for."""
    found = _found(study, number)
    back = reverse("approval", args=[study.name, number])
    if not _may_decide(request, found):
        return HttpResponseRedirect(back, status=303)
    told = told_of(found, names_of([found]), "UTC")
    page = {
        "page_title": f"Decide: {told['act'].lower()}",
        "says": [
            f"{told['about']}. {told['asked_by']} asks: {found.reason}",
            "What is approved is done at once and cannot be taken back.",
        ],
        "button_text": "Decide",
        "back": back,
        "choices": _CHOICES,
        "template": "decide",
    }
    return confirmed_act(
        request,
        page,
        thing=found.thing if found.act == ERASE else study.name,
        act=lambda comment: decide(request.user, found, request.POST.get("choice", ""), comment),
        done=f"Request {number} is decided.",
        onward=back,
    )


@require_POST
@study_page("approvals.see")
def approval_take_back(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Take back one's own request."""
    found = _found(study, number)
    try:
        take_back(request.user, found)
    except InputError as error:
        return _shown(request, study, found, problems_in(error))
    messages.success(request, f"Request {number} is taken back.")
    return HttpResponseRedirect(reverse("approval", args=[study.name, number]), status=303)


@require_POST
@study_page("data.identify")
def approval_file(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """The file that was approved, once."""
    found = _found(study, number)
    try:
        form = request.POST.get("form", "")
        parts = take_file(request.user, found, form)
    except InputError as error:
        return _shown(request, study, found, problems_in(error, form="form"))
    response: HttpResponse = attachment(
        StreamingHttpResponse(parts, content_type=_TYPES[form]), f"{study.name}-{number}.{form}"
    )
    return response


def names_of(rows: Iterable[ApprovalRequest]) -> dict[str, str]:
    """Who asked and who decided, by how the record names them."""
    actors = {actor for row in rows for actor in (row.asked_by, row.decided_by)}
    numbers = [actor.removeprefix("staff:") for actor in actors if actor.startswith("staff:")]
    staff = {member.actor: member.name for member in StaffMember.objects.filter(pk__in=numbers)}
    return {actor: staff.get(actor, _PROGRAMS.get(actor, actor)) for actor in actors}


def told_of(found: ApprovalRequest, names: Mapping[str, str], zone: str) -> dict[str, str]:
    """What a table says of a request, by column; no participant is named.

    Args:
        found: the request.
        names: `names_of` it.
        zone: the study's.
    """
    decided = found.decided_at
    return {
        "number": str(found.number),
        "act": ACTS[found.act].title,
        "about": _about(found),
        "asked_by": names[found.asked_by],
        "asked": moment(found.asked_at, zone),
        "state": STATES[state_of(found)],
        "decided_by": names[found.decided_by] if found.decided_by else "–",
        "decided": moment(decided, zone) if decided else "–",
    }


def _found(study: Study, number: int) -> ApprovalRequest:
    try:
        return request_numbered(study, number)
    except InputError:
        raise Http404 from None


def _shown(
    request: HttpRequest, study: Study, found: ApprovalRequest, problems: list[dict[str, str]] | None = None
) -> HttpResponse:
    waits = state_of(found) == "waiting"
    mine = found.asked_by == request.user.actor
    page = {
        "page_title": f"Request {found.number}: {ACTS[found.act].title.lower()}",
        "told": list(_facts(found, folder_of(study).protocol.study.timezone)),
        "found": found,
        "person": found.thing if found.act == ERASE and request.may("people.see") else "",
        "may_decide": _may_decide(request, found),
        "may_take_back": waits and mine,
        "somebody_decides": waits and mine and somebody_decides(found),
        "may_take_file": request.may(IDENTIFY) and can_be_taken(request.user, found),
        "forms": _FORMS,
        "problems": problems or [],
        "trail": [{"text": "Approvals", "href": reverse("approvals", args=[study.name])}],
    }
    return render(request, "office/approval.html", page, status=422 if problems else 200)


def _facts(found: ApprovalRequest, zone: str) -> Iterator[tuple[str, str]]:
    told = told_of(found, names_of([found]), zone)
    yield "State", told["state"]
    yield "Of what", told["about"]
    yield "Asked", f"{told['asked_by']}, {told['asked']}"
    yield "Why", found.reason
    if found.decided_at is not None:
        yield "Closed", f"{told['decided_by']}, {told['decided']}"
    elif state_of(found) == "waiting":
        yield "Can be decided until", moment(found.expires_at, zone)
    if found.comment:
        yield "Comment", found.comment
    if found.used_at is not None:
        yield "File taken", moment(found.used_at, zone)


def _may_decide(request: HttpRequest, found: ApprovalRequest) -> bool:
    mine = found.asked_by == request.user.actor
    return state_of(found) == "waiting" and not mine and request.may(ACTS[found.act].decided_by)


def _about(found: ApprovalRequest) -> str:
    if found.act == ERASE:
        return f"Participant {found.subject['participant']}"
    if found.act == IDENTIFY:
        return ", ".join(["Key and identifier", *found.subject["columns"]])
    return "The arms in the study's data"


urlpatterns = [
    path("studies/<slug:name>/approvals/<int:number>/", approval, name="approval"),
    path("studies/<slug:name>/approvals/<int:number>/decide", approval_decide, name="approval-decide"),
    path("studies/<slug:name>/approvals/<int:number>/back", approval_take_back, name="approval-take-back"),
    path("studies/<slug:name>/approvals/<int:number>/file", approval_file, name="approval-file"),
]
