"""Power loss: what was acknowledged to a participant is there, wherever the power failed.

Pages are sent through the platform once, and the statements of each are noted. They are then repeated on a disk
that remembers the order of writes and syncs, with the platform's own settings of the database, and the disk is
rebuilt as it was at random places. With the settings that are common elsewhere the same test loses pages: so it
can fail.
"""

import random
import re
import shutil
import sqlite3
from contextlib import closing, contextmanager

import pytest
from django.db import connection
from tests.platform.durability.disk import Disk
from tests.platform.fieldwork.conftest import Browser, enrolled, items
from tests.platform.fieldwork.test_answering_a_wave import agreed

from equipoise.platform.fieldwork.links import make_links
from equipoise.platform.fieldwork.models import Session
from equipoise.platform.settings.databases import SQLITE_PRAGMAS
from equipoise.platform.staff.actions import CommandLine

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has power-loss tests of its own"),
]
ROWS = "SELECT session_id, key, page, answers, shown FROM fieldwork_submission ORDER BY id"
PAGES = ("wellbeing", "burnout", "connection", "absence", "close")
PEOPLE = 16
CUTS = 200
_NOTED = []  # once for all tests of this module
_NO_CHANGE = re.compile(r"\s*(SELECT|BEGIN)", re.IGNORECASE)


@pytest.fixture
def sent(request, tmp_path_factory, tmp_path):
    """The database before anybody answered, and the statements by which each page was stored."""
    if not _NOTED:
        place = tmp_path_factory.mktemp("noted") / "database.sqlite3"
        _NOTED.append((place, answered(request.getfixturevalue("swing"), place)))
    (kept, acts), before = _NOTED[0], tmp_path / "before"
    before.mkdir()
    shutil.copy(kept, before)
    return before, acts


def answered(swing, before):
    """Copy the database, let everybody answer, and tell what was written."""
    links = make_links(CommandLine(), swing, "before", enrolled(swing, PEOPLE))
    connection.ensure_connection()
    with closing(sqlite3.connect(before)) as copy:
        connection.connection.backup(copy)
    acts = []
    for link in links:
        browser = Browser(csrf=False)
        with noted(acts):
            agreed(browser, link.link)
            for page in PAGES:
                browser.send(items(swing, "wellbeing", page))
    assert Session.objects.filter(state="complete").count() == PEOPLE
    return acts


@contextmanager
def noted(acts):
    """Note every statement that writes, transaction by transaction."""
    original = connection.commit

    def note(execute, sql, params, many, context):
        if not _NO_CHANGE.match(sql):
            assert not many
            current.append((sql.replace("%s", "?"), params))
        return execute(sql, params, many, context)

    current = []

    def committed():
        original()
        if current:
            acts.append(tuple(current))
            current.clear()

    connection.commit = committed
    try:
        with connection.execute_wrapper(note):
            yield
    finally:
        del connection.commit
        assert not current


def repeated(database, disk, acts):
    """Do it again on this disk; after how many of its acts each transaction was acknowledged."""
    database.execute(
        "PRAGMA wal_autocheckpoint=100"
    )  # more of them than in use, as they are the delicate part
    acknowledged = []
    for statements in acts:
        database.execute("BEGIN IMMEDIATE")
        for sql, params in statements:
            database.execute(sql, params or ())
        database.execute("COMMIT")
        acknowledged.append(len(disk.acts))
    return acknowledged


def lost(files, folder, expected):
    """How many of the submissions that were acknowledged are not there whole; all where nothing can be read."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    try:
        with closing(sqlite3.connect(folder / "database.sqlite3")) as held:
            there = {row[:2]: row for row in held.execute(ROWS)}
            sound = held.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    except sqlite3.DatabaseError:
        return len(expected)
    return sum(there.get(row[:2]) != row for row in expected) + (not sound)


def losses(sent, tmp_path, pragmas, *, kept):
    """For each cut, how many acknowledged submissions were lost."""
    before, acts = sent
    disk = Disk(before)
    with closing(disk.connect("database.sqlite3", pragmas)) as database:
        acknowledged = repeated(database, disk, acts)
        rows = list(database.execute(ROWS))
    storing = [
        place for place, done in enumerate(acts) if any("fieldwork_submission" in sql for sql, _ in done)
    ]
    assert len(rows) == len(storing) == PEOPLE * len(PAGES)
    assert any(act.file == "database.sqlite3" and act.kind == "write" for act in disk.acts)  # checkpoints
    chance = random.Random(20210301)
    places = sorted(chance.randrange(acknowledged[0], acknowledged[-1] + 1) for _ in range(CUTS))
    found = []
    for cut, files in disk.hold(places, chance, kept):
        expected = [row for row, place in zip(rows, storing, strict=True) if acknowledged[place] <= cut]
        found.append(lost(files, tmp_path / "after", expected))
    return found


def test_no_acknowledged_page_is_lost_wherever_the_power_fails(sent, tmp_path):
    assert losses(sent, tmp_path, SQLITE_PRAGMAS, kept=0.5) == [0] * CUTS


def test_nor_when_the_disk_keeps_nothing_that_was_not_synced(sent, tmp_path):
    assert losses(sent, tmp_path, SQLITE_PRAGMAS, kept=0.0) == [0] * CUTS


@pytest.mark.parametrize("level", ["NORMAL", "OFF"])
def test_with_a_lesser_setting_the_same_test_loses_pages(sent, tmp_path, level):
    pragmas = SQLITE_PRAGMAS.replace("synchronous=FULL", f"synchronous={level}")

    found = losses(sent, tmp_path, pragmas, kept=0.5)

    assert sum(number > 0 for number in found) > CUTS / 2


def test_a_disk_that_keeps_everything_loses_nothing_even_then(sent, tmp_path):
    pragmas = SQLITE_PRAGMAS.replace("synchronous=FULL", "synchronous=OFF")

    assert losses(sent, tmp_path, pragmas, kept=1.0) == [0] * CUTS
