"""Studies into the workspace, and from one state to the next."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError

from equipoise.errors import InputError, Problem
from equipoise.platform.audit.actions import WORKSPACE_CHAIN, record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.policies import (
    RESULTS_MOVES,
    STUDY_MOVES,
    check_move,
    check_state,
    check_two_people,
)
from equipoise.platform.registry.folders import incoming, put_in_place
from equipoise.platform.registry.following import follow_amendment, follow_move
from equipoise.platform.registry.models import Partner, Programme, Stage, Study, StudyVersion
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.registry.readiness import readiness
from equipoise.protocol import Study as StudyFolder
from equipoise.protocol import current_hash

__all__ = ["add_amendment", "add_study", "check_results", "move_results", "move_study", "set_programme"]


def add_study(who: Acting, folder: Path, *, programme: str | None = None) -> Study:
    """Take a locked study folder into the workspace, its media and instruments with it.

    Args:
        who: needs `study.add`.
        folder: the locked folder; it is copied, so that nobody changes what is in force.
        programme: the name of its programme, made where it does not exist.
    Raises:
        ProtocolError: the folder is not a study, is not locked, or says something else than its lock.
        InputError: the study is here already, or was locked by a rehearsal's clock and this workspace is
            live.
    """
    check_permission(who, "study.add")
    with incoming(folder) as loaded:
        try:
            return _add(who, loaded, programme)
        except IntegrityError:  # somebody else has just added it
            raise _known(loaded.protocol.study.id) from None


def add_amendment(who: Acting, study: Study, folder: Path) -> StudyVersion:
    """Put an amended folder in force: the same lock, one amendment or more added, nothing else unsaid.

    Args:
        who: needs `study.amend`.
        study: brought up to date.
        folder: copied, as `add_study` does.
    Raises:
        ProtocolError: the folder says something that no amendment records.
        InputError: it is another study, has another lock, adds no amendment, or changes what has been drawn.
    """
    check_permission(who, "study.amend", study)
    with incoming(folder) as loaded, writing():
        held = Study.objects.select_for_update().get(pk=study.pk)
        check_state("study.amend", held.state, of=held.name)
        before = folder_of(held)
        _refuse_other(loaded, before, held)
        _refuse_drawn_changes(held, loaded, before)
        held.version += 1
        held.save(update_fields=["version"])
        version = _add_version(held, loaded, held.version)
        told = [amendment.reason for amendment in loaded.amendments[len(before.amendments) :]]
        said = {"number": held.version, "protocol_hash": version.protocol_hash, "reasons": told}
        follow_amendment(who, held, loaded)
        record(held.name, who.actor, "study.amend", said)
        put_in_place(loaded, held.name, held.version)
    study.version = held.version
    return version


def move_study(who: Acting, study: Study, wanted: str, *, reason: str = "") -> Study:
    """Launch, pause, resume, close or publish a study.

    Args:
        who: needs the verb that the table of states names for this move.
        study: whose state changes.
        wanted: the next state.
        reason: why; required for a pause and for closing.
    Raises:
        InputError: the table has no such move, the reason is missing, or something that a launch needs is not
            there yet; everything that is missing is told at once.
    """
    verb = check_move(STUDY_MOVES, study.state, wanted, of=study.name)
    check_permission(who, verb, study)
    if wanted in ("paused", "closed") and not reason.strip():
        raise InputError(
            Problem(study.name, "reason", "is empty; say why, it is kept with the study's record")
        )
    if wanted == "live" and study.state == "locked":
        missing = readiness(study)
        if missing:
            raise InputError(missing)
    with writing():
        held = Study.objects.select_for_update().get(pk=study.pk)
        check_move(STUDY_MOVES, held.state, wanted, of=held.name)
        was, held.state = held.state, wanted
        if wanted == "live" and held.launched_at is None:
            held.launched_at = now()
        if wanted == "closed":
            held.closed_at = now()
        held.save(update_fields=["state", "launched_at", "closed_at"])
        follow_move(who, held, was)
        record(held.name, who.actor, verb, {"from": was, "to": wanted, "reason": reason.strip()})
    return held


def check_results(who: Acting, study: Study, wanted: str, reason: str) -> str:
    """The verb of a move of the results, once it is certain that it can be made; see `move_results`."""
    verb = check_move(RESULTS_MOVES, study.results, wanted, of=f"{study.name}, results")
    check_permission(who, verb, study)
    check_state(verb, study.state, of=study.name)
    if not reason.strip():
        message = "is empty; say why, it is kept with the study's record"
        raise InputError(Problem(study.name, "reason", message))
    return verb


def move_results(
    who: Acting,
    study: Study,
    wanted: str,
    *,
    reason: str,
    approved_by: str = "",
    details: Mapping[str, Any] | None = None,
) -> Study:
    """Seal the results of a study, or unmask them: an act with a reason, and never taken back.

    Args:
        who: needs the verb that the table of states names for this move.
        study: closed or published.
        wanted: sealed or unmasked.
        reason: why, kept in the study's record.
        approved_by: who else has approved it; unmasking takes two people.
        details: what else is entered there, such as the hash of the data that are sealed.
    Raises:
        InputError: the table has no such move, the study's state does not allow it, no reason is given, or
            one person would do what takes two.
    """
    verb = check_results(who, study, wanted, reason)
    check_two_people(verb, who.actor, approved_by, of=study.name)
    said = {"reason": reason.strip(), **({"approved_by": approved_by} if approved_by else {})}
    with writing():
        held = Study.objects.select_for_update().get(pk=study.pk)
        check_results(who, held, wanted, reason)
        held.results = wanted
        held.save(update_fields=["results"])
        record(held.name, who.actor, verb, {**said, **(details or {})})
    return held


def set_programme(who: Acting, study: Study, programme: str, title: str) -> None:
    """Put a study under a programme, made where it does not exist."""
    check_permission(who, "workspace.programmes")
    with writing():
        study.programme, _ = Programme.objects.get_or_create(name=programme, defaults={"title": title})
        study.save(update_fields=["programme"])
        record(study.name, who.actor, "study.programme", {"programme": programme})


def _add(who: Acting, loaded: StudyFolder, programme: str | None) -> Study:
    name = loaded.protocol.study.id
    registration = loaded.registration
    said = {
        "protocol_hash": current_hash(loaded),
        "locked_at": registration.time if registration else "",
        "seed_commitment": registration.seed_commitment if registration else None,
    }
    with writing():
        if Study.objects.filter(name=name).exists():
            raise _known(name)
        study = Study.objects.create(
            name=name,
            title=loaded.protocol.study.title,
            programme=_programme(programme),
            added_at=now(),
            order_key=secrets.token_bytes(32),
        )
        _add_version(study, loaded, 1)
        record(name, who.actor, "study.add", said)
        record(WORKSPACE_CHAIN, who.actor, "study.add", {"study": name, **said})
        put_in_place(loaded, name, 1)
    return study


def _known(name: str) -> InputError:
    message = "is in this workspace already; a later form of it comes in as an amendment"
    return InputError(Problem("", name, message))


def _add_version(study: Study, loaded: StudyFolder, number: int) -> StudyVersion:
    """The row of a version, and what the protocol names that has rows of its own."""
    for partner, said in loaded.protocol.partners.items():
        Partner.objects.get_or_create(study=study, name=partner, defaults={"title": said.name})
    for stage in loaded.protocol.allocation:
        Stage.objects.get_or_create(study=study, name=stage)
    return StudyVersion.objects.create(
        study=study,
        number=number,
        protocol_hash=current_hash(loaded),
        folder=f"{study.name}/{number}",
        entered_at=now(),
    )


def _programme(name: str | None) -> Programme | None:
    if name is None:
        return None
    title = settings.WORKSPACE.settings.programmes.get(name, name)
    return Programme.objects.get_or_create(name=name, defaults={"title": title})[0]


def _refuse_other(loaded: StudyFolder, before: StudyFolder, study: Study) -> None:
    found, kept = loaded.registration, before.registration
    place = loaded.folder.name
    if loaded.protocol.study.id != study.name:
        raise InputError(Problem(place, "study.id", f"is {loaded.protocol.study.id}, not {study.name}"))
    if found is None or kept is None or found.protocol_hash != kept.protocol_hash:
        message = "is another lock; an amendment keeps the lock and adds a file to amendments/"
        raise InputError(Problem(f"{place}/lock.json", "protocol-hash", message))
    if loaded.amendments[: len(before.amendments)] != before.amendments:
        raise InputError(
            Problem(f"{place}/amendments", "", "an amendment that is in force was changed or removed")
        )
    if len(loaded.amendments) == len(before.amendments):
        raise InputError(
            Problem(f"{place}/amendments", "", "there is no new amendment; record it with `equipoise amend`")
        )


def _refuse_drawn_changes(study: Study, loaded: StudyFolder, before: StudyFolder) -> None:
    """Arms, strata and ratio stand as soon as who is to be drawn is fixed."""
    for stage in Stage.objects.filter(study=study).exclude(state="planned"):
        if loaded.protocol.allocation.get(stage.name) != before.protocol.allocation.get(stage.name):
            message = f"the stage is {stage.state}; its arms, strata, ratio and method can no longer change"
            raise InputError(
                Problem(f"{loaded.folder.name}/protocol.yaml", f"allocation.{stage.name}", message)
            )
