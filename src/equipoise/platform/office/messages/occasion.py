"""One occasion of a send: what became of it, how it looks, what can be done about it."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST

from equipoise.errors import EquipoiseError, InputError, Problem
from equipoise.messages import Measured
from equipoise.platform.clock import now
from equipoise.platform.delivery.actions import CAN_BE_TRIED, retry, send_now
from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.delivery.watch.tallies import UNSENT, tally
from equipoise.platform.delivery.writing.composing import Preview, preview
from equipoise.platform.delivery.writing.foreseeing import unreachable
from equipoise.platform.delivery.writing.trying import preview_as, test_message
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.confirming import confirmed_act
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.office.messages.costs import cost_of
from equipoise.platform.office.messages.schedule import Row, rows_of
from equipoise.platform.office.messages.words import CHANNELS, REASONS, STATES, minute, way
from equipoise.platform.people.models import Participant
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of

__all__ = ["urlpatterns"]

_CHUNK = 2_000
_FEW = 5_000  # messages; why they were not sent is counted in about 20 ms


def _of_occasion(verb: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """A page about one occasion of a send."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        @study_page(verb)
        def page(request: HttpRequest, study: Study, send: str, number: int) -> HttpResponse:
            counted = tally(study)
            rows = rows_of(study, counted, ahead=True)
            row = next((each for each in rows if (each.name, each.occasion) == (send, number)), None)
            if row is None:
                raise Http404
            return view(request, study, row)

        return page

    return decorate


