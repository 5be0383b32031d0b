"""Who sees which page of the office, and where they can go from it. The rules are in `permissions`.

A study in which somebody has no role answers exactly as one that does not exist.
"""

import logging
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.messages import get_messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from equipoise.errors import EquipoiseError, InputError, Problem
from equipoise.platform.approvals.queries import waiting_count
from equipoise.platform.permissions import Acting, Grant, InStudy, NotAllowedError, can, reach
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.staff.models import StaffMember
from equipoise.protocol.extracts import extracts

__all__ = ["SIGNED_IN", "office_page", "problems_in", "study_page", "visible_studies"]

View = Callable[..., HttpResponse]
SIGNED_IN = "signed-in"  # what a page without a verb asks for
_log = logging.getLogger("equipoise.office")

# The pages of a study: the name of the address, its words, and the verb that shows it.
_PLACES = (
    ("study", "Overview", "study.see"),
    ("study-protocol", "Protocol", "study.see"),
    ("people", "People", "people.see"),
    ("allocation", "Allocation", "allocation.see"),
    ("surveys", "Surveys", "surveys.response"),
    ("messages", "Messages", "messages.calendar"),
    ("incidents", "Incidents", "incidents.log"),
    ("extracts", "HR extracts", "extracts.import"),
    ("exports", "Data", "data.export"),
    ("approvals", "Approvals", "approvals.see"),
    ("study-record", "Record", "audit.see"),
    ("study-staff", "Staff", "study.roles"),
    ("services", "Services", "services.keep"),
)
# The pages of the workspace besides the list of studies.
_WORKSPACE_PLACES = (("members", "Staff", "workspace.staff"),)


def office_page(verb: str | None = None) -> Callable[[View], View]:
    """A page of the office that belongs to no study.

    Args:
        verb: of the workspace; None where being signed in is enough.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        @login_required
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if verb is not None and not can(request.user, verb):
                raise _refused(request, verb, PermissionDenied())
            _furnish(request)
            return _answered(lambda: view(request, *args, **kwargs))

        vars(page).update(verb=verb or SIGNED_IN, by_partner=False)  # for the table of addresses
        return page

    return decorate


def study_page(verb: str, *, by_partner: bool = False) -> Callable[[View], View]:
    """A page of one study, whose name is the address's `name`; the view gets the study in its place.

    Whoever is not signed in is sent to do so; without any role in the study there is no such page; with one
    that does not hold the verb the page is refused. Whose people it may show or change is `request.reach`.

    Args:
        verb: of `permissions.PERMISSIONS`.
        by_partner: whether the view keeps to the reach of whoever holds the verb for some partners only;
            where it is not said that it does, they are refused.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        @login_required
        def page(request: HttpRequest, name: str, *args: Any, **kwargs: Any) -> HttpResponse:
            study = Study.objects.select_related("programme").filter(name=name).first()
            held = request.user.grants_in(study) if study is not None else frozenset()
            if study is None or not held:
                raise _refused(request, verb, Http404())
            who = _Holder(request.user.actor, held)
            request.reach = reach(who, verb, study)
            if not (request.reach if by_partner else request.reach.everybody):
                raise _refused(request, verb, PermissionDenied())
            _furnish(request, study, who)
            return _answered(lambda: view(request, study, *args, **kwargs))

        vars(page).update(verb=verb, by_partner=by_partner)
        return page

    return decorate


def visible_studies(who: StaffMember) -> "QuerySet[Study]":
    """The studies in which somebody has a role, newest first, as a query."""
    everything = Study.objects.select_related("programme").order_by("-added_at")
    if who.grants_in(None):
        return everything
    held = list(who.roles.values_list("study_id", "programme_id"))
    studies, programmes = [study for study, _ in held if study], [each for _, each in held if each]
    return everything.filter(Q(pk__in=studies) | Q(programme_id__in=programmes))


def problems_in(error: EquipoiseError, **ids: str) -> list[dict[str, str]]:
    """What a refusal says, for a page.

    Args:
        error: with one problem or more.
        ids: the field that a problem belongs to, by what the problem says of its place (`where`).
    """
    if not isinstance(error, InputError):
        return [{"id": "", "text": str(error)}]
    found = []
    for problem in error.problems:
        field = ids.get(problem.where, "")
        found.append({"id": field, "text": _sentence(problem.message) if field else _placed(problem)})
    return found


class _Holder:
    """Somebody with what was read for this page that they hold, so that a page does not read it again."""

    def __init__(self, actor: str, held: frozenset[Grant]) -> None:
        self.actor, self._held = actor, held

    def grants_in(self, study: InStudy | None) -> frozenset[Grant]:
        return self._held


def _refused(request: HttpRequest, verb: str, answer: Exception) -> Exception:
    """Who was refused what, by number, in the log; what they are told is the answer."""
    _log.warning("%s was refused %s", request.user.actor, verb)
    return answer


def _answered(view: Callable[[], HttpResponse]) -> HttpResponse:
    try:
        return view()
    except NotAllowedError:
        raise PermissionDenied from None


def _furnish(request: HttpRequest, study: Study | None = None, who: Acting | None = None) -> None:
    """What the layout of every page of the office shows besides the page itself."""
    request.notices = get_messages(request)
    request.study = study
    holder = who or _Holder(request.user.actor, request.user.grants_in(study))
    request.places = _workspace_places(request, holder) if study is None else _places(request, study, holder)
    request.may = lambda verb, partner_id=None: can(holder, verb, study, partner_id)


def _places(request: HttpRequest, study: Study, who: Acting) -> list[dict[str, Any]]:
    root = reverse("study", args=[study.name])
    places = []
    for name, text, verb in _PLACES:
        if reach(who, verb, study) and (name != "extracts" or extracts(folder_of(study).protocol)):
            href = reverse(name, args=[study.name])
            under = request.path == root if name == "study" else request.path.startswith(href)
            waiting = waiting_count(study) if name == "approvals" else 0
            shown = f"{text} ({waiting})" if waiting else text
            places.append({"text": shown, "href": href, "current": under})
    return places


def _workspace_places(request: HttpRequest, who: Acting) -> list[dict[str, Any]]:
    """Nothing for whoever can only go where they are."""
    found = [
        {"text": text, "href": reverse(name), "current": request.path.startswith(reverse(name))}
        for name, text, verb in _WORKSPACE_PLACES
        if can(who, verb)
    ]
    home = {"text": "Studies", "href": reverse("office-home")}
    return [{**home, "current": not any(each["current"] for each in found)}, *found] if found else []


def _placed(problem: Problem) -> str:
    """A problem with its place; the folder of a version is called by its number."""
    return re.sub(r"^(\d+)/", r"Version \1: ", str(problem))


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:]
