"""What members of staff do about their own account beyond the pages of the sign-in library.

Setting up an authenticator app: the first code counts as a factor given, and the secret has a picture. The
sessions in which they are signed in: seen, and ended.
"""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.adapter import get_adapter
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.totp.views import ActivateTOTPView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from equipoise.platform.staff.open_sessions import close_other_sessions, close_session, open_sessions

__all__ = ["SetUpApp", "sessions", "totp_picture"]


class SetUpApp(ActivateTOTPView):
    """Whoever sets an app up has just shown a code of it, and is not asked for another at once."""

    def form_valid(self, form: Any) -> HttpResponse:
        """The app is stored, and the session has its second factor."""
        response = super().form_valid(form)
        record_authentication(self.request, self.request.user, "mfa", type="totp")
        return response


@require_safe
@login_required
def totp_picture(request: HttpRequest) -> HttpResponse:
    """The secret that is being set up, as a QR code: a file of our own, so that no policy is loosened."""
    secret = request.session.get(SECRET_SESSION_KEY)
    if not secret:
        raise Http404
    adapter = get_adapter()
    drawn = adapter.build_totp_svg(adapter.build_totp_url(request.user, secret))
    return HttpResponse(drawn, content_type="image/svg+xml")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def sessions(request: HttpRequest) -> HttpResponse:
    """Where somebody is signed in; one session, or all but this one, is ended by a form."""
    current = request.session.session_key
    if request.method == "POST":
        if handle := request.POST.get("session", ""):
            ended = int(close_session(request.user, handle))
        else:
            ended = close_other_sessions(request.user, current)
        said = {0: "It was over already.", 1: "The session has been ended."}
        messages.success(request, said.get(ended, f"{ended} sessions have been ended."))
        return HttpResponseRedirect(reverse("staff-sessions"), status=303)
    page = {"found": open_sessions(request.user, current), "messages": messages.get_messages(request)}
    return render(request, "account/sessions.html", page)
