"""Reading the registry: studies by name, what each says, its times and the state of its waves."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from equipoise.errors import InputError, Problem, nearest
from equipoise.platform.clock import now
from equipoise.platform.registry.models import Partner, Stage, Study, StudyVersion
from equipoise.protocol import Study as StudyFolder
from equipoise.protocol import load_study
from equipoise.protocol.models.participants import RosterColumn
from equipoise.protocol.timeline import Timeline, timeline

__all__ = [
    "WaveTimes",
    "current_version",
    "folder_of",
    "partners",
    "rolling",
    "stage_named",
    "stages",
    "stopped_at",
    "studies",
    "study_named",
    "wave_times",
]


@dataclass(frozen=True)
class WaveTimes:
    """When a wave opens and closes, in UTC, and its state at the moment asked."""

    wave: str
    label: str
    opens: datetime
    closes: datetime
    state: str


def studies() -> "list[Study]":
    """Every study, newest first, as a query that can be narrowed and sliced."""
    return Study.objects.select_related("programme").order_by("-added_at")


def study_named(name: str) -> Study:
    """The study with this id.

    Raises:
        InputError: there is none; names those that there are.
    """
    found = Study.objects.filter(name=name).first()
    if found is None:
        listed = nearest(name, list(Study.objects.order_by("name").values_list("name", flat=True)))
        raise InputError(Problem("", name, f"is not a study of this workspace. Studies: {listed}"))
    return found


def current_version(study: Study) -> StudyVersion:
    """The folder in force: the newest."""
    return study.versions.get(number=study.version)


def folder_of(study: Study, version: int | None = None) -> StudyFolder:
    """What the study says: its folder, read and checked; kept in memory, because it never changes.

    Args:
        study: of this workspace.
        version: the number of a version; the one in force when left out.
    """
    return _loaded(settings.WORKSPACE.studies / study.name / str(version or study.version))


def partners(study: Study) -> "list[Partner]":
    """The study's partners, by name."""
    return list(study.partners.order_by("name"))


def stages(study: Study) -> "list[Stage]":
    """The study's stages of allocation in the protocol's order."""
    found = {stage.name: stage for stage in study.stages.all()}
    return [found[name] for name in folder_of(study).protocol.allocation if name in found]


def stage_named(study: Study, name: str | None) -> Stage:
    """A stage of allocation by its name, or the only one.

    Raises:
        InputError: there is none of this name, or several and none was named.
    """
    there = {stage.name: stage for stage in stages(study)}
    if name is None and len(there) == 1:
        return next(iter(there.values()))
    if name not in there:
        found = f'"{name}" is not a stage' if name else "a stage has to be named"
        raise InputError(Problem(study.name, "stage", f"{found}. Stages: {nearest(name or '', list(there))}"))
    return there[name]


def rolling(study: Study) -> bool:
    """Whether people are enrolled one by one, as they come."""
    participants = folder_of(study).protocol.participants
    return participants is not None and participants.enrolment in ("rolling", "open-link")


def wave_times(study: Study, enrolled: datetime | None = None) -> dict[str, WaveTimes]:
    """Each wave's times and state at this moment; none is open once an amendment has ended the collection.

    Args:
        study: whose waves.
        enrolled: when the participant came in; waves anchored at `enrolled` are each person's own.
    """
    times = _times(settings.WORKSPACE.studies / study.name / str(study.version), enrolled)
    moment, stopped = now(), stopped_at(study)
    found = {}
    for name, wave in folder_of(study).protocol.waves.items():
        opens, closes = times.opens[name], times.closes[name]
        closes = closes if stopped is None else min(closes, stopped)
        state = "closed" if moment >= closes else "planned" if moment < opens else "open"
        found[name] = WaveTimes(name, wave.label or name, opens, closes, state)
    return found


def stopped_at(study: Study, version: int | None = None) -> datetime | None:
    """When an amendment that ends data collection came into force, in UTC; None where there is none.

    Args:
        study: of this workspace.
        version: the number of the version until which it may have; the one in force when left out.
    """
    until = version or study.version
    if not any(amendment.stops for amendment in folder_of(study, until).amendments):
        return None
    for each in study.versions.filter(number__lte=until).order_by("number"):
        if any(amendment.stops for amendment in folder_of(study, each.number).amendments):
            return each.entered_at
    return None


def roster_columns(study: Study) -> dict[str, RosterColumn]:
    """The columns that the study's roster has."""
    participants = folder_of(study).protocol.participants
    return dict(participants.roster) if participants else {}


@lru_cache(maxsize=1024)
def _times(folder: Path, enrolled: datetime | None) -> Timeline:
    return timeline(_loaded(folder).protocol, enrolled)


@lru_cache(maxsize=64)
def _loaded(folder: Path) -> StudyFolder:
    return load_study(folder)
