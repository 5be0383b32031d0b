"""The surveys of a study: what participants are shown, who has answered, and the links by which they come."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_safe

from equipoise.errors import EquipoiseError
from equipoise.platform.fieldwork.links import close_open_link, make_links, make_open_link
from equipoise.platform.fieldwork.models import OpenLink
from equipoise.platform.fieldwork.prepared import prepared
from equipoise.platform.fieldwork.queries import Response, open_links, responses, responses_by_day
from equipoise.platform.fieldwork.views.frames import frame
from equipoise.platform.fieldwork.views.media import media_file
from equipoise.platform.fieldwork.views.questions import BlockHtml
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.confirming import confirmed_act
from equipoise.platform.office.disclosed import reached, so_far, told
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.pages.filters import day, moment
from equipoise.platform.pages.questions import question_html
from equipoise.platform.people.models import Participant
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.models import Partner, Study
from equipoise.platform.registry.queries import folder_of, partners, wave_times
from equipoise.protocol.asked import Asked

__all__ = ["urlpatterns"]


@require_safe
@study_page("surveys.response", by_partner=True)
def surveys(request: HttpRequest, study: Study) -> HttpResponse:
    """Each wave: how many answered, together and by partner; to a partner in tens."""
    rows = reached(responses(study), request.reach)
    if wants_csv(request):
        return _response_file(request, study, rows)
    participants = folder_of(study).protocol.participants
    page = {
        "page_title": "Surveys",
        "waves": [
            {
                "wave": wave,
                "rows": [row for row in rows if row.wave == wave.wave],
                "state": wave.state,
            }
            for wave in wave_times(study).values()
        ],
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
    label = _label(study, wave)
    there = {each.name: each for each in partners(study) if request.reach.covers(each.pk)}
    whole = request.reach.everybody
    partner = there.get(request.GET.get("partner", "")) or (None if whole else next(iter(there.values())))
    rows = responses_by_day(study, wave, partner)
    if not whole:
        rows = list(so_far(rows, _asked(study, wave, partner)))
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
        "trail": _way(study),
    }
    return render(request, "office/days.html", page)


@require_safe
@study_page("surveys.preview")
def preview(request: HttpRequest, study: Study, wave: str, number: int) -> HttpResponse:
    """A page of a survey as participants see it, in the order of the protocol; nothing is stored."""
    _label(study, wave)
    asked = prepared(study, wave, request.GET.get("lang", "")[:20] or None).questionnaire
    if not 1 <= number <= len(asked.pages):
        raise Http404
    shown = asked.pages[number - 1]
    here = [study.name, wave]
    values: dict[str, Any] = {
        "page_title": shown.title or asked.title,
        "page": shown,
        "blocks": [
            BlockHtml(
                block,
                tuple(question_html(_placed(study, one), language=asked.language) for one in block.asked),
            )
            for block in shown.blocks
        ],
        "back_url": reverse("survey-preview", args=[*here, number - 1]) if number > 1 else "",
        "next_url": reverse("survey-preview", args=[*here, number + 1]) if number < len(asked.pages) else "",
        "end_url": reverse("surveys", args=[study.name]),
        "progress": {"page": number, "pages": len(asked.pages)},
        "demonstration": any(block.demonstration for block in shown.blocks),
        "others": [each for each in asked.languages if each != asked.language],
        "problems": [],
    }
    return render(request, "office/preview.html", frame(study, asked.language, **values))


@require_safe
@study_page("surveys.preview")
def preview_media(request: HttpRequest, study: Study, path: str) -> HttpResponse:
    """A file that a page of a survey plays."""
    return media_file(request, folder_of(study), path)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("surveys.links")
def personal_links(request: HttpRequest, study: Study, wave: str) -> HttpResponse:
    """Personal links for everybody who has not finished a wave, as a file; they can be read this once."""
    label = _label(study, wave)
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            made = make_links(request.user, study, wave)
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            problems = problems_in(error)
        else:
            header = ["Code", "Link", "Link to stop messages or leave"]
            rows = ((link.participant, link.link, link.stop_link) for link in made)
            return csv_file(f"{study.name}-{wave}-links", header, rows)
    open_to = Participant.objects.filter(study=study, state="enrolled")
    page = {
        "page_title": f"Personal links: {label}",
        "number": open_to.exclude(sessions__wave=wave, sessions__state="complete").count(),
        "problems": problems,
        "trail": _way(study),
    }
    return render(request, "office/links.html", page, status=422 if problems else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("surveys.links")
def shared_links(request: HttpRequest, study: Study) -> HttpResponse:
    """Open links: those that there are, and a new one."""
    if wants_csv(request):
        header = ["Where it was put up", "Wave", "Made (UTC)", "Came by it", "Closed (UTC)"]
        rows = ((one.label, one.wave, one.made_at, one.came, one.closed_at) for one in open_links(study))
        return csv_file(f"{study.name}-open-links", header, rows)
    made, problems = "", []
    if request.method == "POST":
        try:
            made = make_open_link(
                request.user, study, request.POST.get("wave", ""), request.POST.get("label", "")
            )
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            problems = problems_in(error, wave="wave", label="label")
    zone = folder_of(study).protocol.study.timezone
    labels = {wave.wave: wave.label for wave in wave_times(study).values()}
    page = {
        "page_title": "Open links",
        "made": made,
        "problems": problems,
        "typed": request.POST if problems else {},
        "waves": list(labels.items()),
        "links": [
            {
                "link": link,
                "wave": labels.get(link.wave, link.wave),
                "made": moment(link.made_at, zone),
                "closed": moment(link.closed_at, zone) if link.closed_at else "",
            }
            for link in open_links(study)
        ],
        "trail": _way(study),
    }
    return render(request, "office/open_links.html", page, status=422 if problems else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("surveys.links")
def close_link(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Let nobody new in by an open link."""
    link = OpenLink.objects.select_related("study").filter(study=study, pk=number).first()
    if link is None:
        raise Http404
    back = reverse("open-links", args=[study.name])
    page = {
        "page_title": f"Close the link “{link.label}”",
        "says": ["Nobody new gets in by it. Whoever has begun can finish.", "This cannot be undone."],
        "button_text": "Close the link",
        "back": back,
    }
    return confirmed_act(
        request,
        page,
        thing=link.label,
        act=lambda _: close_open_link(request.user, link),
        done=f"The link “{link.label}” is closed.",
        onward=back,
        reason=False,
    )


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


