"""Participants at the pages: whole sessions a second on one machine, server and client together.

A session is what a person does: opens the link, starts, reads and agrees, answers 19 Likert items on a page,
is thanked. CSRF protection is on, SQLite is durable (WAL, synchronous FULL). Beside it: the bare Django view
on the same server, and what one session's requests are worth in such views.
"""

import asyncio
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _browsers import Browser, crowd

HERE = Path(__file__).parent
ROOT = HERE.parent
SESSIONS = 600
_OUTCOME = """\
outcomes:
  burnout: {instrument: cbi, score: work, waves: [after], role: primary, good: low, margin: 5}

"""
_SURVEY = """\
title: How you are
minutes: 3
information: A survey for timing pages. Nobody takes part.
pages:
  - id: burnout
    title: Work and energy
    questions:
      - {instrument: cbi, wording: wording/cbi.yaml}
"""


def main() -> None:
    """Print what was measured, a line each."""
    for what, measured, stated in rows():
        print(f"{what}: {measured}" + (f" (stated: {stated})" if stated else ""))


def rows() -> list[tuple[str, str, str]]:
    """What, measured, stated."""
    with tempfile.TemporaryDirectory(prefix="equipoise-bench-") as folder:
        bare = _bare()
        links = _workspace(Path(folder))
        found = [("bare Django view, requests a second (32 at once)", f"{bare:,.0f}", "")]
        for place, at_once in enumerate((8, 32)):
            some = links[place * SESSIONS : (place + 1) * SESSIONS]
            found += _sessions(Path(folder) / "workspace", some, at_once, bare)
        return found


def _sessions(workspace: Path, links: list[str], at_once: int, bare: float) -> list[tuple[str, str, str]]:
    port = _free_port()
    command = [sys.executable, "-m", "equipoise", "serve", str(workspace), "--bind", f"127.0.0.1:{port}"]
    with _server([*command, "--no-worker", "--quiet"], port):
        asyncio.run(crowd([_visit(port, links[0])] * 4, 2))  # the first pages compile the templates
        seconds, failed, took = asyncio.run(crowd([_session(port, link) for link in links[1:]], at_once))
    each = (len(links) - 1) / seconds
    slow = statistics.quantiles(took, n=20)[-1] * 1000
    worth = each * 7 / bare
    return [
        (f"whole sessions a second, {at_once} at once", f"{each:.0f}", "60 or more"),
        ("    of which failed; 95 in 100 took, ms", f"{failed}; {slow:.0f}", "0"),
        ("    requests as a share of bare views", f"{worth:.2f}", ""),
    ]


def _session(port: int, link: str):
    async def whole() -> bool:
        async with Browser("127.0.0.1", port) as browser:
            await browser.open(link)
            await browser.send({})
            await browser.send({"consent.survey": "yes"})
            names = dict.fromkeys(_names(browser.page))
            await browser.send(dict.fromkeys(names, "3"))
            return browser.path.endswith("/thanks") and len(names) == 19 and browser.requests == 7

    return whole


def _visit(port: int, link: str):
    async def once() -> bool:
        async with Browser("127.0.0.1", port) as browser:
            await browser.open(link)
            return browser.status == 200

    return once


def _names(page: bytes) -> list[str]:
    return [name.decode() for name in re.findall(rb'name="(cbi\.[^"]*)"', page)]


def _workspace(folder: Path) -> list[str]:
    """A rehearsal with one live study and a link for each session, made in a process of its own."""
    script = "from serving import fill; import sys; fill(sys.argv[1])"
    made = subprocess.run(
        [sys.executable, "-c", script, str(folder)], cwd=HERE, capture_output=True, text=True, check=True
    )
    return made.stdout.split()


def fill(place: str) -> None:
    """Make the workspace and print the links' paths."""
    from datetime import UTC, datetime

    from equipoise.platform.workspace import activate, create_workspace

    folder = Path(place)
    workspace = create_workspace(folder / "workspace", mode="rehearsal")
    activate(workspace)
    from equipoise.allocation import commitment
    from equipoise.platform.clock import now, set_clock
    from equipoise.platform.fieldwork.links import make_links
    from equipoise.platform.people.models import Participant
    from equipoise.platform.registry.actions import add_study, move_study
    from equipoise.platform.serving import make_ready
    from equipoise.platform.staff.actions import CommandLine
    from equipoise.protocol import load_study, lock
    from equipoise.protocol.registration import lock_text

    make_ready(workspace)
    set_clock(datetime(2021, 2, 10, 12, tzinfo=UTC))
    study_folder = _study(folder / "timing")
    registration = lock(
        load_study(study_folder),
        time="2021-01-04T09:00:00Z",
        seed_commitment=commitment(bytes(32)),
        version="bench",
        clock="rehearsal",
    )
    (study_folder / "lock.json").write_text(lock_text(registration), "utf-8")
    study = move_study(CommandLine(), add_study(CommandLine(), study_folder), "live")
    Participant.objects.bulk_create(Participant(study=study, enrolled_at=now()) for _ in range(2 * SESSIONS))
    for link in make_links(CommandLine(), study, "before"):
        print(link.link.removeprefix(workspace.settings.origin))


def _study(folder: Path) -> Path:
    """The example `swing` with one page of 19 items, and one agreement to ask for."""
    shutil.copytree(
        ROOT / "examples" / "hhp2" / "swing", folder, ignore=shutil.ignore_patterns("amendments", "lock.json")
    )
    (folder / "surveys" / "wellbeing.yaml").write_text(_SURVEY, "utf-8")
    protocol = (folder / "protocol.yaml").read_text("utf-8")
    begin, end = protocol.index("outcomes:"), protocol.index("events:")
    protocol = protocol[:begin] + _OUTCOME + protocol[end:]
    begin, end = protocol.index("  unadjusted:"), protocol.index("diagnosis:")
    protocol = protocol[:begin] + "testing:\n  - {claims: [burnout], alpha: 0.05}\n\n" + protocol[end:]
    for other in ("wellbeing", "connection", "sickness"):
        protocol = re.sub(rf"^    {other}: .*\n", "", protocol, flags=re.MULTILINE)
    for line in ("    interview: opt-in\n", "    recording: opt-in\n", "    quotation: opt-in\n"):
        protocol = protocol.replace(line, "")
    (folder / "protocol.yaml").write_text(protocol, "utf-8")
    return folder


def _bare() -> float:
    """Requests a second of the bare view."""
    port = _free_port()
    script = (
        "from granian import Granian; from granian.constants import Interfaces; "
        f"Granian('_bare:application', address='127.0.0.1', port={port}, interface=Interfaces.WSGI,"
        " workers=2, blocking_threads=4, log_level='warning', log_access=False).serve()"
    )
    with _server([sys.executable, "-c", script], port):

        async def ten() -> bool:
            async with Browser("127.0.0.1", port) as browser:
                for _ in range(10):
                    await browser.open("/")
                return browser.status == 200

        seconds, failed, _ = asyncio.run(crowd([ten] * 300, 32))
    return 0.0 if failed else 3_000 / seconds


class _server:
    def __init__(self, command: list[str], port: int) -> None:
        self.command, self.port = command, port

    def __enter__(self) -> None:
        self.process = subprocess.Popen(self.command, cwd=HERE, env={**os.environ}, start_new_session=True)
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("the server did not come up")

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


if __name__ == "__main__":
    main()
