"""PostgreSQL killed in the middle of transactions and started again: what was acknowledged is there, once."""

import http.client
import json
import os
import signal
import subprocess
import threading
import time
from collections import deque
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from tests.platform.durability.conftest import STATED
from tests.platform.durability.crowd import Person
from tests.platform.durability.living import equipoise, eventually, is_running, run, served

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL")
RESTARTS = 10 if STATED else 3
PEOPLE = 4 * RESTARTS
FINISHED = "You have finished this survey"
BETWEEN = 5  # pages that are acknowledged between two restarts


class Cluster:
    """A PostgreSQL of this test's own: what it holds is little, so that it is soon there again."""

    def __init__(self, folder):
        import pgserver

        self.server = pgserver.get_server(folder, cleanup_mode="delete")

    def restart(self):
        """End every process of it at once, as `pg_ctl -m immediate` does, and start it again."""
        number = self.server.get_pid()
        os.kill(number, signal.SIGQUIT)
        assert eventually(lambda: not is_running(number))
        for _ in range(6):
            try:
                return self.server.ensure_postgres_running()
            except subprocess.TimeoutExpired:
                continue  # it goes on starting, and takes longer than its helper waits
        raise AssertionError("PostgreSQL did not start again")


class Patient(threading.Thread):
    """Somebody who begins again with their link whenever a page does not come."""

    def __init__(self, port, links, name):
        super().__init__(daemon=True)
        self.port, self.links, self.who, self.people = port, links, name, []

    def run(self):
        for link in self.links:
            person = Person(self.port, self.who)
            self.people.append(person)
            for _ in range(200):
                try:
                    if FINISHED in person.answer(link).page or person.path.endswith("/thanks"):
                        break
                except (AssertionError, OSError, http.client.HTTPException):
                    pass
                time.sleep(0.3)

    @property
    def acknowledged(self):
        return [page for person in list(self.people) for page in list(person.acknowledged)]


@pytest.fixture
def cluster(monkeypatch):
    """What can be restarted, and is where workspaces are that the test makes."""
    # Below a folder that its account may enter.
    made = Cluster(Path(settings.WORKSPACE.folder).parent / "restarted")
    monkeypatch.setenv("DATABASE_URL", made.server.get_uri())
    yield made
    made.server.cleanup()


def test_people_go_on_and_no_acknowledged_page_is_lost_or_there_twice(tmp_path, cluster):
    folder = tmp_path / "workspace"
    links = run("make", folder, PEOPLE).split()
    with served(folder, "--quiet") as server:
        # What it logs while it has no database is more than fits into the pipe.
        drain = threading.Thread(target=deque, args=(server.process.stderr, 0), daemon=True)
        drain.start()
        crowd = [Patient(server.port, links[place::4], f"person {place}") for place in range(4)]
        for each in crowd:
            each.start()
        for number in range(RESTARTS):
            wanted = BETWEEN * (number + 1)
            assert eventually(
                lambda wanted=wanted: sum(len(each.acknowledged) for each in crowd) >= wanted, 60
            )
            cluster.restart()
        for each in crowd:
            each.join(120)
        server.process.terminate()
        assert server.process.wait(60) == 0
        drain.join(10)
        for pipe in (server.process.stdout, server.process.stderr):
            pipe.close()

    stored = [
        (code, page) for code, page, _, shown in json.loads(run("tell", folder)) if not shown.get("partial")
    ]
    acknowledged = {page[:2] for each in crowd for page in each.acknowledged}
    assert acknowledged - set(stored) == set()
    assert len(stored) == len(set(stored))
    assert len({code for code, page in stored if page == "close"}) == PEOPLE
    verified = equipoise("verify", folder)
    assert verified.returncode == 0, verified.stderr
