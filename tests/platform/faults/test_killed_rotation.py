"""The process that renews the keys is killed half-way: everything stays readable, and the next run finishes it."""

import random
import signal

import pytest
from django.conf import settings
from django.db import connection
from tests.platform.durability.conftest import STATED
from tests.platform.operations.copies import python

from equipoise.platform.people.actions import confirm_import, rotate_keys, under_older_keys
from equipoise.platform.people.contacts import contact_of
from equipoise.platform.people.models import Participant
from equipoise.platform.staff.actions import CommandLine

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 30
POINTS = random.Random(24).sample(range(1, PEOPLE), 20 if STATED else 3)
DYING = """
import os, signal, sys, django
django.setup()
from django.db import connections
connections["default"].settings_dict["NAME"] = sys.argv[1]
from equipoise.platform.people.actions import keys
from equipoise.platform.staff.actions import CommandLine
keys._AT_ONCE, whole, wrapped = 4, keys.wrap, []
def wrap(*given):
    wrapped.append(1)
    if len(wrapped) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(*given)
keys.wrap = wrap
keys.rotate_keys(CommandLine())
"""


@pytest.fixture
def newer_key():
    """A function that makes a second key of the workspace, which is gone again after the test."""
    made = []
    yield lambda: made.append(settings.WORKSPACE.add_contact_key())
    for name in made:
        (settings.WORKSPACE.folder / "keys" / f"{name}.key").unlink()


@pytest.mark.parametrize("point", POINTS)
def test_whoever_is_killed_while_keys_are_renewed_leaves_everybody_readable(
    swing, alice, tmp_path, newer_key, point
):
    roster = tmp_path / "roster.csv"
    rows = "".join(f"T{number},p{number}@example.org,,2021,north,2021-01-11\n" for number in range(PEOPLE))
    roster.write_text(f"staff_ref,email,mobile,cohort,region,started_on\n{rows}", "utf-8")
    confirm_import(alice, swing, roster)
    newer_key()
    done = python(DYING, connection.settings_dict["NAME"], point)
    assert done.returncode == -signal.SIGKILL, done.stderr

    left = under_older_keys()
    assert left == PEOPLE - (point - 1) // 4 * 4
    assert all(contact_of(person)["email"].endswith("@example.org") for person in Participant.objects.all())
    assert rotate_keys(CommandLine()) == left
    assert under_older_keys() == 0
