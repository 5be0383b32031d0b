"""A file with contact details: which columns, what for; another person approves it before it can be taken."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from equipoise.errors import EquipoiseError
from equipoise.platform.approvals.actions import ask
from equipoise.platform.approvals.acts import IDENTIFY, file_columns
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.models import Study

__all__ = ["urlpatterns"]


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("data.identify")
def identified(request: HttpRequest, study: Study) -> HttpResponse:
    """Ask for a file; it is taken on the page of the request."""
    columns = file_columns(study)
    chosen = [name for name in request.POST.getlist("columns") if name in columns]
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            subject = {"columns": chosen}
            asked = ask(request.user, study, IDENTIFY, reason=request.POST.get("reason", ""), subject=subject)
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            problems = problems_in(error, reason="reason", columns="columns")
        else:
            messages.success(request, "It is asked for. You take it here once it is approved.")
            return HttpResponseRedirect(reverse("approval", args=[study.name, asked.number]), status=303)
    page = {
        "page_title": "Ask for a file with contact details",
        "columns": list(columns.items()),
        "chosen": chosen,
        "typed": request.POST,
        "problems": problems,
        "trail": [{"text": "Approvals", "href": reverse("approvals", args=[study.name])}],
    }
    return render(request, "office/approval_file.html", page, status=422 if problems else 200)


urlpatterns = [path("studies/<slug:name>/data/identified", identified, name="identified")]
