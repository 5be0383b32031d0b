"""The time zones of a study's people, where the roster says them."""

from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q

from equipoise.platform.people.models import Participant, RosterFacts
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.occasions import zone_of
from equipoise.protocol.zones import is_zone

__all__ = ["own_zones", "zoneless", "zones_of"]


def zones_of(study: Study) -> list[tuple[ZoneInfo, Any]]:
    """Each time zone with the condition that a participant lives there; None where all live in one.

    Somebody of whom the roster says none, or one that does not exist, is taken to live in the study's.
    """
    home = zone_of(folder_of(study).protocol)
    column = folder_of(study).protocol.sending.zone
    if column is None:
        return [(home, None)]
    known = sorted(zone for zone in _said(study, column) if isinstance(zone, str) and is_zone(zone))
    field = f"facts__values__{column}"
    theirs = [(ZoneInfo(zone), Q(**{field: zone})) for zone in known]
    facts = RosterFacts.objects.filter(participant__study=study, **{f"values__{column}__in": known})
    return [*theirs, (home, ~Q(pk__in=facts.values("participant")))]


def own_zones(study: Study, numbers: list[int]) -> dict[int, ZoneInfo]:
    """The time zones of some participants, as far as the roster says them."""
    column = folder_of(study).protocol.sending.zone
    if column is None:
        return {}
    rows = RosterFacts.objects.filter(participant__in=numbers).values_list("participant", f"values__{column}")
    return {number: ZoneInfo(zone) for number, zone in rows if isinstance(zone, str) and is_zone(zone)}


def zoneless(study: Study) -> int:
    """How many people have no time zone that there is, where the roster should say it."""
    column = folder_of(study).protocol.sending.zone
    if column is None:
        return 0
    known = [zone for zone in _said(study, column) if isinstance(zone, str) and is_zone(zone)]
    facts = RosterFacts.objects.filter(participant__study=study, **{f"values__{column}__in": known})
    people = Participant.objects.filter(study=study, state="enrolled")
    return people.exclude(pk__in=facts.values("participant")).count()


def _said(study: Study, column: str) -> set[Any]:
    rows = RosterFacts.objects.filter(participant__study=study, participant__state="enrolled")
    return set(rows.values_list(f"values__{column}", flat=True).distinct())
