"""From a roster and a stage of the protocol to a draw: units, strata, ratio, and the tables that come out."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from equipoise.errors import DesignError, NotSupportedError, Problem, nearest

if TYPE_CHECKING:
    import polars as pl

    from equipoise.allocation import Allocation, BalanceRow, Seed
    from equipoise.protocol import Study
    from equipoise.protocol.models.allocation import RatioRule, Stage

__all__ = ["Units", "arms_text", "balance_rows", "balance_text", "draw", "stage_of", "units_of"]


@dataclass(frozen=True)
class Units:
    """What is drawn: units with their strata, and the people in them.

    `units` are people's identifiers or, where clusters are drawn, the clusters; `strata` holds the units'
    values by column; `people` are the people of the draw and `cluster` the unit of each, None where people
    are drawn.
    """

    people: "pl.DataFrame"
    units: Sequence[str]
    strata: dict[str, list[str]]
    labels: Sequence[str] | None
    ratio: dict[str, dict[str, int]] | dict[str, int]
    cluster: list[str] | None


def stage_of(study: "Study", name: str | None) -> tuple[str, "Stage"]:
    """A stage by its name; the main one when none is named.

    Raises:
        DesignError: the study allocates nobody, or has no such stage.
    """
    stages = study.protocol.allocation
    place = f"{study.folder.name}/protocol.yaml"
    if not stages:
        raise DesignError(Problem(place, "allocation", "this study allocates nobody: it declares no arms"))
    name = name or study.protocol.main_stage
    if name not in stages:
        raise DesignError(
            Problem(
                place,
                "allocation",
                f'"{name}" is not a stage of this study. Stages: {nearest(name, list(stages))}',
            )
        )
    return name, stages[name]


def units_of(study: "Study", name: str, stage: "Stage", people: "pl.DataFrame", identifier: str) -> Units:
    """The units of a stage, taken from the eligible people.

    Raises:
        DesignError: a stratum that is missing or empty, or a ratio that differs inside a stratum.
        NotSupportedError: the stage selects people by what a roster does not hold.
    """
    from equipoise.allocation import clusters_of, strata_labels

    people = _among(study, name, stage, _with_derived(study, people, (*stage.strata, stage.unit)))
    if not people.height:
        raise DesignError(
            Problem("", f"allocation.{name}", "there is nobody to allocate: no one of the roster is selected")
        )
    strata = {column: _texts(people, column, f"allocation.{name}.strata") for column in stage.strata}
    _refuse_empty_levels(study, strata)
    labels = strata_labels(list(strata.values())) if strata else None
    ratio = _ratio(study, name, stage, people, labels)
    if stage.unit == "participant":
        return Units(people, _texts(people, identifier, "identifier"), strata, labels, ratio, None)
    if stage.unit not in people.columns:
        listed = nearest(stage.unit, people.columns)
        raise DesignError(
            Problem(
                "", f"allocation.{name}.unit", f'the roster has no column "{stage.unit}". Columns: {listed}'
            )
        )
    cluster = _texts(people, stage.unit, f"allocation.{name}.unit")
    units, unit_labels = clusters_of(cluster, labels)
    first = {unit: row for row, unit in reversed(list(enumerate(cluster)))}
    of_units = {column: [values[first[unit]] for unit in units] for column, values in strata.items()}
    return Units(people, units, of_units, unit_labels, ratio, cluster)


def draw(study: "Study", name: str, stage: "Stage", units: Units, seed: "Seed") -> "Allocation":
    """Draw a stage's arms."""
    from equipoise.allocation import allocate

    rolling = study.protocol.participants is not None and study.protocol.participants.enrolment != "roster"
    return allocate(
        units.units,
        units.labels,
        units.ratio,
        method=stage.method,
        stage=name,
        seed=seed.value,
        blocks=stage.blocks if stage.method == "permuted-blocks" else None,
        arrival=rolling,
    )


