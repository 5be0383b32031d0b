"""Links by which members of staff set a password of their own, once."""

from urllib.parse import quote

from django.conf import settings
from django.urls import reverse

from equipoise.errors import InputError, Problem
from equipoise.platform.audit.actions import WORKSPACE_CHAIN, record
from equipoise.platform.database import writing
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.staff.models import StaffMember

__all__ = ["password_link", "reset_address"]


def password_link(who: Acting, member: StaffMember) -> str:
    """A link to set a password. It works once, and for `PASSWORD_RESET_TIMEOUT` seconds.

    Args:
        who: needs `workspace.staff`.
        member: whose password.
    Raises:
        InputError: the account has been ended.
    """
    from allauth.account.forms import default_token_generator
    from allauth.account.utils import user_pk_to_url_str

    check_permission(who, "workspace.staff")
    if not member.is_active:
        raise InputError(Problem("", member.actor, "has been ended; nobody can sign in with it any more"))
    with writing():
        record(WORKSPACE_CHAIN, who.actor, "staff.link", {"member": member.actor})
    return reset_address(f"{user_pk_to_url_str(member)}-{default_token_generator.make_token(member)}")


def reset_address(key: str) -> str:
    """The whole address of a link to set a password: what a request says of its host is never believed."""
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
    origin = settings.WORKSPACE.settings.origin.rstrip("/")
    return f"{origin}{path.replace('UID-KEY', quote(key))}"
