"""One member of staff, for whoever keeps the workspace: their roles, a new link, their factor, their end."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from equipoise.errors import EquipoiseError, InputError, Problem
from equipoise.platform.office.access import office_page, problems_in
from equipoise.platform.office.confirming import confirmed_act
from equipoise.platform.office.staff.roles import HeldRole, held_roles, role_choices, role_words
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.models import Programme
from equipoise.platform.registry.places import place_named
from equipoise.platform.registry.staffing import end_account, take_role
from equipoise.platform.staff.actions import end_sessions, forget_factor, grant
from equipoise.platform.staff.invitations import new_link
from equipoise.platform.staff.models import StaffMember
from equipoise.platform.staff.open_sessions import open_sessions
from equipoise.platform.staff.queries import members_with_factor, roles_of

__all__ = ["urlpatterns"]


@require_http_methods(["GET", "HEAD", "POST"])
@office_page("workspace.staff")
def member(request: HttpRequest, number: int) -> HttpResponse:
    """What somebody may do where; one more role of the workspace or of a programme by a form."""
    found = _member(number)
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            said = _given(request, found)
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            problems = problems_in(error, role="role", programme="programme")
        else:
            messages.success(request, said)
            return HttpResponseRedirect(reverse("member", args=[number]), status=303)
    programmes = Programme.objects.order_by("title", "name")
    page = {
        "page_title": found.name,
        "member": found,
        "factor": found.pk in members_with_factor([found]),
        "sessions": len(open_sessions(found)),
        "own": found.pk == request.user.pk,
        "rows": [_row(found, one) for one in held_roles(roles_of(found))],
        "roles": role_choices(),
        "programmes": [
            ("", "The whole workspace"),
            *((one.name, one.title or one.name) for one in programmes),
        ],
        "typed": request.POST if problems else {},
        "problems": problems,
        "trail": _way(),
    }
    return render(request, "office/member.html", page, status=422 if problems else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@office_page("workspace.staff")
def take(request: HttpRequest, number: int, role: int) -> HttpResponse:
    """Take away a role, wherever it is held."""
    found = _member(number)
    held = held_roles(each for each in roles_of(found) if each.id == role)
    if not held:
        raise Http404
    one = held[0]
    says = [
        f"{found.name} is then no longer {one.role.lower()}. Held in: {one.where}.",
        "They notice with their next page. What they did stays in the record.",
    ]
    return _confirmed(
        request,
        found,
        title=f"Take a role from {found.name}",
        says=says,
        button="Take the role away",
        act=lambda _: take_role(request.user, found, one.held.role, one.place),
        done=f"{found.name} is no longer {one.role.lower()}.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@office_page("workspace.staff")
def link(request: HttpRequest, number: int) -> HttpResponse:
    """A new link to set a password, shown once."""
    found = _member(number)
    page: dict[str, Any] = {
        "page_title": f"A new link for {found.name}",
        "member": found,
        "link": "",
        "mailed": settings.WORKSPACE.settings.mail is not None,
        "problems": [],
        "trail": _way(found),
    }
    if request.method == "POST":
        try:
            page["link"] = new_link(request.user, found)
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            page["problems"] = problems_in(error)
    return render(request, "office/member_link.html", page, status=422 if page["problems"] else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@office_page("workspace.staff")
def factor(request: HttpRequest, number: int) -> HttpResponse:
    """Forget a second factor."""
    found = _member(number)
    return _confirmed(
        request,
        found,
        title=f"Forget the second factor of {found.name}",
        says=[
            "Make sure that it is they who ask: until they have set up another one, the password alone "
            "lets somebody in to do that.",
            "Their authenticator app, passkeys and recovery codes stop working at once.",
        ],
        button="Forget the second factor",
        act=lambda _: forget_factor(request.user, found),
        done=f"{found.name} sets up a new second factor with their next sign-in.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@office_page("workspace.staff")
def sign_out(request: HttpRequest, number: int) -> HttpResponse:
    """End every session of somebody; one's own, by which it is asked, included."""
    found = _member(number)

    def act(_: str) -> None:
        end_sessions(request.user, found)
        if found.pk == request.user.pk:
            logout(request)

    return _confirmed(
        request,
        found,
        title=f"Sign {found.name} out everywhere",
        says=["Every browser in which they are signed in is out at once. They can sign in again."],
        button="Sign out everywhere",
        act=act,
        done=f"{found.name} is signed out everywhere.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@office_page("workspace.staff")
def end(request: HttpRequest, number: int) -> HttpResponse:
    """Close an account, once its address was typed."""
    found = _member(number)
    return _confirmed(
        request,
        found,
        title=f"End the account of {found.name}",
        says=[
            "They are out at once. All their roles go, and so do their second factor and their sessions.",
            "What they did stays in the record. If they come back, invite them again by the same address.",
        ],
        button="End the account",
        act=lambda _: end_account(request.user, found),
        done=f"The account of {found.name} has been ended.",
        thing=found.email,
    )


def _given(request: HttpRequest, member: StaffMember) -> str:
    """Give the role that the form asks for, and say so."""
    role = request.POST.get("role", "")
    if not role:
        raise InputError(Problem("", "role", "choose which role to give"))
    place = place_named(programme=request.POST.get("programme", "") or None)
    grant(request.user, member, role, place)
    where = "the whole workspace" if place.programme is None else place.programme.title
    return f"{member.name} is {role_words(role).lower()} in {where}."


def _confirmed(
    request: HttpRequest,
    member: StaffMember,
    *,
    title: str,
    says: list[str],
    button: str,
    act: Any,
    done: str,
    thing: str = "",
) -> HttpResponse:
    back = reverse("member", args=[member.pk])
    page = {
        "page_title": title,
        "says": says,
        "button_text": button,
        "danger": bool(thing),
        "back": back,
        "trail": _way(member),
    }
    return confirmed_act(
        request, page, thing=thing, act=act, done=done, onward=_onward(request, member), reason=False
    )


def _onward(request: HttpRequest, member: StaffMember) -> str:
    """Back to the member; whoever did it to themselves may not see that page any more."""
    return reverse("office-home") if member.pk == request.user.pk else reverse("member", args=[member.pk])


def _row(member: StaffMember, one: HeldRole) -> dict[str, Any]:
    address = reverse("member-take", args=[member.pk, one.held.id])
    return {"role": one.role, "where": one.where, "take": {"text": "Take away", "href": address}}


def _member(number: int) -> StaffMember:
    found = StaffMember.objects.filter(pk=number).first()
    if found is None:
        raise Http404
    return found


def _way(member: StaffMember | None = None) -> list[dict[str, str]]:
    way = [{"text": "Staff", "href": reverse("members")}]
    if member is not None:
        way.append({"text": member.name, "href": reverse("member", args=[member.pk])})
    return way


_ROOT = "staff/<int:number>/"
urlpatterns = [
    path(_ROOT, member, name="member"),
    path(f"{_ROOT}roles/<int:role>/take", take, name="member-take"),
    path(f"{_ROOT}link", link, name="member-link"),
    path(f"{_ROOT}factor", factor, name="member-factor"),
    path(f"{_ROOT}sign-out", sign_out, name="member-sign-out"),
    path(f"{_ROOT}end", end, name="member-end"),
]
