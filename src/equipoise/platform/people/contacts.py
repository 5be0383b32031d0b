"""Contact details: sealed under each participant's own key, and found again by keyed digests.

The identifier and every column with `role: contact` are one JSON text, encrypted under a data key of the
participant's own, which a key of the workspace wraps. Digests of the identifier, e-mail addresses and phone
numbers let an import and "send me my link again" find somebody without opening anything.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache

from django.conf import settings

from equipoise.platform.crypto import digest, new_data_key, open_sealed, seal, unwrap, wrap
from equipoise.platform.people.models import ContactDetails, Lookup, Participant
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import roster_columns
from equipoise.protocol.models.participants import RosterColumn

__all__ = [
    "contact_columns",
    "contact_of",
    "find_by_contact",
    "identifier_digest",
    "lookups_of",
    "opened_contact",
    "sealed_contact",
    "wrapping_keys",
]

_FIELD = "contact"
_FOUND = ("email", "phone")


def contact_columns(columns: Mapping[str, RosterColumn]) -> dict[str, RosterColumn]:
    """The columns that say who somebody is or how to reach them; all others are attributes."""
    return {name: column for name, column in columns.items() if column.role != "attribute"}


def wrapping_keys() -> dict[str, bytes]:
    """The workspace's keys that wrap data keys, by name, the newest last; read anew each time, because a
    rotation adds one."""
    keys: dict[str, bytes] = settings.WORKSPACE.contact_keys()
    return keys


def sealed_contact(
    participant: Participant, details: Mapping[str, str | None], keys: Mapping[str, bytes]
) -> ContactDetails:
    """Contact details under a new data key, not yet stored.

    Args:
        participant: whose they are; their key binds the ciphertext to them.
        details: by column; what is missing is left out.
        keys: `wrapping_keys()`.
    """
    known = {name: value for name, value in details.items() if value}
    key = new_data_key()
    return ContactDetails(
        participant=participant,
        data_key=wrap(key, keys, participant.key),
        sealed=seal(key, json.dumps(known, ensure_ascii=False), participant.key, _FIELD),
    )


def lookups_of(participant: Participant, details: Mapping[str, str | None]) -> Iterator[Lookup]:
    """The digests by which a participant is found again, not yet stored."""
    study = participant.study
    for name, column in contact_columns(roster_columns(study)).items():
        value = details.get(name)
        if value and (column.role == "identifier" or column.type in _FOUND):
            yield Lookup(
                study=study,
                participant=participant,
                column=name,
                digest=_digest(study, name, _normalised(value, column)),
                identifies=column.role == "identifier",
            )


def identifier_digest(study: Study, column: str, identifier: str) -> str:
    """The digest of an identifier."""
    return _digest(study, column, identifier)


def contact_of(participant: Participant) -> dict[str, str]:
    """A participant's identifier and contact details, by column; empty where none are kept any more.

    Raises:
        CheckFailedError: the key that protects them is missing or another one, or they were changed.
    """
    kept = ContactDetails.objects.filter(participant=participant).first()
    return opened_contact(kept, participant.key, wrapping_keys()) if kept is not None else {}


def opened_contact(kept: ContactDetails, owner: str, keys: Mapping[str, bytes]) -> dict[str, str]:
    """What a row of contact details holds; `owner` is the participant's key.

    Raises:
        CheckFailedError: as `contact_of`.
    """
    key = unwrap(kept.data_key, keys, owner)
    details: dict[str, str] = json.loads(open_sealed(key, kept.sealed, owner, _FIELD))
    return details


def find_by_contact(study: Study, text: str) -> list[Participant]:
    """Whoever takes part under an e-mail address or phone number, however it is written.

    Args:
        study: of this workspace.
        text: as somebody typed it.
    Returns:
        Those enrolled, in the order in which they were; two people at one desk may share a number.
    """
    digests = {
        (name, _digest(study, name, value))
        for name, column in contact_columns(roster_columns(study)).items()
        if column.role == "contact" and column.type in _FOUND
        for value in _readings(text, column)
    }
    if not digests:
        return []
    rows = Lookup.objects.filter(
        study=study, digest__in=[value for _, value in digests], participant__state="enrolled"
    )
    found = {
        row.participant_id: row.participant
        for row in rows.select_related("participant__study").order_by("participant_id")
        if (row.column, row.digest) in digests
    }
    return list(found.values())


def _readings(text: str, column: RosterColumn) -> Iterator[str]:
    import polars as pl

    from equipoise.roster.values import convert

    optional = column.model_copy(update={"required": False})
    value = convert(pl.Series("typed", [text[:320]]), optional).values[0]
    if value is not None:
        yield _normalised(value, column)


def _normalised(value: str, column: RosterColumn) -> str:
    return value.lower() if column.type == "email" else value


def _digest(study: Study, column: str, text: str) -> str:
    return digest(_lookup_key(), f"{study.name}/{column}", text)


@cache
def _lookup_key() -> bytes:
    key: bytes = settings.WORKSPACE.key("lookup")
    return key
