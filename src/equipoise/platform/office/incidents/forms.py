"""The forms of the log: log something, correct, close or reopen what was logged."""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from equipoise.errors import EquipoiseError
from equipoise.platform.incidents.actions import (
    check_changing,
    close_incident,
    correct_incident,
    new_code,
    record_incident,
    reopen_incident,
)
from equipoise.platform.incidents.choices import LISTS, MISTAKE, counted_elsewhere, kind_words, kinds_of
from equipoise.platform.incidents.models import Incident, Statement
from equipoise.platform.incidents.queries import statement_of
from equipoise.platform.incidents.stated import Stated, stated_in, today_of
from equipoise.platform.incidents.texts import Texts, texts_of
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.listing import whole_number
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, partners

__all__ = ["urlpatterns"]

_CHOSEN = tuple(each.name for each in fields(Stated))
_WRITTEN = tuple(each.name for each in fields(Texts))
_DAYS = ("happened_on", "learnt_on")
# As the form asks, so that the list of what is wrong leads down the page.
_ORDER = (
    *("kind", "happened_on", "learnt_on", "way", "named", "partner", "happened"),
    *("serious", "expected", "related", "done", "outcome", "why", ""),
)
_ISO = re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})", re.ASCII)
_BRITISH = re.compile(r"(?P<day>\d{1,2})[/. ](?P<month>\d{1,2})[/. ](?P<year>\d{4})", re.ASCII)

Act = Callable[[Stated, Texts], Incident]


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("incidents.record", by_partner=True)
def add(request: HttpRequest, study: Study) -> HttpResponse:
    """Log something that happened."""

    def act(stated: Stated, texts: Texts) -> Incident:
        return record_incident(request.user, study, stated, texts, code=request.POST.get("code", ""))

    typed = {
        "code": new_code(),
        "named": request.GET.get("participant", "")[:16],
        "learnt_on": today_of(study).isoformat(),
    }
    page = {"page_title": "Log an incident", "button_text": "Log it", "newest": None}
    return _form(request, study, page, typed, act)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("incidents.record", by_partner=True)
