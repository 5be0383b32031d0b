"""What people do with their messages: open what they lead to, answer, break off, go on, stop, leave."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from equipoise.platform.delivery.video.films import seconds_of
from equipoise.platform.rehearsal.cast.browser import Browser, Film, PageError, Sitting
from equipoise.platform.rehearsal.cast.chromium import Chromium
from equipoise.platform.rehearsal.cast.inbox import Inbox
from equipoise.platform.rehearsal.cast.people import Person
from equipoise.platform.rehearsal.diary import Answered, Diary, Left
from equipoise.platform.rehearsal.production import Production
from equipoise.platform.rehearsal.servers.post import Message
from equipoise.protocol.timeline import timeline

__all__ = ["Acting", "Plan"]

Plan = Callable[[datetime, Callable[[], None]], None]
_SOON = timedelta(minutes=20)  # from reading a message to acting on it
_FILM_SECONDS = 60.0  # of one whose file does not say it
_LATER = timedelta(days=1)  # from breaking off to going on elsewhere


@dataclass
class _Playing:
    """What somebody knows and has done so far."""

    messages: int = 0
    texts: int = 0
    links: dict[str, str] = field(default_factory=dict)  # the newest, by wave
    stop_link: str = ""
    unsubscribe: str = ""
    begun: set[str] = field(default_factory=set)  # waves
    leaving: bool = False


class Acting:
    """Everybody, with what each knows and has done so far.

    Attributes:
        troubles: pages that failed somebody, in words.
        chromium: how many more people use it.
    """

    def __init__(self, diary: Diary, inbox: Inbox, certificates: Path, at: Plan) -> None:
        """Nobody has read anything; `at` has something done at a moment, browsers trust `certificates`."""
        self.troubles: list[str] = []
        self.chromium = 0
        self._diary, self._inbox, self._certificates, self._at = diary, inbox, certificates, at
        self._playing: dict[tuple[str, str], _Playing] = {}

    def read(self, production: Production, person: Person, message: Message, contact: str) -> None:
        """Somebody reads a message, and makes up their mind; `contact` is the send that it belongs to."""
        playing = self._playing.setdefault((production.name, person.identifier), _Playing())
        playing.messages += 1
        playing.texts += message.channel == "sms"
        if person.habits.scanner:
            self._scan(message)
        playing.stop_link = next((link for link in message.links if "/stop/" in link), playing.stop_link)
        playing.unsubscribe = message.unsubscribe or playing.unsubscribe
        survey = next((link for link in message.links if "/s/" in link), "")
        page = next((link for link in message.links if "/m/" in link), "")
        if page and person.habits.opens:
            self._at(self._diary.moment + _SOON, lambda: self._opens(production, person, page))
        wave = contact.partition(".")[0]
        if survey and wave:
            playing.links[wave] = survey
            self._means_to_answer(production, person, playing, wave)
        if person.habits.leaves and not playing.leaving and playing.messages >= person.habits.leaves_after:
            playing.leaving = True
            self._at(self._diary.moment + _SOON, lambda: self._leaves(production, person, playing))

    def _opens(self, production: Production, person: Person, page: str) -> None:
        browser = Browser(self._certificates)
        try:
            opened = browser.open_message(page)
            film = browser.film_on(opened) if opened else None
        except PageError:
            browser.close()
            raise
        production.opened[person.identifier] += opened is not None
        if film is None or not person.habits.watches:
            browser.close()
            return
        length = seconds_of(production.folder.folder / "media" / film.name) or _FILM_SECONDS
        played = length * person.habits.watches
        end = self._diary.moment + max(_SOON, timedelta(seconds=played))
        self._at(end, lambda: self._has_played(production, person, browser, film, (played, length)))

    def _has_played(
        self, production: Production, person: Person, browser: Browser, film: Film, times: tuple[float, float]
    ) -> None:
        """Their player tells what was played; of the impatient it tells every part twice."""
        played, length = times
        left = production.left.get(person.identifier)
        try:
            if person.habits.twice:
                browser.tell(film, [(0, played / 2)], length)
                browser.tell(film, [(0, played / 2), (played / 4, played)], length)
            browser.tell(film, [(0, played)], length)
        finally:
            browser.close()
        if left is None or left.how not in ("everything", "erase"):
            production.played[person.identifier] += played / length

    def _scan(self, message: Message) -> None:
        """Open every link as a program does that looks for malice; none of it may change anything."""
        with_links = Browser(self._certificates)
        for link in (*message.links, *([message.unsubscribe] if message.unsubscribe else [])):
            try:
                with_links.open(link)
            except PageError as error:
                if " 405" not in str(error):  # an address for posts alone rightly refuses to be opened
                    self.troubles.append(f"{self._diary.moment:%Y-%m-%d %H:%M}: a scanner: {error}")
        with_links.close()

    def _means_to_answer(self, production: Production, person: Person, playing: _Playing, wave: str) -> None:
        part = production.part(wave, person)
        if part is None or wave in playing.begun:
            return
        playing.begun.add(wave)
        at = max(part.at, self._diary.moment + _SOON)
        if at < timeline(production.folder.protocol).closes[wave]:
            self._at(at, lambda: self._answers(production, person, playing, wave, first=True))

    def _answers(
        self, production: Production, person: Person, playing: _Playing, wave: str, *, first: bool
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
            self._at(
                self._diary.moment + _LATER,
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
            known.finished, known.finished_at = self._diary.number(), self._diary.moment

    def _leaves(self, production: Production, person: Person, playing: _Playing) -> None:
        how = person.habits.leaves
        if how is None:
            return
        if how == "one-click" and playing.unsubscribe:
            Browser(self._certificates).one_click(playing.unsubscribe)
        elif how == "text" and playing.texts:
            self._inbox.reply(person.phone, "STOP")
        elif how != "text" and playing.stop_link:
            choice = "messages" if how == "one-click" else how
            browser = Browser(self._certificates)
            browser.stop(playing.stop_link, choice)
            browser.close()
        else:
            playing.leaving = False  # no message has told them how, so far
            return
        production.left[person.identifier] = Left(self._diary.number(), self._diary.moment, how)
