"""Reading the accounts of staff."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from equipoise.errors import InputError, Problem
from equipoise.platform.staff.models import Role, StaffMember

__all__ = ["Held", "member_named", "members", "members_with_factor", "roles_held", "roles_in", "roles_of"]


@dataclass(frozen=True)
class Held:
    """A role that somebody holds, and where: see `models.Role`."""

    member_id: int
    role: str
    programme_id: int | None
    study_id: int | None
    partner_id: int | None
    id: int


def member_named(email: str) -> StaffMember:
    """The account of an e-mail address, however it is written.

    Raises:
        InputError: there is none.
    """
    found = StaffMember.objects.filter(email__iexact=email.strip()).first()
    if found is None:
        message = "has no account here; `equipoise staff list WORKSPACE` shows who has"
        raise InputError(Problem("", email, message))
    return found


def members() -> list[StaffMember]:
    """Everybody who has or had an account, by name."""
    return list(StaffMember.objects.order_by("name", "pk"))


def members_with_factor(members: Iterable[StaffMember]) -> set[int]:
    """The numbers of those who have set up a second factor."""
    from allauth.mfa.models import Authenticator

    factors = Authenticator.objects.filter(user__in=list(members)).exclude(type="recovery_codes")
    return set(factors.values_list("user_id", flat=True))


def roles_held() -> list[Held]:
    """Every role that is held."""
    return _held(Role.objects.all())


def roles_of(*members: StaffMember) -> list[Held]:
    """Every role that these members hold."""
    return _held(Role.objects.filter(member__in=members))


def roles_in(study_id: int, programme_id: int | None) -> list[Held]:
    """Every role that holds in a study: those of the study, of its programme, and of the workspace.

    Whoever has left holds none.
    """
    places = Q(study_id=study_id) | Q(study_id=None, programme_id=None)
    if programme_id is not None:
        places |= Q(programme_id=programme_id)
    return _held(Role.objects.filter(places, member__is_active=True))


def _held(rows: Any) -> list[Held]:
    ordered = rows.order_by("member_id", "programme_id", "study_id", "partner_id", "role")
    return [Held(*row) for row in ordered.values_list(*Held.__annotations__)]
