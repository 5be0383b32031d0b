"""Studies into the workspace, and from one state to the next."""

import secrets
import shutil
from pathlib import Path

from django.conf import settings

from equipoise.errors import InputError, Problem, ProtocolError
from equipoise.platform.audit.actions import WORKSPACE_CHAIN, record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.policies import STUDY_MOVES, check_move, check_state
from equipoise.platform.registry.models import Partner, Programme, Stage, Study, StudyVersion
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.registry.readiness import readiness
from equipoise.protocol import Study as StudyFolder
from equipoise.protocol import current_hash, load_study
from equipoise.protocol.registration import refuse_changed, refuse_demonstration_wording

__all__ = ["add_amendment", "add_study", "move_study", "set_programme"]


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
    loaded = _locked(folder)
    name = loaded.protocol.study.id
    if Study.objects.filter(name=name).exists():
        message = "is in this workspace already; a later form of it comes in as an amendment"
        raise InputError(Problem(str(folder), name, message))
    place = _kept(folder, name, 1)
    try:
        with writing():
            study = Study.objects.create(
                name=name,
                title=loaded.protocol.study.title,
                programme=_programme(programme),
                added_at=now(),
                order_key=secrets.token_bytes(32),
            )
            _add_version(study, loaded, 1)
            for partner, described in loaded.protocol.partners.items():
                Partner.objects.create(study=study, name=partner, title=described.name)
            for stage in loaded.protocol.allocation:
                Stage.objects.create(study=study, name=stage)
            said = {
                "protocol_hash": current_hash(loaded),
                "locked_at": loaded.registration.time if loaded.registration else "",
                "seed_commitment": loaded.registration.seed_commitment if loaded.registration else None,
            }
            record(name, who.actor, "study.add", said)
            record(WORKSPACE_CHAIN, who.actor, "study.add", {"study": name, **said})
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return study


def add_amendment(who: Acting, study: Study, folder: Path) -> StudyVersion:
    """Put an amended folder in force: the same lock, one amendment or more added, nothing else unsaid.

    Raises:
        ProtocolError: the folder says something that no amendment records.
        InputError: it is another study, has another lock, or adds no amendment.
    """
    check_permission(who, "study.amend", study.pk)
    check_state("study.amend", study.state, of=study.name)
    loaded, before = _locked(folder), folder_of(study)
    _refuse_other(loaded, before, study)
    number = study.version + 1
    place = _kept(folder, study.name, number)
    try:
        with writing():
            version = _add_version(study, loaded, number)
            study.version = number
            study.save(update_fields=["version"])
            _refuse_drawn_changes(study, loaded, before)
            for partner, said in loaded.protocol.partners.items():
                Partner.objects.get_or_create(study=study, name=partner, defaults={"title": said.name})
            for stage in loaded.protocol.allocation:
                Stage.objects.get_or_create(study=study, name=stage)
            told = [amendment.reason for amendment in loaded.amendments[len(before.amendments) :]]
            record(
                study.name,
                who.actor,
                "study.amend",
                {"number": number, "protocol_hash": version.protocol_hash, "reasons": told},
            )
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
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
    check_permission(who, verb, study.pk)
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
        record(held.name, who.actor, verb, {"from": was, "to": wanted, "reason": reason.strip()})
    return held


def set_programme(who: Acting, study: Study, programme: str, title: str) -> None:
    """Put a study under a programme, made where it does not exist."""
    check_permission(who, "workspace.programmes")
    with writing():
        study.programme, _ = Programme.objects.get_or_create(name=programme, defaults={"title": title})
        study.save(update_fields=["programme"])
        record(study.name, who.actor, "study.programme", {"programme": programme})


def _locked(folder: Path) -> StudyFolder:
    loaded = load_study(folder)
    place = f"{loaded.folder.name}/lock.json"
    if loaded.registration is None:
        message = "this study is not locked; lock it with `equipoise lock STUDY`, then bring it here"
        raise ProtocolError(Problem(place, "", message))
    refuse_changed(loaded)
    if settings.WORKSPACE.live:
        if loaded.registration.clock != "real":
            message = (
                "it was locked by a rehearsal's clock; lock it by the real one to run it with real people"
            )
            raise ProtocolError(Problem(place, "clock", message))
        refuse_demonstration_wording(loaded)
    return loaded


def _kept(folder: Path, name: str, number: int) -> Path:
    """A copy of the folder below the workspace; symbolic links are refused, not followed."""
    for path in folder.rglob("*"):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            place = path.relative_to(folder).as_posix()
            raise InputError(
                Problem(f"{folder.name}/{place}", "", "is a link or a device; put the file itself there")
            )
    target = settings.WORKSPACE.studies / name / str(number)
    if target.exists():
        shutil.rmtree(target)  # left by an attempt that was cut off: no version of this number is recorded
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns(".*", "*.secret", "findings"))
    return target


def _add_version(study: Study, loaded: StudyFolder, number: int) -> StudyVersion:
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
