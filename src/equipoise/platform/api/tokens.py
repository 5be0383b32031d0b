"""Who asks: the service of a token, and whether it may do what the address is for.

Both are looked at before anything that was sent is read. Cookies are not looked at, so no page of somebody
else's can make a browser ask in the name of staff.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings
from django.db import OperationalError
from django.http import Http404, HttpRequest
from ninja.errors import AuthenticationError
from ninja.security import HttpBearer

from equipoise.platform.api.addresses import TABLE
from equipoise.platform.api.limits import count_request, count_wrong_token
from equipoise.platform.permissions import NotAllowedError, Reach, reach
from equipoise.platform.registry.models import Study
from equipoise.platform.services.actions import note_use
from equipoise.platform.services.models import Service
from equipoise.platform.services.queries import service_of_token
from equipoise.platform.services.scopes import SCOPES

__all__ = ["Admitted", "ServiceToken"]

_log = logging.getLogger("equipoise.api")


@dataclass(frozen=True)
class Admitted:
    """A service at an address that it may use; `reach` says whose people it may see or change by it."""

    service: Service
    study: Study
    reach: Reach


class ServiceToken(HttpBearer):
    """`Authorization: Bearer TOKEN`, and nowhere else."""

    openapi_description = "The token of a service, made on the study's page Services."

    def __call__(self, request: HttpRequest) -> Admitted | None:
        """Who asks; None without a token.

        Raises:
            NotAllowedError: it came without TLS, or the service lacks the scope.
            TooManyRequestsError: wrong tokens came from this address, or the service asks too often.
            Http404: the study is not the service's, as if there were none.
        """
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            raise NotAllowedError(
                "a token must be sent by https; this one was not, so end it and make another"
            )
        admitted = super().__call__(request)
        return admitted if isinstance(admitted, Admitted) else None

    def authenticate(self, request: HttpRequest, token: str) -> Admitted:
        """The service of a token, at this address."""
        service = service_of_token(token)
        if service is None:
            _log.warning("a token was refused")
            count_wrong_token(request)
            raise AuthenticationError
        admitted = _admitted(request, service)
        request.auth = admitted
        count_request(request)
        with suppress(
            OperationalError
        ):  # a busy database keeps nobody from reading; it is noted the next time
            note_use(service)
        return admitted


def _admitted(request: HttpRequest, service: Service) -> Admitted:
    match, study = request.resolver_match, service.study
    address = TABLE[match.url_name]
    if match.kwargs["study"] != study.name:
        _log.warning("%s asked for another study", service.actor)
        raise Http404
    reached = reach(service, address.verb, study)
    if not (reached if address.by_partner else reached.everybody):
        _log.warning("%s was refused %s", service.actor, address.verb)
        scopes = [name for name, (_, verbs) in SCOPES.items() if address.verb in verbs]
        raise NotAllowedError(f"this needs the scope {' or '.join(scopes)}")
    return Admitted(service, study, reached)
