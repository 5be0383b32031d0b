"""Deleting what is due: once its time has come and never before, all of a kind at once, with a certificate.

The worker does this whether or not sending is held: a restored copy brings back what had been deleted, and
its time has come there too.
"""

import logging
import shutil
from pathlib import Path
from typing import Any

from django.db import connection

from equipoise.errors import EquipoiseError, InputError, Problem
from equipoise.platform.audit.actions import hold, record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.erasing import mark_events_erased
from equipoise.platform.fieldwork.actions import ERASED
from equipoise.platform.fieldwork.models import SealedSubmission, Submission
from equipoise.platform.incidents.actions import erase_incidents
from equipoise.platform.operations.models import Deletion
from equipoise.platform.operations.retention.certificates import DELETED, hash_of, new_certificate, written
from equipoise.platform.operations.retention.tables import exports_of, rows_of
from equipoise.platform.operations.retention.timers import Timer, timers
from equipoise.platform.people.models import Participant
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.registry.models import Study
from equipoise.platform.staff.actions import System

__all__ = ["delete_due", "delete_kind", "waiting"]

_log = logging.getLogger("equipoise.retention")
_EXPORTS = "files of exports"
_INCIDENTS = "participants taken out of the log of incidents"


def delete_due() -> int:
    """Delete what is due in every study; how many certificates that makes. What fails in one study stops no
    other."""
    made = 0
    for study in Study.objects.order_by("pk"):
        try:
            for timer in waiting(study):
                delete_kind(System(), study, timer.kind)
                made += 1
        except (EquipoiseError, OSError):
            _log.exception("what is due in study %s was not deleted", study.pk)
    return made


def waiting(study: Study) -> list[Timer]:
    """What is due and still there, or was never certified."""
    return [
        timer
        for timer in timers(study)
        if timer.is_due
        and (
            not Deletion.objects.filter(study=study, kind=timer.kind).exists()
            or any(rows.exists() for rows in rows_of(study, timer.kind).values())
            or (timer.kind == "answers" and exports_of(study).exists())
        )
    ]


def delete_kind(who: Acting, study: Study, kind: str) -> Deletion:
    """Delete all data of a kind, for good.

    Args:
        who: needs `data.delete`.
        study: whose.
        kind: contacts or answers.
    Returns:
        The certificate.
    Raises:
        InputError: the protocol in force says no time for it, or a later one; nothing was deleted.
    """
    check_permission(who, DELETED, study)
    timer = _due_timer(study, kind)
    # Files go first: were they to go last and were we killed before, nothing would tell that they are there.
    files = _delete_exports(study) if kind == "answers" else {}
    with writing():
        hold(study.name)  # so that nothing is sealed between here and the end
        timer = _due_timer(Study.objects.get(pk=study.pk), kind)
        if kind == "answers":
            _mark_erased(study, who.actor)
            mark_events_erased(study, who.actor)
        deleted = {name: _delete_rows(rows) for name, rows in rows_of(study, kind).items()} | files
        if kind == "answers":
            deleted |= _forget_incidents(study, who.actor)
        at = now()
        text = written(new_certificate(study, timer, deleted, at, who.actor))
        details = {"kind": kind, "deleted": deleted, "certificate": hash_of(text)}
        record(study.name, who.actor, DELETED, details)
        made = Deletion.objects.create(
            study=study, kind=kind, due_at=timer.due, at=at, certificate=text, hash=hash_of(text)
        )
    _empty_log()
    return made


def _due_timer(study: Study, kind: str) -> Timer:
    found = next((timer for timer in timers(study) if timer.kind == kind), None)
    if found is None:
        message = f"the protocol has no time for this; write `privacy: {{delete: {{{kind}: 12 weeks}}}}`"
        raise InputError(Problem(study.name, f"privacy.delete.{kind}", message))
    if not found.is_due:
        when = "no day yet" if found.due is None else f"{found.due:%Y-%m-%d %H:%M} UTC"
        message = f"is due on {when}, and nothing is deleted before; an amendment can change the time"
        raise InputError(Problem(study.name, f"privacy.delete.{kind}", message))
    return found


def _mark_erased(study: Study, actor: str) -> None:
    """Say in the record how many sealed pages go, so that seals and pages still add up."""
    rows = Submission.objects.filter(session__participant__study=study)
    sealed = SealedSubmission.objects.filter(submission_id__in=rows.values("pk")).update(erased=True)
    record(study.name, actor, ERASED, {"submissions": rows.count(), "sealed": sealed})


def _forget_incidents(study: Study, actor: str) -> dict[str, int]:
    """Take names and words out of the log of incidents, as for everybody who erases; the counts stay."""
    people = list(Participant.objects.filter(study=study, incident_statements__isnull=False).distinct())
    for person in people:
        erase_incidents(person, actor)
    return {_INCIDENTS: len(people)}


def _delete_rows(rows: Any) -> int:
    """Delete rows without reading them. Nothing refers to them any more, or the database refuses."""
    deleted: int = rows.order_by()._raw_delete(using=connection.alias)
    return deleted


def _delete_exports(study: Study) -> dict[str, int]:
    place = exports_of(study)
    files = [path for path in place.rglob("*") if path.is_file()]
    if place.exists():
        _remove(place)
    return {_EXPORTS: len(files)}


def _remove(place: Path) -> None:
    """Out of sight first and as a whole: nobody can then open half of an export."""
    away = place.with_name(f".{place.name}-deleted")
    shutil.rmtree(away, ignore_errors=True)
    place.rename(away)
    shutil.rmtree(away)


def _empty_log() -> None:
    """SQLite's log of writes holds pages as they were before; it is emptied once nobody reads in it."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
