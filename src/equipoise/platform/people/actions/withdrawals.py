"""Stopping messages, leaving the study, having everything erased: at once, and for good but for messages."""

from equipoise.errors import InputError, Problem, nearest
from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.people.erasing import erase_the_rest
from equipoise.platform.people.models import (
    Consent,
    ContactDetails,
    Lookup,
    Participant,
    RosterFacts,
    Withdrawal,
)
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.policies import check_two_people

__all__ = ["check_withdrawal", "resume_messages", "withdraw"]

_VERBS = {"messages": "people.withdraw", "everything": "people.withdraw", "erase": "people.erase"}
_ENDED = {"withdrawn": ("messages", "everything"), "erased": Withdrawal.CHOICES}


def check_withdrawal(who: Acting, participant: Participant, choice: str, reason: str) -> None:
    """Stop staff who may not do this for a participant, or who do not say why.

    Raises:
        NotAllowedError: their role does not allow it.
        InputError: no such choice, or no reason.
    """
    _check_choice(participant, choice)
    check_permission(who, _VERBS[choice], participant.study, participant.partner_id)
    if not reason.strip():
        message = "is empty; say why and how the participant asked, without naming them"
        raise InputError(Problem(participant.study.name, "reason", message))


def withdraw(
    participant: Participant,
    choice: str,
    *,
    channel: str,
    actor: str,
    reason: str = "",
    approved_by: str = "",
) -> None:
    """Do what a participant chose; chosen twice, it is done once.

    Answers are not kept here: `fieldwork.actions.leave_study` erases them in the same transaction. What
    erasing leaves is the participant's row without anything that was said of them, their arm, and the digest
    of their identifier, by which the next import keeps them out.

    Args:
        participant: with their study; their state is brought up to date.
        choice: messages, everything or erase.
        channel: web, telephone, paper or staff.
        actor: who chose or entered it, as `participant:KEY` or `staff:7`.
        reason: what staff said of it, kept in the study's record.
        approved_by: who else has approved it; staff erase somebody by two, a participant by themselves.
    Raises:
        InputError: no such choice, or one member of staff would erase somebody alone.
    """
    _check_choice(participant, choice)
    if not actor.startswith("participant:"):
        check_two_people(_VERBS[choice], actor, approved_by, of=participant.study.name)
    with writing():
        held = Participant.objects.select_for_update().get(pk=participant.pk)
        done = choice in _ENDED.get(held.state, ()) or (choice == "messages" and held.messages_stopped_at)
        if not done:
            _stop(held, choice)
            Withdrawal.objects.create(participant=held, choice=choice, at=now(), channel=channel)
            details = {"participant": held.key, "choice": choice, "channel": channel}
            if reason.strip():
                details["reason"] = reason.strip()
            if approved_by:
                details["approved_by"] = approved_by
            record(participant.study.name, actor, _VERBS[choice], details)
    participant.state, participant.messages_stopped_at = held.state, held.messages_stopped_at


def resume_messages(participant: Participant, *, channel: str, actor: str) -> None:
    """Let messages come again, for somebody who had only stopped those.

    Raises:
        InputError: the participant has left the study.
    """
    with writing():
        held = Participant.objects.select_for_update().get(pk=participant.pk)
        if held.state in _ENDED:
            message = "this participant has left the study; leaving cannot be undone"
            raise InputError(Problem(participant.study.name, "messages", message))
        if held.messages_stopped_at is not None:
            held.messages_stopped_at = None
            held.save(update_fields=["messages_stopped_at"])
            details = {"participant": held.key, "channel": channel}
            record(participant.study.name, actor, "people.resume-messages", details)
    participant.messages_stopped_at = held.messages_stopped_at


def _stop(participant: Participant, choice: str) -> None:
    participant.messages_stopped_at = participant.messages_stopped_at or now()
    if choice != "messages":
        participant.state = "withdrawn" if choice == "everything" else "erased"
        # With the data key goes what it protects, wherever else a copy of the ciphertext lies.
        ContactDetails.objects.filter(participant=participant).delete()
        Lookup.objects.filter(participant=participant, identifies=False).delete()
    if choice == "erase":
        RosterFacts.objects.filter(participant=participant).delete()
        Consent.objects.filter(participant=participant).delete()
        erase_the_rest(participant)
    participant.save(update_fields=["state", "messages_stopped_at"])


def _check_choice(participant: Participant, choice: str) -> None:
    if choice not in _VERBS:
        listed = nearest(choice, list(_VERBS))
        raise InputError(
            Problem(participant.study.name, "choice", f'"{choice}" is no choice. Choices: {listed}')
        )
