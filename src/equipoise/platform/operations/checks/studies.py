"""Studies whose folder is not what was entered any more, waves that nobody is there for, what is overdue."""

from collections.abc import Iterator
from datetime import timedelta
from typing import cast

from equipoise.errors import EquipoiseError
from equipoise.platform.clock import now
from equipoise.platform.operations.checks.finding import Finding, good, wrong
from equipoise.platform.operations.retention.deleting import waiting
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Study, StudyVersion
from equipoise.platform.registry.queries import rolling, wave_times
from equipoise.platform.workspace import Workspace
from equipoise.protocol import changes_since_lock, current_hash, load_study

__all__ = ["deletions", "folders", "waves"]

_SOON = timedelta(days=7)


def folders(workspace: Workspace) -> Iterator[Finding]:
    """Whether each version of each study is still what was entered."""
    versions = list(StudyVersion.objects.select_related("study").order_by("study__name", "number"))
    changed = [version for version in versions if not _as_entered(workspace, version)]
    for version in changed:
        said = f"{version.study.name}: studies/{version.folder} is not what was entered in the record"
        yield wrong("studies", said, "put this folder back from a backup; it must never be edited")
    if not changed:
        yield good("studies", f"folders that are as they were entered: {len(versions)}")


def waves(workspace: Workspace) -> Iterator[Finding]:
    """Waves that open within a week, or are open, while nobody is enrolled who could answer."""
    lonely = [
        (study, wave)
        for study in Study.objects.filter(state__in=("locked", "live", "paused")).order_by("name")
        if not rolling(study) and not Participant.objects.filter(study=study, state="enrolled").exists()
        for wave in _soon(study)
    ]
    for study, wave in lonely:
        said = f"{study.name}: the wave {wave} is open or opens within a week, and nobody is enrolled"
        yield wrong("waves", said, f"import the roster: equipoise import enrol WORKSPACE {study.name} FILE")
    if not lonely:
        yield good("waves", "for every wave that opens within a week somebody is enrolled")


def deletions(workspace: Workspace) -> Iterator[Finding]:
    """Whether everything whose time has come was deleted."""
    overdue = [(study.name, timer) for study in Study.objects.order_by("name") for timer in waiting(study)]
    for name, timer in overdue:
        said = f"{name}: {timer.kind} were due to be deleted on {timer.due:%Y-%m-%d}, and are still there"
        yield wrong("deletions", said, "see that the worker runs; what it logs says why it does not delete")
    if not overdue:
        yield good("deletions", "nothing is kept for longer than the protocols say")


def _as_entered(workspace: Workspace, version: StudyVersion) -> bool:
    try:
        study = load_study(workspace.studies / version.folder)
        return not changes_since_lock(study) and current_hash(study) == cast("str", version.protocol_hash)
    except (EquipoiseError, OSError):
        return False


def _soon(study: Study) -> list[str]:
    moment = now()
    times = wave_times(study).values()
    return [each.wave for each in times if each.opens < moment + _SOON and each.closes > moment]
