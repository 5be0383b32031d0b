"""A database that is locked, a disk that is full, many who write at once: nobody is told that a page is saved
before it is."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError, connection, connections
from tests.platform.fieldwork.conftest import Browser, items
from tests.platform.fieldwork.test_answering_a_wave import agreed

from equipoise.platform.audit.models import RehearsalClock
from equipoise.platform.database import writing
from equipoise.platform.fieldwork.models import Session, Submission

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="what is tested is how SQLite is used"),
]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def impatient(monkeypatch):
    """Whoever waits gives up after a moment."""
    monkeypatch.setattr("equipoise.platform.database.PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr("equipoise.platform.database._SHORT_SECONDS", 0)


@pytest.fixture
def somebody_else():
    """Another program that holds the database, as a backup or a shell does."""
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        yield other
        if other.in_transaction:
            other.execute("ROLLBACK")


def test_a_page_sent_while_the_database_is_locked_is_kept_as_typed_and_can_be_sent_again(
    swing, link, impatient, somebody_else
):
    browser = agreed(Browser(), link())
    for page in ("wellbeing", "burnout", "connection", "absence"):
        browser.send(items(swing, "wellbeing", page))
    somebody_else.execute("BEGIN IMMEDIATE")
    browser.send(comment="What I typed, at length")

    assert browser.response.status_code == 503
    assert "Your page is not saved yet" in browser.html
    assert "What I typed, at length" in browser.html
    assert Submission.objects.count() == 4

    somebody_else.execute("ROLLBACK")
    browser.send(comment="What I typed, at length")

    assert browser.heading == "Thank you"
    assert Submission.objects.get(page="close").answers == {"comment": "What I typed, at length"}


def test_whoever_starts_while_the_database_is_locked_is_told_to_try_again(
    swing, link, impatient, somebody_else
):
    browser = Browser().open(link())
    somebody_else.execute("BEGIN IMMEDIATE")
    browser.send()

    assert browser.response.status_code == 503
    assert browser.response.headers["Retry-After"] == "30"
    assert "Try again in a few minutes" in browser.text
    assert not Session.objects.exists()


def test_pages_can_be_read_while_the_database_is_locked(swing, link, impatient, somebody_else):
    browser = agreed(Browser(), link())
    somebody_else.execute("BEGIN IMMEDIATE")

    assert browser.open(browser.path).response.status_code == 200


def test_a_queue_behind_a_locked_database_gives_up_together_and_not_one_after_the_other(
    at, impatient, somebody_else
):
    somebody_else.execute("BEGIN IMMEDIATE")
    failed, threads = [], [threading.Thread(target=lambda: failed.append(attempt())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(4)  # one after the other it would be 2.4 s at the least, and with SQLite's own wait 80 s

    assert failed == [True] * 8


def attempt():
    """Whether writing was given up."""
    try:
        with writing():
            RehearsalClock.objects.filter(pk=1).delete()
    except OperationalError:
        return True
    finally:
        connections.close_all()
    return False


def test_every_connection_of_every_thread_is_durable_and_checks_its_references(at):
    found, threads = [], [threading.Thread(target=lambda: found.append(pragmas())) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [*found, pragmas()] == [{"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1}] * 6


def pragmas():
    """What this thread's connection says of itself."""
    try:
        with connection.cursor() as cursor:
            names = ("synchronous", "journal_mode", "foreign_keys")
            return {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in names}
    finally:
        if threading.current_thread() is not threading.main_thread():
            connections.close_all()


def test_a_transaction_that_reads_before_it_writes_is_not_refused(at):
    """Under a plain BEGIN the later of two such transactions fails at once, however long it would wait."""
    failed, threads = (
        [],
        [threading.Thread(target=lambda: failed.append(read_then_write())) for _ in range(6)],
    )
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == [False] * 6
    assert RehearsalClock.objects.get(pk=1).moment.year == 2021 + 6 * 10


def read_then_write():
    """Whether one of ten increments failed."""
    try:
        for _ in range(10):
            with writing():
                clock = RehearsalClock.objects.get(pk=1)
                clock.moment = clock.moment.replace(year=clock.moment.year + 1, day=1)
                clock.save()
    except OperationalError:
        return True
    finally:
        connections.close_all()
    return False


WRITER = """
import sys, time, django
from pathlib import Path
from django.conf import settings
django.setup()
settings.DATABASES["default"]["NAME"] = sys.argv[1]
from django.db import connection, connections
connections["default"].settings_dict["NAME"] = sys.argv[1]
from equipoise.platform.audit.models import Chain
from equipoise.platform.database import writing
print("ready", flush=True)
sys.stdin.readline()
number, longest, until = 0, 0.0, time.monotonic() + 2
while time.monotonic() < until:
    begun = time.monotonic()
    with writing():
        longest = max(longest, time.monotonic() - begun)
        Chain.objects.create(name=f"{sys.argv[2]}-{number}", head="0" * 64)
    number += 1
print(number, longest)
"""


def test_of_four_processes_that_write_without_a_pause_none_fails_and_none_starves(at):
    """With SQLite's own wait some write once in two seconds while another writes thousands of times."""
    name = connection.settings_dict["NAME"]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, name, f"writer-{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    said = [writer.communicate(timeout=60)[0].split() for writer in writers]
    written = [int(number) for number, _ in said]

    assert [writer.returncode for writer in writers] == [0] * 4
    assert min(written) > max(written) / 10
    note_figure("longest wait of a writer", max(float(longest) for _, longest in said))


def note_figure(name, value):
    """Tell a soak run how it was; how long it took decides nothing here."""
    place = os.environ.get("EQUIPOISE_FIGURES")
    if place:
        with Path(place).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"figure": name, "value": value}) + "\n")


FILLER = """
import resource, signal, sys, django
from django.conf import settings
django.setup()
from django.db import OperationalError, connections
connections["default"].settings_dict["NAME"] = sys.argv[1]
from equipoise.platform.audit.models import Chain
from equipoise.platform.database import writing
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
number = 0
try:
    while number < 5_000:
        with writing():
            for part in "ab":
                Chain.objects.create(name=f"{number}-{part}", head="0" * 64)
        number += 1
except OperationalError as error:
    print(number)
"""


def test_a_full_disk_stores_whole_transactions_or_none_and_goes_on_when_there_is_room(at):
    name = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = Path(name).stat().st_size
    done = subprocess.run(
        [sys.executable, "-c", FILLER, name, str(size + 60_000)], capture_output=True, text=True, check=True
    )
    from equipoise.platform.audit.models import Chain

    acknowledged = int(done.stdout)
    names = set(Chain.objects.values_list("name", flat=True))
    assert 0 < acknowledged < 5_000
    assert {f"{number}-{part}" for number in range(acknowledged) for part in "ab"} == names
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    with writing():
        Chain.objects.create(name="room again", head="0" * 64)


def test_the_queue_lies_in_the_workspace_that_it_is_for():
    assert (Path(settings.WORKSPACE.folder) / ".writers").is_file()
