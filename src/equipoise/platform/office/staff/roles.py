"""Roles on pages: what each may do in a sentence, where one is held, and how one is given by a form."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from equipoise.errors import InputError, Problem
from equipoise.platform.permissions import MASKED_ROLES, ROLES
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.places import places_of
from equipoise.platform.staff.actions import Place
from equipoise.platform.staff.models import StaffMember
from equipoise.platform.staff.queries import Held

__all__ = ["HeldRole", "held_roles", "member_of_address", "role_choices", "role_words"]

_MASKED = "Until the results are unmasked, whoever holds it sees no arm, whatever other role they hold"


@dataclass(frozen=True)
class HeldRole:
    """A role as a page shows it."""

    held: Held
    member: StaffMember
    place: Place
    where: str

    @property
    def role(self) -> str:
        """The role in words."""
        return role_words(self.held.role)


def held_roles(rows: Iterable[Held], here: Study | None = None) -> list[HeldRole]:
    """Roles with whose they are and where they hold, in four queries however many there are.

    Args:
        rows: as they are stored.
        here: the study whose page it is, so that its title is not repeated in each row.
    """
    held = list(rows)
    members = StaffMember.objects.in_bulk({each.member_id for each in held})
    return [
        HeldRole(each, members[each.member_id], place, _where(place, here))
        for each, place in zip(held, places_of(held), strict=True)
    ]


def role_choices(roles: Iterable[str] = ROLES) -> list[tuple[str, str, str]]:
    """Roles to choose from, each with what it may do."""
    return [(role, role_words(role), _may(role)) for role in roles]


def role_words(role: str) -> str:
    """A role's name as a page writes it: "Data manager"."""
    return role.replace("-", " ").capitalize()


def member_of_address(email: str) -> StaffMember:
    """The open account of an address that somebody typed.

    Raises:
        InputError: there is none.
    """
    found = StaffMember.objects.filter(email__iexact=email.strip(), is_active=True).first()
    if found is None:
        message = "nobody has an account under this address; whoever keeps the workspace can invite them"
        raise InputError(Problem("", "email", message))
    return found


def _may(role: str) -> str:
    return f"{ROLES[role]}. {_MASKED}" if role in MASKED_ROLES else ROLES[role]


def _where(place: Place, here: Study | None) -> str:
    found: Any = place
    if found.programme is not None:
        return f"The programme {found.programme.title}"
    if found.study is None:
        return "The workspace"
    study = "This study" if found.study == here else found.study.title
    return study + (f", for {found.partner.title}" if found.partner is not None else "")
