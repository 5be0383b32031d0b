"""A study's folder that leads elsewhere, or to something that is no file: refused by its place, and never opened."""

import os
import socket
from pathlib import Path

import pytest

from equipoise.errors import InputError
from equipoise.platform.registry.actions import add_study
from equipoise.platform.registry.models import Study
from equipoise.platform.staff.actions import CommandLine

pytestmark = pytest.mark.django_db
PLACES = (
    "narrative/background.md",
    "media/plan.txt",
    "surveys/more.yaml",
    "data/mappings/x.yaml",
    "explore.yaml",
)


def _pipe(place, _):
    os.mkfifo(place)


def _socket(place, _):
    """Bound by a short name of its own folder: the name of a socket may have a hundred letters."""
    here = Path.cwd()
    os.chdir(place.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(place.name)
    finally:
        os.chdir(here)


def _link_out(place, outside):
    place.symlink_to(outside)


def _link_nowhere(place, outside):
    place.symlink_to(outside.with_name("gone"))


def _link_to_itself(place, _):
    place.symlink_to(place.name)


def _link_to_a_folder(place, outside):
    place.symlink_to(outside.parent)


@pytest.mark.parametrize(
    "make",
    [_pipe, _socket, _link_out, _link_nowhere, _link_to_itself, _link_to_a_folder],
    ids=lambda each: each.__name__,
)
def test_what_is_no_file_of_the_folder_is_refused_wherever_it_lies(locked_folder, members, tmp_path, make):
    folder, outside = locked_folder(), tmp_path / "outside" / "secret.txt"
    outside.parent.mkdir()
    outside.write_text("a word that nobody should read", "utf-8")
    for name in PLACES:
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        kept = place.read_bytes() if place.is_file() else None
        place.unlink(missing_ok=True)
        make(place, outside)
        with pytest.raises(InputError, match="is a link or a device") as refused:
            add_study(CommandLine(), folder)
        assert name in str(refused.value)
        assert "nobody should read" not in str(refused.value)
        place.unlink()
        if kept is not None:
            place.write_bytes(kept)
    assert not Study.objects.exists()
    assert add_study(CommandLine(), folder).name == "swing"
