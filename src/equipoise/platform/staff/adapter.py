"""How sign-in by django-allauth fits a workspace: nobody makes an account for themselves."""

import logging
import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.core import context
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse

from equipoise.platform.staff.passwords import reset_address

__all__ = ["StaffAdapter"]

_log = logging.getLogger("equipoise.staff")

# What is said after something was done; what is not listed is seen from the next page anyway.
_SAID = {
    "account/messages/password_changed.txt": "Your password has been changed.",
    "mfa/messages/totp_activated.txt": "Your authenticator app is set up.",
    "mfa/messages/webauthn_added.txt": "Your passkey is set up.",
    "mfa/messages/webauthn_removed.txt": "Your passkey is removed.",
    "mfa/messages/totp_deactivated.txt": "Your authenticator app is removed. Set up another one to go on.",
}
_SHOWN_AGAIN = (
    ("reauthenticate", "Your password", "account_reauthenticate"),
    ("mfa_reauthenticate", "A code", "mfa_reauthenticate"),
)


class StaffAdapter(DefaultAccountAdapter):
    """Accounts are made by an administrator; whom the workspace does not know cannot sign up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def get_login_stages(self) -> list[str]:
        """What is asked after the password, or after single sign-on."""
        return ["equipoise.platform.staff.sign_on.CodeStage"]

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """How somebody shows again that it is they: by their password or a code."""
        flows = {each["id"]: each for each in get_reauthentication_flows(user)}
        return [
            {**flows[name], "description": said, "url": reverse(page)}
            for name, said, page in _SHOWN_AGAIN
            if name in flows
        ]

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Only where the workspace can send mail.

        What cannot be sent now leads to the same page: an error would tell which addresses have an account.
        """
        if settings.WORKSPACE.settings.mail is None:
            return
        try:
            super().send_mail(template_prefix, email, context)
        except OSError as error:
            _log.error("a mail to staff was not sent: %s", type(error).__name__)

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        *further: Any,
        **options: Any,
    ) -> None:
        """In our own words, where there is anything to say."""
        if said := _SAID.get(message_template or "", ""):
            messages.add_message(request, level, said)

    def format_email_subject(self, subject: str) -> str:
        """The workspace's name before what it is about; never the host that a request named."""
        return f"{settings.WORKSPACE.settings.name}: {subject}"

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The address of a link to set a password, from the configured origin alone."""
        return reset_address(key)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Whether to ask again before a change to the account: not right after signing in."""
        request = context.request
        said = get_authentication_records(request, request.user)
        return not said or time.time() - said[-1]["at"] >= settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
