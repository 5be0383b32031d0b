"""Locked folders as they come in: copied as they are now, read from the copy, put in place as a whole."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from equipoise.errors import InputError, Problem, ProtocolError
from equipoise.protocol import Study as StudyFolder
from equipoise.protocol import load_study
from equipoise.protocol.registration import refuse_changed, refuse_demonstration_wording

__all__ = ["incoming", "put_in_place"]

# What a study says, and how its rosters' columns are matched. People (rosters, data) and secrets that lie in
# the same folder have no business in the workspace's copy, which staff can download.
_TAKEN = (
    "protocol.yaml",
    "lock.json",
    "lock.json.tsr",
    "explore.yaml",
    "logic-model.yaml",
    "surveys",
    "wording",
    "messages",
    "vignettes",
    "interviews",
    "narrative",
    "media",
    "amendments",
    "data/mappings",
)


@contextmanager
def incoming(folder: Path) -> Iterator[StudyFolder]:
    """A locked folder, copied below the workspace and read there, so that nobody changes what is looked at.

    Args:
        folder: of the study; it is left as it is.
    Returns:
        The study as the copy says it; the copy is gone afterwards unless it was put in place.
    Raises:
        ProtocolError: it is not a study, is not locked, or says something else than its lock.
        InputError: something in it is a link or a device; it was locked by a rehearsal's clock, or has
            wording for demonstration, and this workspace is live.
    """
    if not (folder / _TAKEN[0]).is_file():
        raise ProtocolError(Problem(str(folder), "", "there is no protocol.yaml here; name a study's folder"))
    for name in _TAKEN:
        _refuse_links(folder, folder / name)
    with tempfile.TemporaryDirectory(dir=settings.WORKSPACE.studies, prefix=".incoming-") as place:
        copy = Path(place) / folder.resolve().name
        copy.mkdir()
        for name in _TAKEN:
            if (folder / name).is_dir():
                shutil.copytree(folder / name, copy / name, ignore=shutil.ignore_patterns(".*", "*.secret"))
            elif (folder / name).is_file():
                shutil.copy2(folder / name, copy / name)
        yield _locked(copy)


def put_in_place(loaded: StudyFolder, name: str, number: int) -> None:
    """Put a copy where a version of a study lies, on the disk for good.

    Inside the transaction that records the version, so that nobody else has this place: what lies there was
    left by an attempt that was cut off.

    Args:
        loaded: from `incoming`.
        name: of the study.
        number: of the version.
    """
    target = settings.WORKSPACE.studies / name / str(number)
    if target.exists():
        shutil.rmtree(target)
    target.parent.mkdir(exist_ok=True)
    for path in (*loaded.folder.rglob("*"), loaded.folder):
        _sync(path)
    loaded.folder.rename(target)
    for path in (target.parent, target.parent.parent):
        _sync(path)


def _refuse_links(folder: Path, part: Path) -> None:
    for path in (part, *part.rglob("*")):
        if path.is_symlink() or (path.exists() and not (path.is_file() or path.is_dir())):
            place = f"{folder.resolve().name}/{path.relative_to(folder).as_posix()}"
            raise InputError(Problem(place, "", "is a link or a device; put the file itself there"))


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


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
