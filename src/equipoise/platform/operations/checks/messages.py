"""Whether messages of live studies have a carrier, and whether those that are due go out."""

from collections.abc import Iterator

from equipoise.platform.delivery.launching import launch_problems
from equipoise.platform.delivery.models import Alarm
from equipoise.platform.delivery.watch.telling import alarm_text
from equipoise.platform.delivery.watch.watching import behind
from equipoise.platform.operations.checks.finding import Finding, good, note, wrong
from equipoise.platform.registry.models import Study
from equipoise.platform.workspace import Workspace

__all__ = ["carriers", "due_and_sent"]


def carriers(workspace: Workspace) -> Iterator[Finding]:
    """Whether every channel by which a live study sends has a carrier that is set up; a rehearsal may do
    without."""
    say = wrong if workspace.live else note
    live = Study.objects.filter(state__in=("live", "paused")).order_by("name")
    lacking = [(study.name, problem) for study in live for problem in launch_problems(study)]
    for name, problem in lacking:
        said, _, remedy = problem.message.partition("; ")
        yield say("carriers", f"{name}: {problem.where}: {said}", remedy)
    if not lacking:
        yield good("carriers", "every channel of a live study has one")
    if workspace.settings.watching.mail is None:
        said = "nobody is mailed when messages part from the plan: the log and /health/messages say it"
        yield note("carriers", said, "fill in watching in workspace.yaml, if somebody should be")


def due_and_sent(workspace: Workspace) -> Iterator[Finding]:
    """Alarms that have not ended, and what is due."""
    found = behind()
    for alarm in Alarm.objects.filter(ended_at=None).select_related("study").order_by("pk"):
        of = alarm.study.name if alarm.study is not None else "all studies"
        yield wrong("messages", f"{of}: {alarm_text(alarm)}", "look at the study's page of messages")
    if found.late and not found.alarms:
        said = f"late messages: {found.late:,}, the oldest since {found.oldest:%Y-%m-%d %H:%M} UTC"
        yield wrong("messages", said, "see that the worker runs; what it logs says why it does not send")
    if not found.late and not found.alarms:
        yield good("messages", f"{found.due:,} are due, and none is late")
