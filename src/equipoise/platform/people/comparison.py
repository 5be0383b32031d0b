"""What a newer roster says otherwise than what is stored: who left or moved, contacts, attributes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from equipoise.errors import Problem
from equipoise.platform.people.contacts import contact_columns, opened_contact, wrapping_keys
from equipoise.platform.people.enrolling import in_batches
from equipoise.platform.people.facts import attribute_columns, frozen_columns, stored_facts
from equipoise.platform.people.models import ContactDetails, Participant
from equipoise.platform.people.partners import partner_column
from equipoise.platform.people.previews import Preview, known_people, refused_rows, sorted_out
from equipoise.platform.people.reading import ROW, RosterRead
from equipoise.platform.permissions import EVERYBODY, Reach
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import roster_columns

__all__ = ["Change", "Comparison", "compare"]

Listed = tuple[Participant, dict[str, Any], str | None]  # with their row, and the partner that it names


@dataclass(frozen=True)
class Change:
    """What an update does to one participant.

    `said` tells it in words for the page, values of attributes among them, never a contact detail.

    Attributes:
        participant: as stored now.
        place: file and line; empty for somebody who is not in the file.
        contact: all contact details as they will be, or None where they stay.
        facts: all attributes as they will be, or None where they stay.
        moved_to: the name of the new partner, or None.
        left: True for a leaver, False for somebody who has come back, None for no change.
        kept: attributes that differ and stay, because a draw hangs on them.
    """

    participant: Participant
    place: str
    contact: dict[str, str | None] | None = None
    facts: dict[str, Any] | None = None
    moved_to: str | None = None
    left: bool | None = None
    kept: tuple[str, ...] = ()
    said: tuple[str, ...] = ()

    @property
    def alters(self) -> bool:
        """Whether anything that is stored becomes other."""
        return any(each is not None for each in (self.contact, self.facts, self.moved_to, self.left))


@dataclass(frozen=True)
class Comparison:
    """A newer roster beside what is stored.

    `counts` has, besides those of `Preview`, how many participants have `contact` details or `facts` changed,
    `moved`, `left`, came back (`returned`), have an attribute `kept`, or are `unchanged`; and how many are
    not in the file (`absent`), whatever that means.

    Attributes:
        preview: the file sorted as for an import; its newcomers are enrolled where enrolment is open.
        changes: everybody for whom something changes or is kept.
        counts: as above.
    """

    preview: Preview
    changes: list[Change]
    counts: dict[str, int]

    @property
    def alters(self) -> bool:
        """Whether anything that is stored becomes other, or somebody is new."""
        return bool(self.preview.newcomers) or any(change.alters for change in self.changes)

    def refusals(self) -> list[Problem]:
        """Why it cannot be confirmed as it stands; empty where it can."""
        name, report = self.preview.read.source.path.name, self.preview.read.report
        if report.refused and not self.preview.read.source.good_rows_only:
            return [refused_rows(name, report), *report.problems()]
        if not self.alters:
            return [Problem(name, "", "nothing would change: the file says what is stored already")]
        return []


def compare(study: Study, read: RosterRead, *, whole: bool, reach: Reach = EVERYBODY) -> Comparison:
    """Compare a roster with what is stored.

    Args:
        study: of this workspace.
        read: the newer roster.
        whole: the file lists everybody of its partners (and of its constants), so whoever is not in it has
            left.
        reach: whose people may be changed; others stay as they are, whatever the roster says of them.
    Raises:
        CheckFailedError: contact details cannot be read.
    """
    preview = sorted_out(study, read)
    numbers = {text: number for text, (number, _) in known_people(study, read).items()}
    enrolled = Participant.objects.filter(study=study, state="enrolled").select_related("partner", "facts")
    absent = {person.pk: person for person in reach.narrow(enrolled).order_by("pk")}
    listed = []
    for row, partner in zip(read.rows(), read.partners, strict=True):
        person = absent.pop(numbers.get(row[read.identifier], 0), None)
        if person is not None:
            listed.append((person, row, partner))
    gone = [person for person in _in_scope(study, read, absent.values()) if person.left_at is None]
    changes = list(_Comparing(study, read).changes(listed))
    if whole:
        changes += [Change(person, "", left=True, said=("not in the file: has left",)) for person in gone]
    return Comparison(preview, changes, _counts(preview, changes, len(listed), len(gone)))


class _Comparing:
    """One row at a time beside what is stored, by what the file has a value for."""

    def __init__(self, study: Study, read: RosterRead) -> None:
        columns = roster_columns(study)
        self.read, self.keys, self.frozen = read, wrapping_keys(), frozen_columns(study)
        self.contacts = [name for name in contact_columns(columns) if name in read.given]
        self.attributes = {
            name: column for name, column in attribute_columns(columns).items() if name in read.given
        }

    def changes(self, listed: Iterable[Listed]) -> Iterator[Change]:
        for some in in_batches(listed):
            rows = ContactDetails.objects.filter(participant__in=[person for person, _, _ in some])
            kept = {each.participant_id: each for each in rows}
            for person, row, partner in some:
                known = kept.get(person.pk)
                before = opened_contact(known, person.key, self.keys) if known is not None else {}
                change = self._change(person, row, partner, before)
                if change.said:
                    yield change

    def _change(
        self, person: Participant, row: Mapping[str, Any], partner: str | None, before: Mapping[str, str]
    ) -> Change:
        details = [name for name in self.contacts if row[name] != before.get(name)]
        now, then = stored_facts(self.attributes, row), person.facts.values
        differ = [name for name in now if now[name] != then.get(name)]
        changed = [name for name in differ if name not in self.frozen]
        kept = tuple(name for name in differ if name in self.frozen)
        moved = partner if partner is not None and partner != _partner_of(person) else None
        said = [f"{name} {'changed' if row[name] else 'removed'}" for name in details]
        said += [f"{name}: {_told(then.get(name))} → {_told(now[name])}" for name in changed]
        said += [f"{name} stays {_told(then.get(name))}, because lots were drawn by it" for name in kept]
        said += [f"moved to {moved}"] if moved else []
        said += ["has come back"] if person.left_at is not None else []
        return Change(
            person,
            self.read.place(row[ROW]),
            contact={**before, **{name: row[name] for name in self.contacts}} if details else None,
            facts={**then, **{name: now[name] for name in changed}} if changed else None,
            moved_to=moved,
            left=False if person.left_at is not None else None,
            kept=kept,
            said=tuple(said),
        )


def _in_scope(study: Study, read: RosterRead, people: Iterable[Participant]) -> Iterator[Participant]:
    """Whom a whole roster would list: the people of its partners, as its constants say."""
    if not read.people.height:
        return
    constants = read.report.mappings[0].constants.keys() - {partner_column(study)}
    row = stored_facts(roster_columns(study), read.people.row(0, named=True))
    said = {name: row[name] for name in constants if name in row}
    whose = set(read.partners)
    for person in people:
        known = person.facts.values
        if _partner_of(person) in whose and all(known.get(name) == value for name, value in said.items()):
            yield person


def _partner_of(person: Participant) -> str | None:
    return person.partner.name if person.partner is not None else None


def _told(value: object) -> str:
    return "empty" if value is None else str(value)


def _counts(preview: Preview, changes: list[Change], listed: int, absent: int) -> dict[str, int]:
    told = {
        "contact": sum(change.contact is not None for change in changes),
        "facts": sum(change.facts is not None for change in changes),
        "kept": sum(bool(change.kept) for change in changes),
        "moved": sum(change.moved_to is not None for change in changes),
        "left": sum(change.left is True for change in changes),
        "returned": sum(change.left is False for change in changes),
        "unchanged": listed - sum(bool(change.place) for change in changes),
        "absent": absent,
    }
    return {**preview.counts, **told}
