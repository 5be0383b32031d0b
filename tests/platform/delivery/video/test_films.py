"""The length of a film, as its file says it; a file that says none, or is broken, has none and breaks nothing."""

import struct
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.platform.delivery.video.films import seconds_of
from equipoise.platform.delivery.video.watches import merged

FILM = Path(__file__).parents[4] / "examples/hhp2/symbolic-awards/media/northmoor.mp4"


def box(name, content):
    return struct.pack(">I4s", len(content) + 8, name) + content


def movie(version, scale, duration):
    head = bytes([version, 0, 0, 0])
    if version == 0:
        return box(b"moov", box(b"mvhd", head + bytes(8) + struct.pack(">II", scale, duration)))
    return box(b"moov", box(b"mvhd", head + bytes(16) + struct.pack(">IQ", scale, duration)))


def test_a_real_film_says_its_length():
    assert seconds_of(FILM) == 77.0


@pytest.mark.parametrize(
    ("content", "length"),
    [
        (box(b"ftyp", b"isom") + movie(0, 1000, 61_500), 61.5),
        (box(b"mdat", bytes(5000)) + movie(1, 90_000, 90_000 * 5), 5.0),
        (struct.pack(">I4sQ", 1, b"mdat", 24) + bytes(8) + movie(0, 10, 25), 2.5),
        (movie(0, 0, 5), None),
        (movie(0, 1000, 0), None),
        (movie(7, 1000, 5), None),
        (box(b"moov", b"mvhd"), None),
        (struct.pack(">I4s", 4, b"ftyp") + movie(0, 10, 25), None),
        (b"a text", None),
        (b"", None),
    ],
)
def test_a_made_file_has_the_length_that_its_head_says_or_none(tmp_path, content, length):
    place = tmp_path / "film.mp4"
    place.write_bytes(content)
    assert seconds_of(place) == length


def test_a_film_cut_off_anywhere_is_a_film_of_its_length_or_of_none(tmp_path):
    content = FILM.read_bytes()
    for cut in range(0, 4000, 37):
        place = tmp_path / f"{cut}.mp4"
        place.write_bytes(content[:cut])
        assert seconds_of(place) in (None, 77.0)
    assert seconds_of(tmp_path / "none.mp4") is None


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9))))
def test_stretches_cover_the_same_seconds_once_in_order_and_apart(stretches):
    ranges = [(start, start + length) for start, length in stretches]
    found = merged(ranges)
    assert sum(end - start for start, end in found) == len({s for a, b in ranges for s in range(a, b)})
    assert all(one[1] < other[0] for one, other in pairwise(found))
    assert merged([*found, *ranges]) == found
