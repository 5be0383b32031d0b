"""Addresses of the interface, under `/api/1/`; whatever else is asked there is told that it is not there."""

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from equipoise.platform.api.document import document
from equipoise.platform.api.interface import answered, interface, operations
from equipoise.platform.api.problems import problem

__all__ = ["urlpatterns"]


@answered
@csrf_exempt
@require_safe
def described(request: HttpRequest) -> HttpResponseBase:
    """What the interface can do, for programs; it says nothing of any study."""
    return JsonResponse(document(interface))


@answered
@csrf_exempt
def nowhere(request: HttpRequest) -> HttpResponseBase:
    """No such address."""
    return problem(request, 404, "There is nothing here for this token.")


urlpatterns = [
    *operations(),
    path("openapi.json", described, name="api-document"),
    re_path("", nowhere, name="api-nowhere"),
]
