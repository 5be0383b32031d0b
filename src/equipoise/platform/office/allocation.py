"""Drawing lots: what is committed, what is drawn, how alike the arms are; concealed where it must be.

Until the results are unmasked no arm is named beside a number here, whoever looks.
"""

import math
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_safe

from equipoise.errors import CheckFailedError, EquipoiseError, InputError, Problem
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.confirming import confirmed_act
from equipoise.platform.office.downloads import attachment, csv_file, wants_csv
from equipoise.platform.pages.filters import moment
from equipoise.platform.people.allocation import (
    balance,
    close_enrolment,
    commit_stage,
    draw_stage,
    expected_round,
    hand_in_round,
    hand_in_secret,
    strata_counts,
    verify_stage,
)
from equipoise.platform.permissions import Acting, NotAllowedError
from equipoise.platform.registry.models import Stage, Study
from equipoise.platform.registry.queries import folder_of, rolling, stages
from equipoise.platform.review.frame import answered_times

__all__ = ["urlpatterns"]

_LARGEST_SECRET = 1_000  # bytes of the file that holds the secret
_STATES = {"planned": "Planned", "committed": "Committed", "drawn": "Drawn"}
_COMMITTING = (
    "Who is drawn, in which strata and at which ratio is fixed. Nobody is added, dropped or moved any more.",
    "This cannot be undone.",
)
_COMMITTING_ARRIVALS = (
    "The folder of the study by which people are allocated as they come is fixed.",
    "This cannot be undone.",
)


