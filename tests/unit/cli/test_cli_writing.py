"""Files are written whole or not at all."""

import stat

import pytest

from equipoise.cli.writing import refuse_existing, write_files, write_secret
from equipoise.errors import InputError


def test_all_files_are_written_and_folders_made(tmp_path):
    write_files({tmp_path / "new" / "a.txt": "one", tmp_path / "b.bin": b"\x00"})
    assert (tmp_path / "new" / "a.txt").read_text() == "one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.bin", "new"]


def test_when_one_file_cannot_be_written_none_is_and_nothing_is_left_lying_about(tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "a.txt").write_text("before")
    with pytest.raises(InputError, match="cannot be written"):
        write_files({tmp_path / "a.txt": "after", tmp_path / "taken": "x"})
    assert (tmp_path / "a.txt").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "taken"]


def test_a_place_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_files({tmp_path / "file" / "a.txt": "x"})


def test_existing_files_are_all_named(tmp_path):
    for name in "ab":
        (tmp_path / name).write_text("")
    with pytest.raises(InputError) as refused:
        refuse_existing([tmp_path / "a", tmp_path / "b", tmp_path / "c"], "Choose another.")
    assert len(refused.value.problems) == 2


def test_a_secret_is_for_its_owner_only_and_never_overwrites(tmp_path):
    path = tmp_path / "team.secret"
    write_secret(path, bytes(32))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "00" * 32 + "\n"
    with pytest.raises(InputError, match="--secret"):
        write_secret(path, bytes(32))
