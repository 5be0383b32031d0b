"""Opening what is kept of one person: each look is an act of its own, and recorded."""

from equipoise.platform.approvals.queries import erasures_asked
from equipoise.platform.audit.actions import record
from equipoise.platform.database import writing
from equipoise.platform.fieldwork.queries import PersonAnswer, answers_of
from equipoise.platform.people.models import Participant
from equipoise.platform.people.queries import contact_of, person_record
from equipoise.platform.people.records import RecordSection
from equipoise.platform.permissions import Acting, check_permission

__all__ = ["disclose_contact", "disclose_record"]


def disclose_contact(who: Acting, participant: Participant) -> dict[str, str]:
    """A participant's identifier and contact details.

    Args:
        who: needs `people.see`; the record says that they looked.
        participant: with their study.
    Raises:
        CheckFailedError: they cannot be read.
    """
    check_permission(who, "people.contact", participant.study, participant.partner_id)
    found = contact_of(participant)
    _note(who, participant, "people.contact")
    return found


def disclose_record(
    who: Acting, participant: Participant
) -> tuple[tuple[RecordSection, ...], tuple[PersonAnswer, ...]]:
    """Everything that is kept of a participant, answers included, for them to read.

    Args:
        who: needs `people.report`; the record says that they made it.
        participant: with their study.
    """
    check_permission(who, "people.report", participant.study, participant.partner_id)
    kept = (*person_record(participant), *erasures_asked(participant))
    found = kept, tuple(answers_of(participant))
    _note(who, participant, "people.report")
    return found


def _note(who: Acting, participant: Participant, verb: str) -> None:
    with writing():
        record(participant.study.name, who.actor, verb, {"participant": participant.key})