def _of_stage(verb: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """A page about one stage of a study."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        @study_page(verb)
        def page(request: HttpRequest, study: Study, stage: str, **kwargs: Any) -> HttpResponse:
            found = Stage.objects.select_related("study").filter(study=study, name=stage).first()
            if found is None or stage not in folder_of(study).protocol.allocation:
                raise Http404
            return view(request, study, found, **kwargs)

        return page

    return decorate


@require_safe
@study_page("allocation.see")
def allocation(request: HttpRequest, study: Study) -> HttpResponse:
    """Each stage: where it stands, and what is to be done next."""
    registration = folder_of(study).registration
    found = list(_shown(study))
    page = {
        "page_title": "Allocation",
        "stages": found,
        "commitment": registration.seed_commitment if registration else None,
        "rolling": rolling(study),
        "may_commit": request.may("allocation.commit"),
        "may_draw": request.may("allocation.draw"),
        "live": study.state == "live",
    }
    return render(request, "office/allocation.html", page)


@require_safe
@_of_stage("allocation.see")
def strata(request: HttpRequest, study: Study, stage: Stage) -> HttpResponse:
    """The units of each stratum and, once drawn, how alike the arms are."""
    counts = [(stratum or "Everybody", number) for stratum, number in strata_counts(stage).items()]
    if wants_csv(request):
        return csv_file(f"{study.name}-{stage.name}-strata", ["Stratum", "Units"], counts)
    rows = list(_alike(stage)) if stage.state == "drawn" else []
    if request.GET.get("format") == "balance":
        header = ["What", "Level", "People", "Missing", "Share or mean", "Largest standardised difference"]
        return csv_file(f"{study.name}-{stage.name}-balance", header, (tuple(row.values()) for row in rows))
    page = {
        "page_title": f"Strata of stage {stage.name}",
        "stage": stage,
        "strata": [{"stratum": stratum, "units": f"{number:,}"} for stratum, number in counts],
        "total": sum(number for _, number in counts),
        "alike": rows,
        "trail": _way(study),
    }
    return render(request, "office/strata.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@_of_stage("allocation.commit")
def secret(request: HttpRequest, study: Study, stage: Stage) -> HttpResponse:
    """Hand in the team's secret."""
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            hand_in_secret(request.user, stage, _secret_text(request))
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            problems = [{"id": "secret", "text": text["text"]} for text in problems_in(error)]
        else:
            messages.success(request, "The secret is in keeping.")
            return HttpResponseRedirect(reverse("allocation", args=[study.name]), status=303)
    page = {
        "page_title": "Hand in the secret",
        "stage": stage,
        "problems": problems,
        "trail": _way(study),
    }
    return render(request, "office/secret.html", page, status=422 if problems else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@_of_stage("allocation.commit")
def commit(request: HttpRequest, study: Study, stage: Stage) -> HttpResponse:
    """Fix who is drawn."""
    page = {
        "page_title": f"Commit stage {stage.name}",
        "says": _COMMITTING_ARRIVALS if rolling(study) else _COMMITTING,
        "button_text": "Commit",
        "back": reverse("allocation", args=[study.name]),
    }
    return confirmed_act(
        request,
        page,
        thing=study.name,
        act=lambda _: commit_stage(request.user, stage, answered=answered_times(study)),
        done=f"Stage {stage.name} is committed.",
        onward=reverse("allocation", args=[study.name]),
        reason=False,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@_of_stage("allocation.draw")
def draw(request: HttpRequest, study: Study, stage: Stage) -> HttpResponse:
    """Draw; with rolling enrolment, end it and record the draw."""
    ends = rolling(study)
    page = {
        "page_title": f"{'Close enrolment of' if ends else 'Draw'} stage {stage.name}",
        "says": [
            "Nobody is allocated any more, and the whole queue is drawn again and compared."
            if ends
            else "Everybody who was committed gets an arm.",
            "Lots are drawn once. This cannot be undone.",
        ],
        "button_text": "Close enrolment" if ends else "Draw",
        "back": reverse("allocation", args=[study.name]),
        "round": None if ends else _expected(study, stage),
        "template": "draw",
    }
    return confirmed_act(
        request,
        page,
        thing=study.name,
        act=lambda _: _draw(request.user, stage, request.POST.get("round", ""), ends=ends),
        done=f"Stage {stage.name} is drawn.",
        onward=reverse("allocation", args=[study.name]),
        reason=False,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@_of_stage("allocation.commit")
def public_round(request: HttpRequest, study: Study, stage: Stage) -> HttpResponse:
    """Give the public round before the first person comes."""
    page = {
        "page_title": "Give the public round",
        "says": ["It decides who gets which arm as people come. It can be changed until the first has come."],
        "button_text": "Give the round",
        "back": reverse("allocation", args=[study.name]),
        "round": _expected(study, stage),
        "template": "draw",
        "danger": False,
    }
    return confirmed_act(
        request,
        page,
        thing=study.name,
        act=lambda _: hand_in_round(request.user, stage, request.POST.get("round", "")),
        done="The public round is there.",
        onward=reverse("allocation", args=[study.name]),
        reason=False,
    )


@require_safe
@_of_stage("allocation.see")
def record_file(request: HttpRequest, study: Study, stage: Stage) -> HttpResponse:
    """The draw's record, as `equipoise verify` reads it; with unmasked results alone, for it counts arms."""
    if stage.state != "drawn" or study.results != "unmasked":
        raise Http404
    response = HttpResponse(stage.record, content_type="application/json; charset=utf-8")
    return attachment(response, f"{study.name}-{stage.name}-allocation.json")


@require_safe
@_of_stage("allocation.see")
def verified(request: HttpRequest, study: Study, stage: Stage) -> HttpResponse:
    """The draw done again, and compared."""
    try:
        checks, fault = verify_stage(stage).checks, ""
    except (CheckFailedError, InputError) as error:
        checks, fault = (), str(error)
    page = {
        "page_title": f"Stage {stage.name}, drawn again",
        "checks": checks,
        "fault": fault,
        "trail": _way(study),
    }
    return render(request, "office/verified.html", page)


def _shown(study: Study) -> Iterator[dict[str, Any]]:
    zone = folder_of(study).protocol.study.timezone
    for stage in stages(study):
        declared = folder_of(study).protocol.allocation[stage.name]
        expected = _expected(study, stage)
        yield {
            "stage": stage,
            "state": _STATES[stage.state],
            "facts": [
                ("Drawn by", f"{declared.unit}, {str(declared.method).replace('-', ' ')}".capitalize()),
                ("Strata", ", ".join(declared.strata).capitalize() or "None"),
                ("Balanced beside", ", ".join(declared.balanced_on).capitalize() or "Nothing"),
                ("Due", str(declared.when).capitalize()),
                ("Secret", "In keeping" if stage.secret else "Not handed in"),
                ("Committed", moment(stage.committed_at, zone) if stage.committed_at else "Not yet"),
                ("Hash of who is drawn", stage.roster_hash or "–"),
                ("Public round", _round_text(stage, expected)),
                ("Drawn", moment(stage.drawn_at, zone) if stage.drawn_at else "Not yet"),
            ],
            "expected": expected,
        }


def _expected(study: Study, stage: Stage) -> dict[str, str] | None:
    if stage.state == "planned":
        return None
    found = expected_round(stage)
    if found is None:
        return None
    zone = folder_of(study).protocol.study.timezone
    return {
        "number": str(found.number),
        "appears": moment(found.appears, zone),
        "address": found.address,
    }


def _round_text(stage: Stage, expected: dict[str, str] | None) -> str:
    if stage.public_round:
        return f"{stage.public_round['number']}: {stage.public_round['randomness']}"
    return f"{expected['number']}, which appears {expected['appears']}" if expected else "–"


def _alike(stage: Stage) -> Iterator[dict[str, Any]]:
    """Each attribute over everybody, with the largest difference between any two arms; no arm is named."""
    rows: dict[tuple[str, str | None], list[Any]] = {}
    for row in balance(stage):
        rows.setdefault((row.covariate, row.level), []).append(row)
    for (covariate, level), arms in rows.items():
        people = sum(arm.n for arm in arms)
        values = [arm.mean if level is None else 100 * arm.share for arm in arms]
        known = [(arm.n, value) for arm, value in zip(arms, values, strict=True) if not math.isnan(value)]
        whole = sum(n * value for n, value in known) / max(1, sum(n for n, _ in known))
        apart = [abs(arm.difference) for arm in arms if not math.isnan(arm.difference)]
        yield {
            "covariate": covariate,
            "level": level or "–",
            "people": f"{people:,}",
            "missing": f"{sum(arm.missing for arm in arms):,}",
            "value": f"{whole:.1f}" if level is None else f"{whole:.0f}%",
            "apart": f"{max(apart):.2f}" if apart else "–",
        }


def _draw(who: Acting, stage: Stage, text: str, *, ends: bool) -> None:
    if ends:
        close_enrolment(who, stage)
    else:
        draw_stage(who, stage, text)


def _secret_text(request: HttpRequest) -> str:
    upload = request.FILES.get("file")
    if upload is None:
        return request.POST.get("secret", "")[:_LARGEST_SECRET]
    if upload.size > _LARGEST_SECRET:
        raise InputError(Problem("", "secret", "the file is no secret: it is too large"))
    return upload.read().decode("ascii", "replace")


def _way(study: Study) -> list[dict[str, str]]:
    return [{"text": "Allocation", "href": reverse("allocation", args=[study.name])}]


_ROOT = "studies/<slug:name>/allocation/"
urlpatterns = [
    path(_ROOT, allocation, name="allocation"),
    path(f"{_ROOT}<str:stage>/strata", strata, name="allocation-strata"),
    path(f"{_ROOT}<str:stage>/secret", secret, name="allocation-secret"),
    path(f"{_ROOT}<str:stage>/commit", commit, name="allocation-commit"),
    path(f"{_ROOT}<str:stage>/round", public_round, name="allocation-round"),
    path(f"{_ROOT}<str:stage>/draw", draw, name="allocation-draw"),
    path(f"{_ROOT}<str:stage>/verify", verified, name="allocation-verify"),
    path(f"{_ROOT}<str:stage>/record.json", record_file, name="allocation-record"),
]
