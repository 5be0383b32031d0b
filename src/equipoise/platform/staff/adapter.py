"""How sign-in by django-allauth fits a workspace: nobody makes an account for themselves."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

__all__ = ["StaffAdapter"]


class StaffAdapter(DefaultAccountAdapter):
    """Accounts are made by an administrator; whom the workspace does not know cannot sign up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Only where the workspace can send mail."""
        from django.conf import settings

        if settings.WORKSPACE.settings.mail is not None:
            super().send_mail(template_prefix, email, context)
