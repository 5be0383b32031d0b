"""A workspace in processes of its own, as it is served: made, started, answered, looked into.

python living.py make FOLDER PEOPLE      a rehearsal with `swing` live; prints the paths of the links
python living.py tell FOLDER             what is stored, as JSON: by session code and page, the answers
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

ORIGIN = "http://localhost:8000"
ROOT = Path(__file__).parents[3]
SECONDS_TO_START = 90
ONE = ("--workers", "1")  # where it does not matter how many processes answer: each takes seconds to start


def make(folder, number):
    """A workspace with so many people who can answer."""
    from equipoise.platform.workspace import activate, create_workspace

    workspace = create_workspace(Path(folder), mode="rehearsal")
    activate(workspace)
    from tests.platform.conftest import BEFORE_LAUNCH
    from tests.platform.fieldwork.conftest import enrolled

    from equipoise.platform.clock import set_clock
    from equipoise.platform.fieldwork.links import make_links
    from equipoise.platform.registry.actions import add_study, move_study
    from equipoise.platform.serving import make_ready
    from equipoise.platform.staff.actions import CommandLine

    make_ready(workspace)
    set_clock(BEFORE_LAUNCH)
    study = move_study(CommandLine(), add_study(CommandLine(), _locked(workspace.folder.parent)), "live")
    for made in make_links(CommandLine(), study, "before", enrolled(study, int(number))):
        print(made.link.removeprefix(ORIGIN))


def _locked(place):
    import shutil

    from equipoise.allocation import commitment
    from equipoise.protocol import load_study, lock
    from equipoise.protocol.registration import lock_text

    folder = place / "swing"
    shutil.copytree(
        ROOT / "examples/hhp2/swing", folder, ignore=shutil.ignore_patterns("amendments", "lock.json")
    )
    made = lock(
        load_study(folder),
        time="2021-01-04T09:00:00Z",
        seed_commitment=commitment(bytes(32)),
        version="test",
        clock="rehearsal",
    )
    (folder / "lock.json").write_text(lock_text(made), "utf-8")
    return folder


def tell(folder):
    """What is stored of every page."""
    from equipoise.platform.workspace import activate, open_workspace

    activate(open_workspace(Path(folder)))
    from equipoise.platform.fieldwork.models import Submission

    rows = Submission.objects.order_by("pk").values_list("session__code", "page", "answers", "shown")
    print(json.dumps([list(row) for row in rows]))


def run(*arguments):
    """What one of the two prints."""
    command = [sys.executable, __file__, *map(str, arguments)]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def equipoise(*arguments):
    """A command that has ended."""
    command = [sys.executable, "-m", "equipoise", *map(str, arguments)]
    return subprocess.run(
        command, env=_environment(), capture_output=True, text=True, check=False, timeout=120
    )


class Server:
    """`equipoise serve` as a process with children."""

    def __init__(self, folder, *options):
        self.port = free_port()
        command = [
            sys.executable,
            "-m",
            "equipoise",
            "serve",
            str(folder),
            "--bind",
            f"127.0.0.1:{self.port}",
        ]
        self.process = subprocess.Popen(
            [*command, *options],
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        until = time.monotonic() + SECONDS_TO_START
        while not answers_at(self.port):
            assert self.process.poll() is None, self.process.communicate()[1]
            assert time.monotonic() < until, "the server did not come up"
            time.sleep(0.05)

    def family(self):
        """The numbers of its processes, children first."""
        return [*descendants(self.process.pid), self.process.pid]

    def kill(self):
        """Without a warning, and all of it."""
        os.kill(self.process.pid, signal.SIGSTOP)  # so that it starts no child in the place of one
        for number in self.family():
            with_no_error(os.kill, number, signal.SIGKILL)
        self.process.communicate()

    def stop(self, how=signal.SIGTERM):
        """As a service is stopped; its exit code and what it said."""
        self.process.send_signal(how)
        said = self.process.communicate(timeout=60)
        return self.process.returncode, *said


@contextmanager
def served(folder, *options):
    """A server for the time of a block."""
    server = Server(folder, *options)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()


def descendants(number):
    """The processes that a process has started, and theirs, deepest first."""
    found = []
    for place in Path(f"/proc/{number}/task").glob("*/children"):
        for child in place.read_text().split():
            found += [*descendants(int(child)), int(child)]
    return found


def is_running(number):
    """Whether there is such a process, other than one that has ended and waits to be noticed."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def eventually(true, seconds=30):
    """Whether something becomes true."""
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def free_port():
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers_at(port):
    """Whether something listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def with_no_error(do, *arguments):
    """Do something to a process that may have gone."""
    with suppress(ProcessLookupError):
        do(*arguments)


def _environment():
    left_out = ("EQUIPOISE_WORKSPACE", "DJANGO_SETTINGS_MODULE")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return {**kept, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}


if __name__ == "__main__":
    {"make": make, "tell": tell}[sys.argv[1]](*sys.argv[2:])
