"""The links by which participants come: personal ones of a wave, and open ones for everybody."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from equipoise.errors import EquipoiseError
from equipoise.platform.fieldwork.links import close_open_link, make_links, make_open_link
from equipoise.platform.fieldwork.models import OpenLink
from equipoise.platform.fieldwork.queries import open_links
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.confirming import confirmed_act
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.office.surveys.responses import surveys_trail, wave_label
from equipoise.platform.pages.filters import moment
from equipoise.platform.people.models import Participant
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, wave_times

__all__ = ["urlpatterns"]


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("surveys.links")
def personal_links(request: HttpRequest, study: Study, wave: str) -> HttpResponse:
    """Personal links for everybody who has not finished a wave, as a file; they can be read this once."""
    label = wave_label(study, wave)
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
        "trail": surveys_trail(study),
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
        "trail": surveys_trail(study),
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


_ROOT = "studies/<slug:name>/surveys/"
urlpatterns = [
    path(f"{_ROOT}open-links", shared_links, name="open-links"),
    path(f"{_ROOT}open-links/<int:number>/close", close_link, name="open-link-close"),
    path(f"{_ROOT}<str:wave>/links", personal_links, name="survey-links"),
]
