"""What of messages needs somebody today: alarms, doubts, files to be made, sends that wait to be let go."""

from collections.abc import Iterator, Sequence

from django.urls import reverse

from equipoise.platform.delivery.files import waiting_for_files
from equipoise.platform.delivery.models import Alarm
from equipoise.platform.delivery.planning.confirming import unconfirmed
from equipoise.platform.delivery.queries import alarms, unknown_in
from equipoise.platform.delivery.watch.telling import alarm_text
from equipoise.platform.permissions import Acting, reach
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of

__all__ = ["message_calls", "waiting_sends"]

_LIVE = ("live", "paused")


def message_calls(who: Acting, studies: Sequence[Study]) -> dict[int, list[dict[str, str]]]:
    """Alarms, messages in doubt and files to be made, by the number of the study; in three questions for all.

    Args:
        who: asked once for each study.
        studies: those that they see.
    """
    theirs = [study for study in studies if reach(who, "messages.calendar", study).everybody]
    found, doubtful, filed = alarms(theirs), unknown_in(theirs), waiting_for_files(theirs)
    return {
        study.pk: [
            *_calls(who, study, found, doubtful.get(study.pk, 0)),
            *_file_calls(who, study, filed.get(study.pk, 0)),
        ]
        for study in theirs
    }


def waiting_sends(who: Acting, study: Study) -> Iterator[dict[str, str]]:
    """The sends of one study that wait for somebody to let them go out."""
    if study.state not in _LIVE or not reach(who, "messages.confirm", study).everybody:
        return
    number = len(unconfirmed(study))
    if number:
        text = "1 send waits" if number == 1 else f"{number} sends wait"
        yield _call(f"{text} for somebody to let it go out", "messages-waiting", study)


def _calls(who: Acting, study: Study, found: Sequence[Alarm], doubtful: int) -> Iterator[dict[str, str]]:
    for alarm in found:
        of_carriers = alarm.study_id is None and study.state == "live"
        if (alarm.study_id == study.pk or of_carriers) and not (alarm.kind == "unknown" and doubtful):
            text = alarm_text(alarm, folder_of(study).protocol.study.timezone)
            yield _call(f"Messages: {text}", "messages", study)
    if doubtful and reach(who, "messages.send", study).everybody:
        text = "1 message" if doubtful == 1 else f"{doubtful:,} messages"
        yield _call(f"{text} may have gone out or not: say which", "messages-doubt", study)


def _file_calls(who: Acting, study: Study, number: int) -> Iterator[dict[str, str]]:
    if number and study.state == "live" and reach(who, "messages.files", study).everybody:
        text = "1 message waits" if number == 1 else f"{number:,} messages wait"
        yield _call(f"{text} for a file to be made", "message-files", study)


def _call(text: str, where: str, study: Study) -> dict[str, str]:
    return {"text": text, "href": reverse(where, args=[study.name])}
