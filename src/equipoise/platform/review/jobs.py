"""Exports as work: asked for by somebody, made by the worker, kept as a zip file until it no longer fits.

Whoever asks goes on with something else. A worker that was killed half-way leaves a row that says so, and the
next one begins it again. Once somebody has had everything erased, or an export has lain a month, it is
dropped: the same data can be had again, without them.
"""

import logging
import os
import re
import secrets
import shutil
import zipfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import F, QuerySet

from equipoise.errors import EquipoiseError
from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.registry.models import Study
from equipoise.platform.review.exporting import export_study
from equipoise.platform.review.formats import refuse_unknown
from equipoise.platform.review.models import Export
from equipoise.platform.services.queries import service_numbered
from equipoise.platform.staff.actions import CommandLine
from equipoise.platform.staff.models import StaffMember

__all__ = ["ask_for_export", "drop_exports", "exports", "make_export", "zip_of"]

KEPT = timedelta(days=30)
_TRIES = 3
_ME = f"{os.getpid()}-{secrets.token_hex(8)}"  # of this process: what another one began is interrupted
_FAULT = "It could not be made, for a reason that only the worker's log tells. Ask for it again"
_INTERRUPTED = f"It was begun {_TRIES} times and interrupted each time. Look at the worker's log"
_OF_BEFORE = re.compile(r"\d{8}T\d{12}Z")  # how folders of exports were called in 0.1.0
_log = logging.getLogger("equipoise.exports")


def ask_for_export(who: Acting, study: Study, formats: Sequence[str]) -> Export:
    """Ask for data; the worker makes them within a second or two where there are few people.

    Args:
        who: needs `data.export`, now and when it is made.
        study: whose data.
        formats: of `FORMATS`; Parquet and CSV where none is named.
    Raises:
        InputError: an unknown format.
    """
    check_permission(who, "data.export", study)
    refuse_unknown(formats)
    moment = now()
    with writing():
        held = Study.objects.select_for_update().get(pk=study.pk)
        number = held.exports.count() + 1
        return Export.objects.create(
            study=held,
            name=f"{moment:%Y%m%dT%H%M%S}-{number}",
            formats=list(formats) or ["parquet", "csv"],
            actor=who.actor,
            asked_at=moment,
        )


def exports(study: Study) -> "QuerySet[Export]":
    """The exports of a study, newest first."""
    return Export.objects.filter(study=study).order_by("-asked_at", "-pk")


def zip_of(export: Export) -> Path | None:
    """The file of an export, if it is ready and there."""
    path = _place(export).with_suffix(".zip")
    return path if export.state == "ready" and path.is_file() else None


def make_export() -> int:
    """Make the export that has waited longest; one at a time, so that other duties have their turn.

    Returns:
        How many were made: one or none.
    """
    _begin_again()
    export = _claimed()
    if export is None:
        return 0
    try:
        _make(export)
    except EquipoiseError as error:
        _settle(export, "failed", problem=str(error)[:500])
    except Exception:
        _log.exception("an export failed")
        _settle(export, "failed" if export.tries >= _TRIES else "waiting", problem=_FAULT)
    return 1


def drop_exports() -> int:
    """Delete the files of exports that are old, that hold somebody who has erased, or that no row knows.

    Version 0.1.0 kept folders without rows.
    """
    with writing():
        Export.objects.filter(state="ready", asked_at__lt=now() - KEPT).update(state="dropped")
    dropped = Export.objects.select_related("study").filter(state="dropped")
    files = [file for export in dropped if (file := _place(export).with_suffix(".zip")).exists()]
    for file in files:
        file.unlink(missing_ok=True)
    unknown = [folder for folder in _root().glob("*/*") if _OF_BEFORE.fullmatch(folder.name)]
    for folder in unknown:
        shutil.rmtree(folder, ignore_errors=True)
    return len(files) + len(unknown)


def _begin_again() -> None:
    """What a worker that is no more had begun waits again; after a few times it is given up."""
    left = Export.objects.filter(state="making").exclude(worker=_ME)
    for export in left.select_related("study"):
        given_up = export.tries >= _TRIES
        _settle(export, "failed" if given_up else "waiting", problem=_INTERRUPTED if given_up else "")


def _claimed() -> Export | None:
    waiting = Export.objects.filter(state="waiting").order_by("pk")
    if not waiting.exists():
        return None
    with writing():
        first = waiting.first()
        if first is None:
            return None
        mine = Export.objects.filter(pk=first.pk, state="waiting")
        mine.update(state="making", worker=_ME, tries=F("tries") + 1)
    return Export.objects.select_related("study").get(pk=first.pk)


def _make(export: Export) -> None:
    place = _place(export)
    _clear(place)
    exported = export_study(_who(export.actor), export.study, place, formats=export.formats)
    size = _zipped(export, place)
    shutil.rmtree(place)
    with writing():
        mine = Export.objects.filter(pk=export.pk, state="making", worker=_ME)
        done = mine.update(
            state="ready",
            masked=exported.masked,
            rows=exported.counts.rows,
            files=len(exported.files),
            size=size,
            problem="",
            ended_at=now(),
        )
    if not done:  # somebody in it has had everything erased meanwhile; it is made again
        _clear(place)


def _settle(export: Export, state: str, *, problem: str) -> None:
    _clear(_place(export))
    with writing():
        Export.objects.filter(pk=export.pk, state="making").update(
            state=state, problem=problem, ended_at=now() if state == "failed" else None
        )
        if state == "failed":
            said = {"export": export.name}
            record(export.study.name, "system", "data.export-failed", said)


def _zipped(export: Export, place: Path) -> int:
    """All files of a folder in one, dated by when it was asked for: the same data give the same bytes."""
    path, part = place.with_suffix(".zip"), place.with_suffix(".part")
    when = export.asked_at.timetuple()[:6]
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(each for each in place.rglob("*") if each.is_file()):
            inside = zipfile.ZipInfo(f"{export.study.name}/{file.relative_to(place).as_posix()}", when)
            inside.compress_type = zipfile.ZIP_DEFLATED
            with file.open("rb") as source, archive.open(inside, "w") as target:
                shutil.copyfileobj(source, target)
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(path)
    return path.stat().st_size


def _clear(place: Path) -> None:
    """Nothing is left of an earlier try."""
    for left in (place, *place.parent.glob(f".{place.name}.*")):
        shutil.rmtree(left, ignore_errors=True)
    for ending in (".part", ".zip"):
        place.with_suffix(ending).unlink(missing_ok=True)


def _place(export: Export) -> Path:
    return _root() / export.study.name / export.name


def _root() -> Path:
    return Path(settings.WORKSPACE.folder) / "exports"


def _who(actor: str) -> Acting:
    """Whoever asked, with the roles that they hold now."""
    kind, _, number = actor.partition(":")
    if kind == "staff":
        return StaffMember.objects.get(pk=int(number))
    return service_numbered(int(number)) if kind == "service" else CommandLine()
