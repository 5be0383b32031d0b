"""Taking roles away so that every study keeps somebody who leads it.

Who leads a study holds the role in it, in its programme, or in the workspace. A study that nobody has led yet
can stay so: it is led as soon as somebody is given the role.
"""

from collections.abc import Iterable

from django.db.models import Q

from equipoise.errors import InputError, Problem
from equipoise.platform.database import writing
from equipoise.platform.permissions import Acting
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.places import places_of
from equipoise.platform.staff.actions import WORKSPACE, Place, end_member, revoke
from equipoise.platform.staff.models import Role, StaffMember
from equipoise.platform.staff.queries import roles_of

__all__ = ["end_account", "take_role"]


def take_role(who: Acting, member: StaffMember, role: str, place: Place = WORKSPACE) -> None:
    """Take a role away; it is gone with the next page.

    Raises:
        InputError: they do not hold it there, or a study, or the workspace, would be left to nobody.
    """
    with writing():
        led = _led_by(member, place) if role == "lead" and member.is_active else []
        revoke(who, member, role, place)
        _check_still_led(led)


def end_account(who: Acting, member: StaffMember) -> None:
    """Close an account with all its roles; each study's record says that they are gone.

    Raises:
        InputError: it is their own, it has been ended, or a study, or the workspace, would be left to nobody.
    """
    with writing():
        led = _led_by(member)
        end_member(who, member)
        held = roles_of(member)
        for each, place in zip(held, places_of(held), strict=True):
            revoke(who, member, each.role, place)
        _check_still_led(led)


def _led_by(member: StaffMember, place: Place = WORKSPACE) -> list[Study]:
    """The studies of a place that somebody leads now, on whatever grounds; held until they still are."""
    leads = Role.objects.select_for_update().filter(role="lead", member__is_active=True)
    theirs = [each for each in leads if each.member_id == member.pk]
    everything = Study.objects.order_by("name")
    if place.study is not None:
        return list(everything.filter(pk=place.study.pk))
    if place.programme is not None:
        return list(everything.filter(programme=place.programme))
    if any(each.study_id is None and each.programme_id is None for each in theirs):
        return list(everything)
    studies, programmes = {each.study_id for each in theirs}, {each.programme_id for each in theirs}
    return list(everything.filter(Q(pk__in=studies) | Q(programme_id__in=programmes - {None})))


def _check_still_led(studies: Iterable[Study]) -> None:
    held = Role.objects.filter(role="lead", member__is_active=True).values_list("study_id", "programme_id")
    grounds = set(held)
    left = [
        study.name
        for study in studies
        if not grounds & {(study.pk, None), (None, study.programme_id), (None, None)}
    ]
    if left:
        message = f"leads {', '.join(left)} alone; give somebody else the role of lead there first"
        raise InputError(Problem("", "member", message))
