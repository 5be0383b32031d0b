"""Taking a partner's account of what was sent: all of the file or nothing of it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Min

from equipoise.errors import InputError, Problem, nearest
from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now, one_moment
from equipoise.platform.database import writing
from equipoise.platform.delivery.engine.events import add_all
from equipoise.platform.delivery.files.listing import FILED
from equipoise.platform.delivery.files.making import VERB
from equipoise.platform.delivery.files.posting import moment_of, wrong_day
from equipoise.platform.delivery.files.reading import ROW, ReceiptFile, ReceiptsRead, read_file
from equipoise.platform.delivery.files.references import people_behind
from equipoise.platform.delivery.files.waiting import AT_ONCE
from equipoise.platform.delivery.models import Dispatch, PartnerFile
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.policies import check_state
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.sends import sends
from equipoise.roster import ImportReport

__all__ = ["COUNTED", "Receipts", "look_at_receipts", "occasions_of", "read_receipts"]

COUNTED = ("sent", "failed", "known", "gone", "refused")
_OPEN = ("sending", "unknown", "sent", "delivered", "failed")


@dataclass(frozen=True)
class Receipts:
    """A receipt file that has not been confirmed.

    `counts` are of rows, each once:

    - sent, failed: what would be noted of a message
    - known: says what is noted already, or what another row says as well
    - gone: of somebody who had everything erased; nothing of it is kept
    - refused: with a problem, told by line

    Attributes:
        read: the file as it was read.
        report: the engine's account, with what is wrong by our own record.
        counts: as above.
        news: the number of a dispatch, and what became of it on which day.
        earlier: when this very file was taken before.
    """

    read: ReceiptsRead
    report: ImportReport
    counts: Mapping[str, int]
    news: Mapping[int, tuple[str, date | None]]
    earlier: datetime | None

    def refusals(self) -> list[Problem]:
        """Why it cannot be confirmed as it stands; empty where it can."""
        name = self.read.file.path.name
        if self.earlier is not None:
            day = self.earlier.date().isoformat()
            return [Problem(name, "", f"this very file was taken on {day}; everything in it is noted")]
        if self.report.refused:
            rows = "1 row is" if self.report.refused == 1 else f"{self.report.refused:,} rows are"
            whole = f"{rows} refused; put the file right, because it is taken as a whole"
            return [Problem(name, "", whole), *self.report.problems()]
        if not self.report.read:
            return [Problem(name, "", "the file has no rows")]
        return []


def occasions_of(study: Study, send: str) -> int:
    """How many occasions a send has that leaves as a file.

    Raises:
        InputError: the study has no such send, or no file of it was ever made.
    """
    made = PartnerFile.objects.filter(study=study, kind="made").order_by("contact")
    names = list(made.values_list("contact", flat=True).distinct())
    if send not in names:
        message = f'no file of "{send}" was made, so nothing can come back of it. Sends of which one was: '
        raise InputError(Problem(study.name, "send", message + nearest(send, names)))
    known = sends(folder_of(study))
    highest = made.filter(contact=send).order_by("-occasion").values_list("occasion", flat=True)[0]
    return max(known[send].times if send in known else 1, highest or 1)


def look_at_receipts(study: Study, file: ReceiptFile) -> Receipts:
    """What a receipt file would note, in numbers and by line; nothing is stored.

    Raises:
        InputError: what `occasions_of` and `read_file` raise.
    """
    read = read_file(study, file, occasions_of(study, file.send))
    with one_moment():
        return _sorted_out(study, read)


def read_receipts(
    who: Acting, study: Study, upload: ReceiptFile, *, expected: Mapping[str, int] | None = None
) -> PartnerFile:
    """Note what a partner says was sent, and was not.

    Args:
        who: needs `messages.files`.
        study: not yet published.
        upload: the file and how it is to be read.
        expected: the counts that were shown; if they are others by now, nothing is stored.
    Raises:
        NotAllowedError: their role does not allow it.
        InputError: the study's state does not allow it, or what `look_at_receipts` and `Receipts.refusals`
            say.
    """
    check_permission(who, VERB, study)
    check_state(VERB, study.state, of=study.name)
    read = read_file(study, upload, occasions_of(study, upload.send))
    with writing(), one_moment():
        held = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        looked = _sorted_out(held, read)
        if refusals := looked.refusals():
            raise InputError(refusals)
        if expected is not None and dict(looked.counts) != dict(expected):
            message = "something has changed since you looked; look again"
            raise InputError(Problem(upload.path.name, "", message))
        _settle(study, looked.news)
        return _recorded(who, study, looked)


def _sorted_out(study: Study, read: ReceiptsRead) -> Receipts:
    """What of a file is news, as things stand in the database."""
    send = read.file.send
    made = _made(study, send)
    behind = people_behind(study, read.rows["reference"])
    dispatches = _dispatches(study, send, {number for number, _ in behind.values()})
    faults: list[tuple[int, str, str]] = []
    counts = dict.fromkeys(COUNTED, 0)
    said: dict[int, tuple[str, date | None]] = {}
    for row in read.rows.sort("sent_on", ROW, nulls_last=False).iter_rows(named=True):
        number, state = behind.get(row["reference"], (0, ""))
        found = dispatches.get((number, row["occasion"]))
        if state == "erased":
            counts["gone"] += 1
        elif (wrong := list(_wrong(study, row, number, made, found))) or found is None:
            faults += [(row[ROW], column, message) for column, message in wrong]
        else:
            counts["known"] += found[0] in said
            said[found[0]] = (row["status"], row["sent_on"])
    states = dict(dispatches.values())
    news = {pk: what for pk, what in said.items() if not _is_known(states[pk], what[0])}
    for status, _ in news.values():
        counts[status] += 1
    counts["known"] += len(said) - len(news)
    report = read.report.with_faults(faults)
    counts["refused"] = report.refused
    return Receipts(read, report, counts, news, _taken(study, read.file_hash))


def _made(study: Study, send: str) -> dict[int, datetime]:
    """When the first file of each occasion was made."""
    rows = PartnerFile.objects.filter(study=study, kind="made", contact=send).order_by()
    return dict(rows.values_list("occasion").annotate(Min("at")))


def _taken(study: Study, file_hash: str) -> datetime | None:
    rows = PartnerFile.objects.filter(study=study, kind="receipts", file_hash=file_hash)
    return rows.values_list("at", flat=True).first()


def _dispatches(study: Study, send: str, people: set[int]) -> dict[tuple[int, int], tuple[int, str]]:
    """The number and state of what was sent to these people, by person and occasion."""
    numbers = sorted(people)
    found: dict[tuple[int, int], tuple[int, str]] = {}
    for at in range(0, len(numbers), AT_ONCE):
        some = numbers[at : at + AT_ONCE]
        rows = Dispatch.objects.filter(study=study, contact=send, carrier__in=FILED, participant__in=some)
        columns = rows.filter(state__in=_OPEN).values_list("participant_id", "occasion", "pk", "state")
        found |= {(person, occasion): (pk, state) for person, occasion, pk, state in columns}
    return found


def _wrong(
    study: Study,
    row: Mapping[str, Any],
    person: int,
    made: Mapping[int, datetime],
    found: tuple[int, str] | None,
) -> Iterator[tuple[str, str]]:
    """What is wrong with a row, by column; nothing in it repeats what the row says of anybody."""
    occasion, day = row["occasion"], row["sent_on"]
    if not person:
        yield "reference", "nobody in this study has this reference"
    elif occasion not in made:
        there = ", ".join(map(str, sorted(made)))
        yield "occasion", f"no file was made of number {occasion}; files were made of {there}"
    elif found is None:
        yield "reference", f"this person was in no file of number {occasion}"
    if row["status"] is None:
        yield "status", "is no status that is known; write sent or failed"
    if day is None and row["status"] == "sent":
        yield "sent_on", "empty, but required of what was sent"
    if isinstance(day, date) and occasion in made and (wrong := wrong_day(study, day, made[occasion])):
        yield "sent_on", wrong


def _is_known(state: str, said: str) -> bool:
    return state == said or (state, said) == ("delivered", "sent")


def _settle(study: Study, news: Mapping[int, tuple[str, date | None]]) -> None:
    alike: dict[tuple[str, date | None], list[int]] = defaultdict(list)
    for number, what in news.items():
        alike[what].append(number)
    for (status, day), numbers in alike.items():
        sent = status == "sent"
        changed = {
            "state": status,
            "reason": "" if sent else "refused",
            "sent_at": moment_of(study, day) if sent and day is not None else None,
        }
        for at in range(0, len(numbers), AT_ONCE):
            some = numbers[at : at + AT_ONCE]
            Dispatch.objects.filter(pk__in=some).update(**changed)
            add_all([(number, status, "") for number in some], "file")


def _recorded(who: Acting, study: Study, looked: Receipts) -> PartnerFile:
    send = looked.read.file.send
    taken = PartnerFile.objects.create(
        study=study,
        carrier=PartnerFile.objects.filter(study=study, kind="made", contact=send)[0].carrier,
        kind="receipts",
        contact=send,
        occasion=None,
        file_hash=looked.read.file_hash,
        counts=dict(looked.counts),
        actor=who.actor,
        at=now(),
    )
    details = {
        "file": taken.pk,
        "send": taken.contact,
        "file_hash": taken.file_hash,
        "counts": taken.counts,
    }
    record(study.name, who.actor, "messages.receipts", details)
    return taken
