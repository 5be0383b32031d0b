"""Everything that is kept of one participant besides their answers, for them to read.

Apps above this one add what they keep by `adds_sections`, so that whoever shows the record shows all of it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from equipoise.platform.people.contacts import contact_of
from equipoise.platform.people.facts import facts_of
from equipoise.platform.people.models import Allocation, Committed, Consent, Participant, Withdrawal
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, roster_columns

__all__ = ["RecordSection", "adds_sections", "person_record"]

_CHOSE = {
    "messages": "Stop messages",
    "everything": "Leave the study",
    "erase": "Leave the study and have everything erased",
}
_STATES = {
    "screening": "Has not answered enough yet to tell whether they can take part",
    "ineligible": "Cannot take part, by the study's conditions",
    "enrolled": "Takes part",
    "withdrawn": "Left the study",
    "erased": "Left the study; everything was erased",
}


@dataclass(frozen=True)
class RecordSection:
    """A heading and what is kept under it: what it is, and its value (text, number, day, moment, yes or no;
    None where nothing is kept)."""

    heading: str
    rows: tuple[tuple[str, Any], ...]


Sections = Callable[[Participant], Iterable[RecordSection]]
_further: list[Sections] = []


def adds_sections(kept: Sections) -> Sections:
    """Add to the record of every participant."""
    _further.append(kept)
    return kept


def person_record(participant: Participant) -> tuple[RecordSection, ...]:
    """What is held of a participant; whoever shows it adds the answers.

    The arm is told only once the results are unmasked: told earlier, it would unblind the study through any
    one of its participants.

    Args:
        participant: with their study.
    Raises:
        CheckFailedError: the contact details cannot be read.
    """
    sections = (
        RecordSection("Taking part", tuple(_taking_part(participant))),
        RecordSection("Contact details", tuple(_labelled(participant.study, contact_of(participant)))),
        RecordSection("What the roster says", tuple(_labelled(participant.study, facts_of(participant)))),
        RecordSection("Consents", tuple(_consents(participant))),
        RecordSection("Choices", tuple(_choices(participant))),
        RecordSection("Allocation by lot", tuple(_allocation(participant))),
        *(section for kept in _further for section in kept(participant)),
    )
    return tuple(section for section in sections if section.rows)


def _taking_part(participant: Participant) -> list[tuple[str, Any]]:
    partner = participant.partner.title if participant.partner is not None else None
    rows = [
        ("Study", participant.study.title),
        ("Code", participant.key),
        ("Partner", partner),
        ("State", _STATES[participant.state]),
        ("Enrolled", participant.enrolled_at),
        ("Left the employer", participant.left_at),
        ("Messages stopped", participant.messages_stopped_at),
    ]
    return [(label, value) for label, value in rows if value is not None]


def _labelled(study: Study, values: dict[str, Any]) -> list[tuple[str, Any]]:
    columns = roster_columns(study)
    return [
        ((columns[name].label if name in columns else None) or name, value) for name, value in values.items()
    ]


def _consents(participant: Participant) -> list[tuple[str, Any]]:
    rows = Consent.objects.filter(participant=participant).order_by("pk")
    return [(f"{row.activity.capitalize()}: {'yes' if row.given else 'no'}", _when(row)) for row in rows]


def _when(row: Consent) -> str:
    notice = f", privacy notice {row.notice[:12]}" if row.notice else ""
    day = _minute(row.at)
    return f"{day}, {row.channel}, in {row.language}, words of consent {row.version[:12]}{notice}"


def _choices(participant: Participant) -> list[tuple[str, Any]]:
    rows = Withdrawal.objects.filter(participant=participant).order_by("pk")
    return [(_CHOSE[row.choice], f"{_minute(row.at)}, {row.channel}") for row in rows]


def _allocation(participant: Participant) -> list[tuple[str, Any]]:
    told = participant.study.results == "unmasked"
    stages = folder_of(participant.study).protocol.allocation
    found = []
    for row in Allocation.objects.filter(participant=participant).select_related("stage").order_by("at"):
        arms = stages[row.stage.name].arms if row.stage.name in stages else {}
        label = (arms[row.arm].label if row.arm in arms else None) or row.arm
        day = row.at.date().isoformat()
        later = f"Allocated on {day}; the arm is told when the study has ended"
        found.append((f"Stage {row.stage.name}", f"{label}, allocated on {day}" if told else later))
    return [*found, *_drawn_by(participant)]


def _drawn_by(participant: Participant) -> list[tuple[str, Any]]:
    """What the draws looked at, as it was when the person was drawn."""
    declared = folder_of(participant.study).protocol.allocation
    columns = roster_columns(participant.study)
    found: dict[tuple[str, str], str] = {}
    for rows in (Committed.objects, Allocation.objects):
        for row in rows.filter(participant=participant).select_related("stage").order_by("pk"):
            stage = declared.get(row.stage.name)
            for name, value in zip(stage.balanced_on if stage else (), row.beside, strict=False):
                found[row.stage.name, name] = value
    return [
        (f"Stage {stage}: drawn with {(columns[name].label if name in columns else None) or name}", value)
        for (stage, name), value in found.items()
    ]


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
