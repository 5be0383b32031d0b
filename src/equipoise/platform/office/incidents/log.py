"""The log of harms and incidents: the table, and how often what was logged. Never an arm
before the results are unmasked."""

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from equipoise.platform.incidents.choices import (
    DISTRESS,
    NOT_SERIOUS,
    counted_elsewhere,
    kind_words,
    kinds_of,
)
from equipoise.platform.incidents.events import counts_by_arm
from equipoise.platform.incidents.models import Statement
from equipoise.platform.incidents.queries import WAITS_DAYS, counts, visible, waiting
from equipoise.platform.incidents.texts import Texts, texts_of
from equipoise.platform.office.access import study_page
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.office.incidents.incident import STATES, TEXTS, facts_of
from equipoise.platform.office.listing import both_ways, chosen_of, leaf_of, order_of, sorted_columns
from equipoise.platform.pages.filters import day
from equipoise.platform.permissions import Acting, Reach, reach
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, stages

__all__ = ["incident_calls", "urlpatterns"]

_SORTS = {"happened": "happened_on", "learnt": "learnt_on", "kind": "kind", "serious": "grave"}
_COLUMNS = {
    "code": "Code",
    "kind": "What happened",
    "happened": "When",
    "learnt": "Learnt",
    "serious": "Serious",
    "state": "State",
    "partner": "Whose people",
}
_GRAVE = Case(When(serious=NOT_SERIOUS, then=Value(0)), default=Value(1))
_SERIOUS = {"yes": "Serious", "no": "Not serious"}
_HEADER = (
    "Code",
    "Kind",
    "Happened",
    "Learnt",
    "How learnt",
    "Serious",
    "Foreseen",
    "Could have to do with taking part",
    "How it stands",
    "State",
    "Partner",
    "Participant",
    "Stated last (UTC)",
    "Statements",
)


@require_safe
@study_page("incidents.log", by_partner=True)
def incidents(request: HttpRequest, study: Study) -> HttpResponse:
    """What was logged, as far as somebody may see it, in the order and with the filter of the address."""
    chosen = _chosen(request, study)
    rows = _filtered(visible(request.user, study), chosen)
    seen = reach(request.user, "incidents.see", study)
    if wants_csv(request):
        header = [*_HEADER, *(TEXTS.values() if seen else ())]
        return csv_file(f"{study.name}-incidents", header, _lines(rows, seen))
    count = rows.count()
    leaf = leaf_of(request, count)
    shown = rows.select_related("incident", "partner")[leaf.rows]
    page = {
        "page_title": "Incidents",
        "support": folder_of(study).protocol.support,
        "counted": counted_elsewhere(study),
        "kinds": [("", "Any kind"), *kinds_of(study).items()],
        "seriousness": [("", "Serious or not"), *_SERIOUS.items()],
        "states": [("", "Open or closed"), *STATES.items()],
        "chosen": chosen,
        "columns": list(sorted_columns(_COLUMNS.items(), _SORTS, chosen, chosen.get("sort", "-happened"))),
        "rows": [_row(study, statement) for statement in shown],
        "count": count,
        "totals": _totals(study) if seen.everybody else [],
        "by_arm": _by_arm(study) if seen.everybody and study.results == "unmasked" else [],
        "sees": _sees(seen),
        **leaf.values(chosen),
        "file": f"?{urlencode({**chosen, 'format': 'csv'})}",
        "may_record": bool(reach(request.user, "incidents.record", study)),
    }
    return render(request, "office/incidents.html", page)


def incident_calls(who: Acting, studies: Iterable[Study]) -> dict[int, list[dict[str, str]]]:
    """What of the log needs somebody today, in words and with its place, by the number of the study."""
    by_pk = {study.pk: study for study in studies}
    found = {}
    for pk, each in waiting(who, by_pk.values()).items():
        log = reverse("incidents", args=[by_pk[pk].name])
        found[pk] = [
            {"text": text, "href": f"{log}?{urlencode({**chosen, 'state': 'open'})}"}
            for number, words, days, chosen in (
                (each.serious, "serious {}", WAITS_DAYS["serious"], {"serious": "yes"}),
                (each.distress, "{} of distress", WAITS_DAYS[DISTRESS], {"kind": DISTRESS}),
            )
            if number
            for text in [_open_for(number, words, days)]
        ]
    return found


