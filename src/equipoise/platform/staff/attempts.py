"""Who has failed to sign in too often: ten failures from one address for one account, and it has to wait.

Passwords and codes are counted together. Other accounts, and the same account from elsewhere, are not
affected, so that nobody can lock a colleague out.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from equipoise.platform.database import writing

__all__ = ["account_of", "count_failure", "forget_failures", "locked_out", "locked_page"]

_NAMES = ("email", "login", "username")


def account_of(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """The account that somebody tries to enter, in one spelling."""
    given = credentials or {}
    named = next((given[name] for name in _NAMES if given.get(name)), None)
    return str(named or request.POST.get("login", "")).strip().lower()[:254]


def locked_out(request: HttpRequest, account: str) -> bool:
    """Whether this address has to wait before it may try this account again; then the page says so."""
    locked = not AxesProxyHandler.is_allowed(request, {"email": account})
    if locked:
        request.axes_locked_out = True
    return locked


def count_failure(request: HttpRequest, account: str) -> None:
    """Count a wrong code as a wrong password is counted."""
    user_login_failed.send(sender=__name__, credentials={"email": account}, request=request)


def forget_failures() -> int:
    """Forget failures that keep nobody waiting any more, with the addresses that they hold; how many.

    The time is that of the machine, in a rehearsal too: that is the one by which they were counted.
    """
    waited = datetime.now(UTC) - timedelta(hours=settings.AXES_COOLOFF_TIME)
    with writing():
        return int(AccessAttempt.objects.filter(attempt_time__lt=waited).delete()[0])


def locked_page(
    request: HttpRequest,
    original: HttpResponse | None = None,
    credentials: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """What whoever has to wait is told."""
    return render(request, "account/locked.html", status=429)
