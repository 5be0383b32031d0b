"""Zip files of studies: the good ones are unpacked whole, the bad ones leave nothing behind."""

import io
import stat
import struct
import unicodedata
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import InputError
from equipoise.protocol.intake import Limits, unpack_study

PROTOCOL = "protocol.yaml"
PNG = b"\x89PNG\r\n\x1a\n" + b"picture"


def packed(files, *, method=zipfile.ZIP_DEFLATED):
    """A zip file of `{name or ZipInfo: content}`, as bytes."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return written.getvalue()


def study(files=(), **more):
    return packed({PROTOCOL: "equipoise: 1\n", **dict(files), **more})


def unix(name, kind):
    """An entry that says which kind of thing it is on Unix."""
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = (kind | 0o644) << 16
    return entry


def refused(content, tmp_path, limits=None):
    """What is said, after a look that nothing was left behind."""
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError) as caught:
        unpack_study(io.BytesIO(content), tmp_path / "study", name="upload.zip", limits=limits)
    assert sorted(tmp_path.iterdir()) == before
    assert all(problem.place in ("upload.zip", "", "study") for problem in caught.value.problems)
    return str(caught.value)


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("top", ["", "breaks/"])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_study_is_unpacked_with_or_without_a_folder_around_it(tmp_path, top, method):
    files = {PROTOCOL: b"equipoise: 1\n", "surveys/one.yaml": b"x" * 100_000, "media/logo.png": PNG}
    content = packed({f"{top}{name}": held for name, held in files.items()}, method=method)
    assert unpack_study(io.BytesIO(content), tmp_path / "study") == tuple(sorted(files))
    assert tree(tmp_path / "study") == files
    assert [path.name for path in tmp_path.iterdir()] == ["study"]


def test_a_zip_file_on_the_disk_is_read_too_and_its_folders_may_be_entries(tmp_path):
    files = {"breaks/": "", "breaks/surveys/": "", f"breaks/{PROTOCOL}": "a", "breaks/surveys/x.yaml": "b"}
    (tmp_path / "in.zip").write_bytes(packed(files))
    assert unpack_study(tmp_path / "in.zip", tmp_path / "study") == (PROTOCOL, "surveys/x.yaml")
    with pytest.raises(InputError, match=r"none\.zip: there is no such file"):
        unpack_study(tmp_path / "none.zip", tmp_path / "other")


def test_what_systems_add_by_themselves_is_left_out(tmp_path):
    content = study({"__MACOSX/._protocol.yaml": b"\0", ".DS_Store": b"\0", "surveys/Thumbs.db": b"\0"})
    assert unpack_study(io.BytesIO(content), tmp_path / "study") == (PROTOCOL,)


def test_an_archive_inside_is_a_file_and_is_not_opened(tmp_path):
    inner = packed({"../../evil": "x"})
    unpack_study(io.BytesIO(study({"data/more.zip": inner})), tmp_path / "study")
    assert tree(tmp_path / "study")["data/more.zip"] == inner


def test_a_place_that_is_taken_is_left_as_it_is(tmp_path):
    (tmp_path / "study").mkdir()
    assert "already a folder" in refused(study(), tmp_path)


@pytest.mark.parametrize("files", [{}, {"a/b.yaml": ""}, {"a/protocol.yaml": "", "b/x.md": "x"}])
def test_a_study_without_its_protocol_is_none(tmp_path, files):
    assert "there is no protocol.yaml" in refused(packed(files), tmp_path)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../outside.md", "leads out of the study"),
        ("surveys/../../outside.md", "leads out of the study"),
        ("/etc/cron.d/x", "names a place on a disk"),
        ("C:/windows/x", "names a place on a disk"),
        ("C:x", "names a place on a disk"),
        ("surveys\\one.yaml", "backslash"),
        ("..\\outside.md", "backslash"),
        ("narrative/line\nbreak.md", "invisible character"),
        ("narrative/turned\u202egnp.md", "invisible character"),
        ("narrative/deleted\x7f.md", "invisible character"),
        ("narrative//x.md", "empty part"),
        ("./x.md", "empty part"),
        ("data/stream:hidden.csv", "holds :"),
        ("data/what?.csv", "holds ?"),
        ("data/aux.csv", "device on Windows"),
        ("NUL", "device on Windows"),
        ("com1.tar.gz", "device on Windows"),
        ("data/space /x", "ends with a space"),
        ("data/stop.", "full stop"),
        ("n" * 201, "longer than"),
        ("/".join(["folder"] * 100), "longer than"),
    ],
)
def test_a_name_that_is_not_safe_everywhere_is_refused_and_shown(tmp_path, name, said):
    told = refused(study({name: "x"}), tmp_path)
    assert said in told
    assert "\n" not in told
    assert "\u202e" not in told


def test_a_name_is_not_cut_at_a_zero_byte(tmp_path):
    content = study({"safe.md?evil": "x"}).replace(b"safe.md?evil", b"safe.md\0evil")
    assert r"safe.md\x00evil: its name holds an invisible character" in refused(content, tmp_path)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("surveys/One.yaml", "surveys/one.yaml"),
        ("Surveys/a.yaml", "surveys/b.yaml"),
        ("narrative/caf\u00e9.md", unicodedata.normalize("NFD", "narrative/caf\u00e9.md")),
        ("narrative/stra\u00dfe.md", "narrative/STRASSE.md"),
        ("media", "media/logo.png"),
        ("media/", "MEDIA/logo.png"),
    ],
)
def test_names_that_are_one_on_some_systems_are_refused(tmp_path, one, other):
    content = study({one: PNG, other: PNG} if not one.endswith("/") else {one: "", other: PNG})
    assert "one and the same on some systems" in refused(content, tmp_path)


def test_the_same_name_twice_is_refused(tmp_path):
    content = study({"a.md": "one", "b.md": "two"}).replace(b"b.md", b"a.md")
    assert 'a.md: its name and "a.md" are one and the same' in refused(content, tmp_path)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_are_refused(tmp_path, kind):
    content = study({unix("data/people.csv", kind): "/etc/passwd"})
    assert "data/people.csv: is a link or a device" in refused(content, tmp_path)


def test_an_entry_with_a_password_is_refused(tmp_path):
    content = bytearray(study())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    assert "protocol.yaml: is protected by a password" in refused(bytes(content), tmp_path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_uncommon_ways_of_packing_are_refused(tmp_path, method):
    assert "uncommon way" in refused(packed({PROTOCOL: "equipoise: 1\n"}, method=method), tmp_path)


def made_by_hand(entries, *, claimed=None):
    """A zip file byte by byte; `claimed` is the number of entries that its end says."""
    body, listed = [], []
    offset = 0
    for name, content, size, checksum in entries:
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        held = deflate.compress(content) + deflate.flush()
        size = len(content) if size is None else size
        checksum = zlib.crc32(content) if checksum is None else checksum
        common = struct.pack(
            "<HHHHHLLLHH", 20, 0x800, 8, 0, 0x21, checksum, len(held), size, len(name.encode()), 0
        )
        local = b"PK\3\4" + common + name.encode() + held
        listed.append(b"PK\1\2\x14\0" + common + struct.pack("<HHHLL", 0, 0, 0, 0, offset) + name.encode())
        body.append(local)
        offset += len(local)
    directory = b"".join(listed)
    count = min(len(entries), 0xFFFF) if claimed is None else claimed
    end = b"PK\5\6" + struct.pack("<4H2LH", 0, 0, count, count, len(directory), offset, 0)
    return b"".join(body) + directory + end


def honest(name, content=b"x"):
    return (name, content, None, None)


@pytest.mark.parametrize("claimed", [None, 1])
def test_a_hundred_thousand_entries_are_refused_even_if_the_file_says_it_has_one(tmp_path, claimed):
    entries = [honest(PROTOCOL), *(honest(f"data/{number}.csv", b"") for number in range(100_000))]
    content = made_by_hand(entries, claimed=claimed)
    assert "more than 2,000 files" in refused(content, tmp_path)


def test_one_file_more_than_the_limit_is_one_too_many(tmp_path):
    files = {f"data/{number}.csv": "" for number in range(9)}
    assert len(unpack_study(io.BytesIO(study(files)), tmp_path / "ten", limits=Limits(files=10))) == 10
    assert "more than 9 files" in refused(study(files), tmp_path, Limits(files=9))


def test_more_bytes_than_the_limit_are_refused_before_anything_is_unpacked(tmp_path):
    files = {f"data/{number}.csv": bytes(range(256)) * 40 for number in range(5)}
    assert "would take 51,213 bytes unpacked" in refused(study(files), tmp_path, Limits(size=50_000))


def test_an_entry_that_grows_without_end_is_refused(tmp_path):
    told = refused(study({"data/zeros.csv": bytes(3_000_000)}), tmp_path)
    assert "data/zeros.csv: would grow to more than 200 times its size" in told


def test_entries_that_share_their_bytes_are_refused(tmp_path):
    """The way of a small file that unpacks to a huge one: many entries, one kernel."""
    content = bytearray(made_by_hand([honest(PROTOCOL), honest("data/a.csv"), honest("data/b.csv")]))
    first, second = (content.rindex(b"PK\1\2", 0, content.rindex(name)) for name in (b"data/a", b"data/b"))
    content[second + 42 : second + 46] = content[first + 42 : first + 46]
    assert "shares its bytes with" in refused(bytes(content), tmp_path)


@pytest.mark.parametrize(
    "entry",
    [
        ("data/a.csv", b"y" * 5_000, 10, None),  # longer than it says
        ("data/a.csv", b"y" * 5_000, 10, zlib.crc32(b"y" * 10)),  # and its beginning has the right checksum
        ("data/a.csv", b"y" * 10, 5_000, None),  # shorter
        ("data/a.csv", b"y" * 10, None, 0),  # another checksum
    ],
)
def test_an_entry_whose_size_or_checksum_lies_is_refused(tmp_path, entry):
    told = refused(made_by_hand([honest(PROTOCOL), entry]), tmp_path)
    assert "data/a.csv: holds something other than" in told


def test_the_form_for_very_large_archives_is_refused(tmp_path):
    content = study()
    at = content.rindex(b"PK\5\6")
    locator = b"PK\6\7" + struct.pack("<LQL", 0, at, 1)
    assert "more than 4 GB" in refused(content[:at] + locator + content[at:], tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip file at all", b"PK\5\6" + bytes(18) + b"x"])
def test_what_is_no_zip_file_is_told_so(tmp_path, content):
    assert "no zip file" in refused(content, tmp_path) or "no protocol.yaml" in refused(content, tmp_path)


GOOD = {
    "media/a.mp4": b"\0\0\0\x18ftypisom",
    "media/a.webm": b"\x1aE\xdf\xa3\x93B\x82\x88webm",
    "media/a.vtt": b"\xef\xbb\xbfWEBVTT\n\n00:01.000 --> 00:02.000\nHello\n",
    "media/a.png": PNG,
    "media/a.jpg": b"\xff\xd8\xff\xe0 picture",
    "media/A.JPEG": b"\xff\xd8\xff\xe1 picture",
    "media/a.pdf": b"%PDF-1.7",
    "media/a.txt": "Transcript: caf\u00e9".encode(),
    "media/welsh.md": "T\u0177".encode(),
}


def test_media_of_every_kind_are_taken_when_they_are_what_their_name_says(tmp_path):
    names = unpack_study(io.BytesIO(study(GOOD)), tmp_path / "study")
    assert set(GOOD) <= set(names)


def test_a_letter_that_is_cut_where_looking_ends_is_no_fault(tmp_path):
    text = ("x" * 4_095 + "\u00e9" * 10).encode()
    unpack_study(io.BytesIO(study({"media/a.txt": text})), tmp_path / "study")
    assert tree(tmp_path / "study")["media/a.txt"] == text


@pytest.mark.parametrize("name", sorted(GOOD))
def test_media_that_are_something_else_by_their_contents_are_refused(tmp_path, name):
    html = b"\xff<html><script>alert(1)</script>\0"
    assert f"{name}: by its contents this is no" in refused(study({name: html}), tmp_path)


@pytest.mark.parametrize("name", ["media/logo.svg", "narrative/figure.svg", "media/LOGO.SVG"])
def test_svg_is_refused_with_what_to_do(tmp_path, name):
    assert "save it as PNG" in refused(study({name: "<svg xmlns='http://www.w3.org/2000/svg'/>"}), tmp_path)


@pytest.mark.parametrize("name", ["media/page.html", "media/run.exe", "media/noending", "Media/x.js"])
def test_other_kinds_are_no_media(tmp_path, name):
    assert "no kind of media that is taken" in refused(study({name: "x"}), tmp_path)


def test_every_entry_that_is_refused_is_told_and_no_more_than_twenty(tmp_path):
    told = refused(study({f"data/a{number}?.csv": "" for number in range(25)}), tmp_path)
    assert len(told.splitlines()) == 21
    assert told.endswith("and 5 more")


ORDINARY = made_by_hand([honest("s/protocol.yaml", b"equipoise: 1\n"), honest("s/media/a.txt", b"abc" * 50)])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(ORDINARY) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_file_with_any_bytes_changed_is_unpacked_inside_its_folder_or_refused(tmp_path_factory, changes):
    content = bytearray(ORDINARY)
    for place, value in changes:
        content[place] = value
    outer = tmp_path_factory.mktemp("any")
    try:
        names = unpack_study(io.BytesIO(bytes(content)), outer / "study")
    except InputError:
        assert list(outer.iterdir()) == []
    else:
        assert [path.name for path in outer.iterdir()] == ["study"]
        assert set(names) == set(tree(outer / "study"))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.integers(0, len(ORDINARY)))
def test_a_file_that_is_cut_or_padded_is_unpacked_or_refused(tmp_path_factory, more, length):
    outer = tmp_path_factory.mktemp("cut")
    for content in (ORDINARY[:length] + more, more + ORDINARY):
        try:
            unpack_study(io.BytesIO(content), outer / Path("study"))
        except InputError:
            assert [path.name for path in outer.iterdir()] in ([], ["study"])
