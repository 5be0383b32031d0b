"""The ratio of a stage in each stratum, from the rules that the protocol gives."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from equipoise.errors import DesignError, Problem
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.facts import before_allocation
from equipoise.protocol.models.allocation import RatioRule, Stage
from equipoise.protocol.study import Study

__all__ = ["ratio_of"]


def ratio_of(
    study: Study,
    name: str,
    stage: Stage,
    people: pl.DataFrame,
    labels: Sequence[str] | None,
    *,
    complete: bool = True,
) -> dict[str, dict[str, int]] | dict[str, int]:
    """One ratio for everybody, or one for each stratum where the protocol's rules differ.

    Args:
        study: as loaded.
        name: the stage's name.
        stage: what the protocol says of it.
        people: whom the rules select.
        labels: the stratum of each, or None.
        complete: these are all the people, so a rule that selects nobody is a mistake.
    Raises:
        DesignError: a ratio that is unknown, or differs inside a stratum, or is for nobody.
    """
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
    if complete and unused:
        raise DesignError(
            Problem(
                "",
                f"allocation.{name}.ratio.{place}",
                "nobody is selected by this rule, so its strata are empty",
            )
            for place in unused
        )
    return found


def _rule_of_each(study: Study, name: str, ratio: Sequence[RatioRule], people: pl.DataFrame) -> list[int]:
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
