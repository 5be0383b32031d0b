"""The second factor: codes of an authenticator app, each taken once, and recovery codes. Passkeys are beside.

A code is valid for half a minute, and for as long before and after as a clock may be wrong. Which half-minute
was used last is kept with the account, so no process takes a code that another has taken: RFC 6238, section
5.2.
"""

import hmac
from typing import Any
from urllib.parse import urlsplit

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from django.conf import settings
from django.core.exceptions import ValidationError

from equipoise.platform.crypto import open_sealed, seal
from equipoise.platform.database import writing
from equipoise.platform.staff.attempts import count_failure, locked_out
from equipoise.platform.staff.models import StaffMember

__all__ = ["ActivateForm", "CodeAgainForm", "CodeForm", "SealedFactors", "spend_code"]

_WRONG = "This code is not right, or it has been used. Wait for the next one, and enter its six digits"
_WAIT = "There were too many attempts. Wait 15 minutes, then try again"
_OWNER = "staff"


class SealedFactors(DefaultMFAAdapter):
    """Keeps what codes are computed from encrypted under a key of the workspace."""

    def encrypt(self, text: str) -> str:
        """The text sealed."""
        return seal(_key(), text, _OWNER, "factor")

    def decrypt(self, encrypted_text: str) -> str:
        """The text again."""
        return open_sealed(_key(), encrypted_text, _OWNER, "factor")

    def generate_authenticator_name(self, user: StaffMember, type: Authenticator.Type) -> str:
        """What a passkey is called that got no name."""
        return f"Passkey {1 + Authenticator.objects.filter(user=user, type=type).count()}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """For whom a passkey is made: our own host, whatever a request says of it."""
        told = settings.WORKSPACE.settings
        return {"id": urlsplit(told.origin).hostname or "", "name": told.name}


class _SpendsCode:
    """Takes a code once, and counts a wrong one as a failure to sign in."""

    user: StaffMember
    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        """The code, spent.

        Raises:
            ValidationError: it is wrong or was used, or there were too many attempts.
        """
        _refuse_locked(self.user)
        code = str(self.cleaned_data["code"])
        found = spend_code(self.user, code)
        if found is None:
            count_failure(context.request, self.user.email)
            raise ValidationError(_WRONG)
        found.user = self.user
        self.authenticator = found
        return code


class CodeForm(_SpendsCode, AuthenticateForm):
    """The code after the password."""


class CodeAgainForm(_SpendsCode, ReauthenticateForm):
    """The code before something that concerns the account itself."""


class ActivateForm(ActivateTOTPForm):
    """The first code of a new authenticator app, which is spent by it."""

    def clean_code(self) -> str:
        """The code, spent.

        Raises:
            ValidationError: it is wrong, or there were too many attempts.
        """
        _refuse_locked(self.user)
        code = _digits(self.cleaned_data["code"])
        counter = _counter_of(self.secret, code)
        if counter is None:
            count_failure(context.request, self.user.email)
            raise ValidationError(_WRONG)
        with writing():
            StaffMember.objects.filter(pk=self.user.pk).update(last_code=counter)
        return code


def spend_code(member: StaffMember, code: str) -> Authenticator | None:
    """Take a code of the member's app, or a recovery code; each is taken once, by whoever comes first.

    Returns:
        What it belongs to; None for a wrong or used code.
    """
    with writing():
        held = StaffMember.objects.select_for_update().get(pk=member.pk)
        of_codes = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
        for factor in Authenticator.objects.filter(user=held, type__in=of_codes).order_by("-type"):
            if factor.type == Authenticator.Type.TOTP:
                counter = _counter_of(decrypt(factor.data["secret"]), _digits(code))
                if counter is not None and counter > held.last_code:
                    held.last_code = counter
                    held.save(update_fields=["last_code"])
                    return factor
            elif factor.wrap().validate_code(code.strip()):
                return factor
    return None


def _refuse_locked(member: StaffMember) -> None:
    if locked_out(context.request, member.email):
        raise ValidationError(_WAIT)


def _counter_of(secret: str, code: str) -> int | None:
    """The half-minute whose code this is."""
    for counter in yield_hotp_counters_from_time():
        if hmac.compare_digest(f"{hotp_value(secret, counter):06d}".encode(), code.encode()):
            return int(counter)
    return None


def _digits(code: str) -> str:
    return "".join(str(code).split())


def _key() -> bytes:
    return hmac.digest(settings.WORKSPACE.key("signing"), b"equipoise/second-factor", "sha256")
