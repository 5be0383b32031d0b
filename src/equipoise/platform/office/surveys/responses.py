"""The surveys of a study: how many have answered, by wave, partner and day."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from equipoise.platform.fieldwork.queries import Response, responses, responses_by_day
from equipoise.platform.office.access import study_page
from equipoise.platform.office.disclosed import reached, so_far, told
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.pages.filters import day
from equipoise.platform.registry.models import Partner, Study
from equipoise.platform.registry.queries import folder_of, partners, wave_times

__all__ = ["surveys_trail", "urlpatterns", "wave_label"]

# How the partners of a wave can be ordered; everybody together always comes first.
_SORTS: dict[str, tuple[str, Callable[[Response], Any]]] = {
    "partner": ("Partner", lambda row: (row.partner is not None, row.partner)),
    "fewest": ("Fewest complete", lambda row: (row.partner is not None, row.complete)),
    "lowest": ("Lowest share", lambda row: (row.partner is not None, row.rate or 0.0)),
    "highest": ("Highest share", lambda row: (row.partner is not None, -(row.rate or 0.0))),
}


@require_safe
@study_page("surveys.response", by_partner=True)
def surveys(request: HttpRequest, study: Study) -> HttpResponse:
    """Each wave: how many answered, together and by partner; to a partner in tens."""
    rows = reached(responses(study, request.reach), request.reach)
    if wants_csv(request):
        return _response_file(request, study, rows)
    sort = request.GET.get("sort", "") if request.GET.get("sort") in _SORTS else "partner"
    participants = folder_of(study).protocol.participants
    page = {
        "page_title": "Surveys",
        "waves": [
            {
                "wave": wave,
                "rows": sorted((row for row in rows if row.wave == wave.wave), key=_SORTS[sort][1]),
                "state": wave.state,
            }
            for wave in wave_times(study).values()
        ],
        "sorts": [
            {"text": text, "href": f"?sort={name}", "current": name == sort}
            for name, (text, _) in _SORTS.items()
        ],
        "many": len({row.partner_id for row in rows}) > 2,
        "in_tens": not request.reach.everybody,
        "told": told,
        "open": participants is not None and participants.enrolment == "open-link",
        "may_links": request.may("surveys.links"),
        "may_preview": request.may("surveys.preview"),
    }
    return render(request, "office/surveys.html", page)


@require_safe
@study_page("surveys.response", by_partner=True)
def days(request: HttpRequest, study: Study, wave: str) -> HttpResponse:
    """How many finished a wave on each day, of everybody or of one partner; to a partner in tens, so far."""
    label = wave_label(study, wave)
    there = {each.name: each for each in partners(study) if request.reach.covers(each.pk)}
    whole = request.reach.everybody
    partner = there.get(request.GET.get("partner", "")) or (None if whole else next(iter(there.values())))
    rows = responses_by_day(study, wave, partner)
    if not whole:
        rows = list(so_far(rows, _asked(request, study, wave, partner)))
    if wants_csv(request):
        header = ["Day", "Complete" if whole else "Complete so far (at least)"]
        return csv_file(f"{study.name}-{wave}-days", header, rows)
    most = max((number for _, number in rows), default=0)
    page = {
        "page_title": f"{label}: by day",
        "rows": [{"text": day(date), "value": number, "of": most} for date, number in rows],
        "by_day": [{"day": day(date), "complete": told(number)} for date, number in rows],
        "in_tens": not whole,
        "partners": [
            *([("", "Every partner")] if whole else []),
            *((each.name, each.title) for each in there.values()),
        ],
        "partner": partner.name if partner is not None else "",
        "file": f"?{urlencode({'partner': partner.name if partner else '', 'format': 'csv'})}",
        "zone": folder_of(study).protocol.study.timezone,
        "trail": surveys_trail(study),
    }
    return render(request, "office/days.html", page)


def wave_label(study: Study, wave: str) -> str:
    """A wave in words.

    Raises:
        Http404: the study has no such wave.
    """
    waves = folder_of(study).protocol.waves
    if wave not in waves:
        raise Http404
    return waves[wave].label or wave


def surveys_trail(study: Study) -> list[dict[str, str]]:
    """The way up from a page below the surveys."""
    return [{"text": "Surveys", "href": reverse("surveys", args=[study.name])}]


def _response_file(request: HttpRequest, study: Study, rows: list[Response]) -> HttpResponse:
    labels = {wave.wave: wave.label for wave in wave_times(study).values()}
    whole, least = request.reach.everybody, "" if request.reach.everybody else " (at least)"
    header = [
        "Wave",
        "Partner",
        "Asked",
        f"Started{least}",
        f"Complete{least}",
        *(["Complete (%)"] if whole else []),
    ]
    lines = (
        (
            labels[row.wave],
            row.partner or "All",
            row.asked,
            row.started,
            row.complete,
            *([_percent(row.rate)] if whole else []),
        )
        for row in rows
    )
    return csv_file(f"{study.name}-response", header, lines)


def _asked(request: HttpRequest, study: Study, wave: str, partner: Partner | None) -> int:
    found = (row for row in responses(study, request.reach) if row.wave == wave)
    return sum(row.asked for row in found if partner is not None and row.partner_id == partner.pk)


def _percent(rate: float | None) -> float | None:
    return None if rate is None else round(100 * rate, 1)


urlpatterns = [
    path("studies/<slug:name>/surveys/", surveys, name="surveys"),
    path("studies/<slug:name>/surveys/<str:wave>/days", days, name="survey-days"),
]
