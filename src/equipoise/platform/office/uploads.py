"""An uploaded table before anything reads it: its size, and that it is what it says it is."""

import re
import zipfile
from pathlib import Path

import polars as pl
from django.http import HttpRequest

from equipoise.errors import InputError, Problem

__all__ = ["LARGEST", "check_roster", "received_table"]

LARGEST = 25_000_000  # bytes as sent
_LARGEST_UNPACKED = 250_000_000
_MOST_MEMBERS = 2_000
_MOST_CELLS = 20_000_000
_PIECE = 1 << 20
_SAMPLE = 65_536
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BINARY = re.compile(rb"[\x01-\x08\x0b\x0e-\x1f\x7f]")
_REMEDY = "Save the table as CSV, XLSX or Parquet and choose that file"


def received_table(request: HttpRequest) -> tuple[str, Path]:
    """The table that a form sent in its field `file`: its name, and where it lies for the moment.

    The form ends with a field `end`, which is missing where the upload was cut off.

    Raises:
        InputError: there is none, it was cut off, it is too large, or what `check_roster` says.
    """
    sent = request.FILES.get("file")
    if sent is None:
        raise _refused("choose a file")
    if request.POST.get("end") != "yes":
        raise _refused("the file was cut off on its way; choose it again")
    if sent.size > LARGEST:
        raise _refused(f"the file is larger than {LARGEST // 1_000_000} MB. Send it in parts, one a partner")
    place = Path(sent.temporary_file_path())
    check_roster(place)
    return sent.name, place


def check_roster(path: Path) -> None:
    """Refuse what is no table, and what would fill the memory once it is read; by content, not by name.

    Raises:
        InputError: says what it is instead, and what to do.
    """
    with path.open("rb") as file:
        start = file.read(_SAMPLE)
    if not start:
        raise _refused("the file is empty. Choose the file again")
    if path.stat().st_size > LARGEST:
        raise _refused(f"the file is larger than {LARGEST // 1_000_000} MB. Send it in parts, one a partner")
    if start.startswith(b"PK"):
        _check_workbook(path)
    elif start.startswith(b"PAR1"):
        _check_parquet(path)
    elif not start.startswith(b"\xd0\xcf\x11\xe0") and not _is_text(start):
        # An old workbook is told by the engine itself, with its own remedy.
        raise _refused(f"this is no table of people. {_REMEDY}")


def _is_text(start: bytes) -> bool:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in start:
        low, high = start[0::2].count(0), start[1::2].count(0)
        if max(low, high) < len(start) // 4 or min(low, high) > max(low, high) // 4:
            return start.startswith((b"\xff\xfe", b"\xfe\xff"))
        start = start.replace(b"\0", b"")
    return not _BINARY.search(start)


def _check_workbook(path: Path) -> None:
    """Unpack every part once and count, because what a zip file says of its sizes may be a lie."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            names = {member.filename for member in members}
            if len(members) > _MOST_MEMBERS:
                raise _refused(f"the workbook has {len(members):,} parts. {_REMEDY}")
            if any(name.endswith("vbaProject.bin") for name in names):
                raise _refused("the workbook holds macros. Save it as XLSX, without them")
            left = _LARGEST_UNPACKED
            for member in members:
                left -= _unpacked(archive, member, left)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError):
        raise _refused("the workbook is cut short, damaged or protected. Save it again") from None


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> int:
    if member.compress_type not in _PACKED or member.flag_bits & 1:
        raise _refused("the workbook is packed in an unusual way, or protected. Save it again")
    member.file_size = most + 2 * _PIECE  # read on to the true end, whatever is declared
    size = 0
    with archive.open(member) as part:
        while piece := part.read(_PIECE):
            size += len(piece)
            if size > most:
                unpacked = _LARGEST_UNPACKED // 1_000_000
                raise _refused(f"the workbook unpacks to more than {unpacked} MB. Send the table as CSV")
    return size


def _check_parquet(path: Path) -> None:
    try:
        columns = len(pl.read_parquet_schema(path))
        rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, OSError):
        raise _refused("the Parquet file is cut short or damaged. Write it again") from None
    if rows * columns > _MOST_CELLS:
        raise _refused(f"the file has {rows:,} rows and {columns:,} columns. Leave out what is not needed")


def _refused(message: str) -> InputError:
    return InputError(Problem("", "file", message))