def _asked(study: Study, wave: str, partner: Partner | None) -> int:
    found = (row for row in responses(study) if row.wave == wave)
    return sum(row.asked for row in found if partner is not None and row.partner_id == partner.pk)


def _placed(study: Study, asked: Asked) -> Asked:
    """A video with the addresses of its files in the office."""
    if asked.kind != "video":
        return asked
    places = {
        name: reverse("survey-preview-media", args=[study.name, path.removeprefix("media/")])
        for name in ("media", "captions", "transcript")
        if (path := getattr(asked, name)) is not None
    }
    return replace(asked, **places)


def _label(study: Study, wave: str) -> str:
    waves = folder_of(study).protocol.waves
    if wave not in waves:
        raise Http404
    return waves[wave].label or wave


def _percent(rate: float | None) -> float | None:
    return None if rate is None else round(100 * rate, 1)


def _way(study: Study) -> list[dict[str, str]]:
    return [{"text": "Surveys", "href": reverse("surveys", args=[study.name])}]


_ROOT = "studies/<slug:name>/surveys/"
urlpatterns = [
    path(_ROOT, surveys, name="surveys"),
    path(f"{_ROOT}open-links", shared_links, name="open-links"),
    path(f"{_ROOT}open-links/<int:number>/close", close_link, name="open-link-close"),
    path(f"{_ROOT}media/<path:path>", preview_media, name="survey-preview-media"),
    path(f"{_ROOT}<str:wave>/days", days, name="survey-days"),
    path(f"{_ROOT}<str:wave>/links", personal_links, name="survey-links"),
    path(f"{_ROOT}<str:wave>/preview/<int:number>", preview, name="survey-preview"),
]
