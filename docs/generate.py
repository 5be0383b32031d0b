"""Writes the generated part of the reference: `python docs/generate.py [--out FOLDER]`."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from generation import (
    commands,
    diagnosis,
    errors,
    findings,
    instruments,
    interface,
    permissions,
    python_api,
    study_files,
)

_DOCS = Path(__file__).parent
_PARTS = (
    study_files,
    findings,
    diagnosis,
    commands,
    instruments,
    errors,
    python_api,
    interface,
    permissions,
)


def main() -> int:
    """Write every page that has changed and remove those that the code no longer has."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=_DOCS / "reference")
    folder: Path = parser.parse_args().out
    written = dict(_pages())
    for path, text in written.items():
        _write(folder / path, text)
    for generated in ("files", "python"):
        for page in (folder / generated).glob("*.md"):
            if page.relative_to(folder).as_posix() not in written:
                page.unlink()
    return 0


def _pages() -> Iterator[tuple[str, str]]:
    for part in _PARTS:
        yield from part.pages()


def _write(path: Path, text: str) -> None:
    """Leave an unchanged page alone, so that the documentation rebuilds only what changed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
