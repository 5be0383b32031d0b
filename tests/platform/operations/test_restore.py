"""What is refused before anything is restored: a backup that is damaged, later, or means harm."""

import hashlib
import io
import json
import tarfile

import pytest

from equipoise.errors import InputError
from equipoise.platform.operations.archive import Manifest, pack, packed
from equipoise.platform.operations.restoring import restore


@pytest.fixture
def plain(monkeypatch, tmp_path):
    """A function that makes a backup by hand: what it holds, and what it says, can be chosen."""
    monkeypatch.delenv("DATABASE_URL", raising=False)

    def make(files=None, said=None, lie=None):
        inside = tmp_path / "inside"
        inside.mkdir()
        content = {"workspace.yaml": b"equipoise: 1\n", "database.sqlite3": b"rows", **(files or {})}
        places = {}
        for number, (name, value) in enumerate(content.items()):
            places[name] = inside / str(number)
            places[name].write_bytes(value)
        manifest = Manifest(
            format=1,
            equipoise="0.1.0",
            made_at="2027-03-01T09:00:00Z",
            mode="rehearsal",
            database="sqlite",
            database_version="3",
            migrations=("people.0001_initial",),
            heads={},
            keys=("signing",),
            files={name: packed(path) for name, path in places.items()},
        )
        archive = tmp_path / "made.backup"
        with archive.open("wb") as stream:
            pack(stream, manifest, places)
        if said is not None:
            rewrite(archive, lambda members: saying(members, said))
        if lie is not None:
            rewrite(archive, lie)
        return archive

    return make


def saying(members, said):
    """The same with another manifest."""
    (first, text), *rest = members
    yield first, json.dumps({**json.loads(text), **said}).encode()
    yield from rest


def refused(archive, tmp_path, keys=None):
    """What a restoration is refused with; nothing is left behind."""
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(InputError) as told:
        restore(archive, tmp_path / "copy", keys)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    return str(told.value)


def rewrite(archive, change):
    """Write an archive anew with other members and a right digest, as somebody would who means harm."""
    with tarfile.open(archive) as old:
        members = [(member, old.extractfile(member).read()) for member in old.getmembers()]
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w|") as new:
        for member, content in change(members):
            member.size = len(content) if member.isreg() else 0
            new.addfile(member, io.BytesIO(content))
    content = written.getvalue()
    archive.write_bytes(content + hashlib.sha256(content).hexdigest().encode() + b"\n")


def test_a_small_one_is_restored_with_modes_that_keep_others_out(plain, tmp_path):
    restored = restore(plain(), tmp_path / "copy")
    modes = {
        path.relative_to(tmp_path / "copy").as_posix(): path.stat().st_mode & 0o777
        for path in (tmp_path / "copy").rglob("*")
        if path.name != "SENDING-IS-HELD.txt"
    }
    assert restored.new_signing_key
    assert modes == {
        "workspace.yaml": 0o600, "database.sqlite3": 0o600, "keys": 0o700, "keys/signing.key": 0o600,
        "studies": 0o700, "static": 0o700,
    }  # fmt: skip
    assert "equipoise release" in (tmp_path / "copy" / "SENDING-IS-HELD.txt").read_text("utf-8")


def test_a_byte_that_flipped_anywhere_is_noticed_and_nothing_is_unpacked(plain, tmp_path):
    archive = plain()
    content = archive.read_bytes()
    for place in [*range(0, len(content), 997), len(content) - 66, len(content) - 65, len(content) - 1]:
        archive.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        told = refused(archive, tmp_path)
        assert "is damaged" in told or "is no backup" in told


@pytest.mark.parametrize("share", [0, 10, 50, 99])
def test_a_backup_that_was_cut_short_is_refused(plain, tmp_path, share):
    archive = plain()
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) * share // 100])
    assert "made.backup" in refused(archive, tmp_path)


