"""A worker of its own that kills itself while it makes an export, and another one that comes after it.

python killed.py die FOLDER       a workspace with `swing`; an export is begun, and killed in the middle
python killed.py finish FOLDER    one round of the duty; prints how the export stands and what is left, as JSON
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.platform.durability.living import _environment, make


def run(*arguments):
    """One of the two as a process that has ended."""
    command = [sys.executable, __file__, *map(str, arguments)]
    return subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)


def die(folder):
    make(folder, 6)
    from equipoise.platform.registry.queries import study_named
    from equipoise.platform.review import exporting, jobs
    from equipoise.platform.staff.actions import CommandLine

    jobs.ask_for_export(CommandLine(), study_named("swing"), ["csv"])
    exporting.codebook_markdown = lambda _: os.kill(os.getpid(), signal.SIGKILL)
    jobs.make_export()


def finish(folder):
    from equipoise.platform.workspace import activate, open_workspace

    activate(open_workspace(Path(folder)))
    from equipoise.platform.review.jobs import make_export
    from equipoise.platform.review.models import Export

    before, place = Export.objects.get().state, Path(folder) / "exports" / "swing"
    half = any(place.iterdir())
    make_export()
    export = Export.objects.get()
    left = [path.name.removeprefix(export.name) for path in place.iterdir()]
    print(json.dumps([before, half, export.state, export.tries, left]))


if __name__ == "__main__":
    {"die": die, "finish": finish}[sys.argv[1]](sys.argv[2])
