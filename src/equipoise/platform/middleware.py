"""What holds for every page: whose word on the caller counts, what is kept, what a busy database leads to."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse

from equipoise.platform.clock import one_moment
from equipoise.platform.pages.errors import error_page
from equipoise.platform.receiving import drop_unfinished

__all__ = ["OwnHost", "PrivatePages", "TrustedProxies", "TryAgain"]

_log = logging.getLogger("equipoise.serving")
_RETRY_SECONDS = "30"

Response = Callable[[HttpRequest], HttpResponse]
# Asked by the machine or the proxy that looks after the workspace, by whatever name it has for it.
_OF_MACHINES = ("/health", "/health/messages", "/ready", "/metrics")
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED")


class TrustedProxies:
    """Believes what a proxy says of the caller only where the workspace names the proxy.

    `request.passed_on` says whether anybody claims to have passed the request on, believed or not.
    """

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response
        self.trusted = frozenset(settings.WORKSPACE.settings.proxies)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        meta = request.META
        request.passed_on = any(name in meta for name in _FORWARDED)
        if meta.get("REMOTE_ADDR") not in self.trusted:
            for name in _FORWARDED:
                meta.pop(name, None)
        elif forwarded := meta.get("HTTP_X_FORWARDED_FOR"):
            meta["REMOTE_ADDR"] = self._caller(forwarded)
        return self.get_response(request)

    def _caller(self, forwarded: str) -> str:
        """The last address that is not one of our proxies; what is before it, anybody may have written."""
        addresses = [each.strip() for each in forwarded.split(",")]
        others = [each for each in addresses if each not in self.trusted]
        return (others or addresses)[-1]


class OwnHost:
    """Answers by the workspace's own name alone, also where a page would not have asked for it."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path not in _OF_MACHINES:
            request.get_host()  # Django refuses any other
        return self.get_response(request)


class PrivatePages:
    """Nothing but style sheets is kept by a browser or a proxy; a request happens at one moment."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with one_moment():
            response = self.get_response(request)
        drop_unfinished(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response


class TryAgain:
    """Where the database is busy or the disk is full, nothing is stored, and the page says to try again."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The page for it; any other exception is a fault of ours."""
        if not isinstance(exception, OperationalError):
            return None
        _log.error("the database could not be used", exc_info=exception)
        page = error_page(503)
        page.headers["Retry-After"] = _RETRY_SECONDS
        return page