def test_something_else_than_a_backup_is_refused(tmp_path):
    archive = tmp_path / "notes.txt"
    archive.write_text("Not a backup\n" * 1000)
    assert "is no backup of a workspace" in refused(archive, tmp_path)
    assert "there is no such file" in refused(tmp_path / "none", tmp_path)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("../escaped", "leads out"),
        ("studies/../../escaped", "leads out"),
        ("/etc/escaped", "names a place on a disk"),
        ("C:/escaped", "names a place on a disk"),
        ("studies\\escaped", "backslash"),
        ("studies/con", "made.backup"),
        ("keys/signing.key", "is no part of a workspace that is backed up"),
        ("SENDING", "is no part of a workspace that is backed up"),
        ("studies/", "is no part"),
        ("studies/a\nb", "invisible character"),
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(plain, tmp_path, name, told):
    assert told in refused(plain({name: b"x"}), tmp_path)
    assert not (tmp_path.parent / "escaped").exists()


def test_names_that_are_one_on_some_systems_are_refused(plain, tmp_path):
    assert "made.backup" in refused(plain({"studies/a/A.md": b"x", "studies/a/a.md": b"y"}), tmp_path)


def linked(members):
    manifest, *rest = members
    for member, content in rest:
        if member.name == "database.sqlite3":
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        yield member, content
    yield manifest


def with_link(members):
    for member, content in members:
        if member.name == "database.sqlite3":
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        yield member, content


def with_other_content(members):
    for member, content in members:
        yield member, b"ROWS" if member.name == "database.sqlite3" else content


def with_one_more(members):
    yield from members
    yield tarfile.TarInfo("studies/extra"), b"x"


def with_one_twice(members):
    yield from members
    yield members[-1]


def with_one_less(members):
    yield from members[:-1]


@pytest.mark.parametrize("lie", [with_link, with_other_content, with_one_more, with_one_twice, with_one_less])
def test_what_is_not_as_the_manifest_says_is_refused_even_with_a_right_digest(plain, tmp_path, lie):
    assert "is not what the manifest says" in refused(plain(lie=lie), tmp_path)


def test_an_archive_without_its_manifest_in_front_is_refused(plain, tmp_path):
    assert "is no backup" in refused(plain(lie=linked), tmp_path)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"format": 2}, "was made by a later version of Equipoise"),
        (
            {"migrations": ["people.0099_of_tomorrow"], "equipoise": "9.9"},
            "was made by Equipoise 9.9, which is",
        ),
        ({"mode": "other"}, "is no backup"),
        ({"database": "postgresql"}, "name a new, empty database in DATABASE_URL"),
    ],
)
def test_a_backup_of_a_later_version_or_another_kind_is_refused(plain, tmp_path, said, told):
    assert told in refused(plain(said=said), tmp_path)


def test_a_database_in_a_file_is_not_restored_beside_a_postgresql(plain, tmp_path, monkeypatch):
    archive = plain()
    monkeypatch.setenv("DATABASE_URL", "postgresql://localhost/trials")
    assert "unset it for the restore" in refused(archive, tmp_path)


def test_a_backup_is_restored_into_a_new_folder_only(plain, tmp_path):
    archive = plain()
    restore(archive, tmp_path / "copy")
    assert "never over a workspace" in refused(archive, tmp_path)
    (tmp_path / "empty").mkdir()
    assert restore(archive, tmp_path / "empty").folder == tmp_path / "empty"
    with pytest.raises(InputError, match="there is no such folder"):
        restore(archive, tmp_path / "no" / "where")


def test_keys_that_are_none_or_not_there_are_refused_without_being_shown(plain, tmp_path):
    keys = tmp_path / "keys"
    keys.mkdir()
    archive = plain()
    assert "there are no keys here" in refused(archive, tmp_path, keys)
    (keys / "signing.key").write_text("a canary and no key")
    told = refused(archive, tmp_path, keys)
    assert "this is not a key" in told
    assert "canary" not in told
