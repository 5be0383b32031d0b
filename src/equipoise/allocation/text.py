"""Names as bytes: the normal form in which identifiers and strata enter a hash or a key."""

import re
import unicodedata
from collections.abc import Sequence

from equipoise.errors import DesignError, Problem

__all__ = ["csv_row", "distinct", "normalised", "strata_labels"]

# A zero byte tells the parts of a message apart, and no line of a canonical file may break: so no control
# characters.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_MOST_TOLD = 20


def normalised(names: Sequence[str], what: str, *, empty: bool = False) -> Sequence[str]:
    """The names in Unicode's normal form C.

    Raises:
        DesignError: a name is no text, is empty (unless allowed), or holds a control character.
    """
    try:
        joined = "".join(names)
    except TypeError:
        raise DesignError(_no_text(names, what)) from None
    if _CONTROL.search(joined) or not (empty or all(names)):
        raise DesignError(_unusable(names, what, empty))
    return names if joined.isascii() else [unicodedata.normalize("NFC", name) for name in names]


def distinct(names: Sequence[str], what: str) -> None:
    """Refuse names that occur twice (after normalisation), telling where."""
    if len(set(names)) == len(names):
        return
    first: dict[str, int] = {}
    problems = [
        Problem(
            f"row {row}", what, f'"{name}" is already in row {first[name]}; each {what} may stand there once.'
        )
        for row, name in enumerate(names, start=1)
        if first.setdefault(name, row) != row
    ]
    raise DesignError(problems[:_MOST_TOLD])


def csv_row(fields: Sequence[str]) -> str:
    """One row by RFC 4180, without its line end; quotes only around a comma, a quote or a line break."""
    return ",".join(
        '"' + field.replace('"', '""') + '"' if any(mark in field for mark in ',"\r\n') else field
        for field in fields
    )


def strata_labels(columns: Sequence[Sequence[str]]) -> list[str]:
    """Each unit's stratum as one text: its values joined as a CSV row, so that no two strata read alike."""
    if len({len(column) for column in columns}) > 1:
        raise DesignError("the columns of strata have different lengths; each needs one value a unit.")
    cleaned = [normalised(column, "stratum", empty=True) for column in columns]
    return [csv_row(values) for values in zip(*cleaned, strict=True)]


def _no_text(names: Sequence[object], what: str) -> list[Problem]:
    return [
        Problem(f"row {row}", what, f"found {name!r} where text was expected; write it as text.")
        for row, name in enumerate(names, start=1)
        if not isinstance(name, str)
    ][:_MOST_TOLD]


def _unusable(names: Sequence[str], what: str, empty: bool) -> list[Problem]:
    told = "is empty; every row needs one." if not empty else ""
    return [
        Problem(
            f"row {row}",
            what,
            f"{name!r} holds a control character; take it out." if _CONTROL.search(name) else told,
        )
        for row, name in enumerate(names, start=1)
        if _CONTROL.search(name) or not (name or empty)
    ][:_MOST_TOLD]
