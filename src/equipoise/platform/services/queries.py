"""Reading services: by their token, or those of a study."""

from django.db.models import QuerySet

from equipoise.errors import InputError, Problem
from equipoise.platform.crypto import token_hash
from equipoise.platform.registry.models import Study
from equipoise.platform.services.models import Service

__all__ = ["service_numbered", "service_of_token", "services"]

_TOGETHER = ("study", "partner", "keeper")


def service_of_token(text: str) -> Service | None:
    """The service that works by this token; None for one that is unknown, expired, ended or waits."""
    found = Service.objects.select_related(*_TOGETHER).filter(token_hash=token_hash(text)).first()
    return found if found is not None and found.standing == "works" else None


def services(study: Study | None = None) -> "QuerySet[Service]":
    """The services of a study, or of all, newest first, as a query that can be sorted and sliced."""
    rows = Service.objects.select_related(*_TOGETHER).order_by("-pk")
    return rows if study is None else rows.filter(study=study)


def service_numbered(number: int) -> Service:
    """The service of this number.

    Raises:
        InputError: there is none.
    """
    found = Service.objects.select_related(*_TOGETHER).filter(pk=number).first()
    if found is None:
        message = "is not a service; `equipoise service list WORKSPACE` shows those that there are"
        raise InputError(Problem("", str(number), message))
    return found
