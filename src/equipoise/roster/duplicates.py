"""People who may be on a roster twice. Nothing here merges anybody: it lists, and a person decides.

The same identifier is a fault of the file. The same contact may be two people at one desk. Two alike entries
may be one person who moved. Comparing everybody with everybody is out of the question at a million rows, so
entries are compared only within blocks that share a key (Christen 2012, Data Matching, ch. 4).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from equipoise.protocol.models.participants import RosterColumn

__all__ = ["Duplicate", "repeated_identifiers", "same_contact", "similar_people"]

Bools = npt.NDArray[np.bool_]

# A block with more people than this says nothing (every Smith in the land); it is left out.
LARGEST_BLOCK = 50
_PAIRS_AT_ONCE = 200_000
ALIKE_NAME = 88.0
ALIKE_ADDRESS = 85.0
SHORTEST_LOCAL_PART = 6
_ROLES_NOT_PEOPLE = "^(?:info|office|admin|enquiries|team|duty|reception|contact|hello|support)[a-z]*$"


@dataclass(frozen=True)
class Duplicate:
    """Rows (from 0, in the order read) that may be one person, and why it looks so; never the value."""

    kind: Literal["identifier", "contact", "alike"]
    column: str
    rows: tuple[int, ...]
    reason: str


def repeated_identifiers(frame: pl.DataFrame, column: str) -> tuple[Duplicate, ...]:
    """Every identifier that stands on more than one row."""
    return _repeated(frame.get_column(column), "identifier", "the same identifier")


def same_contact(frame: pl.DataFrame, columns: dict[str, RosterColumn]) -> tuple[Duplicate, ...]:
    """Every e-mail address (whatever its capitals) or phone number that stands on more than one row."""
    found: list[Duplicate] = []
    for name, column in columns.items():
        if column.role == "contact":
            values = frame.get_column(name).cast(pl.String)
            if column.type == "email":
                values = values.str.to_lowercase()
            found += _repeated(values, "contact", f"the same {name}")
    return tuple(found)


def similar_people(frame: pl.DataFrame, columns: dict[str, RosterColumn]) -> tuple[Duplicate, ...]:
    """Pairs that are likely one person although their contacts differ.

    Args:
        frame: a typed roster.
        columns: its declaration. Names are text columns with `name` in theirs.
    Returns:
        Pairs that agree in two of name, address and phone: a name at least 88 per cent alike, an address
        whose part before the @ is at least 85 per cent alike with the same digits (colleagues are numbered),
        a phone number one slip of the finger away. One and the same part before the @, six letters or more,
        under two domains counts alone, unless the names say otherwise. Pairs that share a contact are left
        to `same_contact`.
    """
    traits = _traits(frame, columns)
    pairs = _pairs_in_blocks(traits)
    # a slice at a time: the pairs of a million people are many times a million
    return tuple(each for some in pairs.iter_slices(_PAIRS_AT_ONCE) for each in _likely(traits, some))


def _likely(traits: pl.DataFrame, pairs: pl.DataFrame) -> tuple[Duplicate, ...]:
    first, second = traits[pairs["first"].to_numpy()], traits[pairs["second"].to_numpy()]
    name = _alike(first["name"], second["name"], ALIKE_NAME)
    local, digits = (
        _alike(first["letters"], second["letters"], ALIKE_ADDRESS),
        _equal(first["digits"], second["digits"]),
    )
    address = local & digits
    phone = _one_slip(first["phone"], second["phone"])
    same_local = (
        _equal(first["local"], second["local"])
        & (first["local"].str.len_chars() >= SHORTEST_LOCAL_PART).fill_null(False).to_numpy()
    )
    named_apart = _both(first["name"], second["name"]) & ~name
    shared = _equal(first["email"], second["email"]) | _equal(first["phone"], second["phone"])
    likely = ((name.astype(int) + address + phone >= 2) | (same_local & ~named_apart)) & ~shared
    return tuple(
        Duplicate(
            "alike",
            "",
            (int(pairs["first"][at]), int(pairs["second"][at])),
            _reason(name[at], address[at], phone[at]),
        )
        for at in np.flatnonzero(likely).tolist()
    )


def _reason(name: bool, address: bool, phone: bool) -> str:
    agreeing = [
        what
        for what, agrees in (("names", name), ("e-mail addresses", address), ("phone numbers", phone))
        if agrees
    ]
    return f"alike in {' and '.join(agreeing)}"


def _repeated(
    values: pl.Series, kind: Literal["identifier", "contact"], reason: str
) -> tuple[Duplicate, ...]:
    rows = pl.DataFrame({"value": values}).with_row_index("row").drop_nulls()
    rows = rows.filter(pl.col("value").is_duplicated())
    groups = rows.group_by("value", maintain_order=True).agg("row")
    return tuple(Duplicate(kind, values.name, tuple(group), reason) for group in groups["row"].to_list())


def _traits(frame: pl.DataFrame, columns: dict[str, RosterColumn]) -> pl.DataFrame:
    names = [name for name, column in columns.items() if column.type == "text" and "name" in name.split("_")]
    names = names or [
        name for name, column in columns.items() if column.type == "text" and name.endswith("name")
    ]
    email = next((name for name, column in columns.items() if column.type == "email"), None)
    phone = next((name for name, column in columns.items() if column.type == "phone"), None)
    nothing = pl.lit(None, pl.String)
    spoken = pl.concat_str(names, separator=" ", ignore_nulls=True) if names else nothing
    address = (pl.col(email) if email else nothing).str.to_lowercase()
    local = address.str.extract(r"^([^@+]+)").str.replace_all(r"[._-]", "")
    personal = pl.when(~local.str.contains(_ROLES_NOT_PEOPLE)).then(local)
    traits = frame.select(
        spoken.pipe(_folded).alias("name"), address.alias("email"), personal.alias("local"),
        (pl.col(phone) if phone else nothing).alias("phone"),
    )  # fmt: skip
    return traits.with_columns(
        pl.col("local").str.replace_all(r"[0-9]", "").replace("", None).alias("letters"),
        pl.col("local").str.replace_all(r"[^0-9]", "").alias("digits"),
    )


def _folded(name: pl.Expr) -> pl.Expr:
    """Without accents, capitals and marks, words in alphabetical order: `O'Brien, Zoë` meets `zoe obrien`."""
    bare = (
        name.str.normalize("NFKD")
        .str.replace_all(r"\p{M}", "")
        .str.to_lowercase()
        .str.replace_all("['’]", "")
    )
    return (
        bare.str.replace_all(r"[^\p{L}]+", " ")
        .str.strip_chars()
        .replace("", None)
        .str.split(" ")
        .list.sort()
        .list.join(" ")
    )


def _pairs_in_blocks(traits: pl.DataFrame) -> pl.DataFrame:
    start = pl.coalesce(pl.col("local").str.head(3), pl.lit(""))
    first_word, last_word = pl.col("name").str.extract(r"^(\S+)"), pl.col("name").str.extract(r"(\S+)$")
    initial = pl.coalesce(pl.col("name").str.head(1), pl.col("local").str.head(1))
    keys = (
        pl.col("local"),
        pl.col("name"),
        pl.concat_str(first_word, pl.lit("|"), start),
        pl.concat_str(last_word, pl.lit("|"), start),
        pl.concat_str(initial, pl.lit("|"), pl.col("phone").str.head(9)),
        pl.concat_str(initial, pl.lit("|"), pl.col("phone").str.tail(7)),
    )
    found = [_pairs(traits.select(key.alias("key"))) for key in keys]
    return pl.concat(found).unique().sort("first", "second")


def _pairs(keys: pl.DataFrame) -> pl.DataFrame:
    rows = keys.with_row_index("row").drop_nulls().with_columns(pl.len().over("key").alias("size"))
    rows = rows.filter(pl.col("size").is_between(2, LARGEST_BLOCK)).select("row", "key")
    pairs = rows.join(rows, on="key", suffix="_other").filter(pl.col("row") < pl.col("row_other"))
    return pairs.select(pl.col("row").alias("first"), pl.col("row_other").alias("second"))


def _alike(first: pl.Series, second: pl.Series, least: float) -> Bools:
    scores = process.cpdist(
        first.to_list(), second.to_list(), scorer=fuzz.ratio, score_cutoff=least, workers=1
    )
    alike: Bools = np.greater_equal(scores, least) & _both(first, second)
    return alike


def _one_slip(first: pl.Series, second: pl.Series) -> Bools:
    distances = process.cpdist(
        first.fill_null("").to_list(), second.fill_null("").to_list(), scorer=OSA.distance, workers=1
    )
    alike: Bools = np.equal(distances, 1) & _both(first, second)
    return alike


def _equal(first: pl.Series, second: pl.Series) -> Bools:
    return np.asarray((first == second).fill_null(False).to_numpy(), dtype=bool)


def _both(first: pl.Series, second: pl.Series) -> Bools:
    return np.asarray((first.is_not_null() & second.is_not_null()).to_numpy(), dtype=bool)
