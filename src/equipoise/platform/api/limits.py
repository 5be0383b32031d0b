"""How often a service may ask, so that none slows the pages of people down. A process counts for itself."""

from django.http import HttpRequest

from equipoise.errors import EquipoiseError
from equipoise.platform.fieldwork.throttle import Throttle

__all__ = ["TooManyRequestsError", "count_dear", "count_request", "count_wrong_token", "forget_everything"]


class TooManyRequestsError(EquipoiseError):
    """Somebody asked more often than they may."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"too many requests; try again in {seconds} seconds")


class _OfService(Throttle):
    """Counts for each service, wherever it calls from."""

    def whose(self, request: HttpRequest) -> str:
        """The service that was admitted."""
        return str(request.auth.service.actor)


_wrong_tokens = Throttle(most=60, seconds=300)
_requests = _OfService(most=300, seconds=60)
_dear = _OfService(most=120, seconds=3600)


def count_request(request: HttpRequest) -> None:
    """Count a request of a service that was admitted.

    Raises:
        TooManyRequestsError: there were too many in this minute.
    """
    _count(_requests, request)


def count_dear(request: HttpRequest) -> None:
    """Count one that takes the server long: a roster, or an export.

    Raises:
        TooManyRequestsError: there were too many in this hour.
    """
    _count(_dear, request)


def count_wrong_token(request: HttpRequest) -> None:
    """Count a token that lets nobody in, by address. Tokens that work are not held up by those that do not.

    Raises:
        TooManyRequestsError: there were too many in these minutes.
    """
    _count(_wrong_tokens, request)


def forget_everything() -> None:
    """Begin anew."""
    for each in (_wrong_tokens, _requests, _dear):
        each.forget()


def _count(throttle: Throttle, request: HttpRequest) -> None:
    if throttle.exhausted(request):
        raise TooManyRequestsError(throttle.seconds_left(request))
    throttle.count(request)