def arms_text(
    study: "Study", name: str, stage: "Stage", units: Units, allocation: "Allocation", identifier: str
) -> str:
    """Who is in which arm, as CSV: identifier, unit, strata, arm, and the chance of each arm."""
    arms, rows_of = _by_person(units, allocation)
    chances = allocation.probability
    strata = {column: [values[row] for row in rows_of] for column, values in units.strata.items()}
    columns: dict[str, Sequence[object]] = {identifier: _texts(units.people, identifier, "identifier")}
    if units.cluster is not None and stage.unit not in strata:
        columns[stage.unit] = units.cluster
    columns |= strata
    columns[study.protocol.arm_column(name)] = arms
    for code, arm in enumerate(allocation.design.arms):
        columns[f"probability_{arm}"] = [float(chances[row, code]) for row in rows_of]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


def balance_rows(
    study: "Study", stage: "Stage", units: Units, allocation: "Allocation"
) -> "tuple[BalanceRow, ...]":
    """How alike the arms are in what the roster says of people, weighted where chances differ."""
    import numpy as np

    from equipoise.allocation import balance_table

    arms, rows_of = _by_person(units, allocation)
    received = allocation.probability[rows_of, [allocation.design.arms.index(arm) for arm in arms]]
    even = bool(np.allclose(allocation.probability, allocation.probability[0]))
    targets = list(stage.arms) or list(allocation.design.arms)
    reference = next(arm for arm in targets if arm in set(arms))
    covariates = _covariates(study, units)
    return balance_table(arms, covariates, reference=reference, weights=None if even else 1 / received)


def balance_text(rows: "Sequence[BalanceRow]") -> str:
    """The balance table as CSV; empty where a number does not apply."""
    from equipoise.allocation import BalanceRow

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(BalanceRow)])
    for row in rows:
        writer.writerow(["" if value is None or value != value else value for value in asdict(row).values()])
    return text.getvalue()


def _by_person(units: Units, allocation: "Allocation") -> tuple[list[str], list[int]]:
    """Each person's arm, and the row of the person's unit in the draw."""
    from equipoise.allocation import inherited_arms

    if units.cluster is None:
        return allocation.arms, list(range(len(units.units)))
    place = {unit: row for row, unit in enumerate(allocation.units)}
    return inherited_arms(allocation, units.cluster), [place[unit] for unit in _normal(units.cluster)]


def _normal(names: Sequence[str]) -> list[str]:
    import unicodedata

    return [unicodedata.normalize("NFC", name) for name in names]


def _with_derived(study: "Study", people: "pl.DataFrame", needed: Sequence[str]) -> "pl.DataFrame":
    """The derived columns that the draw needs, computed from the roster."""
    from equipoise.protocol.expressions import compile_expression
    from equipoise.protocol.facts import before_allocation

    derived = study.protocol.participants.derived if study.protocol.participants else {}
    schema = before_allocation(study.protocol)
    for column in [column for column in needed if column in derived]:
        found = compile_expression(derived[column], schema).evaluate_frame(people)
        people = people.with_columns(found.alias(column))
    return people


def _among(study: "Study", name: str, stage: "Stage", people: "pl.DataFrame") -> "pl.DataFrame":
    from equipoise.protocol.expressions import compile_expression
    from equipoise.protocol.facts import before_allocation

    if stage.among is None:
        return people
    expression = compile_expression(stage.among, before_allocation(study.protocol, name), expects="bool")
    beyond = [column for column in expression.columns if column not in people.columns]
    if beyond:
        raise NotSupportedError(
            f"allocation.{name}: the stage selects people by {', '.join(beyond)}, which no roster holds; "
            "drawing such a later stage is not yet supported"
        )
    return people.filter(expression.evaluate_frame(people).fill_null(False))


