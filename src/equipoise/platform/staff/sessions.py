"""How long staff stay signed in, and by how many factors: looked at before each of their pages.

Sessions use the real time: a rehearsal that jumps by weeks signs nobody out.
"""

import time
from collections.abc import Callable

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.models import Authenticator
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from equipoise.platform.staff.open_sessions import BEGAN, BROWSER, SEEN, browser_words, is_over
from equipoise.platform.staff.sign_on import gave_factor_elsewhere

__all__ = ["StaffSecondFactor", "StaffSessions"]

Response = Callable[[HttpRequest], HttpResponse]
_NOTED_EVERY = 60
_OFFICE, _STAFF = "/office/", "/staff/"


class StaffSessions:
    """Ends a session twelve hours after it began, or an hour after its last page."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith((_OFFICE, _STAFF)):
            return self.get_response(request)
        if request.user.is_authenticated and is_over(request.session):
            logout(request)
            back = {"next": request.get_full_path()} if request.method == "GET" else {}
            return HttpResponseRedirect(f"{reverse('account_login')}?{urlencode({'over': 1, **back})}")
        response = self.get_response(request)
        if request.user.is_authenticated:
            _note(request)
        return response


class StaffSecondFactor:
    """Staff reach nothing of the office without a second factor: set up, and given in this session."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(_OFFICE) and request.user.is_authenticated:
            if gave_factor_elsewhere(request, request.user):
                return self.get_response(request)
            if not Authenticator.objects.filter(user=request.user, type=Authenticator.Type.TOTP).exists():
                return HttpResponseRedirect(reverse("mfa_activate_totp"))
            if not _gave_second_factor(request):
                back = urlencode({"next": request.path})
                return HttpResponseRedirect(f"{reverse('mfa_reauthenticate')}?{back}")
        return self.get_response(request)


def _gave_second_factor(request: HttpRequest) -> bool:
    """False where a password alone opened this session, and the factor was set up in another."""
    return any(said["method"] == "mfa" for said in get_authentication_records(request, request.user))


def _note(request: HttpRequest) -> None:
    """Keep when it began and in which browser and, to the minute, when it was last used."""
    now = time.time()
    if BEGAN not in request.session:
        request.session[BEGAN] = now
        request.session[BROWSER] = browser_words(request.headers.get("User-Agent", ""))
    if now - request.session.get(SEEN, 0) >= _NOTED_EVERY:
        request.session[SEEN] = now
