"""Contact details: sealed, found again by what people type, and wrapped anew when a key is rotated."""

import base64

import pytest

from equipoise.errors import CheckFailedError
from equipoise.platform.people.actions import keys as rotation
from equipoise.platform.people.actions import rotate_keys, under_older_keys, withdraw
from equipoise.platform.people.contacts import contact_of, find_by_contact
from equipoise.platform.people.facts import facts_of
from equipoise.platform.people.models import ContactDetails
from equipoise.platform.people.pending import keep, source_of, the_pending
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.staff.actions import CommandLine

pytestmark = pytest.mark.django_db


@pytest.fixture
def newer_key(settings):
    """A second key of the workspace, gone again after the test."""
    workspace = settings.WORKSPACE
    name = workspace.add_contact_key()
    yield name
    (workspace.folder / "keys" / f"{name}.key").unlink()


@pytest.mark.parametrize(
    "typed",
    ["person.3@trainees.example.org", "  Person.3@TRAINEES.example.org ", "07700 900003", "+44 7700 900003"],
)
def test_people_are_found_by_what_they_type_however_it_is_written(swing, people, typed):
    assert find_by_contact(swing, typed) == [people[3]]


@pytest.mark.parametrize(
    "typed", ["", "nobody@example.org", "07700 900999", "T20-0003", "north", "x" * 10_000]
)
def test_nothing_else_finds_anybody(swing, people, typed):
    assert find_by_contact(swing, typed) == []


def test_two_people_at_one_desk_are_both_found(swing, alice, roster, line):
    from equipoise.platform.people.actions import confirm_import

    confirm_import(alice, swing, roster(line(1), line(2, mobile="07700 900001")))
    assert len(find_by_contact(swing, "07700 900001")) == 2


@pytest.mark.parametrize("choice", ["everything", "erase"])
def test_who_has_left_is_not_found(swing, people, choice):
    withdraw(people[3], choice, channel="web", actor="participant:x")
    assert find_by_contact(swing, "person.3@trainees.example.org") == []


@pytest.mark.parametrize("field", ["data_key", "sealed"])
def test_a_changed_byte_anywhere_is_noticed(people, field):
    row = ContactDetails.objects.get(participant=people[0])
    name, colon, text = getattr(row, field).rpartition(":")
    raw = bytearray(base64.b64decode(text))
    for place in range(0, len(raw), 7):
        raw[place] ^= 1
        setattr(row, field, name + colon + base64.b64encode(raw).decode())
        row.save()
        with pytest.raises(CheckFailedError, match="was changed"):
            contact_of(people[0])
        raw[place] ^= 1


def test_a_rotation_wraps_everybodys_data_key_and_the_older_key_can_go(
    people, newer_key, settings, monkeypatch
):
    sealed = list(ContactDetails.objects.order_by("pk").values_list("sealed", flat=True))
    assert under_older_keys() == 10
    assert rotate_keys(CommandLine()) == 10
    assert rotate_keys(CommandLine()) == under_older_keys() == 0
    assert list(ContactDetails.objects.order_by("pk").values_list("sealed", flat=True)) == sealed
    newest = settings.WORKSPACE.key(newer_key)
    monkeypatch.setattr(type(settings.WORKSPACE), "contact_keys", lambda self: {newer_key: newest})
    assert contact_of(people[3])["staff_ref"] == "T20-0003"


@pytest.fixture
def kept(swing, alice, roster, line):
    """A file that waits to be confirmed."""
    path = roster(line(1))
    return keep(alice, swing, path.name, path, "import")


def test_a_rotation_wraps_the_key_of_a_file_that_is_not_confirmed_yet(swing, alice, kept, newer_key):
    assert rotate_keys(CommandLine()) == 1
    again = the_pending(alice, swing, kept.pk)
    assert again.data_key.startswith(f"{newer_key}:")
    with source_of(again) as source:
        assert b"person.1@trainees.example.org" in source.path.read_bytes()
    assert not source.path.exists()


class Killed(BaseException):
    """Like a process that is stopped."""


def test_a_rotation_that_is_cut_off_leaves_everything_readable_and_is_simply_run_again(
    people, newer_key, monkeypatch
):
    wraps, wrap = [], rotation.wrap

    def wrap_or_die(*given):
        wraps.append(1)
        if len(wraps) == 8:
            raise Killed
        return wrap(*given)

    with monkeypatch.context() as patched:
        patched.setattr(rotation, "_AT_ONCE", 3)
        patched.setattr(rotation, "wrap", wrap_or_die)
        with pytest.raises(Killed):
            rotate_keys(CommandLine())
    assert under_older_keys() == 4
    assert all(contact_of(person) for person in people)
    assert rotate_keys(CommandLine()) == 4


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (
            {"contacts-2": bytes(32)},
            "the key contacts-1 is missing, so contact details cannot be read; put it back",
        ),
        ({"contacts-1": bytes(32)}, "does not open"),
    ],
)
def test_without_the_key_nothing_is_sent_to_anybody_and_the_rest_stays_readable(
    people, settings, monkeypatch, keys, told
):
    monkeypatch.setattr(type(settings.WORKSPACE), "contact_keys", lambda self: keys)
    with pytest.raises(CheckFailedError, match=told):
        contact_of(people[0])
    with pytest.raises(CheckFailedError, match=told):
        rotate_keys(CommandLine()) if "contacts-2" in keys else contact_of(people[1])
    assert facts_of(people[0])["region"] == "north"


def test_only_who_keeps_the_workspace_rotates_keys(people, alice, members, newer_key):
    with pytest.raises(NotAllowedError):
        rotate_keys(alice)
    assert rotate_keys(members["Carol"]) == 10
