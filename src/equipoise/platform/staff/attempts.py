"""Who has failed to sign in too often: ten failures from one address for one account, and it has to wait.

Passwords and codes are counted together. Other accounts, and the same account from elsewhere, are not
affected, so that nobody can lock a colleague out.
"""

from collections.abc import Mapping
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

__all__ = ["account_of", "count_failure", "locked_out", "locked_page"]

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


def locked_page(
    request: HttpRequest,
    original: HttpResponse | None = None,
    credentials: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """What whoever has to wait is told."""
    return render(request, "account/locked.html", status=429)
