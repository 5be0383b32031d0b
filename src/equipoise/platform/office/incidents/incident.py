"""One incident: as it is known now, and everything that was stated of it before. Never an arm."""

from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from equipoise.platform.incidents.choices import LISTS, kind_words
from equipoise.platform.incidents.models import Statement
from equipoise.platform.incidents.queries import history, statement_of
from equipoise.platform.incidents.texts import Texts, texts_of
from equipoise.platform.office.access import study_page
from equipoise.platform.pages.filters import day, moment
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.staff.models import StaffMember

__all__ = ["STATES", "TEXTS", "facts_of", "urlpatterns"]

STATES = {"open": "Open", "closed": "Closed"}
TEXTS = {"happened": "What happened", "done": "What was done"}


@require_safe
@study_page("incidents.log", by_partner=True)
def incident(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    """An incident that somebody may see; any other answers as one that there is not."""
    newest = statement_of(request.user, study, code)
    if newest is None:
        raise Http404
    page = {
        "page_title": f"Incident {code}",
        "code": code,
        "newest": newest,
        "kind": kind_words(newest.kind),
        "texts": texts_of(newest),
        "facts_kept": [*facts_of(newest), *_whose(request, study, newest)],
        "may_change": request.may("incidents.record", newest.partner_id),
        "history": list(_history(history(newest), folder_of(study).protocol.study.timezone)),
        "trail": [{"text": "Incidents", "href": reverse("incidents", args=[study.name])}],
    }
    return render(request, "office/incident.html", page)


def facts_of(statement: Statement) -> list[tuple[str, str]]:
    """What was chosen, in the words of the form."""
    return [
        ("What kind", kind_words(statement.kind)),
        ("Happened", day(statement.happened_on)),
        ("Learnt", day(statement.learnt_on)),
        ("How it was learnt", LISTS["way"][statement.way]),
        ("Serious", LISTS["serious"][statement.serious]),
        ("Foreseen", LISTS["expected"][statement.expected]),
        ("To do with taking part", LISTS["related"][statement.related]),
        ("How it stands", LISTS["outcome"][statement.outcome]),
        ("State", STATES["closed" if statement.closed else "open"]),
    ]


def _whose(request: HttpRequest, study: Study, statement: Statement) -> Iterator[tuple[Any, ...]]:
    """Whose people it concerns, and whom: by code, with the way to them for those who see people."""
    yield "Whose people", statement.partner.title if statement.partner else "–"
    if statement.participant is None:
        yield "Participant", "Nobody is named"
        return
    key = statement.participant.key
    look = {"href": reverse("person", args=[study.name, key]), "text": "Look at"}
    yield "Participant", key, *([look] if request.may("people.see", statement.partner_id) else [])


def _history(stated: list[Statement], zone: str) -> Iterator[dict[str, Any]]:
    """Every statement, newest first: who stated it when, and what differs from the one before."""
    names, texts = _names(stated), [texts_of(each) for each in stated]
    for place, statement in enumerate(stated):
        first, only = place + 1 == len(stated), len(stated) == 1  # the only one stands above already
        told = [] if only else [f"{name}: {value}" for name, value in facts_of(statement)]
        yield {
            "number": statement.number,
            "said": "Logged" if first else f"Statement {statement.number}",
            "who": names.get(statement.actor, statement.actor),
            "at": moment(statement.at, zone),
            "changes": told if first else _changes(statement, stated[place + 1]),
            "erased": texts[place] is None,
            "written": [] if only else list(_written(texts[place], None if first else texts[place + 1])),
        }


def _changes(statement: Statement, before: Statement) -> list[str]:
    """What stood there, and what stands now."""
    now, was = ([*facts_of(each), *_named(each)] for each in (statement, before))
    return [
        f"{name}: “{new}” in place of “{old}”"
        for (name, new), (_, old) in zip(now, was, strict=True)
        if new != old
    ]


def _named(statement: Statement) -> Iterator[tuple[str, str]]:
    yield "Whose people", statement.partner.title if statement.partner else "nobody's in particular"
    yield "Participant", statement.participant.key if statement.participant else "nobody is named"


def _written(texts: Texts | None, before: Texts | None) -> Iterator[tuple[str, str]]:
    """Why it was stated anew, and the texts that are not those of the statement before."""
    if texts is None:
        return
    old = before or Texts()
    if texts.why:
        yield "Why", texts.why
    for name, label in TEXTS.items():
        if (text := getattr(texts, name)) != getattr(old, name):
            yield label, text or "taken away"


def _names(stated: list[Statement]) -> dict[str, str]:
    """The members of staff who stated it, by how the record names them."""
    numbers = {each.actor.removeprefix("staff:") for each in stated if each.actor.startswith("staff:")}
    return {member.actor: member.name for member in StaffMember.objects.filter(pk__in=numbers)}


urlpatterns = [path("studies/<slug:name>/incidents/<slug:code>/", incident, name="incident")]