def correct(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    """State an incident anew; what stood there stays to be read."""
    newest = _changeable(request, study, code)

    def act(stated: Stated, texts: Texts) -> Incident:
        seen = whole_number(request.POST.get("seen", ""), 0)
        return correct_incident(request.user, newest.incident, stated, texts, seen=seen).incident

    said, texts = stated_in(newest), texts_of(newest) or Texts()
    typed = {name: str(getattr(said, name)) for name in _CHOSEN}
    typed |= {"happened": texts.happened, "done": texts.done, "seen": str(newest.number)}
    page = {"page_title": f"Correct incident {code}", "button_text": "Correct it", "newest": newest}
    return _form(request, study, page, typed, act)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("incidents.record", by_partner=True)
def close(request: HttpRequest, study: Study, code: str) -> HttpResponse:
    """Say how an incident stands when nothing remains to be done; what was closed is opened again here."""
    newest = _changeable(request, study, code)
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            _closed_or_reopened(request, newest)
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            problems = problems_in(error, outcome="outcome", done="done", why="why")
        else:
            return _onward(request, study, newest.incident)
    texts = texts_of(newest) or Texts()
    page = {
        "page_title": f"Open incident {code} again" if newest.closed else f"Close incident {code}",
        "newest": newest,
        "kind": kind_words(newest.kind),
        "outcomes": list(LISTS["outcome"].items()),
        "typed": request.POST or {"done": texts.done, "seen": newest.number},
        "problems": problems,
        "trail": _way(study, newest),
    }
    return render(request, "office/incident_close.html", page, status=422 if problems else 200)


def _form(
    request: HttpRequest, study: Study, page: Mapping[str, Any], typed: Mapping[str, str], act: Act
) -> HttpResponse:
    """Show the form, or do what was sent; `typed` is what stands in it at first."""
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            done = act(*_sent(request))
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            found = problems_in(error, **{name: name for name in (*_CHOSEN, *_WRITTEN)})
            problems = sorted(found, key=lambda one: _ORDER.index(one["id"]))
        else:
            return _onward(request, study, done)
    newest = page["newest"]
    kinds = kinds_of(study)
    if newest is not None:
        kinds.setdefault(newest.kind, kind_words(newest.kind))
    values = {
        "support": folder_of(study).protocol.support,
        "counted": counted_elsewhere(study),
        "kinds": list(kinds.items()),
        "lists": {name: list(words.items()) for name, words in LISTS.items()},
        "outcomes": [each for each in LISTS["outcome"].items() if newest is not None or each[0] != MISTAKE],
        "partners": _partners(request, study),
        "looks_up": _looks_up(request),
        "typed": request.POST or typed,
        "problems": problems,
        "trail": _way(study, newest),
        **page,
    }
    return render(request, "office/incident_form.html", values, status=422 if problems else 200)


def _sent(request: HttpRequest) -> tuple[Stated, Texts]:
    """What was sent; a day that is none is taken for missing."""
    sent = {name: _text(request, name) for name in (*_CHOSEN, *_WRITTEN)}
    chosen: dict[str, Any] = {name: sent[name] for name in _CHOSEN if name not in _DAYS}
    chosen |= {name: _day(sent[name]) for name in _DAYS}
    return Stated(**chosen), Texts(**{name: sent[name] for name in _WRITTEN})


def _closed_or_reopened(request: HttpRequest, newest: Statement) -> None:
    seen = whole_number(request.POST.get("seen", ""), 0)
    if newest.closed:
        reopen_incident(request.user, newest.incident, why=_text(request, "why"), seen=seen)
        return
    outcome, done = _text(request, "outcome"), _text(request, "done")
    close_incident(request.user, newest.incident, outcome=outcome, done=done, seen=seen)


def _changeable(request: HttpRequest, study: Study, code: str) -> Statement:
    newest = statement_of(request.user, study, code)
    if newest is None:
        raise Http404
    check_changing(request.user, newest)
    return newest


def _onward(request: HttpRequest, study: Study, done: Incident) -> HttpResponse:
    messages.success(request, "Done, and recorded.")
    return HttpResponseRedirect(reverse("incident", args=[study.name, done.code]), status=303)


def _partners(request: HttpRequest, study: Study) -> list[tuple[str, str]]:
    """Whose people it can concern where nobody is named; nothing to choose where there is only one."""
    mine = [(each.name, each.title) for each in partners(study) if request.reach.covers(each.pk)]
    if request.reach.everybody:
        return [("", "Nobody's in particular"), *mine]
    return [("", "Choose one"), *mine] if len(mine) > 1 else []


def _looks_up(request: HttpRequest) -> str:
    """By what somebody can be named, in words."""
    if request.may("people.participation"):
        return "Their code, identifier, e-mail address or telephone number"
    anywhere = [None, *request.reach.partners]
    sees = any(request.may("people.see", partner) for partner in anywhere)
    return "Their code or identifier" if sees else "Their code"


def _way(study: Study, newest: Statement | None) -> list[dict[str, str]]:
    log = {"text": "Incidents", "href": reverse("incidents", args=[study.name])}
    if newest is None:
        return [log]
    code = newest.incident.code
    return [log, {"text": code, "href": reverse("incident", args=[study.name, code])}]


def _day(text: str) -> date | None:
    """A day as 2021-03-15 or 15/3/2021; None where it is none."""
    found = _ISO.fullmatch(text) or _BRITISH.fullmatch(text)
    try:
        return date(**{name: int(number) for name, number in found.groupdict().items()}) if found else None
    except ValueError:
        return None


def _text(request: HttpRequest, name: str) -> str:
    return str(request.POST.get(name, "")).strip().replace("\r\n", "\n")


urlpatterns = [
    path("studies/<slug:name>/incidents/add", add, name="incident-add"),
    path("studies/<slug:name>/incidents/<slug:code>/correct", correct, name="incident-correct"),
    path("studies/<slug:name>/incidents/<slug:code>/close", close, name="incident-close"),
]
