"""Setting up an authenticator app: the first code counts as a factor given, and the secret has a picture."""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.adapter import get_adapter
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.totp.views import ActivateTOTPView
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

__all__ = ["SetUpApp", "totp_picture"]


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
