"""What went wrong, as `application/problem+json` (RFC 9457), with each problem's place and remedy."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

from equipoise.errors import EquipoiseError, InputError, Problem
from equipoise.platform.api.limits import TooManyRequestsError
from equipoise.platform.permissions import NotAllowedError

__all__ = ["PROBLEM_JSON", "ProblemDetails", "UnsuitableError", "explain_problems", "problem"]

PROBLEM_JSON = "application/problem+json"
_MOST = 500
_RETRY_SECONDS = "30"
_log = logging.getLogger("equipoise.api")


class OneProblem(Schema):
    """One thing that is wrong: where, and what was found, what is allowed and how to put it right."""

    place: str
    where: str
    message: str


class ProblemDetails(Schema):
    """Why a request was refused. `request` finds it in the log; `left_out` are problems beyond the list."""

    type: str
    title: str
    status: int
    detail: str
    request: str
    problems: list[OneProblem]
    left_out: int


class UnsuitableError(EquipoiseError):
    """A request that cannot be read as what it should be; `status` is that of the answer."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        self.status = status
        super().__init__(message)


def problem(
    request: HttpRequest,
    status: int,
    detail: str,
    problems: Sequence[Problem] = (),
    headers: dict[str, str] | None = None,
) -> JsonResponse:
    """An answer that says what went wrong.

    Args:
        request: with its `request_id`.
        status: of the answer.
        detail: in a sentence.
        problems: one by one.
        headers: besides the usual ones.
    """
    told = [{"place": one.place, "where": one.where, "message": one.message} for one in problems[:_MOST]]
    said = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "request": request.request_id,
        "problems": told,
        "left_out": len(problems) - len(told),
    }
    return JsonResponse(said, status=status, content_type=PROBLEM_JSON, headers=headers)


def explain_problems(api: NinjaAPI) -> None:
    """Answer everything that can go wrong in an operation in this form, faults of ours too."""
    for kind, answer in _ANSWERS.items():
        api.add_exception_handler(kind, answer)


def _unknown(request: HttpRequest, _: Exception) -> JsonResponse:
    return problem(request, 404, "There is nothing here for this token.")


def _unauthenticated(request: HttpRequest, _: Exception) -> JsonResponse:
    said = "This needs the token of a service that works: Authorization: Bearer TOKEN."
    return problem(request, 401, said, headers={"WWW-Authenticate": "Bearer"})


def _forbidden(request: HttpRequest, error: Exception) -> JsonResponse:
    return problem(request, 403, _sentence(str(error)))


def _too_many(request: HttpRequest, error: TooManyRequestsError) -> JsonResponse:
    return problem(request, 429, _sentence(str(error)), headers={"Retry-After": str(error.seconds)})


def _unsuitable(request: HttpRequest, error: UnsuitableError) -> JsonResponse:
    return problem(request, error.status, _sentence(str(error)))


def _refused(request: HttpRequest, error: EquipoiseError) -> JsonResponse:
    problems = error.problems if isinstance(error, InputError) else (Problem("", "", str(error)),)
    number = len(problems)
    said = "Nothing was stored. " + ("1 problem is" if number == 1 else f"{number:,} problems are")
    return problem(request, 422, f"{said} listed with what to do.", problems)


def _invalid(request: HttpRequest, error: ValidationError) -> JsonResponse:
    found = ((".".join(str(part) for part in one["loc"][1:]), one["msg"]) for one in error.errors)
    return _refused(request, InputError([Problem("", where, message) for where, message in found]))


def _unreadable(request: HttpRequest, _: Exception) -> JsonResponse:
    return problem(request, 400, "What was sent cannot be read, or was cut off on its way. Send it again.")


def _too_large(request: HttpRequest, _: Exception) -> JsonResponse:
    return problem(request, 413, "What was sent is too large.")


def _not_valid_http(request: HttpRequest, error: HttpError) -> JsonResponse:
    return problem(request, error.status_code, HTTPStatus(error.status_code).description)


def _busy(request: HttpRequest, error: Exception) -> JsonResponse:
    _log.error("the database could not be used", exc_info=error)
    said = "Nothing was stored, because the database is busy. Try again in half a minute."
    return problem(request, 503, said, headers={"Retry-After": _RETRY_SECONDS})


def _fault(request: HttpRequest, error: Exception) -> JsonResponse:
    _log.error("request %s could not be answered", request.request_id, exc_info=error)
    return problem(request, 500, "Something went wrong on our side. Nothing was half done. Try again later.")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


_ANSWERS: dict[type[Exception], Any] = {
    Exception: _fault,
    OperationalError: _busy,
    Http404: _unknown,
    AuthenticationError: _unauthenticated,
    NotAllowedError: _forbidden,
    TooManyRequestsError: _too_many,
    UnsuitableError: _unsuitable,
    EquipoiseError: _refused,
    ValidationError: _invalid,
    HttpError: _not_valid_http,
    RequestDataTooBig: _too_large,
    SuspiciousOperation: _unreadable,
    BadRequest: _unreadable,
    MultiPartParserError: _unreadable,
    UnreadablePostError: _unreadable,
}