def _texts(people: "pl.DataFrame", column: str, where: str) -> list[str]:
    """A column as text, complete.

    Raises:
        DesignError: a person has no value.
    """
    import polars as pl

    values = people[column]
    if (
        values.dtype == pl.Float64
        and values.drop_nulls().is_finite().all()
        and (values.drop_nulls() % 1 == 0).all()
    ):
        values = values.cast(pl.Int64)
    texts = values.cast(pl.String).to_list()
    missing = [row for row, value in enumerate(texts, start=1) if value is None]
    if missing:
        rows = ", ".join(map(str, missing[:5]))
        message = (
            f'{len(missing)} people have no "{column}" (rows {rows} of those eligible); all drawn need one'
        )
        raise DesignError(Problem("", where, message))
    return [str(value) for value in texts]


def _refuse_empty_levels(study: "Study", strata: dict[str, list[str]]) -> None:
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


def _ratio(
    study: "Study", name: str, stage: "Stage", people: "pl.DataFrame", labels: Sequence[str] | None
) -> dict[str, dict[str, int]] | dict[str, int]:
    """One ratio for everybody, or one for each stratum where the protocol's rules differ."""
    if len(stage.ratio) == 1 and stage.ratio[0].where is None:
        return dict(stage.ratio[0].shares)
    rules = _rule_of_each(study, name, stage.ratio, people)
    found: dict[str, dict[str, int]] = {}
    chosen: dict[str, int] = {}
    for label, rule in zip(labels or [""] * people.height, rules, strict=True):
        if chosen.setdefault(label, rule) != rule:
            message = (
                f'the ratio differs inside the stratum "{label}"; add what the rule asks for to `strata`'
            )
            raise DesignError(Problem("", f"allocation.{name}.ratio", message))
        found[label] = dict(stage.ratio[rule].shares)
    unused = [place for place in range(len(stage.ratio)) if place not in chosen.values()]
    if unused:
        raise DesignError(
            Problem(
                "",
                f"allocation.{name}.ratio.{place}",
                "nobody is selected by this rule, so its strata are empty",
            )
            for place in unused
        )
    return found


def _rule_of_each(
    study: "Study", name: str, ratio: "Sequence[RatioRule]", people: "pl.DataFrame"
) -> list[int]:
    from equipoise.protocol.expressions import compile_expression
    from equipoise.protocol.facts import before_allocation

    rules: list[int | None] = [None] * people.height
    schema = before_allocation(study.protocol, name)
    for place, rule in enumerate(ratio):
        if rule.where is None:
            verdicts: Sequence[Any] = [True] * people.height
        else:
            verdicts = compile_expression(rule.where, schema, expects="bool").evaluate_frame(people).to_list()
        for row, verdict in enumerate(verdicts):
            if rules[row] is None and verdict is None:
                message = (
                    f'row {row + 1} of those eligible: "{rule.where}" is unknown, so the person has no ratio'
                )
                raise DesignError(Problem("", f"allocation.{name}.ratio.{place}", message))
            if rules[row] is None and verdict:
                rules[row] = place
    if None in rules:
        message = f"row {rules.index(None) + 1} of those eligible has no ratio; end the rules with `else:`"
        raise DesignError(Problem("", f"allocation.{name}.ratio", message))
    return [rule for rule in rules if rule is not None]


def _covariates(study: "Study", units: Units) -> dict[str, Any]:
    """What the roster says of people: numbers, dates as days before the launch, the rest as categories."""
    import polars as pl

    from equipoise.protocol.timeline import timeline

    roster = study.protocol.participants.roster if study.protocol.participants else {}
    launch = timeline(study.protocol).launch
    covariates: dict[str, Any] = {}
    for name, column in roster.items():
        values = units.people[name]
        if column.role != "attribute" or (column.type == "text" and name not in units.strata):
            continue
        if column.type in ("number", "integer"):
            covariates[name] = values.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        elif column.type == "date" and launch is not None:
            days = (pl.Series([launch.date()]) - values).dt.total_days().cast(pl.Float64)
            covariates[f"{name} (days before the launch)"] = days.fill_null(float("nan")).to_numpy()
        else:
            covariates[name] = values.cast(pl.String).to_list()
    return covariates
