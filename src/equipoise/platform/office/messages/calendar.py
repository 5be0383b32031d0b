"""The calendar of messages: what goes to how many, when; what became of it; what it costs; what is wrong."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from equipoise.platform.clock import now
from equipoise.platform.delivery.files import waiting_for_files
from equipoise.platform.delivery.launching import launch_problems
from equipoise.platform.delivery.planning.confirming import unconfirmed
from equipoise.platform.delivery.planning.limits import limit_problems
from equipoise.platform.delivery.queries import alarms, unknown_in
from equipoise.platform.delivery.watch.tallies import GONE_OUT, TO_GO_OUT, UNSENT, tally
from equipoise.platform.delivery.watch.telling import alarm_text
from equipoise.platform.office.access import study_page
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.office.listing import both_ways, chosen_of, leaf_of, sorted_columns
from equipoise.platform.office.messages.coming import so_far
from equipoise.platform.office.messages.costs import costs
from equipoise.platform.office.messages.schedule import Row, rows_of
from equipoise.platform.office.messages.words import CHANNELS, STATES, minute
from equipoise.platform.operations.held import sending_held
from equipoise.platform.pages.filters import moment
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.sends import sends

__all__ = ["urlpatterns"]

_WHEN = {"coming": "Today and later", "past": "Past", "all": "All"}
_COLUMNS = {
    "what": "What",
    "due": "When",
    "channel": "Channel",
    "people": "To",
    "sent": "Sent",
    "waits": "Waits",
    "doubt": "In doubt",
    "unsent": "Not sent",
}
_NUMBERS = ("people", "sent", "waits", "doubt", "unsent")
_SORTS = {
    "what": lambda row: row.label,
    "due": lambda row: (row.due is None, row.due and row.due.timestamp()),
    "people": lambda row: row.people,
    "unsent": lambda row: row.counted.of(*UNSENT),
}


@require_safe
@study_page("messages.calendar")
def calendar(request: HttpRequest, study: Study) -> HttpResponse:
    """Every occasion of everything that goes out, by time, and whether it went out as it should."""
    counted, moment_now = tally(study), now()
    zone = folder_of(study).protocol.study.timezone
    every = rows_of(study, counted, ahead=True)
    if wants_csv(request):
        return _file(study, every)
    chosen = chosen_of(request, {"when": _WHEN, "channel": CHANNELS, "sort": both_ways(_SORTS)})
    rows = _chosen(every, chosen, moment_now)
    leaf = leaf_of(request, len(rows))
    page = {
        "page_title": "Messages",
        "state": study.state,
        "held": sending_held(settings.WORKSPACE),
        "alarms": [alarm_text(alarm, zone) for alarm in alarms([study])],
        "warnings": _problems(study),
        "unconfirmed": len(unconfirmed(study)),
        "in_doubt": unknown_in([study]).get(study.pk, 0),
        "not_sent": counted.everything.of("failed", "missed"),
        "so_far": so_far(every, moment_now),
        "costs": costs(study, every),
        "columns": [
            {**column, "number": column["key"] in _NUMBERS}
            for column in sorted_columns(_COLUMNS.items(), _SORTS, chosen, chosen.get("sort", "due"))
        ],
        "rows": [_shown(study, row, zone) for row in rows[leaf.rows]],
        "count": len(rows),
        "any": bool(every),
        "chosen": chosen,
        "whens": list(_WHEN.items()),
        "channels": [("", "Any channel"), *CHANNELS.items()],
        **leaf.values(chosen),
        "zone": zone,
        "now": moment(moment_now, zone),
        "counted_at": moment(counted.at, zone) if counted.at else "",
        "may_pause": request.may("study.pause") and study.state in ("live", "paused"),
        "may_send": request.may("messages.send"),
        "may_file": request.may("messages.files"),
        "to_file": waiting_for_files([study]).get(study.pk, 0),
    }
    return render(request, "office/messages.html", page)


def _chosen(rows: Sequence[Row], chosen: Mapping[str, str], moment_now: datetime) -> list[Row]:
    """Those that the address asks for, in its order; what is to come where it does not say."""
    when = chosen.get("when", "coming")
    found = [
        row
        for row in rows
        if when == "all" or row.comes(moment_now) == (when == "coming")
        if row.channel == chosen.get("channel", row.channel)
    ]
    sort = chosen.get("sort", "due")
    return sorted(found, key=_SORTS[sort.removeprefix("-")], reverse=sort.startswith("-"))


def _shown(study: Study, row: Row, zone: str) -> dict[str, Any]:
    counted = row.counted
    return {
        "what": {"text": row.label, "href": reverse("message", args=[study.name, row.name, row.occasion])},
        "due": row.when if row.due is None else minute(row.due, zone),
        "channel": CHANNELS.get(row.channel, "–"),
        "people": row.to,
        "sent": f"{counted.of(*GONE_OUT):,}",
        "waits": f"{counted.of(*TO_GO_OUT):,}",
        "doubt": f"{counted.of('unknown'):,}",
        "unsent": f"{counted.of(*UNSENT):,}",
    }


def _problems(study: Study) -> list[str]:
    """What keeps messages from going out, or lets them wait."""
    if study.state not in ("locked", "live", "paused"):
        return []
    limits = limit_problems(study) if settings.WORKSPACE.settings.carriers.limits else []
    labels = {name: send.label for name, send in sends(folder_of(study)).items()}
    lacking = [problem.message[:1].upper() + problem.message[1:] for problem in launch_problems(study)]
    return [*lacking, *(f"{labels.get(each.where, each.where)}: {each.message}" for each in limits)]


def _file(study: Study, rows: Sequence[Row]) -> HttpResponse:
    header = [
        "Send",
        "Occasion",
        "What",
        "Channel",
        "Due (UTC)",
        "Until (UTC)",
        "To",
        *STATES.values(),
        "Parts of texts",
    ]
    return csv_file(f"{study.name}-messages", header, _lines(rows))


def _lines(rows: Sequence[Row]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        states = (row.counted.of(state) for state in STATES)
        told = (row.name, row.occasion, row.label, CHANNELS.get(row.channel, ""), row.due, row.last)
        yield (*told, row.people, *states, row.counted.parts)


urlpatterns = [path("studies/<slug:name>/messages/", calendar, name="messages")]
