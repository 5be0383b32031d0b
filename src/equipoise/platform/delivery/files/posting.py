"""That the letters of a file were posted, as somebody says who took them there."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from equipoise.errors import InputError, Problem
from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.engine.events import add_all
from equipoise.platform.delivery.files.listing import file_of
from equipoise.platform.delivery.files.making import VERB
from equipoise.platform.delivery.files.waiting import AT_ONCE
from equipoise.platform.delivery.models import Dispatch, PartnerFile
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.policies import check_state
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of

__all__ = ["mark_posted", "moment_of", "wrong_day"]

_NOON = time(12)


def mark_posted(who: Acting, study: Study, send: str, occasion: int, day: date) -> int:
    """Say that every letter of an occasion that was put into a file, and not yet posted, was posted.

    Args:
        who: needs `messages.files`.
        study: not yet published.
        send: its name.
        occasion: of it.
        day: on which they were posted.
    Returns:
        How many letters.
    Raises:
        NotAllowedError: their role does not allow it.
        InputError: the study's state does not allow it; no letter of this occasion waits; or the day is
            before that on which they were made, or in the future.
    """
    check_permission(who, VERB, study)
    check_state(VERB, study.state, of=study.name)
    wanted = file_of(study, send, occasion)
    if wanted.carrier != "post" or wanted.made is None:
        raise InputError(Problem(study.name, "send", "no letters of this occasion were made"))
    if wrong := wrong_day(study, day, wanted.made):
        raise InputError(Problem("", "day", wrong))
    at = moment_of(study, day)
    with writing():
        rows = Dispatch.objects.filter(study=study, contact=send, occasion=occasion, carrier="post")
        rows = rows.filter(state="sending").select_for_update()
        numbers = list(rows.values_list("pk", flat=True))
        if not numbers:
            raise InputError(
                Problem(study.name, "occasion", "every letter that was made is said to be posted")
            )
        for start in range(0, len(numbers), AT_ONCE):
            some = numbers[start : start + AT_ONCE]
            Dispatch.objects.filter(pk__in=some).update(state="sent", sent_at=at)
            add_all([(number, "sent", "") for number in some], "person")
        _recorded(who, study, send, occasion, day, len(numbers))
    return len(numbers)


def wrong_day(study: Study, day: date, made: datetime) -> str:
    """Why nothing of a file can have been sent on a day; empty where it can."""
    zone = _zone(study)
    first, today = made.astimezone(zone).date(), now().astimezone(zone).date()
    if day > today:
        return f"{day} is in the future; write the day on which it was sent"
    if day < first:
        return f"{day} is before {first}, when the file was made; write the day on which it was sent"
    return ""


def moment_of(study: Study, day: date) -> datetime:
    """A moment for what is known to the day: its noon, or now where that is still to come."""
    noon = datetime.combine(day, _NOON, _zone(study))
    return min(noon, now() - timedelta(microseconds=1)).astimezone(now().tzinfo)


def _zone(study: Study) -> ZoneInfo:
    return ZoneInfo(folder_of(study).protocol.study.timezone)


def _recorded(who: Acting, study: Study, send: str, occasion: int, day: date, letters: int) -> None:
    PartnerFile.objects.create(
        study=study,
        carrier="post",
        kind="posted",
        contact=send,
        occasion=occasion,
        file_hash="",
        counts={"sent": letters},
        actor=who.actor,
        at=now(),
    )
    details = {"send": send, "occasion": occasion, "posted_on": day.isoformat(), "letters": letters}
    record(study.name, who.actor, "messages.posted", details)
