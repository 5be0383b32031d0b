"""A database that is locked or full while messages go out: the worker waits, and nothing is sent twice."""

import resource
import signal
import sqlite3
import threading
import time
from contextlib import closing

import pytest
from django.db import connection
from tests.platform.delivery.engine.conftest import Worker, often, send, states

from equipoise.platform.delivery.engine import storing

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="what is tested is how SQLite is used"),
]


def impatient():
    """Whoever waits for the database gives up after a moment, as after ten seconds."""
    from equipoise.platform import database

    database.PATIENCE_SECONDS, database._SHORT_SECONDS = 0.2, 0.0


def wait_for(true):
    until = time.monotonic() + 30
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_worker_waits_while_somebody_else_holds_the_database_and_stores_what_it_had_sent(
    people, planned, mail
):
    planned(people(6, "slow"))

    def work():
        impatient()
        send()

    name = connection.settings_dict["NAME"]
    worker = Worker(work)
    with closing(sqlite3.connect(name, isolation_level=None)) as other:
        wait_for(lambda: len(mail.taken) == 2)
        other.execute("BEGIN IMMEDIATE")
        time.sleep(0.8)
        assert len(mail.taken) <= 4
        other.execute("ROLLBACK")
    assert worker.end() == 0

    assert states() == {"sent": 6}
    assert set(often(mail).values()) == {1}


def test_a_worker_whose_disk_is_full_sends_nothing_that_it_cannot_write_down_and_goes_on(
    people, planned, mail, tmp_path
):
    planned(people(6))

    def work():  # the log of writes begins anew with its only connection
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        whole = resource.getrlimit(resource.RLIMIT_FSIZE)
        storing.renew_connection = lambda: (tmp_path / "waited").touch()
        resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, whole[1]))
        threading.Timer(0.8, resource.setrlimit, (resource.RLIMIT_FSIZE, whole)).start()
        for _ in range(20):
            try:
                send()
            except Exception:  # claiming finds no room; the worker's thread tries again
                time.sleep(0.2)
            else:
                return

    assert Worker(work).end() == 0
    assert (tmp_path / "waited").exists()
    assert states() == {"sent": 6}
    assert set(often(mail).values()) == {1}
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
