"""The pairs of a stage: made of people who are alike, or told by a column, and whether they come out even."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import gcd
from typing import cast

import polars as pl

from equipoise.allocation.people.clusters import clusters_of
from equipoise.allocation.people.columns import in_days, numbers_among, of_clusters, texts
from equipoise.allocation.people.pairing import alike
from equipoise.allocation.text import normalised, strata_labels
from equipoise.errors import DesignError, Problem
from equipoise.protocol.models.allocation import PAIR, Pairing, Stage

__all__ = ["refuse_uneven", "with_pairs"]

_MOST_TOLD = 20


def with_pairs(name: str, stage: Stage, people: pl.DataFrame, identifier: str) -> pl.DataFrame:
    """The people with a column of their pairs, where the stage makes them of covariates.

    Where the people have that column already (data of a trial that was drawn), it stays as it is.

    Args:
        name: the stage's name.
        stage: what the protocol says of it.
        people: those of the draw, with the columns that they are paired on.
        identifier: the column that tells people apart.
    Raises:
        DesignError: a covariate that is missing, or in which nothing can be measured.
    """
    pairing = stage.pair
    if stage.method != "matched-pairs" or not isinstance(pairing, Pairing) or PAIR in people.columns:
        return people
    where = f"allocation.{name}.pair"
    seen = in_days(people, pairing.on)
    columns = {column: texts(seen, column, where) for column in pairing.on}
    strata = {column: texts(seen, column, f"allocation.{name}.strata") for column in stage.strata}
    of_people = list(normalised(texts(people, _unit(stage, identifier), where), "identifier"))
    units = of_people
    if stage.unit != "participant":
        units, _ = clusters_of(of_people, None)
        columns = of_clusters(of_people, units, columns, where)
        strata = of_clusters(of_people, units, strata, where)
    labels = strata_labels(list(strata.values())) if strata else None
    pairs = alike(units, columns, numbers_among(seen, pairing.on), labels, pairing.of, where)
    of_unit = dict(zip(units, pairs, strict=True))
    return people.with_columns(pl.Series(PAIR, [of_unit[unit] for unit in of_people]))


def refuse_uneven(
    name: str, stage: Stage, labels: Sequence[str] | None, ratio: Mapping[str, Mapping[str, int] | int]
) -> None:
    """Refuse pairs told by a column that have more or fewer units than the ratio takes.

    Args:
        name: the stage's name.
        stage: what the protocol says of it.
        labels: each unit's stratum, the pair among them.
        ratio: one ratio, or one for each stratum.
    """
    if stage.method != "matched-pairs" or labels is None or isinstance(stage.pair, Pairing):
        return
    uneven = [
        f'"{label}" has {count}, the ratio takes {size}'
        for label, count in sorted(Counter(labels).items())
        if count != (size := _size(ratio, label))
    ]
    if uneven:
        more = len(uneven) - _MOST_TOLD
        told = "; ".join(uneven[:_MOST_TOLD]) + (f"; and {more} more" if more > 0 else "")
        remedy = "give each its partner, or leave out by `eligible` who has none"
        message = f"pairs that do not come out: {told}; {remedy}"
        raise DesignError(Problem("", f"allocation.{name}.pair", message))


def _size(ratio: Mapping[str, Mapping[str, int] | int], label: str) -> int:
    """How many units a pair has: the sum of its ratio in lowest terms."""
    shares = ratio.get(label, ratio)
    whole = list(cast(Mapping[str, int], shares).values())
    return sum(whole) // gcd(*whole)


def _unit(stage: Stage, identifier: str) -> str:
    return identifier if stage.unit == "participant" else stage.unit
