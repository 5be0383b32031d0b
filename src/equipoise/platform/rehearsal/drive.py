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
from equipoise.platform.delivery.planning import plan_due
from equipoise.platform.delivery.sweeping import sweep
from equipoise.platform.rehearsal.browser import Browser, PageError, Sitting
from equipoise.platform.rehearsal.chromium import Chromium
from equipoise.platform.rehearsal.diary import Answered, Diary, Left
from equipoise.platform.rehearsal.inbox import Inbox
from equipoise.platform.rehearsal.partners import Partners
from equipoise.platform.rehearsal.people import Person, address_of
from equipoise.platform.rehearsal.post import Message
from equipoise.platform.rehearsal.production import Production
from equipoise.protocol.timeline import timeline

__all__ = ["CARRIED", "Driver", "Playing"]

CARRIED = ("smtp", "notify")  # by the worker; what partners and the post carry is made by people
_SECONDS_WITHOUT_PROGRESS = 90.0
_LOOK_EVERY_SECONDS = 0.02
_SOON = timedelta(minutes=20)  # from reading a message to acting on it
_LATER = timedelta(days=1)  # from breaking off to going on elsewhere
_PLANS_EVERY = timedelta(hours=12)
_LONGEST_STEP = timedelta(hours=40)  # what is due within two days is planned
_AFTER_THE_END = timedelta(days=9)  # what is planned for the last day may wait for a working day


@dataclass(order=True)
class _Act:
    """Something that somebody does at a moment."""

    at: datetime
    number: int
    do: Callable[[], None] = field(compare=False)


@dataclass
class Playing:
    """What somebody knows and has done so far."""

    messages: int = 0
    texts: int = 0
    links: dict[str, str] = field(default_factory=dict)  # the newest, by wave
    stop_link: str = ""
    unsubscribe: str = ""
    begun: set[str] = field(default_factory=set)  # waves
    leaving: bool = False


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
        self.troubles: list[str] = []
        self.chromium = 0  # how many more people use it
        self.interludes: list[tuple[datetime, Callable[[], None]]] = []  # once nothing is due at a moment
        self._certificates, self._died = certificates, died
        self._acts: list[_Act] = []
        self._playing: dict[tuple[str, str], Playing] = {}
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
                self.troubles.append(f"{self.diary.moment:%Y-%m-%d %H:%M}: {error}")

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
                self._reads(production, person, message, contacts.get(message.reference, ""))
        return len(fresh)

    def _partners_act(self) -> int:
        """Partners send what is due, and account for what they sent; how much they did."""
        done = self.partners.account_due()
        for production in self.productions:
            for message in (sent := self.partners.send_due(production)):
                person = production.by_address[address_of(message.to)]
                self._reads(production, person, message, message.send)
            self.inbox.add(sent)
            done += len(sent)
        self._touched = self._touched or done > 0
        return done

    def _whose(self, message: Message) -> Iterator[tuple[Production, Person]]:
        for production in self.productions:
            person = production.by_address.get(address_of(message.to))
            if person is not None:
                yield production, person

    def _reads(self, production: Production, person: Person, message: Message, contact: str) -> None:
        playing = self._playing.setdefault((production.name, person.identifier), Playing())
        playing.messages += 1
        playing.texts += message.channel == "sms"
        if person.habits.scanner:
            self._scan(message)
        playing.stop_link = next((link for link in message.links if "/stop/" in link), playing.stop_link)
        playing.unsubscribe = message.unsubscribe or playing.unsubscribe
        survey = next((link for link in message.links if "/s/" in link), "")
        page = next((link for link in message.links if "/m/" in link), "")
        if page and person.habits.opens:
            self._plan(self.diary.moment + _SOON, lambda: self._opens(production, person, page))
        wave = contact.partition(".")[0]
        if survey and wave:
            playing.links[wave] = survey
            self._means_to_answer(production, person, playing, wave)
        if person.habits.leaves and not playing.leaving and playing.messages >= person.habits.leaves_after:
            playing.leaving = True
            self._plan(self.diary.moment + _SOON, lambda: self._leaves(production, person, playing))

    def _opens(self, production: Production, person: Person, page: str) -> None:
        browser = Browser(self._certificates)
        try:
            production.opened[person.identifier] += browser.watch(page)
        finally:
            browser.close()

    def _scan(self, message: Message) -> None:
        """Open every link as a program does that looks for malice; none of it may change anything."""
        with_links = Browser(self._certificates)
        for link in (*message.links, *([message.unsubscribe] if message.unsubscribe else [])):
            try:
                with_links.open(link)
            except PageError as error:
                if " 405" not in str(error):  # an address for posts alone rightly refuses to be opened
                    self.troubles.append(f"{self.diary.moment:%Y-%m-%d %H:%M}: a scanner: {error}")
        with_links.close()

    def _means_to_answer(self, production: Production, person: Person, playing: Playing, wave: str) -> None:
        part = production.part(wave, person)
        if part is None or wave in playing.begun:
            return
        playing.begun.add(wave)
        at = max(part.at, self.diary.moment + _SOON)
        if at < timeline(production.folder.protocol).closes[wave]:
            self._plan(at, lambda: self._answers(production, person, playing, wave, first=True))

    def _answers(
        self, production: Production, person: Person, playing: Playing, wave: str, *, first: bool
    ) -> None:
        part, left = production.part(wave, person), production.left.get(person.identifier)
        if part is None or (left is not None and left.how in ("everything", "erase")):
            return
        habits = person.habits
        pages = 1 if first and (habits.breaks_off or habits.other_device) else None
        browser = self._browser_for(pages)
        try:
            sitting = browser.answer(playing.links[wave], part.answers, pages=pages, twice=habits.twice)
        finally:
            browser.close()
        self._note(production, person, wave, sitting)
        if first and pages and habits.other_device and not sitting.finished:
            self._plan(
                self.diary.moment + _LATER,
                lambda: self._answers(production, person, playing, wave, first=False),
            )

    def _browser_for(self, pages: int | None) -> Browser | Chromium:
        """Chromium for the first so many who answer to the end in one go."""
        if self.chromium <= 0 or pages is not None:
            return Browser(self._certificates)
        self.chromium -= 1
        return Chromium()

    def _note(self, production: Production, person: Person, wave: str, sitting: Sitting) -> None:
        if not sitting.pages:
            return
        known = production.answered.setdefault((wave, person.identifier), Answered())
        known.answers |= sitting.answers
        if sitting.finished and known.finished is None:
            known.finished, known.finished_at = self.diary.number(), self.diary.moment

    def _leaves(self, production: Production, person: Person, playing: Playing) -> None:
        how = person.habits.leaves
        if how is None:
            return
        if how == "one-click" and playing.unsubscribe:
            Browser(self._certificates).one_click(playing.unsubscribe)
        elif how == "text" and playing.texts:
            self.inbox.reply(person.phone, "STOP")
        elif how != "text" and playing.stop_link:
            choice = "messages" if how == "one-click" else how
            browser = Browser(self._certificates)
            browser.stop(playing.stop_link, choice)
            browser.close()
        else:
            playing.leaving = False  # no message has told them how, so far
            return
        production.left[person.identifier] = Left(self.diary.number(), self.diary.moment, how)
