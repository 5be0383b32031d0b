"""What can be seen of a workspace without its database: files, room, the worker, what is held."""

import json
import shutil
import time
from collections.abc import Iterator

from equipoise.platform.operations.checks.finding import Finding, good, note, wrong
from equipoise.platform.operations.marker import HELD, RECENT_SECONDS, heartbeat_age
from equipoise.platform.startup import unsafe
from equipoise.platform.workspace import Workspace

__all__ = ["room", "safe_to_serve", "sending", "style_sheets", "worker"]

_LITTLE = 1_000_000_000


def safe_to_serve(workspace: Workspace) -> Iterator[Finding]:
    """What `serve` would refuse: settings, keys, who can read keys and database. Where it will listen is not
    known here, so that is taken to be on this machine and by TLS."""
    problems = unsafe(workspace, "127.0.0.1:8000", tls=True)
    for problem in problems:
        yield wrong("safety", str(problem), "put this right; `equipoise serve` refuses it too")
    if not problems:
        yield good("safety", "settings, keys and permissions of keys and database are safe")


def room(workspace: Workspace) -> Iterator[Finding]:
    """Enough room for the database to grow, and for a copy of it."""
    free = shutil.disk_usage(workspace.folder).free
    size = sum(path.stat().st_size for path in workspace.folder.glob("database.sqlite3*"))
    said = f"{free / 1e9:,.1f} GB are free; the database takes {size / 1e6:,.1f} MB"
    if free < max(_LITTLE, 2 * size):
        yield wrong("disk", said, "make room, or move the workspace to a larger disk")
    else:
        yield good("disk", said)


def worker(workspace: Workspace) -> Iterator[Finding]:
    """Whether the worker has shown itself lately."""
    age = heartbeat_age(workspace.folder, time.time())
    if age is None and workspace.database_url is not None:
        yield note("worker", "none has been at work from this folder", "look at the machine where it runs")
    elif age is None:
        yield wrong("worker", "none has ever been at work", "run `equipoise serve`, or `equipoise work`")
    elif age > RECENT_SECONDS:
        yield wrong("worker", f"silent for {_words(age)}", "run `equipoise serve`, or `equipoise work`")
    else:
        yield good("worker", f"showed itself {age:.0f} s ago")


def sending(workspace: Workspace) -> Iterator[Finding]:
    """Whether a restored copy still waits for somebody's word."""
    if not (workspace.folder / HELD).exists():
        yield good("sending", "nothing is held")
        return
    said = "held since the workspace was restored: nothing goes out"
    remedy = "`equipoise release WORKSPACE --reason WHY`, once the other one sends nothing any more"
    yield wrong("sending", said, remedy) if workspace.live else note("sending", said, remedy)


def style_sheets(workspace: Workspace) -> Iterator[Finding]:
    """Whether each style sheet that pages name has been gathered."""
    place = workspace.folder / "static" / "staticfiles.json"
    remedy = "stop and start `equipoise serve`, which gathers them; if that does not help, install it whole"
    try:
        paths = json.loads(place.read_text("utf-8"))["paths"].values()
    except (OSError, ValueError, KeyError, AttributeError):
        yield wrong("pages", "the style sheets have not been gathered", remedy)
        return
    missing = [path for path in paths if not (place.parent / path).is_file()]
    if missing or not any(path.endswith(".css") for path in paths):
        yield wrong("pages", f"{len(missing)} of {len(paths)} files for pages are missing", remedy)
    else:
        yield good("pages", f"all {len(paths)} files for pages are there")


def _words(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 120:
        return f"{minutes:.0f} minutes"
    return f"{minutes / 60:.0f} hours" if minutes < 48 * 60 else f"{minutes / 60 / 24:.0f} days"
