"""A stage that is minimised: factors with levels, weights, and a coin that balances."""

from collections.abc import Iterator
from math import gcd

from equipoise.errors import Problem
from equipoise.protocol.checks.places import at, unknown
from equipoise.protocol.models.allocation import Stage
from equipoise.protocol.study import Study

__all__ = ["minimisation_problems"]

MOST_SLOTS = 100  # arms that a minimisation balances, each as often as its share
_WITHOUT_LEVELS = {"number": "numbers", "integer": "numbers", "date": "dates"}


def minimisation_problems(study: Study, path: tuple[str | int, ...], stage: Stage) -> Iterator[Problem]:
    """What a minimisation could not balance.

    Args:
        study: as loaded.
        path: of the stage.
        stage: minimised or not.
    """
    if stage.method != "minimised":
        return
    for factor in dict.fromkeys(stage.balance):
        for message in _factor(study, stage, factor):
            yield at(study, *path, "balance", message=message)
    factors = stage.balance
    for factor, weight in stage.weights.items():
        if factor not in factors:
            yield unknown(study, (*path, "weights"), factor, "a factor of this stage", factors, "Factors")
        elif weight < 1:
            message = f"a weight is a whole number from 1 upwards, found {weight} for {factor}"
            yield at(study, *path, "balance", message=message)
    yield from _coin(study, path, stage)


def _factor(study: Study, stage: Stage, factor: str) -> Iterator[str]:
    roster = study.protocol.participants.roster if study.protocol.participants else {}
    column = roster.get(factor)
    if list(stage.balance).count(factor) > 1:
        yield f'"{factor}" is there twice; to let it count more, give weights, as in {{{factor}: 2}}'
    if factor in stage.strata:
        yield f'"{factor}" is a stratum already, in which everybody has one level of it; leave it out of one'
    if column is not None and not column.required:
        yield f'"{factor}" may be empty, and whoever lacks it could not be drawn; leave `required: false` out'
    if column is not None and column.role != "attribute":
        yield f'"{factor}" tells people apart or reaches them; it has no levels to balance'
    elif column is not None and column.type in _WITHOUT_LEVELS:
        yield (
            f'"{factor}" holds {_WITHOUT_LEVELS[column.type]}, and minimisation balances levels; declare it '
            "as a category, or derive bands of it"
        )


def _coin(study: Study, path: tuple[str | int, ...], stage: Stage) -> Iterator[Problem]:
    """A coin no better than plain chance balances nothing; a ratio of large numbers has no small slots."""
    slots = [
        sum(rule.shares.values()) // gcd(*rule.shares.values())
        for rule in stage.ratio
        if len(rule.shares) > 1 and min(rule.shares.values()) > 0
    ] or [max(2, len(stage.arms))]
    if max(slots) > MOST_SLOTS:
        message = (
            f"its shares sum to {max(slots)}: minimisation balances as many equal arms, and {MOST_SLOTS} at "
            "most; use a simpler ratio, or `method: permuted-blocks`"
        )
        yield at(study, *path, "ratio", message=message)
    if stage.biased_coin * min(slots) <= 1:
        message = (
            f"{stage.biased_coin:g} is no more than the 1/{min(slots)} that plain chance gives, so nothing "
            "would be balanced; use a larger one, such as 0.8"
        )
        yield at(study, *path, "biased-coin", message=message)
