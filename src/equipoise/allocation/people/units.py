"""The units of a stage of allocation, with their strata and ratio, from the people of a roster."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from equipoise.allocation.beside import NOTHING, Beside
from equipoise.allocation.design import Design, design
from equipoise.allocation.people.clusters import clusters_of
from equipoise.allocation.people.columns import in_days, numbers_among, of_clusters, texts
from equipoise.allocation.people.paired import refuse_uneven, with_pairs
from equipoise.allocation.people.rules import ratio_of
from equipoise.allocation.people.whole import refuse_split
from equipoise.allocation.text import strata_labels
from equipoise.errors import DesignError, Problem, nearest
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.facts import before_allocation
from equipoise.protocol.models.allocation import PAIR, Pairing, Stage
from equipoise.protocol.study import Study

__all__ = ["Units", "beside_of", "is_rolling", "people_in_pairs", "texts", "units_of"]

_MOST_TOLD = 20


@dataclass(frozen=True)
class Units:
    """What is drawn: units with their strata, and the people in them.

    `units` are people's identifiers or, where clusters are drawn, the clusters; `strata` holds the units'
    values by column, of what arms are drawn within; `people` are the people of the draw and `cluster` the
    unit of each, None where people are drawn; `beside` is what the method looks at beside the strata.
    """

    people: pl.DataFrame
    units: Sequence[str]
    strata: dict[str, list[str]]
    labels: Sequence[str] | None
    ratio: dict[str, dict[str, int]] | dict[str, int]
    cluster: list[str] | None
    beside: Beside = NOTHING

    @property
    def columns(self) -> dict[str, Sequence[str]]:
        """All that the draw hangs on, by column: what is hashed and published."""
        return {**self.strata, **self.beside.columns}

    def plan(self, stage: Stage, *, arrival: bool) -> Design:
        """The stage's procedure for these units.

        Raises:
            DesignError: units, strata, ratio and method do not fit.
        """
        return design(
            len(self.units) if self.labels is None else self.labels,
            self.ratio,
            method=stage.method,
            blocks=stage.blocks if stage.method == "permuted-blocks" else None,
            arrival=arrival,
            beside=self.beside,
        )


def is_rolling(study: Study) -> bool:
    """Whether people are enrolled one by one, so that their order of arrival counts in a draw."""
    participants = study.protocol.participants
    return participants is not None and participants.enrolment != "roster"


def units_of(study: Study, name: str, stage: Stage, people: pl.DataFrame, identifier: str) -> Units:
    """The units of a stage, taken from the eligible people.

    Args:
        study: as loaded.
        name: the stage's name.
        stage: what the protocol says of it.
        people: typed as the roster declares; in order of arrival with rolling enrolment, when strata may
            still be waiting for somebody.
        identifier: the column that tells people apart.
    Raises:
        DesignError: a stratum that is missing or empty, a ratio that differs inside a stratum, a group
            that would be split, or a stage that selects people by what is not there (see `with_known`).
    """
    people = _among(
        study,
        name,
        stage,
        _with_derived(study, people, (*stage.drawn_within, *stage.looked_at, *stage.whole, stage.unit)),
    )
    if not people.height:
        raise DesignError(
            Problem("", f"allocation.{name}", "there is nobody to allocate: no one of the roster is selected")
        )
    people = with_pairs(name, stage, people, identifier)
    strata = {column: texts(people, column, f"allocation.{name}.strata") for column in stage.drawn_within}
    if not is_rolling(study):
        _refuse_empty_levels(study, strata)
    labels = strata_labels(list(strata.values())) if strata else None
    ratio = ratio_of(study, name, stage, people, labels, complete=not is_rolling(study))
    beside = beside_of(stage, _looked_at(study, name, stage, people, identifier))
    if stage.method == "rerandomised":
        numbers = numbers_among(in_days(people, stage.balanced_on), stage.balanced_on)
        beside = replace(beside, numbers=numbers)
    drawn = study.protocol.arm_column(name) in people.columns
    if stage.unit == "participant":
        if not drawn:
            refuse_uneven(name, stage, labels, ratio)
        names = texts(people, identifier, "identifier")
        return Units(people, names, strata, labels, ratio, None, beside)
    if stage.unit not in people.columns:
        listed = nearest(stage.unit, people.columns)
        raise DesignError(
            Problem(
                "", f"allocation.{name}.unit", f'the roster has no column "{stage.unit}". Columns: {listed}'
            )
        )
    cluster = texts(people, stage.unit, f"allocation.{name}.unit")
    refuse_split(name, stage, people, cluster)
    units, unit_labels = clusters_of(cluster, labels)
    if not drawn:
        refuse_uneven(name, stage, unit_labels, ratio)
    seen = of_clusters(cluster, units, beside.columns, f"allocation.{name}")
    return Units(
        people,
        units,
        of_clusters(cluster, units, strata, f"allocation.{name}.strata"),
        unit_labels,
        ratio,
        cluster,
        replace(beside, columns=seen),
    )


def people_in_pairs(study: Study, people: pl.DataFrame, identifier: str) -> pl.DataFrame:
    """People with the column of the pairs that a stage makes of them all, as its draw would.

    Args:
        study: as loaded.
        people: typed as the roster declares.
        identifier: the column that tells people apart.
    Raises:
        DesignError: a covariate that is missing, or in which nothing can be measured.
    """
    for name, stage in study.protocol.allocation.items():
        if stage.method == "matched-pairs" and isinstance(stage.pair, Pairing) and stage.among is None:
            known = _with_derived(study, people, (*stage.strata, *stage.looked_at, stage.unit))
            return people.with_columns(with_pairs(name, stage, known, identifier)[PAIR])
    return people


def _looked_at(
    study: Study, name: str, stage: Stage, people: pl.DataFrame, identifier: str
) -> dict[str, list[str]]:
    """What the method looks at beside the strata, known of everybody."""
    problems = [
        Problem("", f"allocation.{name}", message)
        for column in stage.balanced_on
        for message in _unusable(study, stage, people, column, identifier)
    ]
    if problems:
        raise DesignError(problems)
    seen = in_days(people, stage.balanced_on)
    return {column: texts(seen, column, f"allocation.{name}") for column in stage.balanced_on}


def _unusable(
    study: Study, stage: Stage, people: pl.DataFrame, column: str, identifier: str
) -> Iterator[str]:
    """Why the draw cannot look at a column: each person without a value, or numbers where levels are due."""
    if column not in people.columns:
        yield f'the roster has no column "{column}". Columns: {nearest(column, people.columns)}'
        return
    if stage.method == "minimised" and people[column].dtype.is_numeric():
        yield f'"{column}" holds numbers, and minimisation balances levels; derive bands of it, as text'
        return
    roster = study.protocol.participants.roster if study.protocol.participants else {}
    levels = roster[column].levels if column in roster else None
    remedy = f"its levels are {', '.join(levels)}" if levels else "find it out, or take it out of the draw"
    missing = people.filter(people[column].is_null())
    for person in texts(missing, identifier, "identifier")[:_MOST_TOLD]:
        yield f'"{person}" has no "{column}", which the draw balances; {remedy}'


def beside_of(stage: Stage, columns: dict[str, list[str]]) -> Beside:
    """What a stage's method looks at, and how, with the units' values by column."""
    if stage.method == "minimised":
        weights = tuple(stage.weights.get(factor, 1) for factor in stage.balance) if stage.weights else ()
        return Beside(columns, stage.biased_coin, weights=weights, measure=stage.measure)
    if stage.method == "rerandomised" and stage.criterion is not None:
        return Beside(columns, accept=stage.criterion.accept)
    return NOTHING


def _with_derived(study: Study, people: pl.DataFrame, needed: Sequence[str]) -> pl.DataFrame:
    """The derived columns that the draw needs, computed from the roster."""
    derived = study.protocol.participants.derived if study.protocol.participants else {}
    schema = before_allocation(study.protocol)
    for column in [column for column in needed if column in derived]:
        found = compile_expression(derived[column], schema).evaluate_frame(people)
        people = people.with_columns(found.alias(column))
    return people


def _among(study: Study, name: str, stage: Stage, people: pl.DataFrame) -> pl.DataFrame:
    if stage.among is None:
        return people
    expression = compile_expression(stage.among, before_allocation(study.protocol, name), expects="bool")
    beyond = [column for column in expression.columns if column not in people.columns]
    if beyond:
        message = (
            f"the stage selects people by {', '.join(beyond)}, which no roster holds; give the files that "
            "do (`--known FILE`): the arms of the earlier stage, or who has answered"
        )
        raise DesignError(Problem("", f"allocation.{name}.among", message))
    return people.filter(expression.evaluate_frame(people).fill_null(False))


def _refuse_empty_levels(study: Study, strata: dict[str, list[str]]) -> None:
    """A declared level that nobody has is a stratum without people, most likely a file that was forgotten."""
    roster = study.protocol.participants.roster if study.protocol.participants else {}
    document = study.documents["protocol.yaml"]
    problems = []
    for column, values in strata.items():
        present = set(values)
        levels = roster[column].levels or () if column in roster else ()
        for level in [level for level in levels if level not in present]:
            message = (
                f'nobody eligible has {column} = "{level}", so a stratum is empty; add the missing people '
                "to the roster, or take the level out of the protocol"
            )
            problems.append(document.problem(("participants", "roster", column, "levels"), message))
    if problems:
        raise DesignError(problems)
