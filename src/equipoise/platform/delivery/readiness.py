"""What messages add to a study's checklist before its launch."""

from collections.abc import Iterator

from django.conf import settings

from equipoise.errors import EquipoiseError, Problem
from equipoise.platform.clock import now
from equipoise.platform.delivery.channels.notify.setup import reaches_people
from equipoise.platform.delivery.launching import launch_problems
from equipoise.platform.delivery.planning.limits import limit_problems
from equipoise.platform.delivery.planning.time_zones import zoneless
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.registry.readiness import Condition, adds_conditions
from equipoise.protocol.checks.messages import message_problems
from equipoise.protocol.checks.schedule import schedule_problems
from equipoise.protocol.occasions import Occasion, each_their_own, occasions, zone_of
from equipoise.protocol.sends import Send, sends
from equipoise.protocol.timeline import timeline

__all__ = ["message_conditions"]


@adds_conditions
def message_conditions(study: Study) -> Iterator[Condition]:
    """The schedule can be kept and lies ahead; the messages can go out; somebody carries that many."""
    loaded = folder_of(study)
    if not sends(loaded):
        return
    unread, past = tuple(schedule_problems(loaded)), _past(study)
    title = "Messages have a schedule that can be kept"
    yield from (Condition("schedule", title, each) for each in unread or (past,))
    title = "Messages can go out as they are written"
    yield from (Condition("messages", title, each) for each in tuple(message_problems(loaded)) or (None,))
    live = settings.WORKSPACE.live
    title = "Messages have somebody who carries them"
    for problem in tuple(launch_problems(study)) or (None,):
        yield Condition("carriers", title, problem, needed=live or reaches_people(settings.WORKSPACE))
    if unread:
        return
    title = "Messages fit their carriers and the roster"
    for problem in (*limit_problems(study), *_without_zone(study)) or (None,):
        yield Condition("limits", title, problem, needed=False)


def _past(study: Study) -> Problem | None:
    """What a launch that comes too late would send too late, or not at all; only a launch can be late."""
    protocol, moment = folder_of(study).protocol, now()
    launch = timeline(protocol).launch
    if study.state != "locked" or protocol.study.launch is None or launch is None or launch >= moment:
        return None
    passed = [(send, first) for send, first in _firsts(study) if first.due < moment]
    if not passed:
        return None
    zone = zone_of(protocol)
    listed = ", ".join(f"{send.name} ({first.due.astimezone(zone):%Y-%m-%d %H:%M})" for send, first in passed)
    message = f"{protocol.study.launch} has passed, and with it the first time of {listed}; amend the launch"
    return Problem(study.name, "study.launch", message)


def _firsts(study: Study) -> Iterator[tuple[Send, Occasion]]:
    protocol = folder_of(study).protocol
    for send in sends(protocol).values():
        try:
            found = [] if each_their_own(protocol, send) else occasions(protocol, send)
        except EquipoiseError:
            continue  # a time that cannot be read is told where it stands
        if found:
            yield send, found[0]


def _without_zone(study: Study) -> Iterator[Problem]:
    number = zoneless(study)
    if number:
        column = folder_of(study).protocol.sending.zone
        message = f"{number:,} people have no time zone there; they get messages by the study's clock"
        yield Problem(study.name, f"sending.zone ({column})", message)
