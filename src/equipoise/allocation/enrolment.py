"""A study with rolling enrolment: every stratum in which somebody may arrive, with its ratio."""

from itertools import product
from math import prod

import polars as pl

from equipoise.allocation.arrival import arrival_plan
from equipoise.allocation.methods import ArrivalPlan
from equipoise.allocation.rules import ratio_of
from equipoise.allocation.text import strata_labels
from equipoise.allocation.units import is_rolling, texts
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
        NotSupportedError: clusters, or a method that this version cannot draw.
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
    levels = _levels(study, stage)
    if not levels:
        known = None if levels is None else [""]
        return arrival_plan(_one_ratio(stage, where), method=stage.method, strata=known, blocks=blocks)
    possible = _possible(levels, where)
    labels = strata_labels([texts(possible, column, where) for column in possible.columns])
    _refuse_beyond_strata(study, name, stage)
    ratio = ratio_of(study, name, stage, possible, labels)
    return arrival_plan(ratio, method=stage.method, strata=labels, blocks=blocks)


def _levels(study: Study, stage: Stage) -> dict[str, tuple[str | bool, ...]] | None:
    """The declared levels of the stratifying columns; None where one of them may hold anything."""
    roster = study.protocol.participants.roster if study.protocol.participants else {}
    found: dict[str, tuple[str | bool, ...]] = {}
    for name in stage.strata:
        column = roster.get(name)
        if column is not None and column.type == "yes-no":
            found[name] = (False, True)
        elif column is not None and column.levels is not None:
            found[name] = column.levels
        else:
            return None
    return found


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
