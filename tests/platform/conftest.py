"""What the tests of the platform share: a clock, members of staff, and a locked study in the workspace.

The cast: Alice leads the study, Bob leads another, Carol keeps the workspace. All are made up.
"""

import shutil
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import django
import pytest

from equipoise.allocation import commitment
from equipoise.platform.clock import set_clock
from equipoise.protocol import load_study, lock
from equipoise.protocol.registration import lock_text

django.setup()  # so that tests can import models at their top

EXAMPLES = Path(__file__).parents[2] / "examples" / "hhp2"
SECRET = bytes(range(32))
LOCKED_AT = datetime(2021, 1, 4, 9, tzinfo=UTC)
BEFORE_LAUNCH = datetime(2021, 2, 10, 12, tzinfo=UTC)  # the wave `before` of swing is open


@pytest.fixture(autouse=True)
def _folders_read_anew():
    """Tests put other folders in the same place; a workspace never does."""
    from equipoise.platform.delivery.engine.rules import _rules
    from equipoise.platform.fieldwork.prepared import _prepared
    from equipoise.platform.registry import queries

    for kept in (queries._loaded, queries._times, _prepared, _rules):
        kept.cache_clear()


@pytest.fixture(autouse=True)
def _nobody_has_tried_before():
    """What is counted for each address is kept in memory, and all tests have one address."""
    from equipoise.platform.fieldwork.throttle import refused_tokens, wanted_links

    refused_tokens.forget()
    wanted_links.forget()


@pytest.fixture
def locked_folder(tmp_path, locked_before):
    """A function that copies an example study and locks it with the secret of these tests."""

    def make(name="swing", change=None):
        folder = tmp_path / "folders" / name
        if change is None:
            return shutil.copytree(locked_before(name), folder)
        _unlocked(name, folder)
        change(folder)
        return _locked(folder)

    return make


@pytest.fixture(scope="session")
def locked_before(tmp_path_factory):
    """A function that gives an example study as it is locked, once for all tests that change nothing of it."""
    place = tmp_path_factory.mktemp("locked")

    @cache
    def make(name):
        return _locked(_unlocked(name, place / name))

    return make


def _unlocked(name, folder):
    return shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns("amendments", "lock.json"))


def _locked(folder):
    study = load_study(folder)
    drawn = bool(study.protocol.allocation or study.protocol.tasks)
    registration = lock(
        study,
        time="2021-01-04T09:00:00Z",
        seed_commitment=commitment(SECRET) if drawn else None,
        version="test",
        clock="rehearsal",
    )
    (folder / "lock.json").write_text(lock_text(registration), "utf-8")
    return folder


@pytest.fixture
def arriving(settings, tmp_path):
    """Where uploads are stored on their way."""
    found = tmp_path / "arriving"
    found.mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = str(found)
    return found


@pytest.fixture
def at(db):
    """Sets the rehearsal's clock."""
    set_clock(BEFORE_LAUNCH)
    return set_clock


@pytest.fixture
def members(at):
    """Alice, Bob and Carol, without roles but Carol's."""
    from equipoise.platform.staff.actions import CommandLine, add_member, grant

    found = {
        name: add_member(CommandLine(), f"{name.lower()}@example.org", f"{name} (synthetic)")
        for name in ("Alice", "Bob", "Carol")
    }
    grant(CommandLine(), found["Carol"], "administrator")
    return found


@pytest.fixture
def add_example(locked_folder, members):
    """A function that locks an example, adds it to the workspace, and makes Alice its lead."""
    from equipoise.platform.registry.actions import add_study
    from equipoise.platform.staff.actions import CommandLine, Place, grant

    def add(name="swing", change=None):
        study = add_study(CommandLine(), locked_folder(name, change))
        grant(CommandLine(), members["Alice"], "lead", Place(study))
        return study

    return add


@pytest.fixture
def alice(members):
    """The lead of the study."""
    return members["Alice"]


@pytest.fixture
def swing(add_example, alice):
    """The example `swing`, live, its first wave open."""
    from equipoise.platform.registry.actions import move_study

    return move_study(alice, add_example("swing"), "live")
