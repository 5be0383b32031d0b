"""Reading the accounts of staff."""

from dataclasses import dataclass

from equipoise.errors import InputError, Problem
from equipoise.platform.staff.models import Role, StaffMember

__all__ = ["Held", "member_named", "members", "roles_held"]


@dataclass(frozen=True)
class Held:
    """A role that somebody holds, and where: see `models.Role`."""

    member_id: int
    role: str
    programme_id: int | None
    study_id: int | None
    partner_id: int | None


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


def roles_held() -> list[Held]:
    """Every role that is held."""
    rows = Role.objects.order_by("member_id", "programme_id", "study_id", "partner_id", "role")
    return [Held(*row) for row in rows.values_list(*Held.__annotations__)]
