"""Whether the log is still what the study's record says was stated: every statement against its entry."""

import json
from collections.abc import Iterator
from typing import Any

from django.db.models import F

from equipoise.errors import CheckFailedError
from equipoise.platform.audit.models import Entry
from equipoise.platform.incidents.entries import STATED, said_of
from equipoise.platform.incidents.models import Statement
from equipoise.platform.incidents.texts import digests_of
from equipoise.platform.registry.models import Study

__all__ = ["incident_faults"]

_Place = tuple[str, int]


def incident_faults(study: Study) -> Iterator[str]:
    """Each statement that was changed, removed or slipped in, and each incident that shows an older one.

    What was written is compared as long as it is there; that it was erased is no fault.

    Args:
        study: of this workspace, read inside `database.snapshot()`.
    """
    entered = dict(_entered(study))
    rows = Statement.objects.filter(incident__study=study).select_related("incident", "participant", "text")
    for row in rows.order_by("incident", "number").iterator(500):
        place = (row.incident.code, row.number)
        if (fault := _fault(row, entered.pop(place, None))) is not None:
            yield f"{study.name}: incident {place[0]}, statement {place[1]}: {fault}"
    for code, number in entered:
        yield f"{study.name}: incident {code}, statement {number}: is in the record and not in the log"
    yield from _behind(study)


def _entered(study: Study) -> Iterator[tuple[_Place, dict[str, Any]]]:
    rows = Entry.objects.filter(chain_id=study.name, verb__in=STATED).order_by("number")
    for details in rows.values_list("details", flat=True).iterator(2_000):
        said = json.loads(details)
        yield (said["incident"], said["statement"]), said


def _fault(row: Statement, entry: dict[str, Any] | None) -> str | None:
    if entry is None:
        return "is in the log and not in the record"
    if any(entry[name] != value for name, value in said_of(row).items()):
        return "is not what was stated"
    try:
        digests = digests_of(row)
    except CheckFailedError as error:
        return str(error)
    return "has other words, or names another" if digests and digests.items() - entry.items() else None


def _behind(study: Study) -> Iterator[str]:
    """The newest statement counts, so nothing may say that an earlier one does."""
    later = Statement.objects.filter(incident__study=study, number__gt=F("incident__newest"))
    for code in later.order_by("incident").values_list("incident__code", flat=True).distinct():
        yield f"{study.name}: incident {code}: an earlier statement is taken for the newest"
