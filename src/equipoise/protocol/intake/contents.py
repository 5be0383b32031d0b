"""Media that participants will be sent: of a kind that every browser shows, and really of that kind."""

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

__all__ = ["content_problem"]

_LOOKED_AT = 4_096


def content_problem(path: PurePosixPath, start: bytes) -> str | None:
    """Why a file cannot be taken and what to do, or None if it can.

    Args:
        path: inside the study; in `media/` only the kinds known here are taken.
        start: the file's first bytes, some thousands of them or all.
    """
    ending = path.suffix.lower()
    if ending in (".svg", ".svgz"):
        return "an SVG drawing can run programs in a browser; save it as PNG"
    known = _KINDS.get(ending)
    if known is not None:
        what, is_one = known
        return None if is_one(start[:_LOOKED_AT]) else f"by its contents this is no {what}; save it as one"
    if path.parts[0].lower() == "media" and not path.name.startswith("."):
        allowed = ", ".join(sorted(_KINDS))
        return f'"{ending or path.name}" is no kind of media that is taken; save it as one of {allowed}'
    return None


def _mp4(start: bytes) -> bool:
    return start[4:8] == b"ftyp"


def _webm(start: bytes) -> bool:
    return start.startswith(b"\x1a\x45\xdf\xa3") and b"webm" in start[:64]


def _text(start: bytes) -> bool:
    """UTF-8 without zero bytes; the last letter may be cut."""
    if b"\0" in start:
        return False
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(start) - 3 and error.reason == "unexpected end of data"
    return True


def _captions(start: bytes) -> bool:
    body = start.removeprefix(b"\xef\xbb\xbf")
    return body.startswith(b"WEBVTT") and body[6:7] in (b"", b" ", b"\t", b"\n", b"\r") and _text(start)


def _begins(signature: bytes) -> Callable[[bytes], bool]:
    return lambda start: start.startswith(signature)


_KINDS: Mapping[str, tuple[str, Callable[[bytes], bool]]] = {
    ".jpeg": ("JPEG picture", _begins(b"\xff\xd8\xff")),
    ".jpg": ("JPEG picture", _begins(b"\xff\xd8\xff")),
    ".md": ("UTF-8 text", _text),
    ".mp4": ("MP4 video", _mp4),
    ".pdf": ("PDF document", _begins(b"%PDF-")),
    ".png": ("PNG picture", _begins(b"\x89PNG\r\n\x1a\n")),
    ".txt": ("UTF-8 text", _text),
    ".vtt": ("WebVTT captions", _captions),
    ".webm": ("WebM video", _webm),
}
