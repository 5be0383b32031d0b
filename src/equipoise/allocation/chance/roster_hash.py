"""The roster's hash: what fixes who was drawn, in which strata, before the public randomness was known.

Canonical form, version 1: CSV in UTF-8 without a byte-order mark; every text in normal form C; a header row,
then a row for each unit, sorted by the bytes of its pseudonym; fields in the order pseudonym, strata as
declared; quotes as RFC 4180 has them and only where needed; every row, the last too, ended by one line feed.
The hash is SHA-256 of this. It holds no contact details, so the draw can be verified without them.
"""

import hashlib
from collections.abc import Mapping, Sequence

from equipoise.allocation.text import csv_row, distinct, normalised
from equipoise.errors import DesignError, Problem

__all__ = ["canonical_roster", "roster_hash"]


def canonical_roster(
    units: Sequence[str], strata: Mapping[str, Sequence[str]], *, unit: str = "participant"
) -> bytes:
    """The roster in its canonical form.

    Args:
        units: pseudonyms of the units of allocation (people, or clusters).
        strata: for each stratifying column, in declared order, the units' values.
        unit: the unit's name, which heads the first column.
    Raises:
        DesignError: lengths differ, a pseudonym occurs twice, or a text holds a control character.
    """
    names = normalised(units, unit)
    distinct(names, unit)
    columns = [_column(name, values, len(names)) for name, values in strata.items()]
    rows = sorted(zip(names, *columns, strict=True), key=lambda row: row[0].encode())
    return "".join(csv_row(row) + "\n" for row in [normalised([unit, *strata], "heading"), *rows]).encode()


def roster_hash(
    units: Sequence[str], strata: Mapping[str, Sequence[str]], *, unit: str = "participant"
) -> str:
    """SHA-256 of the canonical roster, in hexadecimal."""
    return hashlib.sha256(canonical_roster(units, strata, unit=unit)).hexdigest()


def _column(name: str, values: Sequence[str], units: int) -> Sequence[str]:
    if len(values) != units:
        raise DesignError(
            Problem("", f"strata.{name}", f"{len(values)} values for {units} units; each needs one.")
        )
    return normalised(values, name, empty=True)
