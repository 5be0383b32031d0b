"""Where the names of a file's columns stand, when a title or a second row of headings is above them."""

from collections.abc import Mapping as Lookup
from pathlib import Path

from equipoise.errors import RosterError
from equipoise.protocol.models.participants import RosterColumn
from equipoise.roster.matching import Mapping, propose_mapping
from equipoise.roster.reading import RawTable, read_table

__all__ = ["header_line"]

_LOOKED_AT = 8  # lines; no report has more titles


def header_line(
    path: Path,
    columns: Lookup[str, RosterColumn],
    *,
    mapping: Mapping | None = None,
    encoding: str | None = None,
) -> int | None:
    """The first line whose cells name every declared column that has to be there.

    Args:
        path: of the file.
        columns: the declared columns.
        mapping: which names are sought; without it, those that would be matched with certainty.
        encoding: of a text file, in place of what would be detected.
    Returns:
        Its number; None where no line does, so that the file is read from its first line with text, and
        what is missing is told of that.
    """
    line: int | None = None
    for _ in range(_LOOKED_AT):
        try:
            table = read_table(path, encoding=encoding, header=line)
        except RosterError:
            line = (line or 1) + 1
            continue
        if _names_all(table, columns, mapping):
            return table.source.header_line
        if table.source.kind == "parquet":
            return None
        line = table.source.header_line + 1
    return None


def _names_all(table: RawTable, columns: Lookup[str, RosterColumn], mapping: Mapping | None) -> bool:
    if mapping is not None:
        return set(mapping.columns.values()) <= set(table.source.columns)
    try:
        propose_mapping(table, columns).certain(columns)
    except RosterError:
        return False
    return True
