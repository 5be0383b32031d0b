"""Accounts and roles of staff."""

from dataclasses import dataclass
from typing import Any

from equipoise.errors import InputError, Problem, nearest
from equipoise.platform.audit.actions import WORKSPACE_CHAIN, record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.permissions import MASKED_ROLES, ROLES, Acting, Grant, InStudy, check_permission
from equipoise.platform.staff.models import Role, StaffMember
from equipoise.platform.staff.open_sessions import close_other_sessions

__all__ = [
    "WORKSPACE",
    "CommandLine",
    "Place",
    "System",
    "add_member",
    "check_role",
    "end_member",
    "end_sessions",
    "forget_factor",
    "grant",
    "revoke",
]


@dataclass(frozen=True)
class Place:
    """Where a role holds. In a study its record says so; elsewhere the record of the workspace.

    Attributes:
        study: of the registry, or None.
        partner: one of the study's, where the role holds for its people only.
        programme: where the role holds in every study of it.
    """

    study: Any = None
    partner: Any = None
    programme: Any = None

    @property
    def ids(self) -> dict[str, int | None]:
        """The numbers that a role keeps."""
        found = {"study_id": self.study, "partner_id": self.partner, "programme_id": self.programme}
        return {name: None if each is None else each.pk for name, each in found.items()}

    @property
    def chain(self) -> str:
        """The record that a change is entered in."""
        return WORKSPACE_CHAIN if self.study is None else str(self.study.name)

    @property
    def said(self) -> dict[str, str]:
        """What the record says of the place besides."""
        found = {"partner": self.partner, "programme": self.programme}
        return {name: each.name for name, each in found.items() if each is not None}


WORKSPACE = Place()
_EVERYTHING = frozenset(Grant(role) for role in ROLES if role not in MASKED_ROLES)


class CommandLine:
    """Whoever can read the workspace's files: they hold every role, and the record says that it was they."""

    actor = "command-line"

    def grants_in(self, study: InStudy | None) -> frozenset[Grant]:
        """Every role that is not masked."""
        return _EVERYTHING


class System:
    """The platform itself, doing what a protocol says is due."""

    actor = "system"

    def grants_in(self, study: InStudy | None) -> frozenset[Grant]:
        """Every role that is not masked."""
        return _EVERYTHING


def add_member(who: Acting, email: str, name: str) -> StaffMember:
    """A new account, without a password: its owner sets one by a link.

    Whoever had an account before gets it back, so that the record goes on naming them by one number; nothing
    else of it is left.

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
        member = StaffMember.objects.filter(email__iexact=address).first()
        if member is not None and member.is_active:
            raise InputError(Problem("", "email", "has an account already; give it a role"))
        member = member or StaffMember(created_at=now())
        member.email, member.name, member.is_active = address, name.strip(), True
        member.set_unusable_password()
        member.save()
        record(WORKSPACE_CHAIN, who.actor, "staff.add", {"member": member.actor})
    return member


def grant(who: Acting, member: StaffMember, role: str, place: Place = WORKSPACE) -> None:
    """Give a role: in a study, for one of its partners, in a programme, or in the workspace.

    Raises:
        InputError: there is no such role, it is not given there, or the account has been ended.
    """
    check_role(role, place)
    _check_may_give(who, place)
    if not member.is_active:
        raise InputError(Problem("", "member", "has no account any more; add them anew"))
    with writing():
        _, new = Role.objects.get_or_create(member=member, role=role, **place.ids)
        if new:
            record(
                place.chain, who.actor, "staff.grant", {"member": member.actor, "role": role, **place.said}
            )


def revoke(who: Acting, member: StaffMember, role: str, place: Place = WORKSPACE) -> None:
    """Take a role away; it is gone with the next page.

    Raises:
        InputError: they do not hold it there, or nobody would be left who keeps the workspace.
    """
    check_role(role, place)
    _check_may_give(who, place)
    with writing():
        if role == "administrator":
            _check_somebody_keeps_it(member)
        gone, _ = Role.objects.filter(member=member, role=role, **place.ids).delete()
        if not gone:
            raise InputError(Problem("", "role", f"{role} is not held there, so it cannot be taken away"))
        record(place.chain, who.actor, "staff.revoke", {"member": member.actor, "role": role, **place.said})


def end_member(who: Acting, member: StaffMember) -> None:
    """Close an account: its sessions end at once, and its factors go; what it did stays in the record.

    Their roles are taken away by `registry.staffing.end_account`, which knows the studies.

    Raises:
        InputError: it is their own, it has been ended, or nobody would be left who keeps the workspace.
    """
    check_permission(who, "workspace.staff")
    if who.actor == member.actor:
        raise InputError(Problem("", "member", "nobody ends their own account; ask another administrator"))
    with writing():
        _check_somebody_keeps_it(member)
        if not StaffMember.objects.filter(pk=member.pk, is_active=True).update(is_active=False):
            raise InputError(Problem("", "member", "has been ended already"))
        close_other_sessions(member)
        _forget_factors(member)
        record(WORKSPACE_CHAIN, who.actor, "staff.end", {"member": member.actor})


def end_sessions(who: Acting, member: StaffMember) -> int:
    """Sign somebody out everywhere, for when a browser of theirs is in other hands.

    Returns:
        How many sessions there were.
    """
    check_permission(who, "workspace.staff")
    with writing():
        ended = close_other_sessions(member)
        record(WORKSPACE_CHAIN, who.actor, "staff.end-sessions", {"member": member.actor, "sessions": ended})
    return ended


def forget_factor(who: Acting, member: StaffMember) -> None:
    """Forget somebody's authenticator app and recovery codes: they set up new ones with their next sign-in.

    For whoever has lost their telephone. Their sessions reach nothing of the office until then. The name by
    which single sign-on knows them goes as well; it is learnt anew from their verified address.
    """
    check_permission(who, "workspace.staff")
    with writing():
        _forget_factors(member)
        record(WORKSPACE_CHAIN, who.actor, "staff.forget-factor", {"member": member.actor})


def check_role(role: str, place: Place = WORKSPACE) -> None:
    """Stop at a role that there is not, or that is not given in such a place.

    Raises:
        InputError: names those that there are.
    """
    if role not in ROLES:
        raise InputError(Problem("", "role", f'"{role}" is not a role. Roles: {nearest(role, list(ROLES))}'))
    if place.partner is not None and role != "coordinator":
        message = f"{role} is held in a whole study; for one partner's people there is the coordinator"
        raise InputError(Problem("", "partner", message))
    if role == "administrator" and place != WORKSPACE:
        raise InputError(Problem("", "role", "administrator is held in the workspace, not in a study"))


def _check_may_give(who: Acting, place: Place) -> None:
    check_permission(who, "workspace.staff" if place.study is None else "study.roles", place.study)


def _check_somebody_keeps_it(member: StaffMember) -> None:
    """Held until the end of the transaction, so that two administrators cannot end each other at once."""
    keepers = Role.objects.select_for_update().filter(role="administrator", study_id=None, programme_id=None)
    kept_by = {each.member_id for each in keepers.filter(member__is_active=True)}
    if kept_by == {member.pk}:
        message = "is the only administrator; give somebody else the role first"
        raise InputError(Problem("", "member", message))


def _forget_factors(member: StaffMember) -> None:
    from allauth.mfa.models import Authenticator
    from allauth.socialaccount.models import SocialAccount

    Authenticator.objects.filter(user=member).delete()
    SocialAccount.objects.filter(user=member).delete()
