"""The one file with names in it: keys, identifiers and the contact details that were approved.

Neither an answer nor an arm is ever in it. It is made while it is sent, inside a snapshot, and kept nowhere.
Whoever asked can take it once, within a day of the approval. The record has the columns when it begins, and
the number of rows with the hash before the last of it leaves: it may tell of a file that nobody got, never
the reverse.
"""

import csv
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet

from equipoise.errors import InputError, Problem, nearest
from equipoise.exchange.spreadsheets import neutralised
from equipoise.exchange.workbooks import LARGEST_SHEET, workbook
from equipoise.platform.approvals.acts import IDENTIFY, file_columns
from equipoise.platform.approvals.models import ApprovalRequest
from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now
from equipoise.platform.database import snapshot, writing
from equipoise.platform.people.contacts import contact_columns, opened_contact, wrapping_keys
from equipoise.platform.people.models import ContactDetails
from equipoise.platform.permissions import Acting, NotAllowedError, check_permission
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import roster_columns

__all__ = ["FORMS", "MESSAGES", "TAKEN_WITHIN", "can_be_taken", "header_of", "take_file"]

TAKEN_WITHIN = timedelta(hours=24)
MESSAGES = "messages"  # so that nobody is written to who has stopped messages
_AT_ONCE = 500


def can_be_taken(who: Acting, request: ApprovalRequest) -> bool:
    """Whether this person can take the file of a request now."""
    return request.asked_by == who.actor and _problem(request) is None


def header_of(request: ApprovalRequest) -> list[str]:
    """The columns of a request's file."""
    return ["participant", *_identifier(request.study), *request.subject["columns"], MESSAGES]


def take_file(who: Acting, request: ApprovalRequest, form: str = "csv") -> Iterator[bytes]:
    """The file of an approved request, safe to open in a spreadsheet; with this it is taken.

    Args:
        who: asked for it, and still holds `data.identify`.
        request: as it was seen; what counts is how it stands now.
        form: of `FORMS`.
    Returns:
        The file in parts. Closing it before the end enters that it broke off, with at most so many rows.
    Raises:
        NotAllowedError: somebody else asked, or they hold the role no more.
        InputError: it was not approved, was taken already, or its day is over; or there is no such form, or
            no room for everybody in it. Then it is not taken.
    """
    check_permission(who, IDENTIFY, request.study)
    if who.actor != request.asked_by:
        raise NotAllowedError("a file is taken by whoever asked for it")
    _check_form(request.study, form)
    with writing():
        held = ApprovalRequest.objects.select_for_update().get(pk=request.pk)
        problem = _problem(held)
        if problem is not None:
            raise InputError(Problem(held.study.name, f"request {held.number}", problem))
        held.used_at = now()
        held.save(update_fields=["used_at"])
        said = {"request": held.number, "columns": header_of(held), "form": form}
        said["approved_by"] = held.decided_by
        record(held.study.name, who.actor, IDENTIFY, said)
    return _Sent(held, who.actor).parts(FORMS[form])


class _Sent:
    """A file on its way: what has been sent of it so far."""

    def __init__(self, request: ApprovalRequest, actor: str) -> None:
        self.request, self.actor = request, actor
        self.digest, self.rows, self.entered = hashlib.sha256(), 0, False

    def parts(self, written: Callable[[Iterable[list[str]]], Iterator[bytes]]) -> Iterator[bytes]:
        """The file; one part is held back until the record has the whole."""
        waiting = b""
        try:
            with snapshot():
                for part in written(self._rows()):
                    if waiting:
                        yield waiting
                    waiting = self._noted(part)
            self._enter(whole=True)
            yield waiting
        finally:
            if not self.entered:
                self._enter(whole=False)

    def _rows(self) -> Iterator[list[str]]:
        yield header_of(self.request)
        names = [*_identifier(self.request.study), *self.request.subject["columns"]]
        for key, details, stopped in _reachable(self.request.study):
            self.rows += 1
            yield [key, *(details.get(name, "") for name in names), stopped]

    def _noted(self, part: bytes) -> bytes:
        self.digest.update(part)
        return part

    def _enter(self, *, whole: bool) -> None:
        self.entered = True
        said = {"request": self.request.number, "rows": self.rows, "whole": whole}
        if whole:
            said["sha256"] = self.digest.hexdigest()
        with writing():
            record(self.request.study.name, self.actor, f"{IDENTIFY}.sent", said)


def _problem(request: ApprovalRequest) -> str | None:
    """Why there is no file of this request, or none any more."""
    if request.act != IDENTIFY or request.state != "approved" or request.decided_at is None:
        return "is no approved request for a file with contact details"
    if request.used_at is not None:
        return "has been taken; the file is kept nowhere, ask for another one"
    if now() > request.decided_at + TAKEN_WITHIN:
        return "was approved more than 24 hours ago; ask again"
    if unknown := [name for name in request.subject["columns"] if name not in file_columns(request.study)]:
        return f"has columns that the roster has no more: {', '.join(unknown)}; ask again"
    return None


def _identifier(study: Study) -> list[str]:
    columns = contact_columns(roster_columns(study))
    return [name for name, column in columns.items() if column.role == "identifier"]


def _reachable(study: Study) -> Iterator[tuple[str, Mapping[str, str], str]]:
    """Those who take part, by key, which is random: the order says nothing of them."""
    keys = wrapping_keys()
    for kept in (
        _enrolled(study).select_related("participant").order_by("participant__key").iterator(_AT_ONCE)
    ):
        person = kept.participant
        stopped = "stopped" if person.messages_stopped_at is not None else ""
        yield person.key, opened_contact(kept, person.key, keys), stopped


def _enrolled(study: Study) -> "QuerySet[ContactDetails]":
    return ContactDetails.objects.filter(participant__study=study, participant__state="enrolled")


def _check_form(study: Study, form: str) -> None:
    if form not in FORMS:
        raise InputError(
            Problem(study.name, "form", f'"{form}" is no form. Forms: {nearest(form, list(FORMS))}')
        )
    if form == "xlsx" and _enrolled(study).count() >= LARGEST_SHEET:
        message = f"a sheet has room for {LARGEST_SHEET:,} rows; take the file as CSV"
        raise InputError(Problem(study.name, "form", message))


def _csv(rows: Iterable[list[str]]) -> Iterator[bytes]:
    """With the mark of UTF-8, and no text that could run as a formula."""
    writer, part = csv.writer(_Line()), [b"\xef\xbb\xbf"]
    for row in rows:
        part.append(str(writer.writerow([neutralised(cell) for cell in row])).encode())
        if len(part) > _AT_ONCE:
            yield b"".join(part)
            part = []
    if part:
        yield b"".join(part)


class _Line:
    """Gives a written line back."""

    def write(self, text: str) -> Any:
        return text


FORMS: Mapping[str, Callable[[Iterable[list[str]]], Iterator[bytes]]] = {"csv": _csv, "xlsx": workbook}
