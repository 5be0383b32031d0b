"""The mail-merge file: a line a person, filled, under the reference by which the partner knows them."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from equipoise.errors import InputError, Problem, nearest
from equipoise.exchange.spreadsheets import neutralised
from equipoise.exchange.workbooks import workbook

__all__ = ["COLUMNS", "FORMS", "Line", "table"]

COLUMNS = ("reference", "send", "occasion", "due", "subject", "text", "link", "asset", "stop_link")
FORMS = ("xlsx", "csv")


@dataclass(frozen=True)
class Line:
    """What one person is to be sent; links that the message does not have are empty.

    Attributes:
        reference: by which the partner knows them.
        send: the name of the send.
        occasion: of it, from 1.
        due: the moment, in the study's zone.
        subject: filled.
        text: filled, links included, as plain text.
        link: to the survey.
        asset: to the page of the film or file that goes with the message.
        stop_link: to stop these messages.
    """

    reference: str
    send: str
    occasion: int
    due: datetime
    subject: str
    text: str
    link: str = ""
    asset: str = ""
    stop_link: str = ""

    def cells(self) -> tuple[str, ...]:
        """In the order of `COLUMNS`."""
        due = self.due.strftime("%Y-%m-%d %H:%M")
        links = (self.link, self.asset, self.stop_link)
        return (self.reference, self.send, str(self.occasion), due, self.subject, self.text, *links)


def table(lines: Iterable[Line], form: str) -> Iterator[bytes]:
    """The file in parts; lines are asked for as they are written, so that no table has to fit into memory.

    Args:
        lines: in their order.
        form: of `FORMS`. Every cell of a workbook is text; in a CSV file, what could run as a formula gets an
            apostrophe in front.
    Raises:
        InputError: no such form.
    """
    if form not in FORMS:
        message = f'"{form}" is no form of such a file. Forms: {nearest(form, FORMS)}'
        raise InputError(Problem("", "form", message))
    rows = chain([COLUMNS], (line.cells() for line in lines))
    return workbook(rows) if form == "xlsx" else _csv(rows)


def _csv(rows: Iterable[tuple[str, ...]]) -> Iterator[bytes]:
    """With the mark of UTF-8, as spreadsheets want it."""
    writer = csv.writer(_Line())
    yield "\ufeff".encode()
    for row in rows:
        yield writer.writerow([neutralised(cell) for cell in row]).encode()


class _Line:
    """Gives a written line back."""

    def write(self, text: str) -> str:
        return text
