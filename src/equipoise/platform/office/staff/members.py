"""The staff of the workspace: everybody who has or had an account, and new accounts."""

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_safe

from equipoise.errors import EquipoiseError
from equipoise.platform.office.access import office_page, problems_in
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.office.listing import both_ways, chosen_of, leaf_of, order_of, sorted_columns
from equipoise.platform.office.staff.roles import held_roles
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.staff.invitations import invite
from equipoise.platform.staff.models import StaffMember
from equipoise.platform.staff.queries import members_with_factor, roles_of

__all__ = ["STATES", "urlpatterns"]

STATES = {"open": "Open", "ended": "Ended"}
_COLUMNS = {
    "name": "Name",
    "email": "E-mail address",
    "roles": "Roles",
    "factor": "Second factor",
    "state": "Account",
}
_SORTS = {"name": "name", "email": "email", "added": "created_at"}


@require_safe
@office_page("workspace.staff")
def members(request: HttpRequest) -> HttpResponse:
    """Everybody who has or had an account, in the order and with the filter of the address."""
    chosen = _chosen(request)
    rows = _filtered(chosen)
    if wants_csv(request):
        header = ["Number", "Name", "E-mail address", "Roles", "Second factor", "Account", "Added (UTC)"]
        return csv_file("staff", header, _lines(rows))
    count = rows.count()
    leaf = leaf_of(request, count)
    page = {
        "page_title": "Staff",
        "count": count,
        "columns": list(sorted_columns(_COLUMNS.items(), _SORTS, chosen, chosen.get("sort", "name"))),
        "rows": list(_rows(rows[leaf.rows])),
        "chosen": chosen,
        "states": [("", "Any"), *STATES.items()],
        **leaf.values(chosen),
        "file": f"?{urlencode({**chosen, 'format': 'csv'})}",
    }
    return render(request, "office/members.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@office_page("workspace.staff")
def add(request: HttpRequest) -> HttpResponse:
    """Make an account; the link by which its owner sets a password is shown once."""
    way = [{"text": "Staff", "href": reverse("members")}]
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            member, link = invite(request.user, request.POST.get("email", ""), request.POST.get("name", ""))
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            problems = problems_in(error, email="email", name="name")
        else:
            shown = {"page_title": "Pass this link on", "member": member, "link": link, "trail": way}
            return render(request, "office/member_link.html", {**shown, "mailed": _mails()})
    page = {
        "page_title": "Invite somebody",
        "problems": problems,
        "typed": request.POST,
        "mailed": _mails(),
        "trail": way,
    }
    return render(request, "office/member_new.html", page, status=422 if problems else 200)


def _mails() -> bool:
    return settings.WORKSPACE.settings.mail is not None


def _chosen(request: HttpRequest) -> dict[str, str]:
    """What the address asks for, and only what there is."""
    allowed: dict[str, Container[str]] = {
        "state": STATES,
        "sort": both_ways(_SORTS),
    }
    return chosen_of(request, allowed)


def _filtered(chosen: Mapping[str, str]) -> "QuerySet[StaffMember]":
    rows = StaffMember.objects.all()
    if "state" in chosen:
        rows = rows.filter(is_active=chosen["state"] == "open")
    return rows.order_by(order_of(_SORTS, chosen.get("sort", "name")), "pk")


def _rows(members: Iterable[StaffMember]) -> Iterator[dict[str, Any]]:
    for member, roles, factor in _told(members):
        yield {
            "name": {"text": member.name, "href": reverse("member", args=[member.pk])},
            "email": member.email,
            "roles": roles or "None",
            "factor": factor,
            "state": STATES["open" if member.is_active else "ended"],
        }


def _lines(members: Iterable[StaffMember]) -> Iterator[tuple[Any, ...]]:
    for member, roles, factor in _told(members):
        state = STATES["open" if member.is_active else "ended"]
        yield member.actor, member.name, member.email, roles, factor, state, member.created_at


def _told(members: Iterable[StaffMember]) -> Iterator[tuple[StaffMember, str, str]]:
    """Each with their roles and their second factor in words."""
    found = list(members)
    roles: dict[int, list[str]] = {}
    for each in held_roles(roles_of(*found)):
        roles.setdefault(each.member.pk, []).append(f"{each.role}: {each.where}")
    factors = members_with_factor(found)
    for member in found:
        factor = "Set up" if member.pk in factors else "Not yet"
        yield member, "; ".join(roles.get(member.pk, [])), factor


urlpatterns = [
    path("staff/", members, name="members"),
    path("staff/new", add, name="member-new"),
]
