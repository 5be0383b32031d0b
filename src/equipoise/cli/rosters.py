"""Rosters named on a command line: files with their mappings, and what `--with` says of each."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from equipoise.errors import InputError, Problem, nearest

if TYPE_CHECKING:
    from equipoise.protocol import Study
    from equipoise.roster import RosterFile

__all__ = ["roster_files"]


def roster_files(
    study: "Study", paths: Sequence[Path], *, mapping: Path | None = None, constants: Sequence[str] = ()
) -> "list[RosterFile]":
    """The files with their mapping, given or stored with the study, and what `--with` says of each."""
    from equipoise.roster import RosterFile, declared_columns, mapping_path, read_mapping

    columns = declared_columns(study)
    said = _constants(paths, constants)
    files = []
    for path in paths:
        if not path.is_file():
            raise InputError(Problem(str(path), "", "there is no such file"))
        stored = mapping or mapping_path(study.folder, path)
        known = read_mapping(stored, columns) if mapping is not None or stored.is_file() else None
        files.append(RosterFile(path, known, said[path]))
    return files


def _constants(paths: Sequence[Path], given: Sequence[str]) -> dict[Path, dict[str, str]]:
    said: dict[Path, dict[str, str]] = {path: {} for path in paths}
    names = [path.name for path in paths]
    for text in given:
        before, equals, value = text.partition("=")
        file, colon, column = before.rpartition(":")
        if not equals or not column or not value:
            message = (
                f'found "{text}", expected COLUMN=VALUE or FILE:COLUMN=VALUE, as in a.csv:authority=north'
            )
            raise InputError(Problem("--with", "", message))
        meant = [path for path in paths if not colon or file in (path.name, str(path))]
        if not meant:
            raise InputError(
                Problem("--with", text, f'"{file}" is none of the files. Files: {nearest(file, names)}')
            )
        for path in meant:
            said[path][column] = value
    return said
