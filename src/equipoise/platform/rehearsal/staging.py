"""What a rehearsal is played on: a copy of the study, locked anew, in a fresh workspace of its own.

Nothing of the workspace that it was taken from is read but the study's folder: no key, no secret, nobody.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from equipoise import __version__
from equipoise.allocation import commitment
from equipoise.diagnosis.simulated.refusals import refuse_unassumed
from equipoise.errors import InputError, NotSupportedError, Problem
from equipoise.platform.workspace import SETTINGS, Workspace, create_workspace
from equipoise.protocol import Study, load_study, lock
from equipoise.protocol.registration import lock_text
from equipoise.protocol.timeline import timeline

__all__ = [
    "Stage",
    "first_moment",
    "refuse_unplayable",
    "settings_of",
    "stage_of",
    "staged_study",
    "study_folder",
]

_NOT_COPIED = ("amendments", "lock.json", "allocation", "findings", "rosters")
_LOCKED_BEFORE = timedelta(weeks=2)
_SENDER = "rehearsal@example.org"


@dataclass(frozen=True)
class Stage:
    """Where everything of a rehearsal stands.

    Attributes:
        folder: of the rehearsal; everything lies in it.
        workspace: made for it.
    """

    folder: Path
    workspace: Workspace

    @property
    def studies(self) -> Path:
        """The locked copies of the studies."""
        return self.folder / "studies"


def study_folder(workspace: Path, study: str) -> Path:
    """The folder of a study: in force in a workspace, or named itself.

    Raises:
        InputError: there is no such study.
    """
    named = Path(study)
    if (named / "protocol.yaml").is_file():
        return named
    versions = [path for path in (workspace / "studies" / study).glob("*") if path.name.isdigit()]
    if not versions:
        known = sorted(path.name for path in (workspace / "studies").glob("*") if path.is_dir())
        message = f"there is no such study here. Studies: {', '.join(known) or 'none'}; or name a folder"
        raise InputError(Problem(str(workspace), study, message))
    return max(versions, key=lambda path: int(path.name))


def stage_of(folder: Path, settings: Mapping[str, Any]) -> Stage:
    """A fresh workspace for a rehearsal.

    Args:
        folder: new or empty.
        settings: of the workspace.
    """
    place = folder / "workspace"
    create_workspace(place, mode="rehearsal")
    (place / SETTINGS).write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")  # JSON is YAML
    return Stage(folder, create_workspace(place))


def settings_of(origin: str, mail_port: int, notify: str, templates: Mapping[str, str]) -> dict[str, Any]:
    """Settings by which pages are at `origin`, and messages go to servers on this machine.

    Args:
        origin: the address of the pages.
        mail_port: where the mail server listens.
        notify: the address of the server that carries texts.
        templates: its templates by kind.
    """
    return {
        "equipoise": 1,
        "name": "Rehearsal",
        "mode": "rehearsal",
        "origin": origin,
        "mail": {"host": "localhost", "port": mail_port, "sender": _SENDER, "security": "none"},
        "carriers": {"email": "smtp", "sms": "notify"},
        "notify": {
            "key": "test",
            "address": notify,
            "email-template": templates["email"],
            "sms-template": templates["sms"],
        },
    }


def staged_study(stage: Stage, source: Path) -> tuple[Study, bytes]:
    """A copy of a study, locked by the rehearsal's clock under a secret of the rehearsal's own.

    Returns:
        The study, and the secret that its lock commits to.
    Raises:
        ProtocolError: it is no study that can be locked.
    """
    place = stage.studies / load_study(source).protocol.study.id
    shutil.copytree(source, place, ignore=shutil.ignore_patterns(*_NOT_COPIED))
    study = load_study(place)
    secret = hashlib.sha256(f"equipoise rehearsal {study.protocol.study.id}".encode()).digest()
    registration = lock(
        study,
        time=(first_moment(study) - _LOCKED_BEFORE).isoformat(),
        seed_commitment=commitment(secret) if study.protocol.allocation else None,
        version=__version__,
        clock="rehearsal",
    )
    (place / "lock.json").write_text(lock_text(registration), encoding="utf-8")
    return load_study(place), secret


def first_moment(study: Study) -> datetime:
    """The earliest moment that the protocol fixes."""
    times = timeline(study.protocol)
    moments = [*times.opens.values(), *times.draws.values(), *times.starts.values()]
    return min(
        [*moments, *([times.launch] if times.launch else [])], default=datetime(2021, 1, 4, 9, tzinfo=UTC)
    )


def refuse_unplayable(source: Path, out: Path) -> None:
    """Stop before anything is made where a study cannot be rehearsed, or not there.

    Raises:
        InputError: the folder to be holds something; the study is none, or assumes nothing of its data.
        NotSupportedError: people come to it otherwise than by a roster.
    """
    if out.exists() and any(out.iterdir()):
        raise InputError(Problem(str(out), "--out", "is not empty; name a new folder for the rehearsal"))
    study = load_study(source)
    lacking = list(_unplayable(study))
    if lacking:
        raise NotSupportedError(
            f"{study.protocol.study.id} cannot be rehearsed yet: {'; and '.join(lacking)}. A rehearsal sends "
            "mail to people of a roster, and follows each of them to the data. Of this study `equipoise "
            "simulate` and `equipoise analyse` show the data and the findings, and a workspace of mode "
            "`rehearsal` shows the pages"
        )
    refuse_unassumed(study)


def _unplayable(study: Study) -> Iterator[str]:
    """What invented people cannot do in a study."""
    people = study.protocol.participants
    if people is None:
        yield "the protocol declares no participants"
    elif people.enrolment == "open-link":
        yield "its people come by an open link (`participants.enrolment`), and nobody knows who they are"
    elif people.enrolment == "rolling":
        yield "its people come one by one (`participants.enrolment: rolling`)"
    if study.protocol.tasks:
        yield f"they judge vignettes ({', '.join(f'`tasks.{name}`' for name in study.protocol.tasks)})"
