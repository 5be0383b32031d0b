"""Counts of a workspace: how much there is and how far behind it is; nothing of any person."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Exists, Min, OuterRef

from equipoise import __version__
from equipoise.platform.clock import now
from equipoise.platform.delivery.watch.tallies import dispatch_states
from equipoise.platform.delivery.watch.watching import behind
from equipoise.platform.fieldwork.models import SealedSubmission, Session, Submission
from equipoise.platform.operations.held import sending_held
from equipoise.platform.operations.marker import heartbeat_age

__all__ = ["Measure", "Waiting", "measures", "prometheus", "waiting_for_a_seal"]


@dataclass(frozen=True)
class Measure:
    """A number or several, each under its labels. `kind` is gauge or counter, as Prometheus means them."""

    name: str
    kind: str
    about: str
    values: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Waiting:
    """Submissions that no seal covers yet, and since when the oldest of them waits."""

    number: int
    since: datetime | None

    @property
    def seconds(self) -> float:
        """How long the oldest has waited."""
        return max(0.0, (now() - self.since).total_seconds()) if self.since else 0.0


def waiting_for_a_seal() -> Waiting:
    """What the next seals will cover, over all studies."""
    covered = SealedSubmission.objects.filter(submission_id=OuterRef("pk"))
    found = Submission.objects.filter(~Exists(covered)).aggregate(number=Count("pk"), since=Min("at"))
    return Waiting(found["number"], found["since"])


def measures() -> list[Measure]:
    """Everything that is counted, in a few queries."""
    waiting = waiting_for_a_seal()
    states = dict(Session.objects.values_list("state").annotate(Count("pk")))
    by_state = tuple((f'state="{state}"', states.get(state, 0)) for state in Session.STATES)
    age = heartbeat_age(settings.WORKSPACE.folder, time.time())
    held = float(sending_held(settings.WORKSPACE))
    submissions = Submission.objects.count()
    return [
        Measure("build_info", "gauge", "The version that runs", ((f'version="{__version__}"', 1),)),
        Measure(
            "submissions", "gauge", "Pages that participants sent and that are kept", (("", submissions),)
        ),
        Measure("sessions", "gauge", "Answerings of a wave by their state", by_state),
        Measure("unsealed_submissions", "gauge", "Pages that no seal covers yet", (("", waiting.number),)),
        Measure("seal_lag_seconds", "gauge", "How long the oldest of them waits", (("", waiting.seconds),)),
        Measure(
            "worker_heartbeat_age_seconds",
            "gauge",
            "Since the worker last showed that it is alive; left out where none ever did here",
            (("", age),) if age is not None else (),
        ),
        Measure("sending_held", "gauge", "1 while nothing may be sent from here", (("", held),)),
        *_messages(),
    ]


def _messages() -> Iterator[Measure]:
    found, states = behind(), dispatch_states()
    by_state = tuple((f'state="{state}"', number) for state, number in states.items())
    waits = max(0.0, (now() - found.oldest).total_seconds()) if found.oldest else 0.0
    yield Measure("dispatches", "gauge", "Messages by their state", by_state)
    yield Measure("dispatches_due", "gauge", "Messages that it is time to send", (("", found.due),))
    yield Measure("dispatches_late", "gauge", "Of them, those that should have gone", (("", found.late),))
    yield Measure("dispatches_due_seconds", "gauge", "Since when the oldest of them is due", (("", waits),))
    yield Measure("alarms", "gauge", "Alarms of messages that have not ended", (("", found.alarms),))


def prometheus(found: list[Measure]) -> Iterator[str]:
    """The measures in Prometheus' text format, a line at a time."""
    for each in found:
        name = f"equipoise_{each.name}"
        yield f"# HELP {name} {each.about}."
        yield f"# TYPE {name} {each.kind}"
        for labels, value in each.values:
            yield f"{name}{{{labels}}} {value:.12g}" if labels else f"{name} {value:.12g}"
