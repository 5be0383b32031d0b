"""The staff of a study: who holds which role where, one more role given, one taken away."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from equipoise.errors import EquipoiseError, InputError, Problem
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.confirming import confirmed_act
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.office.listing import sorted_columns
from equipoise.platform.office.staff.roles import (
    HeldRole,
    held_roles,
    member_of_address,
    role_choices,
    role_words,
)
from equipoise.platform.permissions import ROLES, NotAllowedError
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.places import partner_named
from equipoise.platform.registry.queries import partners
from equipoise.platform.registry.staffing import take_role
from equipoise.platform.staff.actions import Place, grant
from equipoise.platform.staff.queries import roles_in

__all__ = ["urlpatterns"]

_SORTS = {
    "name": lambda one: (one.member.name.casefold(), one.role),
    "role": lambda one: (list(ROLES).index(one.held.role), one.member.name.casefold()),
    "where": lambda one: (one.where.casefold(), one.member.name.casefold()),
}
_COLUMNS = {"name": "Name", "email": "E-mail address", "role": "Role", "where": "Held in", "take": "Change"}


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("study.roles")
def staff(request: HttpRequest, study: Study) -> HttpResponse:
    """Everybody with a role in the study, those of its programme and of the workspace included."""
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            said = _given(request, study)
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            problems = problems_in(error, email="email", role="role", partner="partner", member="email")
        else:
            messages.success(request, said)
            return HttpResponseRedirect(reverse("study-staff", args=[study.name]), status=303)
    sort = request.GET.get("sort", "name")
    found = _sorted(held_roles(roles_in(study.pk, study.programme_id), here=study), sort)
    if wants_csv(request):
        header = ["Name", "E-mail address", "Role", "Held in"]
        lines = ((one.member.name, one.member.email, one.role, one.where) for one in found)
        return csv_file(f"{study.name}-staff", header, lines)
    page = {
        "page_title": "Staff",
        "columns": list(sorted_columns(_COLUMNS.items(), _SORTS, {}, sort)),
        "rows": [_row(study, one) for one in found],
        "roles": role_choices(role for role in ROLES if role != "administrator"),
        "partners": [("", "Everybody's"), *((each.name, each.title) for each in partners(study))],
        "typed": request.POST if problems else {},
        "problems": problems,
    }
    return render(request, "office/study_staff.html", page, status=422 if problems else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("study.roles")
def take(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Take away a role that is held in this study."""
    held = [each for each in roles_in(study.pk, None) if each.id == number and each.study_id == study.pk]
    if not held:
        raise Http404
    found = held_roles(held)[0]
    back = reverse("study-staff", args=[study.name])
    own = found.member.pk == request.user.pk
    page = {
        "page_title": f"Take a role from {found.member.name}",
        "says": [
            f"{found.member.name} is then no longer {role_words(found.held.role).lower()} in {found.where}.",
            "They notice with their next page. What they did stays in the record.",
        ],
        "button_text": "Take the role away",
        "back": back,
        "trail": [{"text": "Staff", "href": back}],
    }
    return confirmed_act(
        request,
        page,
        thing="",
        act=lambda _: take_role(request.user, found.member, found.held.role, found.place),
        done=f"{found.member.name} is no longer {role_words(found.held.role).lower()} here.",
        onward=reverse("office-home") if own else back,
        reason=False,
    )


def _given(request: HttpRequest, study: Study) -> str:
    """Give the role that the form asks for, and say so."""
    member = member_of_address(request.POST.get("email", ""))
    role = request.POST.get("role", "")
    if not role:
        raise InputError(Problem("", "role", "choose which role to give"))
    named = request.POST.get("partner", "")
    place = Place(study, partner_named(study, named) if named else None)
    grant(request.user, member, role, place)
    return f"{member.name} is {role_words(role).lower()}" + (f" for {place.partner.title}." if named else ".")


def _row(study: Study, one: HeldRole) -> dict[str, Any]:
    here = one.held.study_id == study.pk
    taken = {"text": "Take away", "href": reverse("study-staff-take", args=[study.name, one.held.id])}
    return {
        "name": one.member.name,
        "email": one.member.email,
        "role": one.role,
        "where": one.where,
        "take": taken if here else "Not from here",
    }


def _sorted(rows: Iterable[HeldRole], sort: str) -> list[HeldRole]:
    name = sort.removeprefix("-")
    return sorted(rows, key=_SORTS.get(name, _SORTS["name"]), reverse=sort.startswith("-"))


urlpatterns = [
    path("studies/<slug:name>/staff/", staff, name="study-staff"),
    path("studies/<slug:name>/staff/<int:number>/take", take, name="study-staff-take"),
]
