"""The services of a study: programs that work in it by a token; one more made, one ended."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from equipoise.errors import EquipoiseError
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.confirming import confirmed_act
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.office.listing import sorted_columns
from equipoise.platform.pages.filters import day
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.places import partner_named
from equipoise.platform.registry.queries import folder_of, partners
from equipoise.platform.services.actions import DAYS, Made, end_service, make_service
from equipoise.platform.services.models import Service
from equipoise.platform.services.queries import services
from equipoise.platform.services.scopes import SCOPES

__all__ = ["urlpatterns"]

STANDINGS = {
    "works": "Works",
    "waits": "Waits: whoever keeps it may no longer",
    "expired": "Expired",
    "ended": "Ended",
}
_TERMS = {"30": "30 days", str(DAYS): f"{DAYS} days", "180": "180 days", "365": "A year"}
_SORTS: dict[str, Callable[[Service], Any]] = {
    "name": lambda one: (one.name.casefold(), one.pk),
    "until": lambda one: (one.expires_at, one.pk),
    "used": lambda one: (one.used_on is not None, one.used_on or one.made_at.date(), one.pk),
}
_COLUMNS = {
    "name": "Service",
    "scopes": "May",
    "partner": "Whose people",
    "begins": "Token begins",
    "keeper": "Kept by",
    "until": "Works until",
    "used": "Last used",
    "state": "State",
}


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("services.keep")
def services_page(request: HttpRequest, study: Study) -> HttpResponse:
    """Every service that there is or was; and a new one, whose token is shown this once."""
    made, problems = None, []
    if request.method == "POST":
        try:
            made = _made(request, study)
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            fields = ("name", "scopes", "partner", "days")
            problems = problems_in(error, **{name: name for name in fields})
    sort = request.GET.get("sort", "-until")
    rows = [_row(study, one) for one in _sorted(study, sort)]
    if wants_csv(request):
        return csv_file(f"{study.name}-services", list(_COLUMNS.values()), (_line(row) for row in rows))
    page = {
        "page_title": "Services",
        "made": made,
        "columns": list(sorted_columns(_COLUMNS.items(), _SORTS, {}, sort)),
        "rows": rows,
        "scopes": [(name, words) for name, (words, _) in SCOPES.items()],
        "chosen": request.POST.getlist("scopes") if problems else [],
        "partners": [("", "Everybody's"), *((each.name, each.title) for each in partners(study))],
        "terms": list(_TERMS.items()),
        "typed": request.POST if problems else {},
        "usual": str(DAYS),
        "problems": problems,
    }
    return render(request, "office/services.html", page, status=422 if problems else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("services.keep")
def end(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """End a service, once its name was typed."""
    found = services(study).filter(pk=number, ended_at=None).first()
    if found is None:
        raise Http404
    back = reverse("services", args=[study.name])
    page = {
        "page_title": f"End the service “{found.name}”",
        "says": ["Its token works no more, from the next request on.", "This cannot be undone."],
        "button_text": "End the service",
        "back": back,
        "trail": [{"text": "Services", "href": back}],
    }
    return confirmed_act(
        request,
        page,
        thing=found.name,
        act=lambda _: end_service(request.user, found),
        done=f"The service “{found.name}” has been ended.",
        onward=back,
        reason=False,
    )


def _made(request: HttpRequest, study: Study) -> Made:
    """Make the service that the form asks for."""
    named = request.POST.get("partner", "")
    days = request.POST.get("days", "")
    return make_service(
        request.user,
        study,
        request.POST.get("name", ""),
        request.POST.getlist("scopes"),
        partner=partner_named(study, named) if named else None,
        days=int(days) if days in _TERMS else 0,
    )


def _sorted(study: Study, sort: str) -> list[Service]:
    key = _SORTS.get(sort.removeprefix("-"), _SORTS["until"])
    return sorted(services(study), key=key, reverse=sort.startswith("-"))


def _row(study: Study, one: Service) -> dict[str, Any]:
    zone = folder_of(study).protocol.study.timezone
    standing = one.standing
    ending = {"text": "Works: end it", "href": reverse("service-end", args=[study.name, one.pk])}
    if standing == "waits":
        ending["text"] = f"{STANDINGS[standing]}. End it"
    return {
        "name": one.name,
        "scopes": ", ".join(one.scopes),
        "partner": one.partner.title if one.partner else "Everybody's",
        "begins": f"{one.token_begins}…",
        "keeper": one.keeper.name,
        "until": day(one.expires_at, zone),
        "used": day(one.used_on) if one.used_on else "Never",
        "state": STANDINGS[standing] if standing in ("expired", "ended") else ending,
    }


def _line(row: dict[str, Any]) -> list[str]:
    return [value["text"].partition(":")[0] if isinstance(value, dict) else value for value in row.values()]


urlpatterns = [
    path("studies/<slug:name>/services/", services_page, name="services"),
    path("studies/<slug:name>/services/<int:number>/end", end, name="service-end"),
]
