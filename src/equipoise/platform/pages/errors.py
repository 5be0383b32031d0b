"""The pages for what went wrong: each says what to do, and needs neither the database nor the request."""

from django.http import HttpRequest, HttpResponse
from django.template import loader

__all__ = [
    "bad_request",
    "csrf_failure",
    "error_page",
    "forbidden",
    "not_found",
    "server_error",
    "too_many_requests",
]


def error_page(status: int, lang: str = "en-GB") -> HttpResponse:
    """The page of a status: 400, 403, 404, 410, 429, 500 or 503.

    Args:
        status: of the response.
        lang: the language of what is said.
    """
    written = loader.get_template(f"errors/{status}.html").render({"lang": lang})
    return HttpResponse(written, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What was sent cannot be read."""
    return error_page(400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page is there, but not for whoever asks."""
    return error_page(403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its token: an old page, or one from elsewhere. The reason is not for the reader."""
    return HttpResponse(loader.get_template("errors/expired.html").render({}), status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No such page."""
    return error_page(404)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """Too many attempts in a short time."""
    return error_page(429)


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours."""
    return error_page(500)
