"""Links to set a password, by mail where the workspace sends any."""

from django.conf import settings

from equipoise.platform.permissions import Acting
from equipoise.platform.staff.actions import add_member
from equipoise.platform.staff.adapter import StaffAdapter
from equipoise.platform.staff.models import StaffMember
from equipoise.platform.staff.passwords import password_link

__all__ = ["invite", "new_link"]


def invite(who: Acting, email: str, name: str) -> tuple[StaffMember, str]:
    """A new account, and the link by which its owner sets a password; it is also sent to them.

    Raises:
        InputError: the address has an account already, or is none.
    """
    member = add_member(who, email, name)
    return member, new_link(who, member)


def new_link(who: Acting, member: StaffMember) -> str:
    """A link to set a password, for whoever has none or has forgotten it; it is also sent to them.

    Raises:
        InputError: the account has been ended.
    """
    link = password_link(who, member)
    told = {"member": member, "link": link, "workspace": settings.WORKSPACE.settings.name}
    StaffAdapter().send_mail("account/email/password_link", member.email, told)
    return link
