"""Passwords that are known from thefts elsewhere, asked of a list that the workspace names, if it names one.

The list learns the first five digits of the password's hash, which some hundreds of passwords share, and
answers with all that it has under them. It never learns the password, the whole hash, or whose it is. The
shape of question and answer is that of Pwned Passwords (range search by SHA-1).
"""

import hashlib
import logging
from typing import Any

from allauth.socialaccount.adapter import get_adapter
from django.conf import settings
from django.core.exceptions import ValidationError

__all__ = ["BreachedPasswords"]

_log = logging.getLogger("equipoise.staff")
_ASKED = 5  # digits
_KNOWN = "This password is known from thefts elsewhere. Choose another; three random words make a good one"


class BreachedPasswords:
    """Looks at new passwords. A list that cannot be asked stops nobody, and leaves a line in the log."""

    def validate(self, password: str, user: Any = None) -> None:
        """Refuse a password that is on the list.

        Raises:
            ValidationError: it is.
        """
        address = settings.WORKSPACE.settings.sign_in.breached_passwords
        if address is None:
            return
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
        try:
            found = _asked(f"{address.rstrip('/')}/{digest[:_ASKED]}")
        except OSError as error:  # what the client raises, whatever goes wrong
            _log.warning("the list of breached passwords could not be asked: %s", type(error).__name__)
            return
        if digest[_ASKED:] in found:
            raise ValidationError(_KNOWN, code="password_breached")

    def get_help_text(self) -> str:
        """What is said beside the field."""
        return "Your password must not be known from thefts elsewhere."


def _asked(address: str) -> set[str]:
    """The rest of each hash that the list has; a count of nought only makes answers equally long."""
    with get_adapter().get_requests_session() as session:
        response = session.get(address, headers={"Add-Padding": "true"})
        response.raise_for_status()
        lines = [line.strip().partition(":") for line in response.text.splitlines()]
    return {digits.upper() for digits, _, count in lines if count != "0"}
