"""What holds for every page: whose word on the caller counts, and what is kept."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from equipoise.platform.clock import one_moment

__all__ = ["PrivatePages", "TrustedProxies"]

Response = Callable[[HttpRequest], HttpResponse]
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED")


class TrustedProxies:
    """Believes what a proxy says of the caller only where the workspace names the proxy."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response
        self.trusted = frozenset(settings.WORKSPACE.settings.proxies)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        meta = request.META
        if meta.get("REMOTE_ADDR") not in self.trusted:
            for name in _FORWARDED:
                meta.pop(name, None)
        elif forwarded := meta.get("HTTP_X_FORWARDED_FOR"):
            meta["REMOTE_ADDR"] = forwarded.rpartition(",")[2].strip()
        return self.get_response(request)


class PrivatePages:
    """Nothing but style sheets is kept by a browser or a proxy; a request happens at one moment."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with one_moment():
            response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response