@require_http_methods(["GET", "HEAD", "POST"])
@_of_occasion("messages.calendar")
def occasion(request: HttpRequest, study: Study, row: Row) -> HttpResponse:
    """What became of an occasion, and how it looks; POST shows it as somebody gets it, which is recorded."""
    if wants_csv(request):
        return _file(request, study, row)
    if request.GET.get("format") == "unreachable" and row.planned is not None:
        return _unreachable_file(request, study, row)
    key, problems = request.POST.get("key", "").strip(), []
    shown = None
    if row.planned is not None:
        try:
            shown = _preview(request, study, row, key)
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            problems = problems_in(error, key="key")
    zone = folder_of(study).protocol.study.timezone
    may_send = request.may("messages.send") and study.state == "live" and row.planned is not None
    page = {
        "page_title": row.label,
        "row": row,
        "about": _about(study, row, zone),
        "states": [
            {"state": text, "number": f"{row.counted.of(state):,}"}
            for state, text in STATES.items()
            if row.counted.of(state)
        ],
        "why": list(_why(study, row)),
        "preview": shown,
        **(_taken(row, shown.measured) if shown is not None and shown.measured is not None else {}),
        "key": key,
        "problems": problems,
        "may_look": row.planned is not None
        and request.may("people.contact")
        and request.may("messages.preview"),
        "may_list": request.may("people.participation"),
        "may_send": may_send and (row.counted.of("planned", "missed") > 0 or _can_be_planned(row)),
        "may_retry": may_send and row.counted.of("failed") > 0,
        "may_try": row.planned is not None and request.may("messages.send"),
        "zone": zone,
        "here": [study.name, row.name, row.occasion],
        "trail": way(study),
    }
    return render(request, "office/message.html", page, status=422 if problems else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@_of_occasion("messages.send")
def now_page(request: HttpRequest, study: Study, row: Row) -> HttpResponse:
    """Send an occasion at once, once the name of the study was typed."""
    waiting, missed = row.counted.of("planned"), row.counted.of("missed")
    if row.counted.states:
        says = [f"Messages that go out at once: {waiting:,} that wait for their time, {missed:,} missed."]
    else:
        says = [f"It goes at once to everybody whom it is for: {row.to}, as things stand."]
    says += [
        "Quiet hours, weekends and bank holidays are not waited for.",
        "Each person is looked at again first: whoever left, stopped messages or has answered is left out.",
        "Nobody gets it twice.",
        "What has gone out cannot be taken back.",
    ]
    page = {
        "page_title": f"Send now: {row.label}",
        "says": says,
        "button_text": "Send now",
        "back": _address(study, row),
        "trail": _trail(study, row),
    }
    return confirmed_act(
        request,
        page,
        thing=study.name,
        act=lambda _: send_now(request.user, study, row.name, row.occasion),
        done="They go out now.",
        onward=_address(study, row),
        reason=False,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@_of_occasion("messages.send")
def retry_page(request: HttpRequest, study: Study, row: Row) -> HttpResponse:
    """Try again what failed for a reason that can pass."""
    passing = ", ".join(REASONS[reason].lower() for reason in CAN_BE_TRIED)
    page = {
        "page_title": f"Try again: {row.label}",
        "says": [
            "Messages are tried once more that could not be sent for one of these reasons: " + passing + ".",
            "Put right first what kept them back, or they fail again.",
        ],
        "button_text": "Try again",
        "danger": False,
        "back": _address(study, row),
        "trail": _trail(study, row),
    }
    return confirmed_act(
        request,
        page,
        thing="",
        act=lambda _: retry(request.user, study, row.name, row.occasion),
        done="They are tried again.",
        onward=_address(study, row),
        reason=False,
    )


@require_POST
@_of_occasion("messages.send")
def test_page(request: HttpRequest, study: Study, row: Row) -> HttpResponse:
    """Send the example to whoever asks; nothing of it is kept among the messages."""
    try:
        test_message(request.user, study, row.name, row.occasion)
    except NotAllowedError:
        raise
    except EquipoiseError as error:
        for problem in problems_in(error):
            messages.error(request, problem["text"])
    else:
        messages.success(request, "A test message is on its way to your own address.")
    return HttpResponseRedirect(_address(study, row), status=303)


def _preview(request: HttpRequest, study: Study, row: Row, key: str) -> Preview:
    if request.method != "POST":
        return preview(study, row.name, row.occasion, None)
    person = Participant.objects.select_related("study").filter(study=study, key=key.lower()).first()
    if person is None:
        message = "Nobody in this study has this code; it stands on the person's page"
        raise InputError(Problem("", "key", message))
    return preview_as(request.user, study, row.name, row.occasion, person)


def _can_be_planned(row: Row) -> bool:
    """Whether it could go out before it is planned."""
    planned = row.planned
    if planned is None or row.counted.states or row.over or not planned.confirmed:
        return False
    return row.due is not None and bool(row.people) and not planned.estimated


def _about(study: Study, row: Row, zone: str) -> list[tuple[Any, ...]]:
    """When it goes, how, to how many, and whether it may."""
    planned = row.planned
    told = [("When", row.when if row.due is None else minute(row.due, zone))]
    if planned is not None and planned.missed:
        told.append(("Cannot go out", "Quiet hours and days of rest leave no time for it"))
    elif planned is not None and planned.moved:
        told.append(("Put off", "By quiet hours or a day of rest"))
    told += [("Not later than", minute(row.last, zone)), ("Channel", CHANNELS.get(row.channel, "–"))]
    told.append(("To", row.to))
    if planned is None:
        return [*told, ("May go out", "No: an amendment took it out")]
    if planned.waits and study.state != "locked":
        where = {"href": reverse("messages-waiting", args=[study.name]), "text": "See what waits"}
        return [*told, ("May go out", "Waits for somebody to say so", where)]
    return [*told, ("May go out", _may_go_out(study, row, confirmed=planned.confirmed))]


def _may_go_out(study: Study, row: Row, *, confirmed: bool) -> str:
    if study.state in ("closed", "published"):
        return "No: the study is closed"
    if row.last is not None and row.last < now():
        return "No: its time is over"
    if study.state == "locked":
        return "Once the study is launched"
    return "Yes" if confirmed else "No: data collection has ended"


def _may_look(request: HttpRequest) -> bool:
    """Whether somebody may see a message with a participant's own values in it."""
    return request.may("people.contact") and request.may("messages.preview")


def _taken(row: Row, measured: Measured) -> dict[str, Any]:
    """What a text takes, and which characters make it dear."""
    dear = dict.fromkeys(measured.dear)
    return {
        "cost": cost_of(row, measured.parts),
        "dear": [{"character": character, "instead": other} for character, other in dear],
    }


def _why(study: Study, row: Row) -> Iterator[dict[str, str]]:
    """Why messages of an occasion were not sent; of very many it is in the file."""
    unsent = row.counted.of("unknown", *UNSENT)
    if not 0 < unsent <= _FEW:
        return
    rows = Dispatch.objects.filter(study=study, contact=row.name, occasion=row.occasion)
    found = rows.filter(state__in=("unknown", *UNSENT)).order_by().values_list("state", "reason")
    for state, reason, number in found.annotate(Count("pk")).order_by("state", "reason"):
        yield {
            "why": REASONS.get(reason, reason or "–"),
            "state": STATES[state],
            "number": f"{number:,}",
        }


def _file(request: HttpRequest, study: Study, row: Row) -> HttpResponse:
    """Each dispatch by code, for whoever may know who takes part; the counts for everybody else."""
    name = f"{study.name}-{row.name}-{row.occasion}"
    if not request.may("people.participation"):
        counts = ((text, row.counted.of(state)) for state, text in STATES.items())
        return csv_file(name, ["State", "Messages"], counts)
    rows = Dispatch.objects.filter(study=study, contact=row.name, occasion=row.occasion).order_by("pk")
    columns = ("participant__key", "state", "reason", "due_at", "sent_at", "attempts", "parts", "version")
    header = ["Code", "State", "Reason", "Due (UTC)", "Sent (UTC)", "Attempts", "Parts", "Version"]
    lines = rows.values_list(*columns).iterator(_CHUNK)
    return csv_file(name, header, lines)


def _unreachable_file(request: HttpRequest, study: Study, row: Row) -> HttpResponse:
    """Whom it would not reach, by code; read as it is sent, since everybody's message is composed for it."""
    found = unreachable(request.user, study, row.name, row.occasion)
    lines = ((key, REASONS.get(reason, reason), field) for key, reason, field in found)
    name = f"{study.name}-{row.name}-{row.occasion}-not-reached"
    return csv_file(name, ["Code", "Reason", "Field"], lines)


def _address(study: Study, row: Row) -> str:
    return reverse("message", args=[study.name, row.name, row.occasion])


def _trail(study: Study, row: Row) -> list[dict[str, str]]:
    return way(study, {"text": row.label, "href": _address(study, row)})


_PLACE = "studies/<slug:name>/messages/sends/<str:send>/<int:number>/"

urlpatterns = [
    path(_PLACE, occasion, name="message"),
    path(f"{_PLACE}now", now_page, name="message-now"),
    path(f"{_PLACE}retry", retry_page, name="message-retry"),
    path(f"{_PLACE}test", test_page, name="message-test"),
]
