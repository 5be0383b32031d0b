"""What takes two people, an entry each: when it can be asked for, who decides, and what is done then.

Whether it can be done is looked at twice: when it is asked for and when it is approved, each time for whoever
asked, because a role may have been taken away and the study may have moved on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from equipoise.errors import InputError, Problem, nearest
from equipoise.platform.fieldwork.actions import leave_study
from equipoise.platform.people.actions import check_withdrawal
from equipoise.platform.people.contacts import contact_columns
from equipoise.platform.people.models import Participant
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.registry.actions import check_results, move_results
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import roster_columns
from equipoise.platform.review.looks import note_early

__all__ = ["ACTS", "CHANNELS", "ERASE", "IDENTIFY", "UNMASK", "Act", "Asked", "file_columns"]

UNMASK, IDENTIFY, ERASE = "results.unmask", "data.identify", "people.erase"
CHANNELS = ("telephone", "paper", "staff")


@dataclass(frozen=True)
class Asked:
    """What somebody asks for.

    Attributes:
        who: whoever asks.
        study: in which.
        subject: what it is done to, as `ApprovalRequest.subject` has it.
        reason: why, kept in the study's record.
    """

    who: Acting
    study: Study
    subject: Mapping[str, Any]
    reason: str


@dataclass(frozen=True)
class Act:
    """One thing that takes two people.

    Attributes:
        title: what it is called on a page.
        decided_by: the verb of whoever decides.
        thing: by which two requests are told to be for the same.
        check: stops what cannot be done.
        do: does it, given who approved it; nothing where something is done later, as taking a file is.
    """

    title: str
    decided_by: str
    thing: Callable[[Asked], str]
    check: Callable[[Asked], object]
    do: Callable[[Asked, str], object]


def file_columns(study: Study) -> dict[str, str]:
    """The contact details that a file can have beside the key and the identifier, with their labels."""
    columns = contact_columns(roster_columns(study))
    return {name: column.label or name for name, column in columns.items() if column.role == "contact"}


def _unmask(asked: Asked, second: str) -> None:
    move_results(asked.who, asked.study, "unmasked", reason=asked.reason, approved_by=second)
    note_early(asked.who, asked.study, "unmasked")


def _participant(asked: Asked) -> Participant:
    rows = Participant.objects.select_related("study", "partner").filter(study=asked.study)
    found = rows.filter(key=asked.subject["participant"]).first()
    if found is None:
        message = f"there is no participant {asked.subject['participant']} in this study"
        raise InputError(Problem(asked.study.name, "participant", message))
    return found


def _check_erasure(asked: Asked) -> None:
    participant = _participant(asked)
    check_withdrawal(asked.who, participant, "erase", asked.reason)
    if asked.subject["channel"] not in CHANNELS:
        raise InputError(Problem("", "channel", "say how the participant asked"))
    if participant.state == "erased":
        message = "everything of this participant is erased already; there is nothing left to do"
        raise InputError(Problem(asked.study.name, "participant", message))


def _erase(asked: Asked, second: str) -> None:
    said = {"channel": asked.subject["channel"], "reason": asked.reason}
    leave_study(_participant(asked), "erase", actor=asked.who.actor, approved_by=second, **said)


def _check_file(asked: Asked) -> None:
    check_permission(asked.who, IDENTIFY, asked.study)
    if not asked.reason.strip():
        message = "is empty; say what the file is for, it is kept in the study's record"
        raise InputError(Problem(asked.study.name, "reason", message))
    known = file_columns(asked.study)
    for name in asked.subject["columns"]:
        if name not in known:
            message = f'"{name}" is not a contact detail of this study. Contact details: '
            raise InputError(Problem(asked.study.name, "columns", message + nearest(name, list(known))))


ACTS: Mapping[str, Act] = {
    UNMASK: Act(
        "Unmask the results",
        "approvals.reveal",
        lambda asked: "",
        lambda asked: check_results(asked.who, asked.study, "unmasked", asked.reason),
        _unmask,
    ),
    ERASE: Act(
        "Erase a participant",
        "approvals.decide",
        lambda asked: str(asked.subject["participant"]),
        _check_erasure,
        _erase,
    ),
    IDENTIFY: Act(
        "A file with contact details",
        "approvals.decide",
        lambda asked: asked.who.actor,  # each takes their own, one after the other
        _check_file,
        lambda asked, second: None,
    ),
}
