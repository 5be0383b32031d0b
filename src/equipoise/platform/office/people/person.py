"""One person: what they agreed to, which waves they answered, what can be done for them. Never answers."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from equipoise.errors import EquipoiseError
from equipoise.platform.approvals.acts import ERASE
from equipoise.platform.approvals.models import ApprovalRequest
from equipoise.platform.approvals.queries import in_state, requests
from equipoise.platform.fieldwork.links import make_links
from equipoise.platform.fieldwork.queries import sessions_of
from equipoise.platform.fieldwork.standing import standing
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.downloads import attachment
from equipoise.platform.office.messages.one_person import sent_to
from equipoise.platform.office.people.disclosing import disclose_contact, disclose_record
from equipoise.platform.office.people.everybody import STATES, seen_by
from equipoise.platform.pages.filters import day, moment
from equipoise.platform.people.models import Participant
from equipoise.platform.people.queries import consents_of, facts_of, newest_consents
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, roster_columns

__all__ = ["of_person", "urlpatterns"]

_SESSIONS = {
    "started": "Begun",
    "complete": "Complete",
    "screened-out": "Could not take part",
    "quota-full": "Came when enough had answered",
    "declined": "Did not agree",
    "withdrawn": "Left the study meanwhile",
}


def of_person(
    verb: str, *, by_partner: bool = False
) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """A page about one person of a study, if it is one whom the reader may see."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        @study_page(verb, by_partner=by_partner)
        def page(request: HttpRequest, study: Study, key: str, **kwargs: Any) -> HttpResponse:
            rows = Participant.objects.select_related("study", "partner")
            participant = seen_by(request, rows.filter(study=study, key=key)).first()
            if participant is None:
                raise Http404
            return view(request, study, participant, **kwargs)

        return page

    return decorate


@require_http_methods(["GET", "HEAD", "POST"])
@of_person("people.see", by_partner=True)
def person(request: HttpRequest, study: Study, participant: Participant) -> HttpResponse:
    """What is known of one person; POST opens their contact details, which is recorded."""
    contact: list[tuple[str, str]] = []
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            contact = _labelled(study, disclose_contact(request.user, participant))
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            problems = problems_in(error)
    zone = folder_of(study).protocol.study.timezone
    knows = request.may("people.participation")
    page = {
        "page_title": f"Participant {participant.key}",
        "knows": knows,
        "participant": participant,
        "state": STATES[participant.state],
        "enrolled": day(participant.enrolled_at, zone),
        "contact": contact,
        "opened": request.method == "POST",
        "problems": problems,
        "facts_kept": _labelled(study, facts_of(participant)),
        "consents": _consents(participant, zone) if knows else [],
        "waves": _waves(study, participant, zone) if knows else [],
        "sent": sent_to(study, participant) if knows and request.may("messages.calendar") else None,
        "zone": zone,
        "taking_part": participant.state == "enrolled",
        "may": {verb: request.may(verb) for verb in _ACTS},
        "erasing": _erasing(participant) if request.may("approvals.see") else None,
        "trail": [{"text": "People", "href": reverse("people", args=[study.name])}],
    }
    return render(request, "office/person.html", page, status=422 if problems else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@of_person("surveys.links")
def link(request: HttpRequest, study: Study, participant: Participant) -> HttpResponse:
    """A new personal link, shown this once."""
    waves = {name: wave.label or name for name, wave in folder_of(study).protocol.waves.items()}
    made, problems = None, []
    if request.method == "POST":
        try:
            made = make_links(request.user, study, request.POST.get("wave", ""), [participant])[0]
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            problems = problems_in(error, wave="wave")
    page = {
        "page_title": "A new personal link",
        "participant": participant,
        "waves": list(waves.items()),
        "made": made,
        "problems": problems,
        "trail": _way(study, participant),
    }
    return render(request, "office/link.html", page, status=422 if problems else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@of_person("people.report")
def report(request: HttpRequest, study: Study, participant: Participant) -> HttpResponse:
    """Everything kept of one person, for them: on the page or as a file; making it is recorded."""
    sections: Any = ()
    answers: Any = ()
    if request.method == "POST":
        sections, answers = disclose_record(request.user, participant)
        if request.POST.get("as") == "json":
            return attachment(_as_json(sections, answers), f"{participant.key}.json")
    zone = folder_of(study).protocol.study.timezone
    page = {
        "page_title": "Everything kept of this participant",
        "participant": participant,
        "sections": [
            (section.heading, [(label, _plain(value, zone)) for label, value in section.rows])
            for section in sections
        ],
        "answers": answers,
        "made": request.method == "POST",
        "trail": _way(study, participant),
    }
    return render(request, "office/person_report.html", page)


def _erasing(participant: Participant) -> ApprovalRequest | None:
    """The request to erase somebody, while it waits."""
    asked = requests(participant.study).filter(act=ERASE, thing=participant.key)
    return in_state(asked, "waiting").first()


def _labelled(study: Study, values: dict[str, Any]) -> list[tuple[str, str]]:
    columns = roster_columns(study)
    zone = folder_of(study).protocol.study.timezone
    return [
        ((columns[name].label if name in columns else None) or name, _plain(value, zone))
        for name, value in values.items()
    ]


def _consents(participant: Participant, zone: str) -> list[tuple[str, str]]:
    newest = newest_consents(participant)
    rows = []
    for activity, allowed in consents_of(participant).items():
        row = newest.get(activity)
        how = "by the protocol; never asked" if row is None else f"{day(row.at, zone)}, {row.channel}"
        rows.append((activity.capitalize(), f"{'Yes' if allowed else 'No'} ({how})"))
    return rows


def _waves(study: Study, participant: Participant, zone: str) -> list[dict[str, Any]]:
    sessions = {session.wave: session for session in sessions_of(participant)}
    rows = []
    for name, wave in folder_of(study).protocol.waves.items():
        session = sessions.get(name)
        found = standing(participant, study, name, session)
        rows.append(
            {
                "wave": name,
                "label": wave.label or name,
                "state": "Not begun" if session is None else _SESSIONS[session.state],
                "started": "–" if session is None else moment(session.started_at, zone),
                "ended": "–" if session is None or not session.ended_at else moment(session.ended_at, zone),
                "channel": "–" if session is None else session.channel,
                "enter": reverse("staff-entry", args=[study.name, participant.key, name])
                if found.answerable
                else "",
            }
        )
    return rows


def _way(study: Study, participant: Participant) -> list[dict[str, str]]:
    return [
        {"text": "People", "href": reverse("people", args=[study.name])},
        {"text": participant.key, "href": reverse("person", args=[study.name, participant.key])},
    ]


def _as_json(sections: Any, answers: Any) -> HttpResponse:
    said = {
        "kept": {
            section.heading: [{"what": label, "value": value} for label, value in section.rows]
            for section in sections
        },
        "answers": [vars(answer) for answer in answers],
    }
    text = json.dumps(said, default=str, ensure_ascii=False, indent=1)
    return HttpResponse(text, content_type="application/json; charset=utf-8")


def _plain(value: Any, zone: str) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if hasattr(value, "tzinfo"):
        return moment(value, zone)
    return day(value, zone) if hasattr(value, "isoformat") else str(value)


_ACTS = ("people.withdraw", "people.report", "people.update", "surveys.links", "surveys.enter")

urlpatterns = [
    path("studies/<slug:name>/people/<str:key>/", person, name="person"),
    path("studies/<slug:name>/people/<str:key>/link", link, name="person-link"),
    path("studies/<slug:name>/people/<str:key>/report", report, name="person-report"),
]
