"""Delimited text as offices really send it: its encoding, its separator, and where each record begins."""

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from equipoise.errors import Problem, RosterError

__all__ = [
    "SEPARATORS",
    "Encoding",
    "detect_encoding",
    "detect_separator",
    "named_encoding",
    "records",
    "sample_of",
]

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}

_PIECE = 1 << 20
_SAMPLE_CHARACTERS = 200_000
_SAMPLE_RECORDS = 200
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with a byte order mark"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)


@dataclass(frozen=True)
class Encoding:
    """How a file's bytes spell text: Python's `codec`, a `name` for people, and the reason of a guess."""

    codec: str
    name: str
    guess: str = ""


def detect_encoding(path: Path) -> Encoding:
    """Which of UTF-8 (with or without byte order mark), UTF-16 and Windows-1252 a file is in.

    Args:
        path: a text file; it is read to its end, because one name on the last line may be what tells.
    Returns:
        The encoding; `guess` says why where the bytes do not prove it.
    Raises:
        RosterError: the bytes are none of these, with the line where that shows.
    """
    with path.open("rb") as stream:
        start = stream.read(4096)
    for mark, codec, name in _BYTE_ORDER_MARKS:
        if start.startswith(mark):
            _refuse_undecodable(path, codec, name)
            return Encoding(codec, name)
    if b"\0" in start:
        codec = _unmarked_utf16(start, path)
        _refuse_undecodable(path, codec, "UTF-16")
        return Encoding(codec, "UTF-16", "every second byte is zero, and there is no byte order mark")
    line = _first_undecodable_line(path, "utf-8")
    if line is None:
        return Encoding("utf-8", "UTF-8")
    _refuse_undecodable(path, "cp1252", "Windows-1252")
    return Encoding("cp1252", "Windows-1252", f"line {line} is not UTF-8; check an accented name")


def named_encoding(path: Path, name: str) -> Encoding:
    """The encoding that the sender named, once the whole file has been seen to be in it.

    Raises:
        RosterError: there is no such encoding, or a line is not in it.
    """
    try:
        "".encode(name)  # refuses, unlike a look-up, what is no encoding of text
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        allowed = "utf-8, utf-16, cp1252"
        raise RosterError(
            Problem(path.name, "", f"no encoding is called “{name}”. Usual: {allowed}.")
        ) from None
    codec = "utf-8-sig" if codec == "utf-8" else codec
    _refuse_undecodable(path, codec, name)
    return Encoding(codec, name)


def detect_separator(sample: str) -> str:
    """Which of comma, semicolon and tab splits the sample into records of one width, two columns or more.

    Args:
        sample: the beginning of the file's text.
    Returns:
        The separator; a comma where there is but one column.
    """
    best, best_score = ",", (0.0, 0)
    for separator in SEPARATORS:
        score = _evenness(sample, separator)
        if score > best_score:
            best, best_score = separator, score
    return best


def records(path: Path, codec: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Every record of the file with the line on which it begins; a quoted cell may hold line breaks.

    Raises:
        RosterError: a quotation mark is never closed or is followed by text, or a cell is unreasonably long.
    """
    with path.open(encoding=codec, newline="") as stream:
        reader = csv.reader(stream, delimiter=separator, strict=True)
        begins = 1
        try:
            for record in reader:
                yield begins, record
                begins = reader.line_num + 1
        except csv.Error as error:
            raise RosterError(Problem(f"{path.name}:{begins}", "", _quoting_fault(str(error)))) from None


def sample_of(path: Path, codec: str) -> str:
    """The beginning of the file's text, enough to see how it is laid out."""
    with path.open(encoding=codec, newline="") as stream:
        return stream.read(_SAMPLE_CHARACTERS)


def _unmarked_utf16(start: bytes, path: Path) -> str:
    low, high = start[0::2].count(0), start[1::2].count(0)
    half = len(start) // 4
    if high > half and high > 4 * low:
        return "utf-16-le"
    if low > half and low > 4 * high:
        return "utf-16-be"
    raise RosterError(
        Problem(
            path.name,
            "",
            "this is not text. Send a CSV, XLSX or Parquet file, saved by the program that made it.",
        )
    )


def _first_undecodable_line(path: Path, codec: str) -> int | None:
    decoder = codecs.getincrementaldecoder(codec)()
    line = 1
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            try:
                line += decoder.decode(piece).count("\n")
            except UnicodeDecodeError as error:
                return line + error.object[: error.start].count(b"\n")
            except UnicodeError:  # UTF-16 that does not begin with its mark
                return line
    try:
        decoder.decode(b"", final=True)
    except UnicodeError:
        return line
    return None


def _refuse_undecodable(path: Path, codec: str, name: str) -> None:
    line = _first_undecodable_line(path, codec)
    if line is not None:
        raise RosterError(
            Problem(
                f"{path.name}:{line}",
                "",
                f"this line cannot be read as {name}. Save the file again as “CSV UTF-8”.",
            )
        )


def _evenness(sample: str, separator: str) -> tuple[float, int]:
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=separator)
    widths: list[int] = []
    try:
        for record in reader:
            if "".join(record).strip():
                widths.append(len(record))
            if len(widths) > _SAMPLE_RECORDS:
                break
    except csv.Error:
        pass
    if len(sample) == _SAMPLE_CHARACTERS and len(widths) > 1:
        widths.pop()  # the sample may have cut it
    if not widths or widths[0] < 2:
        return (0.0, 0)
    return (sum(width == widths[0] for width in widths) / len(widths), widths[0])


def _quoting_fault(found: str) -> str:
    if "field limit" in found or "unexpected end" in found:
        return (
            "a quotation mark opened in the record that begins here is not closed, or a cell is longer than "
            f"{csv.field_size_limit():,} characters. Close the quotation mark, or double it where it is text."
        )
    return (
        "text follows a closing quotation mark in the record that begins here. "
        'Double a quotation mark that is part of the text ("").'
    )
