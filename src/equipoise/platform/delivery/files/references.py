"""By which reference a partner knows somebody: the one that it gave, or else our pseudonym.

A partner who brought the roster knows its people by the identifier in it. Nothing else of the contact details
is taken out of its seal for a file.
"""

from collections.abc import Iterable, Sequence

from equipoise.exchange.spreadsheets import neutralised
from equipoise.platform.people.contacts import identifier_digest, opened_contact, wrapping_keys
from equipoise.platform.people.models import ContactDetails, Lookup, Participant
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import roster_columns

__all__ = ["people_behind", "reference_label", "references"]

_AT_ONCE = 500


def reference_label(study: Study) -> str:
    """What the roster calls the identifier; "Reference" where it has none."""
    columns = roster_columns(study).values()
    named = (column.label for column in columns if column.role == "identifier")
    return next(named, None) or "Reference"


def references(study: Study, people: Sequence[Participant]) -> dict[int, str]:
    """The reference of each participant, by their number.

    Args:
        study: whose participants they are.
        people: some hundreds at most.
    Raises:
        CheckFailedError: the contact details of somebody cannot be read.
    """
    name, keys = _identifier(study), wrapping_keys()
    known = {each.pk: each.key for each in people}
    theirs = [each.pk for each in people if each.partner_id is not None and each.source == "roster"]
    if name is None or not theirs:
        return known
    for kept in ContactDetails.objects.filter(participant__in=theirs):
        details = opened_contact(kept, known[kept.participant_id], keys)
        known[kept.participant_id] = details.get(name) or known[kept.participant_id]
    return known


def people_behind(study: Study, found: Iterable[str]) -> dict[str, tuple[int, str]]:
    """The number and state of whoever stands behind each reference; one that nobody has is left out.

    Args:
        study: whose participants are looked for.
        found: references as a file has them.
    """
    texts = list(dict.fromkeys(found))
    name = _identifier(study)
    people: dict[str, tuple[int, str]] = {}
    for at in range(0, len(texts), _AT_ONCE):
        some = texts[at : at + _AT_ONCE]
        people |= _by_key(study, some)
        if name is not None:
            people |= _by_identifier(study, name, some)
    return people


def _identifier(study: Study) -> str | None:
    columns = roster_columns(study).items()
    return next((name for name, column in columns if column.role == "identifier"), None)


def _by_identifier(study: Study, name: str, texts: Sequence[str]) -> dict[str, tuple[int, str]]:
    digests = {identifier_digest(study, name, _unmarked(text)): text for text in texts}
    rows = Lookup.objects.filter(study=study, identifies=True, digest__in=list(digests))
    found = rows.values_list("digest", "participant_id", "participant__state")
    return {digests[digest]: (number, state) for digest, number, state in found}


def _by_key(study: Study, texts: Sequence[str]) -> dict[str, tuple[int, str]]:
    rows = Participant.objects.filter(study=study, key__in=[text.lower() for text in texts])
    known = {key: (number, state) for key, number, state in rows.values_list("key", "pk", "state")}
    return {text: known[text.lower()] for text in texts if text.lower() in known}


def _unmarked(text: str) -> str:
    """Without the apostrophe that our CSV files put in front of what could run as a formula."""
    bare = text.removeprefix("'")
    return bare if neutralised(bare) == text else text
