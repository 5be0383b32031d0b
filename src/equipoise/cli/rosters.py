"""Rosters on the command line: files with their mappings and constants in, typed people out."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from equipoise.errors import DesignError, InputError, Problem, nearest

if TYPE_CHECKING:
    import polars as pl

    from equipoise.protocol import Study
    from equipoise.protocol.models.participants import RosterColumn
    from equipoise.roster import Eligibility, RosterFile

__all__ = [
    "as_imported",
    "declared_columns",
    "eligible_people",
    "identifier_of",
    "roster_bytes",
    "roster_files",
]

_ISO = r"^\s*(?:[0-9]{4}-[0-9]{2}-[0-9]{2})?\s*$"


def declared_columns(study: "Study") -> "dict[str, RosterColumn]":
    """The columns that the study's roster must have.

    Raises:
        DesignError: the study has no participants.
    """
    participants = study.protocol.participants
    if participants is None or not participants.roster:
        place = f"{study.folder.name}/protocol.yaml"
        raise DesignError(
            Problem(place, "participants", "this study declares no roster; add `participants: roster:`")
        )
    return participants.roster


def identifier_of(study: "Study") -> str:
    """The column that tells people apart.

    Raises:
        DesignError: no column has the role of the identifier.
    """
    for name, column in declared_columns(study).items():
        if column.role == "identifier":
            return name
    place = f"{study.folder.name}/protocol.yaml"
    raise DesignError(
        Problem(place, "participants.roster", "no column has `role: identifier`; one must tell people apart")
    )


def roster_files(
    study: "Study", paths: Sequence[Path], *, mapping: Path | None = None, constants: Sequence[str] = ()
) -> "list[RosterFile]":
    """The files with their mapping, given or stored with the study, and what `--with` says of each."""
    from equipoise.roster import RosterFile, mapping_path, read_mapping

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


def eligible_people(study: "Study", people: "pl.DataFrame") -> "Eligibility":
    """Who may take part, by `participants.eligible`; everybody where it says nothing."""
    from equipoise.protocol.expressions import compile_expression
    from equipoise.protocol.facts import roster_schema
    from equipoise.roster import select_eligible

    text = study.protocol.participants.eligible if study.protocol.participants else None
    if text is None:
        return select_eligible(people, None)
    expression = compile_expression(text, roster_schema(study.protocol), expects="bool")
    return select_eligible(people, expression.evaluate_frame)


def as_imported(path: Path, columns: "dict[str, RosterColumn]") -> "dict[str, RosterColumn]":
    """The columns as this file writes them: what `import roster` wrote has its dates in ISO form.

    Args:
        path: a roster, as it came or as `import roster` wrote it.
        columns: as declared; a date may have a format of its own there.
    """
    from equipoise.roster import read_table

    dated = [name for name, column in columns.items() if column.type == "date" and column.format is not None]
    if not dated:
        return columns
    cells = read_table(path).cells
    if not set(dated) <= set(cells.columns):
        return columns
    if not all(cells[name].drop_nulls().str.contains(_ISO).all() for name in dated):
        return columns
    iso = {name: columns[name].model_copy(update={"format": None}) for name in dated}
    return {**columns, **iso}


def roster_bytes(people: "pl.DataFrame", path: Path) -> bytes:
    """People as a CSV or Parquet file, as its name says; dates are ISO.

    Raises:
        InputError: another kind of file.
    """
    buffer = io.BytesIO()
    if path.suffix.lower() == ".parquet":
        people.write_parquet(buffer)
    elif path.suffix.lower() == ".csv":
        people.write_csv(buffer)
    else:
        raise InputError(Problem(str(path), "", "write a roster to a name that ends in .csv or .parquet"))
    return buffer.getvalue()


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
