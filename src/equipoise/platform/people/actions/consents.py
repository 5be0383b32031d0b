"""What participants agree to: one row an answer, never changed."""

from collections.abc import Mapping

from equipoise.errors import InputError, Problem, nearest
from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.kept import KeptQuery
from equipoise.platform.people.models import Consent, Participant
from equipoise.platform.people.queries import newest_consents
from equipoise.platform.registry.queries import folder_of

__all__ = ["record_consents"]

_TAKING_PART = ("screening", "enrolled")
_STATE: KeptQuery[tuple[str]] = KeptQuery(
    lambda number: Participant.objects.select_for_update().filter(pk=number).values_list("state"), -1
)


def record_consents(
    participant: Participant,
    answers: Mapping[str, bool],
    *,
    version: str,
    notice: str,
    language: str,
    channel: str,
    actor: str,
) -> None:
    """Keep what a participant answered to each activity; the same answers sent again add nothing.

    Args:
        participant: with their study.
        answers: by activity, those that were asked.
        version: of the words of consent, as a hash.
        notice: the version of the privacy notice shown with them.
        language: in which they were shown.
        channel: web, telephone, paper or roster.
        actor: who sent them, as `participant:KEY` or `staff:7`.
    Raises:
        InputError: the protocol asks for no such consent, or the participant has left the study.
    """
    study = participant.study
    _check_activities(participant, answers)
    with writing():
        (state,) = _STATE.first(participant.pk) or ("erased",)
        if state not in _TAKING_PART:
            raise InputError(Problem(study.name, "consent", "this participant has left the study"))
        said = {"version": version, "notice": notice, "language": language, "channel": channel}
        newest = newest_consents(participant)
        changed = {
            activity: given
            for activity, given in answers.items()
            if activity not in newest or not _same(newest[activity], {**said, "given": given})
        }
        if not changed:
            return
        Consent.objects.bulk_create(
            Consent(participant=participant, activity=activity, given=given, at=now(), **said)
            for activity, given in changed.items()
        )
        details = {"participant": participant.key, "given": changed, **said}
        record(study.name, actor, "people.consent", details)


def _check_activities(participant: Participant, answers: Mapping[str, bool]) -> None:
    participants = folder_of(participant.study).protocol.participants
    asked = list(participants.consent) if participants else []
    unknown = [activity for activity in answers if activity not in asked]
    if unknown:
        raise InputError(
            Problem(
                participant.study.name,
                "consent",
                f'"{name}" is not asked for. Activities: {nearest(name, asked)}',
            )
            for name in unknown
        )


def _same(row: Consent, said: Mapping[str, object]) -> bool:
    return all(getattr(row, name) == value for name, value in said.items())