def _open_for(number: int, words: str, days: int) -> str:
    what = words.format("incident" if number == 1 else "incidents")
    since = "a day" if days == 1 else f"{days} days"
    return f"{number:,} {what} {'has' if number == 1 else 'have'} been open for {since} or more"


def _chosen(request: HttpRequest, study: Study) -> dict[str, str]:
    """What the address asks for, and only what there is."""
    allowed: dict[str, Container[str]] = {
        "kind": kinds_of(study),
        "serious": _SERIOUS,
        "state": STATES,
        "sort": both_ways(_SORTS),
    }
    return chosen_of(request, allowed)


def _filtered(rows: "QuerySet[Statement]", chosen: Mapping[str, str]) -> "QuerySet[Statement]":
    if "kind" in chosen:
        rows = rows.filter(kind=chosen["kind"])
    if "serious" in chosen:
        not_serious = rows.filter(serious=NOT_SERIOUS)
        rows = not_serious if chosen["serious"] == "no" else rows.exclude(serious=NOT_SERIOUS)
    if "state" in chosen:
        rows = rows.filter(closed=chosen["state"] == "closed")
    rows = rows.annotate(grave=_GRAVE)
    return rows.order_by(order_of(_SORTS, chosen.get("sort", "-happened")), "incident__code")


def _row(study: Study, statement: Statement) -> dict[str, Any]:
    return {
        "code": {
            "text": statement.incident.code,
            "href": reverse("incident", args=[study.name, statement.incident.code]),
        },
        "kind": kind_words(statement.kind),
        "happened": day(statement.happened_on),
        "learnt": day(statement.learnt_on),
        "serious": _SERIOUS["no" if statement.serious == NOT_SERIOUS else "yes"],
        "state": STATES["closed" if statement.closed else "open"],
        "partner": statement.partner.title if statement.partner else "–",
    }


def _sees(seen: Reach) -> str:
    """What the list leaves out, said to whoever does not see all of it."""
    if seen.everybody:
        return ""
    return "You see what concerns your partner's people." if seen else "You see what you logged yourself."


def _totals(study: Study) -> list[dict[str, Any]]:
    return [
        {
            "kind": kind_words(kind),
            "incidents": found.incidents,
            "people": found.people,
            "serious": found.serious,
        }
        for kind, found in counts(study).items()
    ]


def _by_arm(study: Study) -> list[dict[str, Any]]:
    """For each stage, its arms and how many people of each met with what, once that may be told."""
    tables = []
    for stage in stages(study):
        arms = folder_of(study).protocol.allocation[stage.name].arms
        found = counts_by_arm(stage)
        columns = [{"key": arm, "text": said.label or arm, "number": True} for arm, said in arms.items()]
        rows = [
            {"what happened": kind_words(kind), **{arm: by_arm[arm].people for arm in arms}}
            for kind, by_arm in found.items()
        ]
        first = {"key": "what happened", "text": "What happened"}  # no arm has a name like this
        tables.append({"stage": stage.name, "columns": [first, *columns], "rows": rows})
    return tables


def _lines(rows: "QuerySet[Statement]", seen: Reach) -> Iterator[tuple[Any, ...]]:
    for row in rows.select_related("incident", "partner", "participant", "text").iterator(500):
        texts = (texts_of(row) or Texts()) if seen.covers(row.partner_id) else Texts()
        words = [said for _, said in facts_of(row)]
        yield (
            row.incident.code,
            words[0],
            row.happened_on.isoformat(),
            row.learnt_on.isoformat(),
            *words[3:],
            row.partner.title if row.partner else "",
            row.participant.key if row.participant else "",
            f"{row.at:%Y-%m-%d %H:%M}",
            row.number,
            *((texts.happened, texts.done) if seen else ()),
        )


urlpatterns = [path("studies/<slug:name>/incidents/", incidents, name="incidents")]
