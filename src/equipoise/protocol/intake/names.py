"""Names of files that are safe on every system that a study may travel to."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["clash_problems", "is_litter", "name_problem", "shown"]

_LONGEST_PART = 200  # bytes; systems allow 255, and temporary names are longer than their file's
_LONGEST_PATH = 500
_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])", re.IGNORECASE)
# What systems add to a zip file by themselves; it is looked at like everything else, and then left out.
_LITTER = ("__MACOSX",)
_LITTER_FILES = (".DS_Store", "Thumbs.db", "desktop.ini")
_RENAME = "rename it and pack the folder again"


def name_problem(name: str) -> str | None:
    """Why an entry's name cannot be taken and what to do, or None if it can.

    Args:
        name: the path inside the archive; that of a folder ends in a slash.
    """
    if any(unicodedata.category(letter) in _INVISIBLE for letter in name):
        return f"its name holds an invisible character; {_RENAME}"
    if "\\" in name:
        return f"its name holds a backslash; {_RENAME}, with a program that writes folders with /"
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return "it names a place on a disk, not inside the study; pack the study's folder, not its full path"
    parts = name.removesuffix("/").split("/")
    if ".." in parts:
        return 'its path leads out of the study by ".."; pack the study\'s folder itself'
    if len(name.encode()) > _LONGEST_PATH or any(len(part.encode()) > _LONGEST_PART for part in parts):
        return (
            f"its name is longer than {_LONGEST_PART} letters, or its path than {_LONGEST_PATH}; shorten it"
        )
    return next((problem for part in parts if (problem := _part_problem(part)) is not None), None)


def clash_problems(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Names that are one on some system: alike but for capitals, or for how an accent is written.

    Returns:
        Each name that clashes with an earlier one, and what to do.
    """
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for name in names:
        path = name.removesuffix("/")
        for folder in _above(path) if path == name else (*_above(path), path):
            first = folders.setdefault(_alike(folder), folder)
            if first != folder:
                yield name, _clash(first)
        if path == name:
            if _alike(path) in files:
                yield name, _clash(files[_alike(path)])
            files.setdefault(_alike(path), path)
    for alike in files.keys() & folders.keys():
        yield files[alike], _clash(folders[alike])


def is_litter(name: str) -> bool:
    """Whether a system has put this entry there by itself."""
    parts = name.removesuffix("/").split("/")
    return any(part in _LITTER for part in parts) or parts[-1] in _LITTER_FILES


def shown(name: str) -> str:
    """A name as it can be printed: invisible characters by their number, and not without end."""
    letters = (
        letter.encode("unicode_escape").decode() if unicodedata.category(letter) in _INVISIBLE else letter
        for letter in name[:120]
    )
    return "".join(letters) + ("…" if len(name) > 120 else "")


def _part_problem(part: str) -> str | None:
    if part in ("", "."):
        return "its path has an empty part; pack the folder again with an ordinary zip program"
    if found := re.search(r'[<>:"|?*]', part):
        return f"its name holds {found.group()}, which not every system allows; {_RENAME}"
    if part.endswith((".", " ")) or part.startswith(" "):
        return f"a name in its path begins or ends with a space, or ends with a full stop; {_RENAME}"
    if _DEVICES.fullmatch(part.partition(".")[0].rstrip()):
        return f'"{part}" is the name of a device on Windows; {_RENAME}'
    return None


def _alike(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _above(path: str) -> Iterable[str]:
    """The folders of a path, from the outermost."""
    parts = path.split("/")[:-1]
    return ("/".join(parts[: length + 1]) for length in range(len(parts)))


def _clash(other: str) -> str:
    return f'its name and "{shown(other)}" are one and the same on some systems; rename one of them'
