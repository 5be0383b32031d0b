"""Stages that look at covariates: rerandomised, and pairs made of people who are alike."""

from collections.abc import Iterator
from math import gcd

from equipoise.errors import Problem
from equipoise.protocol.checks.places import at
from equipoise.protocol.models.allocation import PAIR, Pairing, Stage
from equipoise.protocol.study import Study

__all__ = ["covariate_problems"]


def covariate_problems(study: Study, path: tuple[str | int, ...], stage: Stage) -> Iterator[Problem]:
    """What a criterion or a pairing could not measure, and pairs that the ratio does not fit.

    Args:
        study: as loaded.
        path: of the stage.
        stage: of any method.
    """
    if stage.method == "rerandomised" and stage.criterion is not None:
        yield from _columns(study, (*path, "criterion"), stage, stage.criterion.covariates)
    if stage.method == "matched-pairs" and isinstance(stage.pair, Pairing):
        yield from _columns(study, (*path, "pair"), stage, stage.pair.on)
        yield from _pairs(study, path, stage, stage.pair)


def _columns(
    study: Study, path: tuple[str | int, ...], stage: Stage, names: tuple[str, ...]
) -> Iterator[Problem]:
    roster = study.protocol.participants.roster if study.protocol.participants else {}
    for name in dict.fromkeys(names):
        column = roster.get(name)
        if names.count(name) > 1:
            yield at(study, *path, message=f'"{name}" is there twice; once is enough')
        if name in stage.strata:
            message = f'"{name}" is a stratum already, in which all have one value of it; leave it out of one'
            yield at(study, *path, message=message)
        if column is not None and column.role != "attribute":
            message = f'"{name}" tells people apart or reaches them; nobody is near another in it'
            yield at(study, *path, message=message)


def _pairs(study: Study, path: tuple[str | int, ...], stage: Stage, pairing: Pairing) -> Iterator[Problem]:
    participants = study.protocol.participants
    if participants is not None and PAIR in (*participants.roster, *participants.derived):
        message = f"pairs that are made become the column `{PAIR}`, which the roster has already; rename that"
        yield at(study, *path, "pair", message=message)
    making = [name for name, each in study.protocol.allocation.items() if isinstance(each.pair, Pairing)]
    if making[0] != path[1]:
        message = (
            f"the stage {making[0]} makes pairs too, and there is one column `{PAIR}`; let one make them"
        )
        yield at(study, *path, "pair", message=message)
    for rule in stage.ratio:
        shares = [share for share in rule.shares.values() if share > 0]
        size = sum(shares) // gcd(*shares) if shares else pairing.of
        if size != pairing.of:
            message = (
                f"{pairing.of} belong together and the ratio {':'.join(map(str, shares))} takes {size}; "
                f"write `of: {size}`, or another ratio"
            )
            yield at(study, *path, "pair", message=message)
