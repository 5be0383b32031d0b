"""The acts of the data review: leaving somebody out, or many by a file, taking it back, telling of a look.

People go by their codes here. Who may review may not see who they are, and need not.
"""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from equipoise.errors import EquipoiseError
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.confirming import confirmed_act
from equipoise.platform.office.data.exclusions import left_out_of
from equipoise.platform.office.data.review_files import wanted_in
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.models import Study
from equipoise.platform.review.actions import Wanted, exclude, what_can_be_left_out, withdraw_exclusion
from equipoise.platform.review.looks import tell_look
from equipoise.platform.review.models import Exclusion

__all__ = ["urlpatterns"]


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("data.review")
def add(request: HttpRequest, study: Study) -> HttpResponse:
    """Leave one participant out of something."""
    sent = request.POST
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        one = Wanted(sent.get("participant", "").strip(), tuple(sent.getlist("of")), sent.get("reason", ""))
        problems = _tried(request, lambda: exclude(request.user, study, [one]))
        if not problems:
            return _done(request, study, f"{one.participant} is left out.")
    known = what_can_be_left_out(study)
    page = {
        "page_title": "Leave somebody out",
        "problems": problems,
        "typed": sent,
        "known": list(known.items()),
        "of": sent.getlist("of"),
        "trail": _way(study),
    }
    return render(request, "office/review_add.html", page, status=422 if problems else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("data.review")
def upload(request: HttpRequest, study: Study) -> HttpResponse:
    """Leave many out by a file, all of them or none."""
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        found: list[int] = []
        problems = _tried(
            request, lambda: found.append(exclude(request.user, study, wanted_in(request.FILES.get("file"))))
        )
        if not problems:
            return _done(request, study, f"{found[0]:,} exclusions are entered.")
    page = {
        "page_title": "Leave many out by a file",
        "problems": [{**each, "id": "file"} for each in problems[:20]],
        "more": max(0, len(problems) - 20),
        "known": list(what_can_be_left_out(study).items()),
        "trail": _way(study),
    }
    return render(request, "office/review_upload.html", page, status=422 if problems else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("data.review")
def take_back(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Take an exclusion back; both stay in the list."""
    found = Exclusion.objects.select_related("study", "participant").filter(study=study, pk=number).first()
    if found is None:
        raise Http404
    page = {
        "page_title": "Take an exclusion back",
        "says": [
            f"{found.participant.key} is left out of {left_out_of(found)} because: {found.reason}",
            "The list keeps both: that they were left out, and that it was taken back.",
        ],
        "button_text": "Take it back",
        "back": reverse("data-review", args=[study.name]),
    }
    return confirmed_act(
        request,
        page,
        thing=found.participant.key,
        act=lambda reason: withdraw_exclusion(request.user, found, reason),
        done="The exclusion is taken back.",
        onward=reverse("data-review", args=[study.name]),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("data.review")
def look(request: HttpRequest, study: Study) -> HttpResponse:
    """Tell that somebody has seen results by arm."""
    sent = request.POST
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        problems = _tried(
            request, lambda: tell_look(request.user, study, sent.get("seen", ""), sent.get("on", ""))
        )
        if not problems:
            return _done(request, study, "The look is kept. It goes with the data and is said in the report.")
    page = {
        "page_title": "Somebody has seen results by arm",
        "problems": problems,
        "typed": sent,
        "trail": _way(study),
    }
    return render(request, "office/review_look.html", page, status=422 if problems else 200)


def _tried(request: HttpRequest, act: Any) -> list[dict[str, str]]:
    """Do it, and say what was refused."""
    try:
        act()
    except NotAllowedError:
        raise
    except EquipoiseError as error:
        fields = ("participant", "of", "reason", "seen", "on", "file")
        return problems_in(error, **({} if request.FILES else {name: name for name in fields}))
    return []


def _done(request: HttpRequest, study: Study, said: str) -> HttpResponse:
    messages.success(request, said)
    return HttpResponseRedirect(reverse("data-review", args=[study.name]), status=303)


def _way(study: Study) -> list[dict[str, str]]:
    steps = {"Data": "exports", "Data review": "data-review"}
    return [{"text": text, "href": reverse(name, args=[study.name])} for text, name in steps.items()]


_ROOT = "studies/<slug:name>/data/review/"
urlpatterns = [
    path(f"{_ROOT}add", add, name="data-review-add"),
    path(f"{_ROOT}upload", upload, name="data-review-upload"),
    path(f"{_ROOT}look", look, name="data-review-look"),
    path(f"{_ROOT}<int:number>/take-back", take_back, name="data-review-take-back"),
]
