"""What members of staff do about their own account beyond the pages of the sign-in library.

Setting up an authenticator app: the first code counts as a factor given, and the secret has a picture. The
sessions in which they are signed in: seen, and ended. Single sign-on: off to the provider, and back.
"""

from typing import Any

from allauth.account.adapter import get_adapter as account_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.account.utils import get_next_redirect_url
from allauth.account.views import LoginView, PasswordChangeView
from allauth.mfa.adapter import get_adapter
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.socialaccount.adapter import get_adapter as sign_on_adapter
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from equipoise.platform.staff.open_sessions import close_other_sessions, close_session, open_sessions
from equipoise.platform.staff.provider import PROVIDER
from equipoise.platform.staff.sign_on import refused_page

__all__ = [
    "ChangePassword",
    "SetUpApp",
    "SignIn",
    "sessions",
    "sign_on",
    "sign_on_done",
    "totp_picture",
]


class SignIn(LoginView):
    """The page of signing in, with the way to the provider where there is one."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The provider's name besides what the library's page has."""
        oidc = settings.WORKSPACE.settings.sign_in.oidc
        return {**super().get_context_data(**kwargs), "provider": oidc.name if oidc is not None else ""}


class ChangePassword(PasswordChangeView):
    """A new password for whoever has one; others get their first by a link, not from an open session."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page, or the account's, which says that there is no password."""
        if request.user.is_authenticated and not request.user.has_usable_password():
            return HttpResponseRedirect(reverse("mfa_index"))
        return super().dispatch(request, *args, **kwargs)


class SetUpApp(ActivateTOTPView):
    """Whoever sets an app up has just shown a code of it, and is not asked for another at once."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page; whoever has nothing here that could be asked again signs on anew after a while."""
        member = request.user
        nothing_to_ask = member.is_authenticated and not get_reauthentication_flows(member)
        if nothing_to_ask and account_adapter(request).is_reauthentication_required(app="allauth.mfa"):
            logout(request)
            again = urlencode({"next": reverse("mfa_activate_totp")})
            return HttpResponseRedirect(f"{reverse('account_login')}?{again}")
        return super().dispatch(request, *args, **kwargs)

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
            ended = int(close_session(request.user, handle, current))
        else:
            ended = close_other_sessions(request.user, current)
        said = {0: "It was over already.", 1: "The session has been ended."}
        messages.success(request, said.get(ended, f"{ended} sessions have been ended."))
        return HttpResponseRedirect(reverse("staff-sessions"), status=303)
    page = {"found": open_sessions(request.user, current), "messages": messages.get_messages(request)}
    return render(request, "account/sessions.html", page)


@require_http_methods(["POST"])
def sign_on(request: HttpRequest) -> HttpResponse:
    """Off to the provider, by a page that goes on by itself.

    The policy of our pages lets forms be sent to ourselves alone, and some browsers hold to it wherever the
    answer to a form leads; they do not where a page leads.
    """
    provider = _provider(request)
    try:
        answer = provider.redirect(request, AuthProcess.LOGIN, get_next_redirect_url(request))
    except (OAuth2Error, OSError) as error:  # what the library's client of the network raises is an OSError
        return refused_page(request, "failed", error)
    return render(request, "account/sign_on.html", {"provider": provider.name, "address": answer.url})


@require_safe
def sign_on_done(request: HttpRequest) -> HttpResponse:
    """Back from the provider: who it is has been told, and they are let in or turned away."""
    conversation = _provider(request).get_oauth2_adapter(request)
    try:
        return OAuth2CallbackView.adapter_view(conversation)(request)
    except (OAuth2Error, OSError) as error:
        return refused_page(request, "failed", error)


def _provider(request: HttpRequest) -> Any:
    if settings.WORKSPACE.settings.sign_in.oidc is None:
        raise Http404
    return sign_on_adapter(request).get_provider(request, PROVIDER)
