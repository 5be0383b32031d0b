"""What needs somebody today, in words and with the place where it is done: only what they may do there."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from django.urls import reverse

from equipoise.platform.approvals.queries import waiting_for
from equipoise.platform.clock import now
from equipoise.platform.office.incidents.log import incident_calls
from equipoise.platform.office.messages.calls import message_calls
from equipoise.platform.office.studies.retention import announcements
from equipoise.platform.pages.filters import moment
from equipoise.platform.permissions import Acting, reach
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, rolling, stages, wave_times

__all__ = ["needs", "to_do"]

_SOON = timedelta(days=3)


def needs(who: Acting, studies: Sequence[Study]) -> dict[int, list[dict[str, str]]]:
    """What needs somebody now, by the number of the study; nothing that takes a look at people.

    Args:
        who: asked once for each study, so `staff.models.Standing` where there are several.
        studies: those that they see.
    """
    waiting, calls = waiting_for(who, studies), incident_calls(who, studies)
    messages = message_calls(who, studies)
    found = {}
    for study in studies:
        due = [said for verb, said in _due(study) if reach(who, verb, study)]
        decide, happened = _to_decide(study, waiting[study.pk]), calls.get(study.pk, ())
        found[study.pk] = [*due, *decide, *happened, *messages.get(study.pk, ())]
    return found


def to_do(text: str, where: str, study: Study) -> dict[str, str]:
    """Something to do, at the page of a study that has this name."""
    return {"text": text, "href": reverse(where, args=[study.name])}


def _due(study: Study) -> Iterator[tuple[str, dict[str, str]]]:
    """The verb that each asks for, and what it says."""
    if study.state == "locked":
        yield "study.launch", to_do("Set it up and launch it", "study", study)
    if study.state == "paused":
        yield "study.see", to_do("Paused: nobody can answer until it is resumed", "study", study)
    for said in announcements(study):
        yield "data.delete", said
    if study.state not in ("live", "paused"):
        return
    moment_now, zone = now(), folder_of(study).protocol.study.timezone
    for wave in wave_times(study).values():
        if wave.state == "open" and wave.closes - moment_now < _SOON:
            text = f"“{wave.label}” closes {moment(wave.closes, zone)}"
            yield "surveys.response", to_do(text, "surveys", study)
        if wave.state == "planned" and wave.opens - moment_now < _SOON:
            text = f"“{wave.label}” opens {moment(wave.opens, zone)}"
            yield "surveys.response", to_do(text, "surveys", study)
    for stage in stages(study):
        if stage.state == "committed" and study.state == "live" and not rolling(study):
            text = f"Draw stage {stage.name}: it is committed"
            yield "allocation.draw", to_do(text, "allocation", study)


def _to_decide(study: Study, number: int) -> Iterator[dict[str, str]]:
    """What somebody else asked for and waits for this person."""
    if number:
        text = "1 request waits" if number == 1 else f"{number} requests wait"
        yield to_do(f"{text} for your decision", "approvals", study)
