"""What a later stage hangs on beyond the roster: the arms of earlier stages, and who has answered by then."""

from collections.abc import Mapping

import polars as pl

from equipoise.errors import DesignError, Problem, nearest
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import stages_before, waves_before

__all__ = ["with_known"]

_NO = ("", "no", "false", "0")
_MOST_TOLD = 5


def with_known(
    study: Study, name: str, people: pl.DataFrame, identifier: str, tables: Mapping[str, pl.DataFrame]
) -> pl.DataFrame:
    """The people with the arms of earlier stages, and whether they answered the waves before this one.

    Args:
        study: as loaded.
        name: the stage that is to be drawn.
        people: as the roster has them.
        identifier: the column that tells people apart; the tables have it too.
        tables: of text, by file name. Taken from them are the columns of earlier stages' arms and
            `answered_WAVE`, in which empty, no, false and 0 mean that somebody has not answered. Who is in
            none of a table's rows has nothing there.
    Raises:
        DesignError: a table without the identifier, somebody twice in it, two tables with one column, or an
            arm that the stage has not.
    """
    arms = {study.protocol.arm_column(stage): stage for stage in stages_before(study.protocol, name)}
    answered = [f"answered_{wave}" for wave in waves_before(study.protocol, name)]
    for file, table in tables.items():
        _refuse_unusable(file, table, identifier)
        taken = [column for column in table.columns if column in arms or column in answered]
        if not taken:
            known = [*arms, *answered]
            message = f"has none of the columns that the stage may ask for: {', '.join(known) or 'none'}"
            raise DesignError(Problem(file, "", message))
        kept = table.select(pl.col(identifier).cast(people.schema[identifier], strict=False), *taken)
        if again := [column for column in taken if column in people.columns]:
            raise DesignError(Problem(file, again[0], "is in another file too; give each column once"))
        people = people.join(kept, on=identifier, how="left", maintain_order="left")
        for column in taken:
            if column in arms:
                people = people.with_columns(_arm(study, arms[column], file, people[column]))
            else:
                people = people.with_columns(~_text(people[column]).str.to_lowercase().is_in(_NO))
    return people


def _refuse_unusable(file: str, table: pl.DataFrame, identifier: str) -> None:
    if identifier not in table.columns:
        message = f'has no column "{identifier}", which tells people apart'
        listed = nearest(identifier, table.columns)
        raise DesignError(Problem(file, "", f"{message}. Columns: {listed}"))
    twice = table.filter(table[identifier].is_duplicated())[identifier].unique(maintain_order=True).to_list()
    if twice:
        told = ", ".join(f'"{person}"' for person in twice[:_MOST_TOLD])
        raise DesignError(Problem(file, identifier, f"{told}: more than one row; give each person one"))


def _arm(study: Study, stage: str, file: str, values: pl.Series) -> pl.Series:
    """The arms of an earlier stage; null for whom it did not draw."""
    spec, schedule = study.protocol.allocation[stage], study.protocol.schedule
    known = list(schedule.sequences) if spec.to == "sequences" and schedule else list(spec.arms)
    text = _text(values)
    strange = sorted(set(text.to_list()) - {"", *known})
    if strange:
        message = f'"{strange[0]}" is not an arm of {stage}. Arms: {nearest(strange[0], known)}'
        raise DesignError(Problem(file, values.name, message))
    return pl.Series(values.name, [value or None for value in text.to_list()], dtype=pl.String)


def _text(values: pl.Series) -> pl.Series:
    return values.cast(pl.String).fill_null("").str.strip_chars()
