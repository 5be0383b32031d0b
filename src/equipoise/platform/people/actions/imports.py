"""Importing a roster, and taking an import back."""

from pathlib import Path

from django.db import models

from equipoise.errors import InputError, Problem
from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.people.enrolling import enrol
from equipoise.platform.people.models import (
    Allocation,
    Consent,
    ContactDetails,
    Lookup,
    Participant,
    RosterFacts,
    RosterImport,
)
from equipoise.platform.people.partners import only_partner
from equipoise.platform.people.previews import Preview, sorted_out
from equipoise.platform.people.reading import RosterSource, chosen_partner, read_for
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.policies import check_state
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import rolling, stages
from equipoise.roster import Mapping

__all__ = ["confirm_import", "import_source", "undo_faults", "undo_import"]


def confirm_import(
    who: Acting,
    study: Study,
    path: Path,
    mapping: Mapping | None = None,
    constants: dict[str, str] | None = None,
    partner: str | None = None,
    good_rows_only: bool = False,
) -> RosterImport:
    """Enrol everybody of a roster who is new and eligible: all of them or nobody.

    Args:
        who: needs `people.import`.
        study: locked, live or paused.
        path: as for `preview_import`, like the rest.
        mapping: declared column to the file's.
        constants: declared columns that are the same for everybody.
        partner: whose people they are.
        good_rows_only: leave refused rows out.
    Raises:
        InputError: what `Preview.refusals` says, or what `preview_import` raises.
    """
    return import_source(who, study, RosterSource(path, mapping, constants or {}, partner, good_rows_only))


def import_source(
    who: Acting, study: Study, source: RosterSource, *, expected: int | None = None
) -> RosterImport:
    """`confirm_import` of a source.

    Args:
        who: needs `people.import`, of the source's partner where it has one.
        study: locked, live or paused.
        source: the file.
        expected: how many new people were shown; if there are others by now, nothing is stored.
    """
    check_permission(who, "people.import", study, chosen_partner(study, source))
    check_state("people.import", study.state, of=study.name)
    read = read_for(study, source)
    with writing():
        held = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        check_state("people.import", held.state, of=held.name)
        preview = sorted_out(held, read)
        if refusals := preview.refusals():
            raise InputError(refusals)
        if expected is not None and len(preview.newcomers) != expected:
            found = len(preview.newcomers)
            message = f"{expected:,} people were new when you looked, {found:,} are now; look again"
            raise InputError(Problem(source.path.name, "", message))
        return _store(who, held, preview)


def undo_import(who: Acting, imported: RosterImport) -> RosterImport:
    """Take an import back as if it had not been: everybody that it brought is removed.

    Args:
        who: needs `people.import`.
        imported: confirmed, and not undone yet.
    Raises:
        InputError: what `undo_faults` says.
    """
    study = imported.study
    check_permission(who, "people.import", study)
    with writing():
        Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        held = RosterImport.objects.select_for_update().get(pk=imported.pk)
        if faults := undo_faults(held):
            raise InputError(faults)
        people = Participant.objects.filter(imported=held)
        removed = people.count()
        for model in (Lookup, ContactDetails, RosterFacts, Consent):
            model.objects.filter(participant__imported=held).delete()
        people.delete()
        held.undone_at = now()
        held.save(update_fields=["undone_at"])
        record(study.name, who.actor, "people.undo-import", {"import": held.pk, "removed": removed})
    return held


def undo_faults(imported: RosterImport) -> list[Problem]:
    """Why an import cannot be taken back; empty where it can."""
    place = imported.study.name
    people = Participant.objects.filter(imported=imported)
    if imported.undone_at is not None:
        return [Problem(place, "import", "has been undone already")]
    if imported.kind != "import":
        return [Problem(place, "import", "is an update; put right what it changed by another update")]
    if any(stage.state != "planned" for stage in stages(imported.study)):
        return [
            Problem(place, "import", "who is to be drawn has been fixed; an import can no longer be undone")
        ]
    found = []
    chose = models.Q(messages_stopped_at__isnull=False) | ~models.Q(state="enrolled")
    if gone := people.filter(chose).count():
        message = f"{_people(gone)} made a choice to stop or to leave, which must not be lost"
        found.append(Problem(place, "import", message))
    if met := _met_elsewhere(imported):
        message = f"{_people(met)} been sent something or answered"
        found.append(Problem(place, "import", message))
    return found


def _people(count: int) -> str:
    return "1 person has" if count == 1 else f"{count:,} people have"


def _met_elsewhere(imported: RosterImport) -> int:
    """How many have rows in other apps (links, sessions, whatever comes) or an arm: all that hangs on them
    besides what the import itself stored."""
    met: set[int] = set()
    for relation in Participant._meta.related_objects:
        model = relation.related_model
        if model._meta.app_label != Participant._meta.app_label or model is Allocation:
            rows = model.objects.filter(**{f"{relation.field.name}__imported": imported})
            met.update(rows.values_list(f"{relation.field.name}_id", flat=True).distinct())
    return len(met)


def _store(who: Acting, study: Study, preview: Preview) -> RosterImport:
    read = preview.read
    moment = now()
    imported = RosterImport.objects.create(
        study=study,
        partner=only_partner(study, read.partners),
        file_hash=read.file_hash,
        at=moment,
        actor=who.actor,
        counts=preview.counts,
    )
    source = "rolling" if rolling(study) else "roster"
    enrol(study, preview.newcomers, at=moment, source=source, imported=imported)
    details = {"import": imported.pk, "file_hash": read.file_hash, "counts": preview.counts}
    record(study.name, who.actor, "people.import", details)
    return imported
