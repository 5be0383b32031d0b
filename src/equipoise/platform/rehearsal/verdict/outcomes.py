"""What became of messages and of people who left, as the platform knows it."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.people.models import Participant
from equipoise.platform.rehearsal.drive import CARRIED
from equipoise.platform.rehearsal.production import Production
from equipoise.platform.rehearsal.servers.post import Refusal
from equipoise.platform.rehearsal.verdict import Check

__all__ = ["bounce_check", "choice_check", "settled_check"]

_UNSETTLED = ("planned", "claimed", "sending", "unknown")


def bounce_check(production: Production, refusals: Sequence[Refusal]) -> Check:
    """An address that does not exist is tried once."""
    mine = {person.email: person.identifier for person in production.cast}
    tried = Counter(each.to for each in refusals if each.for_good and each.to in mine)
    faults = [f"{mine[to]}: tried {count} times" for to, count in tried.items() if count > 1]
    title = "An address that does not exist is tried once, and then left alone"
    return Check("bounces", title, len(tried), tuple(faults))


def choice_check(production: Production) -> Check:
    """Whoever stopped, left or was erased is known as that, and nobody else: no scanner stopped anything."""
    rows = Participant.objects.filter(study=production.study)
    states = dict(rows.values_list("key", "state"))
    stopped: dict[str, datetime | None] = dict(rows.values_list("key", "messages_stopped_at"))
    wanted = {"everything": "withdrawn", "erase": "erased"}
    faults = []
    for identifier, key in production.keys.items():
        left = production.left.get(identifier)
        state = wanted.get(left.how, "enrolled") if left else "enrolled"
        if states.get(key) != state:
            faults.append(f"{identifier}: {states.get(key)}, but they are {state}")
        elif state == "enrolled" and (stopped.get(key) is not None) != (left is not None):
            faults.append(f"{identifier}: messages {'go on' if left else 'stopped'} against their will")
    title = "Whoever stopped messages or left is known to have, and nobody else"
    return Check("choices", title, len(production.keys), tuple(faults))


def settled_check(production: Production) -> Check:
    """Of no message it is left open what became of it."""
    rows = Dispatch.objects.filter(study=production.study)
    left = Counter(rows.filter(state__in=_UNSETTLED).values_list("carrier", "contact", "state"))
    said = {each: f"{each[1]}: {count:,} {each[2]} by {each[0]}" for each, count in left.items()}
    faults = [text for each, text in said.items() if each[0] in CARRIED]
    notes = [text for each, text in said.items() if each[0] not in CARRIED]
    ended = "Of every message it is known what became of it"
    return Check("settled", ended, rows.count(), tuple(faults), tuple(notes))
