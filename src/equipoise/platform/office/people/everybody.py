"""The people of a study in a list, and how to find one of them. Neither arms nor answers are shown."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
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
_A_PAGE = 50
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
    last = max(1, -(-count // _A_PAGE))
    number = min(max(1, _whole(request.GET.get("page", "1"))), last)
    chunk = list(rows.values_list("pk", flat=True)[(number - 1) * _A_PAGE : number * _A_PAGE])
    found = Participant.objects.select_related("partner").in_bulk(chunk)
    shown = [found[each] for each in chunk if each in found]
    answered = _answered(shown) if knows else defaultdict(set)
    page = {
        "page_title": "People",
        "counts": reconcile(study) if knows else None,
        "count": count,
        "columns": list(_columns(chosen, knows=knows)),
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
        "number": number,
        "last": last,
        "paged": f"?{urlencode({**chosen, 'page': '{page}'}, safe='{}')}",
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
    allowed: dict[str, Iterable[str]] = {
        "state": STATES if knows else (),
        "partner": [each.name for each in partners(study) if request.reach.covers(each.pk)],
        "answered": waves if knows else (),
        "missing": waves if knows else (),
        "sort": [*_SORTS, *(f"-{name}" for name in _SORTS)],
    }
    return {name: value for name, ok in allowed.items() if (value := request.GET.get(name, "")) in ok}


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
    down = "-" if sort.startswith("-") else ""  # all the way, so that an index serves both ways
    return rows.order_by(f"{down}{_SORTS[sort.removeprefix('-')]}", f"{down}key")


def _columns(chosen: Mapping[str, str], *, knows: bool) -> Iterator[dict[str, Any]]:
    now = chosen.get("sort", "key")
    state = [("state", "State")] if knows else []
    for name, text in (("key", "Code"), ("partner", "Partner"), *state, ("enrolled", "Enrolled")):
        towards = f"-{name}" if now == name else name
        order = {name: "ascending", f"-{name}": "descending"}.get(now, "")
        yield {
            "key": name,
            "text": text,
            **({"sort_url": f"?{urlencode({**chosen, 'sort': towards})}"} if name in _SORTS else {}),
            "sorted": order,
        }
    if knows:
        yield {"key": "waves", "text": "Waves answered"}


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


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else 1


urlpatterns = [
    path("studies/<slug:name>/people/", people, name="people"),
    path("studies/<slug:name>/people/find", find, name="people-find"),
]
