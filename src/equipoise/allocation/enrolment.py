"""A study with rolling enrolment: every stratum in which somebody may arrive, with its ratio."""

from functools import partial
from itertools import product
from math import prod

import polars as pl

from equipoise.allocation.arrival import arrival_plan
from equipoise.allocation.methods import ArrivalPlan
from equipoise.allocation.people.rules import ratio_of
from equipoise.allocation.people.units import beside_of, is_rolling, texts
from equipoise.allocation.text import strata_labels
from equipoise.errors import DesignError, NotSupportedError, Problem
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.facts import before_allocation
from equipoise.protocol.models.allocation import Stage
from equipoise.protocol.study import Study

__all__ = ["arrivals_in"]

MOST_STRATA = 10_000


def arrivals_in(study: Study, name: str, stage: Stage) -> ArrivalPlan:
    """How a stage allocates people as they come.

    A stratum is possible where the declared levels permit it, before anybody of it has arrived. Where a
    stratifying column declares no levels, any value is possible, and the ratio must be the same for all.

    Args:
        study: with rolling enrolment.
        name: the stage's name.
        stage: what the protocol says of it.
    Raises:
        DesignError: enrolment is not rolling, or strata, ratio and method do not fit it.
        NotSupportedError: clusters.
    """
    where = f"allocation.{name}"
    if not is_rolling(study):
        message = "this study draws its roster at once; people arrive only with `enrolment: rolling`"
        raise DesignError(Problem("", "participants.enrolment", message))
    if stage.unit != "participant":
        raise NotSupportedError(
            f"{where}.unit: clusters with rolling enrolment are not yet supported; allocate participants"
        )
    blocks = stage.blocks if stage.method == "permuted-blocks" else None
    plan = partial(
        arrival_plan,
        method=stage.method,
        blocks=blocks,
        beside=beside_of(stage, {}),
        levels={factor: _texts(_levels(study, factor), where) for factor in stage.balanced_on},
    )
    levels = _of_strata(study, stage)
    if not levels:
        return plan(_one_ratio(stage, where), strata=None if levels is None else [""])
    possible = _possible(levels, where)
    labels = strata_labels([texts(possible, column, where) for column in possible.columns])
    _refuse_beyond_strata(study, name, stage)
    return plan(ratio_of(study, name, stage, possible, labels), strata=labels)


def _of_strata(study: Study, stage: Stage) -> dict[str, tuple[str | bool, ...]] | None:
    """The declared levels of the stratifying columns; None where one of them may hold anything."""
    found: dict[str, tuple[str | bool, ...]] = {}
    for name in stage.strata:
        levels = _levels(study, name)
        if levels is None:
            return None
        found[name] = levels
    return found


def _levels(study: Study, name: str) -> tuple[str | bool, ...] | None:
    """The declared levels of a column; None where it may hold anything."""
    roster = study.protocol.participants.roster if study.protocol.participants else {}
    column = roster.get(name)
    if column is not None and column.type == "yes-no":
        return (False, True)
    return column.levels if column is not None else None


def _texts(levels: tuple[str | bool, ...] | None, where: str) -> tuple[str, ...] | None:
    """Levels as the draw reads them of people."""
    if levels is None:
        return None
    return tuple(texts(pl.DataFrame({"level": list(levels)}), "level", where))


def _possible(levels: dict[str, tuple[str | bool, ...]], where: str) -> pl.DataFrame:
    """Every combination of levels, a row each."""
    count = prod(len(values) for values in levels.values())
    if count > MOST_STRATA:
        message = f"{count:,} strata are possible; at most {MOST_STRATA:,} can be. Stratify by fewer columns"
        raise DesignError(Problem("", f"{where}.strata", message))
    return pl.DataFrame(list(product(*levels.values())), schema=list(levels), orient="row")


def _one_ratio(stage: Stage, where: str) -> dict[str, int]:
    if len(stage.ratio) != 1 or stage.ratio[0].where is not None:
        message = (
            "the ratio differs between strata that cannot be known before people arrive; declare the levels "
            "of every column of `strata`, or give one ratio"
        )
        raise DesignError(Problem("", f"{where}.ratio", message))
    return dict(stage.ratio[0].shares)


def _refuse_beyond_strata(study: Study, name: str, stage: Stage) -> None:
    """A rule that asks for more than the stratum could give two people of one stratum different ratios."""
    schema = before_allocation(study.protocol, name)
    asked = {
        column
        for rule in stage.ratio
        if rule.where is not None
        for column in compile_expression(rule.where, schema, expects="bool").columns
    }
    if beyond := sorted(asked - set(stage.strata)):
        message = f"the ratio hangs on {', '.join(beyond)}; add it to `strata`"
        raise DesignError(Problem("", f"allocation.{name}.ratio", message))
