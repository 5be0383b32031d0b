"""What is known of participants for their messages, read a batch at a time."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from equipoise.errors import CheckFailedError
from equipoise.platform.delivery.models import ClosedAddress
from equipoise.platform.people.contacts import opened_contact, wrapping_keys
from equipoise.platform.people.models import ContactDetails, Lookup, Participant

__all__ = ["Known", "known_of"]


@dataclass(frozen=True)
class Known:
    """What is known of a participant.

    Attributes:
        enrolled: when they came in.
        facts: the roster's attributes, as stored.
        details: contact details and identifier by column; empty where none are kept or opened.
        closed: the contact columns to which nothing goes any more.
    """

    enrolled: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()


def known_of(participants: Collection[int], *, reached: Collection[int]) -> dict[int, Known]:
    """What is known of participants, by number.

    Args:
        participants: their numbers.
        reached: those whose contact details are opened.
    Raises:
        CheckFailedError: the key that protects contact details is missing.
    """
    rows = Participant.objects.filter(pk__in=participants)
    known = list(rows.values_list("pk", "key", "enrolled_at", "facts__values"))
    details = _opened({pk: key for pk, key, *_ in known if pk in reached})
    closed = _closed(details)
    return {
        pk: Known(enrolled, facts or {}, details.get(pk, {}), frozenset(closed.get(pk, ())))
        for pk, _, enrolled, facts in known
    }


def _opened(owners: Mapping[int, str]) -> dict[int, dict[str, str]]:
    """Contact details by number. Somebody whose details were tampered with has none, others do."""
    if not owners:
        return {}
    keys, found = wrapping_keys(), {}
    for kept in ContactDetails.objects.filter(participant_id__in=owners):
        try:
            found[kept.participant_id] = opened_contact(kept, owners[kept.participant_id], keys)
        except CheckFailedError:
            if kept.data_key.partition(":")[0] not in keys:
                raise
    return found


def _closed(participants: Collection[int]) -> dict[int, set[str]]:
    """Columns whose address is closed. Another address has another digest, and is open."""
    closed = set(
        ClosedAddress.objects.filter(participant_id__in=participants).values_list(
            "participant_id", "column", "digest"
        )
    )
    if not closed:
        return {}
    found: dict[int, set[str]] = {}
    lookups = Lookup.objects.filter(participant_id__in={number for number, *_ in closed})
    for number, column, digest in lookups.values_list("participant_id", "column", "digest"):
        if (number, column, digest) in closed:
            found.setdefault(number, set()).add(column)
    return found
