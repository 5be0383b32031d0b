"""New participants stored: the row, what the roster says, contact details, digests; many at a time."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from equipoise.platform.people.allocation import allocate_arrival
from equipoise.platform.people.contacts import contact_columns, lookups_of, sealed_contact, wrapping_keys
from equipoise.platform.people.facts import stored_facts
from equipoise.platform.people.models import ContactDetails, Lookup, Participant, RosterFacts, RosterImport
from equipoise.platform.registry.models import Partner, Study
from equipoise.platform.registry.queries import partners, rolling, roster_columns, stages

__all__ = ["Newcomer", "enrol", "enrolment_is_open", "in_batches"]

Newcomer = tuple[Mapping[str, Any], str | None]  # a typed row, and the name of its partner
_AT_ONCE = 1_000


def enrolment_is_open(study: Study) -> bool:
    """Whether somebody new can still come in: until a stage is committed, or all along where people are
    enrolled as they come."""
    return rolling(study) or all(stage.state == "planned" for stage in stages(study))


def enrol(
    study: Study,
    people: Iterable[Newcomer],
    *,
    at: datetime,
    source: str = "roster",
    imported: RosterImport | None = None,
) -> list[Participant]:
    """Store people who are known to be eligible and new; inside the caller's transaction.

    With rolling enrolment each gets their arm at once, in the order given.

    Args:
        study: whose participants they become.
        people: typed rows, each with the name of its partner.
        at: when they are enrolled.
        source: roster or rolling.
        imported: the import that brings them.
    """
    known = {partner.name: partner for partner in partners(study)}
    keys, arriving = wrapping_keys(), rolling(study)
    stored: list[Participant] = []
    for some in in_batches(people):
        added = Participant.objects.bulk_create(
            _participant(study, known.get(partner or ""), at, source, imported) for _, partner in some
        )
        rows = [(participant, row) for participant, (row, _) in zip(added, some, strict=True)]
        _store_details(study, rows, keys)
        if arriving:
            for participant in added:
                allocate_arrival(participant)
        stored += added
    return stored


def in_batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """Some rows at a time, so that memory and statements stay small."""
    remaining = iter(rows)
    while some := list(islice(remaining, _AT_ONCE)):
        yield some


def _participant(
    study: Study, partner: Partner | None, at: datetime, source: str, imported: RosterImport | None
) -> Participant:
    return Participant(study=study, partner=partner, enrolled_at=at, source=source, imported=imported)


def _store_details(
    study: Study, rows: list[tuple[Participant, Mapping[str, Any]]], keys: Mapping[str, bytes]
) -> None:
    columns = roster_columns(study)
    contacts = contact_columns(columns)
    details = [(person, {name: row.get(name) for name in contacts}) for person, row in rows]
    RosterFacts.objects.bulk_create(
        RosterFacts(participant=person, values=stored_facts(columns, row)) for person, row in rows
    )
    ContactDetails.objects.bulk_create(sealed_contact(person, known, keys) for person, known in details)
    Lookup.objects.bulk_create(each for person, known in details for each in lookups_of(person, known))
