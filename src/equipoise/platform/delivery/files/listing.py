"""Which files a study's messages need: a send, an occasion of it and a partner, with how far each is."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, QuerySet

from equipoise.errors import InputError, Problem, nearest
from equipoise.platform.delivery.models import Dispatch, PartnerFile
from equipoise.platform.registry.models import Partner, Study
from equipoise.platform.registry.queries import partners

__all__ = ["FILED", "FileOf", "file_of", "files_of", "partner_word", "waiting_for_files"]

FILED = ("partner_file", "post")
_WAITING = ("planned", "sending")


@dataclass(frozen=True)
class FileOf:
    """What one file holds.

    Attributes:
        send: its name.
        occasion: of it, from 1.
        carrier: partner_file or post.
        partner: whose people; None in the post, and of people who came by no partner.
        due: the first moment at which one of them is due.
        counts: dispatches by state.
        made: when it was first made; None where it was not yet.
    """

    send: str
    occasion: int
    carrier: str
    partner: Partner | None
    due: datetime
    counts: dict[str, int]
    made: datetime | None

    @property
    def name(self) -> str:
        """For its file, without the study's name."""
        whose = f"-{self.partner.name}" if self.partner is not None else ""
        return f"{self.send.replace('.', '-')}-{self.occasion}{whose}"


def files_of(study: Study) -> list[FileOf]:
    """The files that wait: to be made, or for their receipts; in the order in which they are due."""
    return _grouped(study, Dispatch.objects.filter(study=study, state__in=_WAITING))


def file_of(study: Study, send: str, occasion: int, partner: str | None = None) -> FileOf:
    """The one that is meant.

    Args:
        study: whose messages.
        send: its name.
        occasion: of it.
        partner: its name; may be left out where people of one alone are meant.
    Raises:
        InputError: no file is needed for it, or several are and no partner was named.
    """
    rows = Dispatch.objects.filter(study=study, contact=send, occasion=occasion)
    there = _grouped(study, rows)
    if not there:
        listed = nearest(send, sorted({each.send for each in files_of(study)}))
        message = (
            f"nothing of {send}, occasion {occasion}, is planned to leave as a file. Sends that do: {listed} "
            "The worker plans an occasion two days before it is due"
        )
        raise InputError(Problem(study.name, "send", message))
    meant = [each for each in there if partner is None or _named(each) == partner]
    if len(meant) != 1:
        message = f"say of which partner's people the file is: {', '.join(_named(each) for each in there)}"
        raise InputError(Problem(study.name, "partner", message))
    return meant[0]


def waiting_for_files(studies: Iterable[Study]) -> dict[int, int]:
    """How many messages wait for a file to be made, by the number of the study; one query."""
    rows = Dispatch.objects.filter(study__in=list(studies), carrier__in=FILED, state="planned").order_by()
    return dict(rows.values_list("study").annotate(Count("pk")))


def partner_word(partner: Partner | None) -> str:
    """How a file of these people is named: by the partner, or as of nobody's."""
    return partner.name if partner is not None else "none"


def _grouped(study: Study, rows: "QuerySet[Dispatch]") -> list[FileOf]:
    rows = rows.filter(carrier__in=FILED)
    grouped = rows.order_by().values_list("contact", "occasion", "carrier", "participant__partner", "state")
    counts: dict[tuple[str, int, str, int | None], dict[str, int]] = defaultdict(dict)
    due: dict[tuple[str, int, str, int | None], datetime] = {}
    for name, number, carrier, whose, state, count, first in grouped.annotate(Count("pk"), Min("due_at")):
        of = (name, number, carrier, whose if carrier == "partner_file" else None)
        counts[of][state] = counts[of].get(state, 0) + count
        due[of] = min(first, due.get(of, first))
    known, made = {each.pk: each for each in partners(study)}, _made(study)
    found = [
        FileOf(name, number, carrier, known.get(whose or 0), due[of], states, made.get(of))
        for of, states in counts.items()
        for name, number, carrier, whose in [of]
    ]
    return sorted(found, key=lambda each: (each.due, each.send, each.occasion, each.name))


def _named(file: FileOf) -> str:
    return partner_word(file.partner)


def _made(study: Study) -> dict[tuple[str, int, str, int | None], datetime]:
    """When each was first made."""
    rows = PartnerFile.objects.filter(study=study, kind="made").order_by("-pk")
    return {(row.contact, row.occasion, row.carrier, row.partner_id): row.at for row in rows}
