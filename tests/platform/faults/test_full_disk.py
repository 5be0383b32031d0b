"""A disk that is full at any write: a clear word, nothing half-done, and everything goes on when there is room."""

import resource
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from tests.platform.durability.conftest import STATED
from tests.platform.fieldwork.conftest import Browser, items
from tests.platform.fieldwork.test_answering_a_wave import agreed
from tests.platform.operations.test_restore import plain

from equipoise.errors import InputError
from equipoise.platform.audit.queries import verdicts
from equipoise.platform.fieldwork.models import Submission
from equipoise.platform.operations.restoring import restore
from equipoise.platform.people.actions import confirm_import
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.actions import add_study
from equipoise.platform.registry.models import Study
from equipoise.platform.staff.actions import CommandLine

__all__ = ["plain"]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps its files itself"),
]
# How far into what is written: the first byte that finds no room, as a share of it.
SHARES = [number / 20 for number in range(20)] if STATED else [0.0, 0.35, 0.8]


@contextmanager
def room_for(size):
    """No file of this process can grow beyond so many bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def written_to():
    """How large the files are in which a write ends up, once what is in the log was put in place."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    name = Path(connection.settings_dict["NAME"])
    return name.with_name(f"{name.name}-wal").stat().st_size


def whole():
    """Whether the database and the record fit together."""
    with connection.cursor() as cursor:
        sound = cursor.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    return sound and not any(chain.faults for chain in verdicts())


@pytest.mark.parametrize("share", SHARES)
def test_a_page_that_finds_no_room_is_kept_as_typed_and_stored_when_there_is_some(swing, link, share):
    browser = agreed(Browser(), link())
    for page in ("wellbeing", "burnout", "connection", "absence"):
        browser.send(items(swing, "wellbeing", page))
    text = "What I typed. " * 100
    with room_for(written_to() + share * 8_000):
        browser.send(comment=text)

    assert browser.response.status_code == 503
    assert "Your page is not saved yet" in browser.html
    assert text.strip() in unescape(browser.html)
    assert Submission.objects.count() == 4
    assert whole()

    browser.send(comment=text)
    assert browser.heading == "Thank you"
    assert Submission.objects.count() == 5


@pytest.mark.parametrize("share", SHARES)
def test_an_import_that_finds_no_room_takes_nobody_and_works_afterwards(swing, alice, tmp_path, share):
    roster = tmp_path / "roster.csv"
    rows = "".join(f"T{number},p{number}@example.org,,2021,north,2021-01-11\n" for number in range(200))
    roster.write_text(f"staff_ref,email,mobile,cohort,region,started_on\n{rows}", "utf-8")
    with room_for(written_to() + share * 200_000), pytest.raises(OperationalError):
        confirm_import(alice, swing, roster)

    assert not Participant.objects.exists()
    assert whole()
    confirm_import(alice, swing, roster)
    assert Participant.objects.count() == 200


@pytest.mark.parametrize("share", SHARES)
def test_a_study_that_finds_no_room_is_not_there_and_can_be_added_afterwards(members, locked_folder, share):
    folder = locked_folder("swing")
    written_to()
    largest = max(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    before = sorted(path.name for path in settings.WORKSPACE.studies.rglob("*"))
    with room_for(share * largest), pytest.raises((OperationalError, OSError)):
        add_study(CommandLine(), folder)

    assert not Study.objects.exists()
    assert sorted(path.name for path in settings.WORKSPACE.studies.rglob("*")) == before
    assert whole()
    assert add_study(CommandLine(), folder).state == "locked"


@pytest.mark.parametrize("share", SHARES)
def test_a_backup_that_finds_no_room_to_be_restored_leaves_nothing(plain, tmp_path, share):
    archive = plain({"studies/a/1/protocol.yaml": b"x" * 40_000})
    before = sorted(path.name for path in tmp_path.iterdir())
    with room_for(share * 40_000), pytest.raises((InputError, OSError)):
        restore(archive, tmp_path / "copy")

    assert sorted(path.name for path in tmp_path.iterdir()) == before
    restore(archive, tmp_path / "copy")
