"""The driver of a rehearsal: moves the clock to what comes next, but only once nothing is due any more.

What comes next is a message to be sent, a draw, a wave, or something that one of the people does. People read
what has come, and act on it by the pages that everybody has. So twelve weeks pass in minutes, and nothing is
skipped.
"""

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from django.db.models import Min, Q

from equipoise.errors import CheckFailedError
from equipoise.platform.clock import set_clock
from equipoise.platform.delivery.models import CarrierPause, Dispatch
from equipoise.platform.delivery.planning.planner import plan_due
from equipoise.platform.delivery.planning.sweeping import sweep
from equipoise.platform.rehearsal.cast.acting import Acting
from equipoise.platform.rehearsal.cast.browser import PageError
from equipoise.platform.rehearsal.cast.inbox import Inbox
from equipoise.platform.rehearsal.cast.partners import Partners
from equipoise.platform.rehearsal.cast.people import Person, address_of
from equipoise.platform.rehearsal.diary import Diary
from equipoise.platform.rehearsal.production import Production
from equipoise.platform.rehearsal.servers.post import Message
from equipoise.protocol.timeline import timeline

__all__ = ["CARRIED", "Driver"]

CARRIED = ("smtp", "notify")  # by the worker; what partners and the post carry is made by people
_SECONDS_WITHOUT_PROGRESS = 90.0
_LOOK_EVERY_SECONDS = 0.02
_PLANS_EVERY = timedelta(hours=12)
_LONGEST_STEP = timedelta(hours=40)  # what is due within two days is planned
_AFTER_THE_END = timedelta(days=9)  # what is planned for the last day may wait for a working day


@dataclass(order=True)
class _Act:
    """Something that somebody does at a moment."""

    at: datetime
    number: int
    do: Callable[[], None] = field(compare=False)


