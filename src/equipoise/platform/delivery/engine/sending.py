"""Sending what is due of one carrier: claimed, written, marked, handed over, settled, one after the other.

Nothing is handed over before it is stored that it will be, and what became of it is stored before anything
else is. Both are one transaction: how the last ones went, and that the next ones are being sent. That is one
message at a time, and a few where the provider takes all of them within a blink: a worker that is killed
leaves no more than these in doubt.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db import DatabaseError

from equipoise.messages.sms import measure
from equipoise.platform.clock import now, one_moment
from equipoise.platform.database import writing
from equipoise.platform.delivery.channels import channel_of
from equipoise.platform.delivery.channels.contract import Channel, Outcome, Outgoing
from equipoise.platform.delivery.engine.beats import beat
from equipoise.platform.delivery.engine.claims import Claimed, claim, release
from equipoise.platform.delivery.engine.crashes import crash_point
from equipoise.platform.delivery.engine.events import add, together
from equipoise.platform.delivery.engine.rechecking import Kept, hold_people, mark, what_keeps
from equipoise.platform.delivery.engine.rules import Rules, rules_for
from equipoise.platform.delivery.engine.settling import store_all
from equipoise.platform.delivery.engine.storing import until_stored
from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.delivery.writing.composing import Composer, Unsendable
from equipoise.platform.registry.models import Study

__all__ = ["send_due"]

_log = logging.getLogger("equipoise.delivery")
# What somebody should look at fails; what is as it should be is cancelled.
_FAILS = ("no-address", "field-missing", "refused")
Settled = tuple[Dispatch, Outcome]
_NOT_TRIED = Outcome("later", "not-tried", burnt=False)
_MOST = 20
_BLINK_SECONDS = 0.1  # no more are marked together than go out in this time
_STALE_SECONDS = 1.0


def send_due(carrier: str, *, stop: Callable[[], bool]) -> int:
    """Send what is due of a carrier, until nothing is, the carrier asks for peace, or `stop` says so.

    Args:
        carrier: the folder of its channel.
        stop: asked before each message; what is under way is finished first.
    Returns:
        How many the provider took.
    Raises:
        InputError: messages cannot be written at all, as without the key of addresses; nothing was sent.
    """
    sent, size = 0, 1
    composers: dict[tuple[int, int], Composer] = {}
    beat()
    with channel_of(settings.WORKSPACE, carrier) as channel:
        while not stop():
            batch = claim(carrier, channel.at_once)
            if not batch:
                break
            if batch.study is not None:
                crash_point("after-claim")
                sending = _Batch(channel, stop, _composer(composers, batch.study), batch, size)
                sent += sending.send()
                size = sending.size
            beat()
    return sent


def _composer(kept: dict[tuple[int, int], Composer], study: Study) -> Composer:
    """What writes the messages of a study by its version in force; its templates are read once."""
    found = kept.get((study.pk, study.version))
    if found is None:
        found = kept[study.pk, study.version] = Composer(study)
    return found


@dataclass
class _Batch:
    """Messages of one study that this worker holds."""

    channel: Channel
    stop: Callable[[], bool]
    composer: Composer
    claimed: Claimed
    size: int  # how many are marked together
    resting: bool = False  # the carrier asked for peace
    before: list[Settled] = field(default_factory=list)  # what became of them is not stored yet
    sent: int = 0
    left: list[Dispatch] = field(default_factory=list)
    rules: Mapping[int, Rules] = field(default_factory=dict)  # by dispatch

    def send(self) -> int:
        """Send them; how many the provider took. What is not sent is given back."""
        self.left = list(self.claimed.dispatches)
        try:
            ready = self._written()
            crash_point("after-compose")
            while self.left and not self.resting and not self.stop():
                self._some(ready)
        finally:
            self._finish()
        return self.sent

    def _written(self) -> Mapping[int, Outgoing]:
        """The messages, by dispatch; what cannot be written is settled, what has to wait is put off."""
        self.rules = rules_for(self.composer.study, self.left)
        with one_moment():
            waiting = {each.pk: kept for each in self.left if (kept := self._waits(each)) is not None}
            aside = [(each, waiting[each.pk], "") for each in self.left if each.pk in waiting]
            self.left = [each for each in self.left if each.pk not in waiting]
            composed = self.composer.compose(self.left)
            for each in self.left:
                found = composed[each.pk]
                if isinstance(found, Unsendable):
                    state = "failed" if found.reason in _FAILS else "cancelled"
                    aside.append((each, Kept(state, found.reason), found.field))
            _turn_all_away(aside)
        return {number: found for number, found in composed.items() if isinstance(found, Outgoing)}

    def _waits(self, dispatch: Dispatch) -> Kept | None:
        """How to put off what is late and would now come in a quiet hour; None where it may go.

        What was planned for a quiet hour is meant so: a person had it sent.
        """
        rules, moment = self.rules[dispatch.pk], now()
        opens = rules.opens(moment)
        if opens == moment or rules.opens(dispatch.next_at) != dispatch.next_at:
            return None
        return Kept("planned", "", opens) if opens <= dispatch.last_at else Kept("missed", "late")

    def _some(self, ready: Mapping[int, Outgoing]) -> None:
        """Mark the next ones, with what became of those before, and hand them over.

        Were somebody to leave while one of them takes long, the others would go out unchecked: they wait.
        """
        group, self.left = self.left[: self.size], self.left[self.size :]
        going = self._store([dispatch for dispatch in group if dispatch.pk in ready], ready)
        begun = time.monotonic()
        if going:
            crash_point("after-sending")
        for dispatch in going:
            if self.resting or time.monotonic() - begun > _STALE_SECONDS:
                self.before.append((dispatch, _NOT_TRIED))
                continue
            outcome = self._handed_over(ready[dispatch.pk])
            crash_point("after-provider")
            self.before.append((dispatch, outcome))
            self.sent += outcome.kind == "sent"
            self.resting = outcome.pause_seconds > 0
        self.size = _next_size(self.size, time.monotonic() - begun)

    def _store(self, group: Sequence[Dispatch], ready: Mapping[int, Outgoing]) -> list[Dispatch]:
        """Store what became of those before, and mark these; which of them may be handed over."""
        before = tuple(self.before)

        def both() -> list[Dispatch]:
            with one_moment(), together():
                store_all(before)
                hold_people(group)
                parts = _alike(group, self.rules)
                return [dispatch for rules, part in parts for dispatch in _marked(part, rules, ready)]

        marked = until_stored(both, self.stop)
        self.before.clear()
        if before:
            crash_point("after-settle")
        return marked

    def _handed_over(self, message: Outgoing) -> Outcome:
        try:
            return self.channel.send(message)
        except Exception:
            _log.exception("the channel %s failed", self.channel.name)
            return Outcome("unknown", "channel-failed")

    def _finish(self) -> None:
        """Store what became of the last ones, and give the rest back."""
        if self.before:
            self._store((), {})
        if self.left:
            try:
                release(self.left)
            except DatabaseError:  # they come back by themselves when our time with them is over
                _log.warning("messages that were not sent could not be given back")


def _next_size(size: int, seconds: float) -> int:
    """Twice as many where these would have taken less than half of the time; fewer where it was too long."""
    if seconds <= _BLINK_SECONDS / 2:
        return min(2 * size, _MOST)
    return size if seconds <= _BLINK_SECONDS else max(1, size // 2)


def _alike(group: Sequence[Dispatch], rules: Mapping[int, Rules]) -> Iterator[tuple[Rules, list[Dispatch]]]:
    """The group in parts of one send, of people who differ: each can be marked by one statement."""
    part: list[Dispatch] = []
    for dispatch in group:
        same = part and rules[part[0].pk] == rules[dispatch.pk]
        if part and (not same or dispatch.participant_id in {each.participant_id for each in part}):
            yield rules[part[0].pk], part
            part = []
        part.append(dispatch)
    if part:
        yield rules[part[0].pk], part


def _marked(part: Sequence[Dispatch], rules: Rules, ready: Mapping[int, Outgoing]) -> Iterator[Dispatch]:
    """Those that are marked now, or were in an attempt whose commit was of unknown outcome."""
    marked = mark(part, rules, [_parts(dispatch, ready[dispatch.pk]) for dispatch in part])
    for dispatch in part:
        if dispatch.pk in marked:
            add(dispatch, "sending", "", "worker")
            yield dispatch
            continue
        kept = what_keeps(dispatch, rules)
        if kept is None:
            yield dispatch
        elif kept.state:
            _turn_away(dispatch, kept)


def _parts(dispatch: Dispatch, message: Outgoing) -> int | None:
    return measure(message.template.text(message.fields)).parts if dispatch.channel == "sms" else None


def _turn_all_away(aside: Sequence[tuple[Dispatch, Kept, str]]) -> None:
    if aside:
        with writing():
            for dispatch, kept, about in aside:
                _turn_away(dispatch, kept, about)


def _turn_away(dispatch: Dispatch, kept: Kept, about: str = "") -> None:
    """Do not send a claimed dispatch now, or at all; inside `writing()`."""
    ours = Dispatch.objects.filter(pk=dispatch.pk, fence=dispatch.fence, state="claimed")
    again = {"next_at": kept.next_at} if kept.next_at is not None else {}
    if not ours.update(state=kept.state, reason=kept.reason, lease_until=None, **again):
        return
    if kept.state != "planned":
        add(dispatch, kept.state, f"{kept.reason}:{about}" if about else kept.reason, "worker")
