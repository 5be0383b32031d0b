"""Passkeys: another second factor beside the authenticator app, for whoever wants one.

The browser does the work, so these pages need its script; a code can always be entered instead. What a
browser sends is not believed to be well formed.
"""

from typing import Any

from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm
from django.core.exceptions import ValidationError
from django.forms import JSONField

from equipoise.platform.staff.attempts import count_failure, locked_out
from equipoise.platform.staff.models import StaffMember

__all__ = ["NewPasskeyForm", "PasskeyForm"]

_NOT_MADE = "Your browser made no passkey that can be used here. Try again, or keep to codes"
_NOT_SHOWN = "This passkey could not be checked. Try again, or enter a code"
_LONGEST_NAME = 60


class NewPasskeyForm(AddWebAuthnForm):
    """What a browser has made, and what its owner calls it."""

    credential = JSONField(error_messages=dict.fromkeys(("invalid", "required"), _NOT_MADE))

    def clean_name(self) -> str:
        """A name by which its owner tells it from others."""
        return str(super().clean_name())[:_LONGEST_NAME]

    def clean(self) -> dict[str, Any]:
        """The passkey, once it is certain that it was made for this page.

        Raises:
            ValidationError: it was not, or what was sent is none.
        """
        try:
            return super().clean()
        except (ValidationError, ValueError, KeyError, TypeError, AttributeError):
            raise ValidationError(_NOT_MADE) from None


class PasskeyForm(AuthenticateWebAuthnForm):
    """What a browser shows in place of a code."""

    user: StaffMember
    credential = JSONField(error_messages=dict.fromkeys(("invalid", "required"), _NOT_SHOWN))

    def clean_credential(self) -> Authenticator:
        """The passkey that was shown; a wrong one counts as a failure to sign in.

        Raises:
            ValidationError: it is not one of theirs, was made for another attempt, or they have to wait.
        """
        if locked_out(context.request, self.user.email):
            raise ValidationError(_NOT_SHOWN)
        try:
            return super().clean_credential()
        except (ValidationError, ValueError, KeyError, TypeError, AttributeError):
            count_failure(context.request, self.user.email)
            raise ValidationError(_NOT_SHOWN) from None