class Driver:
    """Drives one workspace with any number of studies from their beginning to their end."""

    def __init__(
        self,
        productions: Sequence[Production],
        diary: Diary,
        inbox: Inbox,
        certificates: Path,
        *,
        died: Callable[[], list[str]],
    ) -> None:
        """Prepare it.

        Args:
            productions: brought into the workspace.
            diary: with the clock.
            inbox: where the messages arrive.
            certificates: that browsers trust.
            died: tells which processes have ended by themselves.
        """
        self.productions, self.diary, self.inbox = productions, diary, inbox
        self.partners = Partners(diary)
        self.acting = Acting(diary, inbox, certificates, self._plan)
        self.interludes: list[tuple[datetime, Callable[[], None]]] = []  # once nothing is due at a moment
        self._died = died
        self._acts: list[_Act] = []
        self._touched, self._planned = True, diary.moment
        self._drawn: set[tuple[str, str]] = set()

    def run(self) -> None:
        """Play everything.

        Raises:
            CheckFailedError: nothing moves any more, or a process has died.
        """
        end = max(self._end_of(production) for production in self.productions)
        while True:
            self._settle()
            self._interludes_due()
            following = self._next(end)
            if following is None:
                return
            self.diary.moment = following
            set_clock(following)
            self._draw_due()
            self._act_due()

    def _interludes_due(self) -> None:
        due = [each for each in self.interludes if each[0] <= self.diary.moment]
        self.interludes = [each for each in self.interludes if each not in due]
        for _, do in due:
            do()

    def _settle(self) -> None:
        """Until nothing is due: plan, let the workers send, let people read."""
        while True:
            self._plan_messages()
            self._wait()
            if not self._react() + self._partners_act():
                return

    def _plan_messages(self) -> None:
        """As the worker does every so often; here after everything that somebody did, and twice a day."""
        if self._touched or self.diary.moment - self._planned >= _PLANS_EVERY:
            plan_due()
            sweep()
            self._touched, self._planned = False, self.diary.moment

    def _wait(self) -> None:
        """Until the workers have nothing left to do at this moment."""
        since, before = time.monotonic(), -1
        while left := self._due():
            if left != before:
                since, before = time.monotonic(), left
            if dead := self._died():
                raise CheckFailedError(f"a process of the rehearsal has ended by itself: {', '.join(dead)}")
            if time.monotonic() - since > _SECONDS_WITHOUT_PROGRESS:
                raise CheckFailedError(
                    f"{left} messages were due at {self.diary.moment:%Y-%m-%d %H:%M} UTC and nothing moves; "
                    "the logs beside the workspace say why"
                )
            time.sleep(_LOOK_EVERY_SECONDS)

    def _due(self) -> int:
        """How many dispatches a worker holds or could send now."""
        paused = CarrierPause.objects.filter(until__gt=self.diary.moment).values("carrier")
        ready = Q(state="planned", next_at__lte=self.diary.moment) & ~Q(carrier__in=paused)
        return (
            Dispatch.objects.filter(ready | Q(state__in=("claimed", "sending")))
            .filter(carrier__in=CARRIED, study__state="live")
            .count()
        )

    def _next(self, end: datetime) -> datetime | None:
        """The next moment at which something may happen; None when all is over."""
        now = self.diary.moment
        moments = [self._acts[0].at] if self._acts else []
        moments += [moment for moment, _ in self.interludes]
        partners = [self.partners.next_act(production) for production in self.productions]
        moments += [each for each in partners if each is not None]
        planned = Dispatch.objects.filter(state="planned", next_at__gt=now)
        moments += [each for each in planned.aggregate(first=Min("next_at")).values() if each is not None]
        paused = CarrierPause.objects.filter(until__gt=now)
        moments += [each for each in paused.aggregate(first=Min("until")).values() if each is not None]
        moments += [
            moment for production in self.productions for moment, _ in production.draws if moment > now
        ]
        if now < end:
            moments.append(min(now + _LONGEST_STEP, end))
        return max(now, min(moments)) if moments else None

    def _end_of(self, production: Production) -> datetime:
        times = timeline(production.folder.protocol)
        last = [*times.closes.values(), *times.starts.values(), self.diary.moment]
        return max([*last, *production.last_occasions()]) + _AFTER_THE_END

    def _draw_due(self) -> None:
        for production in self.productions:
            for moment, name in production.draws:
                if moment <= self.diary.moment and (production.name, name) not in self._drawn:
                    self._drawn.add((production.name, name))
                    self._touched = True
                    production.draw(name)

    def _act_due(self) -> None:
        while self._acts and self._acts[0].at <= self.diary.moment:
            act, self._touched = heapq.heappop(self._acts), True
            try:
                act.do()
            except PageError as error:
                self.acting.troubles.append(f"{self.diary.moment:%Y-%m-%d %H:%M}: {error}")

    def _plan(self, at: datetime, do: Callable[[], None]) -> None:
        heapq.heappush(self._acts, _Act(max(at, self.diary.moment), self.diary.number(), do))

    def _react(self) -> int:
        """People read what has come since; how many messages that was."""
        fresh = self.inbox.fresh()
        contacts = dict(
            Dispatch.objects.filter(reference__in=[message.reference for message in fresh]).values_list(
                "reference", "contact"
            )
        )
        for message in fresh:
            for production, person in self._whose(message):
                self.acting.read(production, person, message, contacts.get(message.reference, ""))
        return len(fresh)

    def _partners_act(self) -> int:
        """Partners send what is due, and account for what they sent; how much they did."""
        done = self.partners.account_due()
        for production in self.productions:
            for message in (sent := self.partners.send_due(production)):
                person = production.by_address[address_of(message.to)]
                self.acting.read(production, person, message, message.send)
            self.inbox.add(sent)
            done += len(sent)
        self._touched = self._touched or done > 0
        return done

    def _whose(self, message: Message) -> Iterator[tuple[Production, Person]]:
        for production in self.productions:
            person = production.by_address.get(address_of(message.to))
            if person is not None:
                yield production, person
