"""Extracts as columns of the analysis frame: for each outcome the value, and why there is none.

Of the files that cover somebody's partner the newest counts, whether it came for that partner alone or for
everybody. Of whoever has said meanwhile that such records are not to be joined, no value is shown.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from equipoise.platform.extracts.linking import agreed
from equipoise.platform.extracts.models import Extract, ExtractValue
from equipoise.platform.extracts.scopes import Scope, covered_partners
from equipoise.platform.people.frames import pieces
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, partners
from equipoise.protocol.asked import WHY
from equipoise.protocol.extracts import Measured, measured
from equipoise.roster import identifier_of

__all__ = ["extract_origins", "outcomes_frame"]

_AT_ONCE = 10_000
_NAMED = 8


def outcomes_frame(study: Study, people: Any) -> pl.DataFrame | None:
    """The outcomes that extracts give, by the key; an outcome of which no file has come has no column.

    Args:
        study: of this workspace.
        people: a query of its participants. A few queries more are made, however many there are.
    Returns:
        The key, and for each outcome and window its value and, under `..._why`, the reason for a missing one;
        None where no file has come.
    """
    come = _come(study)
    if not come:
        return None
    identifier = identifier_of(folder_of(study))
    schema = {identifier: pl.String(), "participant": pl.Int64(), "partner": pl.Int64()}
    rows = people.order_by("key").values_list("key", "pk", "partner_id").iterator(_AT_ONCE)
    known = _table(rows, schema)
    known = known.with_columns(agreed(study, known["participant"]))
    values = _values(come)
    found = [column for one, files in come for column in _columns(study, one, files, known, values)]
    return known.select(identifier).with_columns(found)


def extract_origins(study: Study) -> dict[str, str]:
    """From which files each column of `outcomes_frame` comes: the hash and the day of each."""
    sources = folder_of(study).protocol.sources
    names = {partner.pk: partner.name for partner in partners(study)}
    found = {}
    for one, files in _come(study):
        label = sources[files[-1].source].label or f"the extract {files[-1].source}"
        told = [_origin(file, names) for file in reversed(files[-_NAMED:])]
        more = [f"{len(files) - _NAMED} more"] if len(files) > _NAMED else []
        found[one.frame_column] = f"{label}, column {one.column}: {'; '.join(told + more)}"
    return found


def _origin(file: Extract, names: Mapping[int, str]) -> str:
    whose = f" from {names[file.partner_id]}" if file.partner_id is not None else ""
    return f"file {file.file_hash}{whose}, imported on {file.at.date().isoformat()}"


def _come(study: Study) -> list[tuple[Measured, list[Extract]]]:
    """Each column of which a file has come, with the files that count, the newest last."""
    declared = measured(folder_of(study).protocol)
    if not declared:
        return []
    newest = {}
    for file in Extract.objects.filter(study=study).order_by("pk"):
        newest[file.source, file.window, file.partner_id] = file
    files = sorted(newest.values(), key=lambda file: file.pk)
    come = [
        (one, [file for file in files if file.source in one.sources and file.window == one.window])
        for one in declared
    ]
    return [(one, of_it) for one, of_it in come if of_it]


def _values(come: Sequence[tuple[Measured, list[Extract]]]) -> pl.DataFrame:
    """What the files that count say of each participant."""
    columns = list(dict.fromkeys(one.column for one, _ in come))
    numbers = {file.pk for _, files in come for file in files}
    schema = {"participant": pl.Int64(), "file": pl.Int64(), **dict.fromkeys(columns, pl.Float64())}
    kept = ExtractValue.objects.filter(extract_id__in=sorted(numbers))
    rows = kept.values_list("participant_id", "extract_id", "values").iterator(_AT_ONCE)
    return _table(
        ((who, file, *(_number(said.get(name)) for name in columns)) for who, file, said in rows), schema
    )


def _columns(
    study: Study, one: Measured, files: list[Extract], known: pl.DataFrame, values: pl.DataFrame
) -> Iterator[pl.Series]:
    covering = _covering(study, files)
    of_file = {file.pk: covering.get(file.partner_id, 0) if file.partner_id else 0 for file in files}
    numbers = pl.Series(sorted(of_file), dtype=pl.Int64)
    newest = [covering.get(partner, 0) for partner in known["partner"]]
    known = known.with_columns(pl.Series("newest", newest, dtype=pl.Int64))
    rows = values.filter(pl.col("file").is_in(numbers.implode())).select("participant", "file", one.column)
    rows = rows.join(known.select("participant", "newest"), on="participant")
    superseded = pl.col("file").replace_strict(of_file, return_dtype=pl.Int64)
    counting = rows.filter(pl.col("file") >= pl.max_horizontal("newest", superseded))
    counting = counting.sort("file").group_by("participant").agg(pl.col("file", one.column).last())
    joined = known.join(counting, on="participant", how="left", maintain_order="left")
    yes_no = folder_of(study).protocol.outcomes[one.outcome].scale == "yes-no"
    value = pl.when("agreed").then(one.column).otherwise(None).cast(pl.Boolean if yes_no else pl.Float64)
    yield joined.select(value.alias(one.frame_column)).to_series()
    yield joined.select(_why(one.column).alias(f"{one.frame_column}{WHY}")).to_series()


def _why(column: str) -> pl.Expr:
    return (
        pl.when(~pl.col("agreed"))
        .then(pl.lit("not_linked"))
        .when(pl.col(column).is_not_null())
        .then(pl.lit(None, pl.String))
        .when(pl.col("file").is_not_null())
        .then(pl.lit("empty"))
        .when(pl.col("newest") > 0)
        .then(pl.lit("not_in_file"))
        .otherwise(pl.lit("no_extract"))
    )


def _covering(study: Study, files: list[Extract]) -> dict[int | None, int]:
    """By partner, the newest file that covers its people; under None, the people of no partner."""
    everybody = [None, *(partner.pk for partner in partners(study))]
    found: dict[int | None, int] = {}
    for file in files:
        covered = (
            {file.partner_id} if file.partner_id else covered_partners(study, Scope(file.source, file.window))
        )
        found |= dict.fromkeys(everybody if covered is None else sorted(covered), file.pk)
    return found


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _table(rows: Any, schema: dict[str, Any]) -> pl.DataFrame:
    parts = [pl.DataFrame(some, schema=schema, orient="row") for some in pieces(rows, _AT_ONCE)]
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)
