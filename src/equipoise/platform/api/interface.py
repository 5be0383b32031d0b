"""The interface as a whole: its operations, and how each of them is answered."""

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed
from django.urls import URLPattern
from ninja import NinjaAPI

from equipoise.platform.api import counts, exports, rosters, studies
from equipoise.platform.api.addresses import TABLE
from equipoise.platform.api.problems import explain_problems, problem
from equipoise.platform.api.tokens import ServiceToken

__all__ = ["answered", "interface", "operations"]

View = Callable[..., HttpResponseBase]

interface = NinjaAPI(
    title="Equipoise",
    version="1",
    description="Rosters in, frames out, response counts: of one study, by the token of a service.",
    auth=ServiceToken(),
    openapi_url=None,
    docs_url=None,
    urls_namespace="api",
)
for _router in (studies.router, rosters.router, counts.router, exports.router):
    interface.add_router("", _router)
explain_problems(interface)


def operations() -> list[URLPattern]:
    """The addresses of the operations; one that the table of addresses does not list is a fault of ours.

    Raises:
        KeyError: such an address.
    """
    patterns = [each for each in interface.urls[0] if each.name != "api-root"]
    for each in patterns:
        each.callback = answered(each.callback)
        vars(each.callback).update(vars(TABLE[each.name]))
    return patterns


def answered(view: View) -> View:
    """A view whose every answer carries the number of the request, refusals of its method included."""

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.request_id = secrets.token_hex(8)
        response = view(request, *args, **kwargs)
        if isinstance(response, HttpResponseNotAllowed):
            allowed = {"Allow": ", ".join(sorted(response.headers["Allow"].split(", ")))}
            response = problem(request, 405, "This address takes " + allowed["Allow"] + ".", headers=allowed)
        response.headers["X-Request-Id"] = request.request_id
        return response

    return page
