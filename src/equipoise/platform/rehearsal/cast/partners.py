"""Partners who keep their people's addresses: they are given the file, send it, and say what was sent.

Whoever the partner writes to reads the message as any other. The receipts go back the next working day.
"""

import csv
import tempfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from equipoise.errors import InputError
from equipoise.platform.delivery.files.listing import FileOf, files_of, partner_word
from equipoise.platform.delivery.files.making import make_file
from equipoise.platform.delivery.files.reading import ReceiptFile
from equipoise.platform.delivery.files.receiving import read_receipts
from equipoise.platform.rehearsal.cast.people import Person
from equipoise.platform.rehearsal.diary import Diary
from equipoise.platform.rehearsal.due import is_quiet
from equipoise.platform.rehearsal.production import Production
from equipoise.platform.rehearsal.servers.post import LINK, Message
from equipoise.platform.staff.actions import CommandLine

__all__ = ["Partners"]

_ACCOUNT_AFTER = timedelta(days=1)
_LOOKS_AGAIN = timedelta(minutes=30)
_PARTNER_FILE = "partner_file"


class Partners:
    """The partners of all studies of a rehearsal; they work by day."""

    def __init__(self, diary: Diary) -> None:
        """Nothing is in their hands yet."""
        self._diary = diary
        self._accounts: list[tuple[datetime, Production, str, int, list[str]]] = []

    def send_due(self, production: Production) -> list[Message]:
        """Take the files that are due, and write to everybody in them."""
        messages: list[Message] = []
        if is_quiet(production.folder, self._diary.moment):
            return messages
        for file in files_of(production.study):
            ready = file.carrier == _PARTNER_FILE and file.counts.get("planned")
            if ready and file.due <= self._diary.moment:
                sent = self._sent(production, file)
                messages += sent
                told = (production, file.send, file.occasion, [message.person for message in sent])
                self._accounts += [(self._diary.moment + _ACCOUNT_AFTER, *told)] if sent else []
        return messages

    def _sent(self, production: Production, file: FileOf) -> list[Message]:
        """One file made, and everybody in it written to; nobody where none of them may be sent it now."""
        partner = partner_word(file.partner)
        with tempfile.TemporaryDirectory(prefix="equipoise-partner-") as folder:
            what = (production.study, file.send, file.occasion)
            try:
                place = make_file(CommandLine(), *what, partner=partner, form="csv", folder=Path(folder))
            except InputError:
                return []
            return self._written_to(production, place)

    def account_due(self) -> int:
        """Give the platform the receipts that are due; how many files that was."""
        due = [each for each in self._accounts if each[0] <= self._diary.moment]
        self._accounts = [each for each in self._accounts if each not in due]
        for _, production, send, occasion, people in due:
            self._account(production, send, occasion, people)
        return len(due)

    def next_act(self, production: Production) -> datetime | None:
        """When a partner has something to do next: receipts, or a file that waits for the morning."""
        moments = [each[0] for each in self._accounts if each[1] is production]
        mine = [file for file in files_of(production.study) if file.carrier == _PARTNER_FILE]
        waits = any(file.counts.get("planned") for file in mine)
        if waits and is_quiet(production.folder, self._diary.moment):
            moments.append(_morning(production, self._diary.moment))
        return min(moments, default=None)

    def _written_to(self, production: Production, place: Path) -> list[Message]:
        people = {person.identifier: person for person in production.cast}
        with place.open(encoding="utf-8-sig", newline="") as file:
            return [self._message(row, people[row["reference"]]) for row in csv.DictReader(file)]

    def _message(self, row: Mapping[str, str], person: Person) -> Message:
        links = [row[name] for name in ("link", "asset", "stop_link") if row[name]]
        return Message(
            number=self._diary.number(),
            at=self._diary.moment,
            channel="email",
            to=person.email,
            reference="",
            subject=row["subject"],
            text=row["text"],
            links=tuple(dict.fromkeys([*links, *LINK.findall(row["text"])])),
            send=row["send"],
            occasion=int(row["occasion"]),
            person=person.identifier,
        )

    def _account(self, production: Production, send: str, occasion: int, people: list[str]) -> None:
        day = (self._diary.moment - _ACCOUNT_AFTER).date().isoformat()
        with tempfile.TemporaryDirectory(prefix="equipoise-receipts-") as folder:
            place = Path(folder) / f"{send}-{occasion}.csv"
            lines = [f"{person},{occasion},{day},sent" for person in people]
            place.write_text(
                "\n".join(["reference,occasion,sent_on,status", *lines]) + "\n", encoding="utf-8"
            )
            read_receipts(CommandLine(), production.study, ReceiptFile(place, send))


def _morning(production: Production, moment: datetime) -> datetime:
    """When work begins again."""
    while is_quiet(production.folder, moment):
        moment += _LOOKS_AGAIN
    return moment
