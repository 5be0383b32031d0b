"""Dispatches planned on PostgreSQL: how long a whole audience takes, and the memory of who plans it.

Everybody of a study gets one message, by the statements of the planner. EQUIPOISE_PEOPLE
says how many they are; the stated figure is of a million.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
PEOPLE = int(os.environ.get("EQUIPOISE_PEOPLE", "1000000"))
_STATED = "for a million: 2 minutes, 1,024 MB"
_ENROL = """
INSERT INTO people_participant (study_id, key, state, enrolled_at, source, rehearsal)
SELECT %s, 'p' || lpad(n::text, 15, '0'), 'enrolled', %s, 'roster', false FROM generate_series(1, %s) AS n
"""


def main() -> None:
    """Print what was measured, a line each."""
    import pgserver

    with tempfile.TemporaryDirectory(prefix="equipoise-bench-") as folder:
        server = pgserver.get_server(Path(folder) / "postgresql")
        script = "import sys, planning; planning.plan(sys.argv[1])"
        environment = os.environ | {"DATABASE_URL": server.get_uri()}
        try:
            command = [sys.executable, "-c", script, folder]
            subprocess.run(command, cwd=HERE, check=True, env=environment)
        finally:
            server.cleanup()


def plan(place: str) -> None:
    """Fill a workspace and plan, in this process."""
    from equipoise.platform.workspace import activate, create_workspace

    made = create_workspace(Path(place) / "workspace", mode="rehearsal")
    settings = made.folder / "workspace.yaml"
    settings.write_text(settings.read_text("utf-8") + "carriers: {email: smtp, sms: notify}\n", "utf-8")
    activate(made)
    from equipoise.platform.clock import set_clock
    from equipoise.platform.delivery.models import Dispatch
    from equipoise.platform.delivery.planning.planner import plan_due
    from equipoise.platform.serving import make_ready

    make_ready(made)
    set_clock(datetime(2021, 2, 10, 12, tzinfo=UTC))
    _study(Path(place) / "swing")
    started = time.perf_counter()
    number = plan_due()
    took = time.perf_counter() - started
    assert number == PEOPLE == Dispatch.objects.count()
    started = time.perf_counter()
    assert plan_due() == 0
    again = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{number:,} dispatches planned: {took:.1f} s, {memory:,.0f} MB (stated, {_STATED})")
    print(f"a round of the planner with nothing to do: {again * 1000:.0f} ms")


def _study(folder: Path) -> None:
    """The example, launched, with people of whom nothing is known but that they take part."""
    from django.db import connection

    from equipoise.allocation import commitment
    from equipoise.platform.clock import now
    from equipoise.platform.registry.actions import add_study, move_study
    from equipoise.platform.staff.actions import CommandLine
    from equipoise.protocol import load_study, lock
    from equipoise.protocol.registration import lock_text

    left_out = shutil.ignore_patterns("amendments", "lock.json")
    shutil.copytree(ROOT / "examples" / "hhp2" / "swing", folder, ignore=left_out)
    said = {"time": "2021-01-04T09:00:00Z", "seed_commitment": commitment(bytes(32)), "version": "bench"}
    (folder / "lock.json").write_text(lock_text(lock(load_study(folder), clock="rehearsal", **said)), "utf-8")
    study = move_study(CommandLine(), add_study(CommandLine(), folder), "live")
    with connection.cursor() as cursor:
        cursor.execute(_ENROL, [study.pk, now(), PEOPLE])
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    main()
