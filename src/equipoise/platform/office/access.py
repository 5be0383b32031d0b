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
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from equipoise.errors import EquipoiseError, InputError, Problem
from equipoise.platform.permissions import Acting, NotAllowedError, can
from equipoise.platform.registry.models import Study
from equipoise.platform.staff.models import StaffMember

__all__ = ["office_page", "problems_in", "study_page", "visible_studies"]

View = Callable[..., HttpResponse]
_log = logging.getLogger("equipoise.office")

# The pages of a study: the name of the address, its words, and the verb that shows it.
_PLACES = (
    ("study", "Overview", "study.see"),
    ("study-protocol", "Protocol", "study.see"),
    ("people", "People", "people.see"),
    ("allocation", "Allocation", "allocation.see"),
    ("surveys", "Surveys", "surveys.response"),
    ("exports", "Data", "data.export"),
    ("study-record", "Record", "audit.see"),
)


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

        return page

    return decorate


def study_page(verb: str) -> Callable[[View], View]:
    """A page of one study, whose name is the address's `name`; the view gets the study in its place.

    Whoever is not signed in is sent to do so; without any role in the study there is no such page; with one
    that does not hold the verb the page is refused.

    Args:
        verb: of `permissions.PERMISSIONS`.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        @login_required
        def page(request: HttpRequest, name: str, *args: Any, **kwargs: Any) -> HttpResponse:
            study = Study.objects.select_related("programme").filter(name=name).first()
            roles = request.user.roles_in(study.pk) if study is not None else frozenset()
            if study is None or not roles:
                raise _refused(request, verb, Http404())
            if not can(_Roles(request.user.actor, roles), verb, study.pk):
                raise _refused(request, verb, PermissionDenied())
            _furnish(request, study, _Roles(request.user.actor, roles))
            return _answered(lambda: view(request, study, *args, **kwargs))

        return page

    return decorate


def visible_studies(who: StaffMember) -> "QuerySet[Study]":
    """The studies in which somebody has a role, newest first, as a query."""
    everything = Study.objects.select_related("programme").order_by("-added_at")
    if who.roles_in(None):
        return everything
    return everything.filter(pk__in=list(who.roles.values_list("study_id", flat=True)))


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


class _Roles:
    """Somebody with the roles that were read for this page, so that a page does not read them again."""

    def __init__(self, actor: str, roles: frozenset[str]) -> None:
        self.actor, self._roles = actor, roles

    def roles_in(self, study_id: int | None) -> frozenset[str]:
        return self._roles


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
    request.places = [] if study is None or who is None else _places(request, study, who)
    request.may = lambda verb: can(who or request.user, verb, study.pk if study is not None else None)


def _places(request: HttpRequest, study: Study, who: Acting) -> list[dict[str, Any]]:
    root = reverse("study", args=[study.name])
    places = []
    for name, text, verb in _PLACES:
        if can(who, verb, study.pk):
            href = reverse(name, args=[study.name])
            under = request.path == root if name == "study" else request.path.startswith(href)
            places.append({"text": text, "href": href, "current": under})
    return places


def _placed(problem: Problem) -> str:
    """A problem with its place; the folder of a version is called by its number."""
    return re.sub(r"^(\d+)/", r"Version \1: ", str(problem))


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:]
