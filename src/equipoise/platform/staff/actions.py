"""Accounts and roles of staff."""

from equipoise.errors import InputError, Problem, nearest
from equipoise.platform.audit.actions import WORKSPACE_CHAIN, record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.permissions import ROLES, Acting, check_permission
from equipoise.platform.staff.models import Role, StaffMember

__all__ = [
    "CommandLine",
    "System",
    "add_member",
    "check_role",
    "end_member",
    "forget_factor",
    "grant",
    "revoke",
]


class CommandLine:
    """Whoever can read the workspace's files: they hold every role, and the record says that it was they."""

    actor = "command-line"

    def roles_in(self, study_id: int | None) -> frozenset[str]:
        """All of them."""
        return frozenset(ROLES)


class System:
    """The platform itself, doing what a protocol says is due."""

    actor = "system"

    def roles_in(self, study_id: int | None) -> frozenset[str]:
        """All of them."""
        return frozenset(ROLES)


def add_member(who: Acting, email: str, name: str) -> StaffMember:
    """A new account, without a password: its owner sets one by a link.

    Raises:
        InputError: the address has an account already, or is none.
    """
    from email_validator import EmailNotValidError, validate_email

    check_permission(who, "workspace.staff")
    try:
        address = validate_email(email, check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError as error:
        raise InputError(Problem("", "email", f"this is not an e-mail address: {error}")) from None
    if not name.strip():
        raise InputError(Problem("", "name", "is empty; colleagues need to know who this is"))
    with writing():
        if StaffMember.objects.filter(email__iexact=address).exists():
            raise InputError(Problem("", "email", "has an account already; give it a role"))
        member = StaffMember(email=address, name=name.strip(), created_at=now())
        member.set_unusable_password()
        member.save()
        record(WORKSPACE_CHAIN, who.actor, "staff.add", {"member": member.actor})
    return member


def grant(
    who: Acting, member: StaffMember, role: str, *, study_id: int | None, chain: str = WORKSPACE_CHAIN
) -> None:
    """Give a role in a study, or in the workspace."""
    check_role(role)
    check_permission(who, "study.roles" if study_id else "workspace.staff", study_id)
    with writing():
        Role.objects.get_or_create(member=member, study_id=study_id, role=role)
        record(chain, who.actor, "staff.grant", {"member": member.actor, "role": role})


def revoke(
    who: Acting, member: StaffMember, role: str, *, study_id: int | None, chain: str = WORKSPACE_CHAIN
) -> None:
    """Take a role away; it is gone with the next page."""
    check_role(role)
    check_permission(who, "study.roles" if study_id else "workspace.staff", study_id)
    with writing():
        Role.objects.filter(member=member, study_id=study_id, role=role).delete()
        record(chain, who.actor, "staff.revoke", {"member": member.actor, "role": role})


def end_member(who: Acting, member: StaffMember) -> None:
    """Close an account: its sessions end with their next page; what it did stays in the record."""
    check_permission(who, "workspace.staff")
    with writing():
        StaffMember.objects.filter(pk=member.pk).update(is_active=False)
        record(WORKSPACE_CHAIN, who.actor, "staff.end", {"member": member.actor})


def forget_factor(who: Acting, member: StaffMember) -> None:
    """Forget somebody's authenticator app and recovery codes: they set up new ones with their next sign-in.

    For whoever has lost their telephone. Their sessions reach nothing of the office until then.
    """
    from allauth.mfa.models import Authenticator

    check_permission(who, "workspace.staff")
    with writing():
        Authenticator.objects.filter(user=member).delete()
        record(WORKSPACE_CHAIN, who.actor, "staff.forget-factor", {"member": member.actor})


def check_role(role: str) -> None:
    """Stop at a role that there is not.

    Raises:
        InputError: names those that there are.
    """
    if role not in ROLES:
        raise InputError(Problem("", "role", f'"{role}" is not a role. Roles: {nearest(role, list(ROLES))}'))
