"""The people of a study in a list, and how to find one of them. Neither arms nor answers are shown."""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_safe

from equipoise.platform.fieldwork.models import Session
from equipoise.platform.office.access import study_page
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.office.listing import both_ways, chosen_of, leaf_of, order_of, sorted_columns
from equipoise.platform.pages.filters import day
from equipoise.platform.people.contacts import identifier_digest
from equipoise.platform.people.models import Participant
from equipoise.platform.people.queries import find_by_contact, reconcile
from equipoise.platform.permissions import reach
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, partners, roster_columns

__all__ = ["STATES", "seen_by", "urlpatterns"]

STATES = {
    "enrolled": "Takes part",
    "screening": "Being screened",
    "ineligible": "Cannot take part",
    "withdrawn": "Left the study",
    "erased": "Erased",
}
_SORTS = {"key": "key", "state": "state", "enrolled": "enrolled_at"}
_CHUNK = 2_000


@require_safe
@study_page("people.see", by_partner=True)
def people(request: HttpRequest, study: Study) -> HttpResponse:
    """Everybody of a study, by page, in the order and with the filter of the address.

    Whoever may not know who takes part and who answers is shown those who do take part, and no more of them.
    """
    knows = request.may("people.participation")
    chosen = _chosen(request, study, knows=knows)
    rows = seen_by(request, _filtered(study, chosen))
    zone = folder_of(study).protocol.study.timezone
    waves = {name: wave.label or name for name, wave in folder_of(study).protocol.waves.items() if knows}
    if wants_csv(request):
        state = ["State"] if knows else []
        header = ["Code", "Partner", *state, "Enrolled", *(f"Answered: {label}" for label in waves.values())]
        return csv_file(f"{study.name}-people", header, _lines(rows, waves, zone, knows=knows))
    count = rows.count()
    leaf = leaf_of(request, count)
    chunk = list(rows.values_list("pk", flat=True)[leaf.rows])
    found = Participant.objects.select_related("partner").in_bulk(chunk)
    shown = [found[each] for each in chunk if each in found]
    answered = _answered(shown) if knows else defaultdict(set)
    page = {
        "page_title": "People",
        "counts": reconcile(study) if knows else None,
        "count": count,
        "columns": list(
            sorted_columns(_columns(knows=knows).items(), _SORTS, chosen, chosen.get("sort", "key"))
        ),
        "rows": [
            {
                "key": {"text": person.key, "href": reverse("person", args=[study.name, person.key])},
                "partner": person.partner.title if person.partner else "–",
                "state": STATES[person.state],
                "enrolled": day(person.enrolled_at, zone),
                "waves": ", ".join(waves[wave] for wave in waves if wave in answered[person.pk]) or "–",
            }
            for person in shown
        ],
        "chosen": chosen,
        "states": [("", "Any state"), *STATES.items()],
        "knows": knows,
        "partners": [
            ("", "Any partner"),
            *((each.name, each.title) for each in partners(study) if request.reach.covers(each.pk)),
        ],
        "waves": [("", "Any wave"), *waves.items()],
        **leaf.values(chosen),
        "file": f"?{urlencode({**chosen, 'format': 'csv'})}",
        "may_import": bool(reach(request.user, "people.import", study)),
    }
    return render(request, "office/people.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("people.see", by_partner=True)
def find(request: HttpRequest, study: Study) -> HttpResponse:
    """Somebody by their identifier, e-mail address, telephone number or code.

    What is sought is sent, not part of an address, so that it stands in no log.
    """
    sought = request.POST.get("sought", "").strip()[:320]
    found = _found(request, study, sought) if sought else []
    if len(found) == 1:
        return HttpResponseRedirect(reverse("person", args=[study.name, found[0].key]), status=303)
    text = (
        "Enter an identifier, an e-mail address, a telephone number or a code"
        if not sought
        else "Nobody was found by this. Look at the spelling; whoever has left is found by identifier or code"
    )
    problems = [{"id": "sought", "text": text}] if request.method == "POST" and not found else []
    page = {
        "page_title": "Find somebody",
        "problems": problems,
        "sought": sought,
        "found": [
            {
                "key": {"text": person.key, "href": reverse("person", args=[study.name, person.key])},
                "partner": person.partner.title if person.partner else "–",
            }
            for person in found
        ],
        "trail": [{"text": "People", "href": reverse("people", args=[study.name])}],
    }
    return render(request, "office/found.html", page, status=422 if problems else 200)


def seen_by(request: HttpRequest, rows: QuerySet[Participant]) -> QuerySet[Participant]:
    """Those of a list whom somebody may see: of their partners and, where they may not know who takes part,
    without whoever has left."""
    reached = request.reach.narrow(rows)
    return reached if request.may("people.participation") else reached.filter(state="enrolled")


def _found(request: HttpRequest, study: Study, text: str) -> list[Participant]:
    everybody = seen_by(request, Participant.objects.filter(study=study).select_related("partner"))
    by = Q(key=text.lower())
    for name, column in roster_columns(study).items():
        if column.role == "identifier":
            hashed = identifier_digest(study, name, text)
            by |= Q(lookups__study=study, lookups__column=name, lookups__digest=hashed)
    found = {person.pk: person for person in everybody.filter(by).distinct()[:20]}
    by_contact = [person.pk for person in find_by_contact(study, text)]
    found |= {person.pk: person for person in everybody.filter(pk__in=by_contact)}
    return list(found.values())


def _chosen(request: HttpRequest, study: Study, *, knows: bool) -> dict[str, str]:
    """What the address asks for, and only what there is and may be asked."""
    waves = folder_of(study).protocol.waves
    allowed: dict[str, Container[str]] = {
        "state": STATES if knows else (),
        "partner": [each.name for each in partners(study) if request.reach.covers(each.pk)],
        "answered": waves if knows else (),
        "missing": waves if knows else (),
        "sort": both_ways(_SORTS),
    }
    return chosen_of(request, allowed)


def _filtered(study: Study, chosen: Mapping[str, str]) -> QuerySet[Participant]:
    rows = Participant.objects.filter(study=study).select_related("partner")
    if "state" in chosen:
        rows = rows.filter(state=chosen["state"])
    done = Session.objects.filter(study=study, state="complete").values("participant_id")
    if "partner" in chosen:
        partner = next(each.pk for each in partners(study) if each.name == chosen["partner"])
        rows, done = rows.filter(partner=partner), done.filter(partner=partner)
    if "answered" in chosen:
        rows = rows.filter(pk__in=done.filter(wave=chosen["answered"]))
    if "missing" in chosen:
        rows = rows.exclude(pk__in=done.filter(wave=chosen["missing"]))
    sort = chosen.get("sort", "key")
    all_the_way = "-key" if sort.startswith("-") else "key"  # so that an index serves both ways
    return rows.order_by(order_of(_SORTS, sort), all_the_way)


def _columns(*, knows: bool) -> dict[str, str]:
    state, waves = ({"state": "State"}, {"waves": "Waves answered"}) if knows else ({}, {})
    return {"key": "Code", "partner": "Partner", **state, "enrolled": "Enrolled", **waves}


def _answered(people: Iterable[Participant]) -> Mapping[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    rows = Session.objects.filter(participant__in=list(people), state="complete")
    for person, wave in rows.values_list("participant_id", "wave"):
        found[person].add(wave)
    return found


def _lines(
    rows: QuerySet[Participant], waves: Mapping[str, str], zone: str, *, knows: bool
) -> Iterator[tuple[Any, ...]]:
    some: list[Participant] = []
    for person in rows.iterator(_CHUNK):
        some.append(person)
        if len(some) == _CHUNK:
            yield from _written(some, waves, zone, knows=knows)
            some = []
    yield from _written(some, waves, zone, knows=knows)


def _written(
    people: list[Participant], waves: Mapping[str, str], zone: str, *, knows: bool
) -> Iterator[tuple[Any, ...]]:
    answered = _answered(people) if knows else {}
    for person in people:
        yield (
            person.key,
            person.partner.title if person.partner else "",
            *([STATES[person.state]] if knows else []),
            day(person.enrolled_at, zone),
            *("yes" if wave in answered[person.pk] else "no" for wave in waves),
        )


urlpatterns = [
    path("studies/<slug:name>/people/", people, name="people"),
    path("studies/<slug:name>/people/find", find, name="people-find"),
]
