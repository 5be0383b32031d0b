"""PostgreSQL killed in the middle of transactions and started again: what was acknowledged is there, once."""

import http.client
import json
import threading
import time
from collections import deque
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from tests.platform.durability.conftest import STATED
from tests.platform.durability.crowd import Person
from tests.platform.durability.living import equipoise, eventually, run, served
from tests.platform.faults.cluster import Cluster

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL")
RESTARTS = 10 if STATED else 3
PEOPLE = 4 * RESTARTS
FINISHED = "You have finished this survey"
BETWEEN = 5  # pages that are acknowledged between two restarts


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
    # Of this test's own, below a folder that its account may enter: what it holds is soon there again.
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
