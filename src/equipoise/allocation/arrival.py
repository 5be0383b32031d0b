"""Rolling enrolment: the arm of one person at the moment of arrival, without drawing anybody else's.

The arm hangs on the seed, the stage, the stratum and the place in the stratum's queue, in a minimisation also
on the levels of those who came before, and on nothing that comes later. So it is the same whether people are
drawn one by one as they come or, when enrolment has closed, all at once (`allocate` with `arrival`), as
anybody does who verifies the draw.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from equipoise.allocation.beside import NOTHING, Beside
from equipoise.allocation.design import Ratio, design
from equipoise.allocation.methods import ArrivalPlan
from equipoise.allocation.text import normalised

__all__ = ["arrival_plan"]


def arrival_plan(
    ratio: Ratio,
    *,
    method: str,
    strata: Iterable[str] | None = None,
    blocks: tuple[int, ...] | None = None,
    beside: Beside = NOTHING,
    levels: Mapping[str, tuple[str, ...] | None] | None = None,
) -> ArrivalPlan:
    """Settle how people will be allocated as they come.

    Args:
        ratio: `{arm: share}`, or `{stratum: {arm: share}}` where ratios differ.
        method: simple, permuted-blocks or minimised.
        strata: every stratum in which somebody may arrive; None where they are not known beforehand, which
            takes one ratio for all.
        blocks: sizes of permuted blocks as multiples of the ratio's sum; 1, 2 and 3 unless given.
        beside: a minimisation's coin, weights and measure.
        levels: by factor of a minimisation, the possible levels; None where any is.
    Raises:
        DesignError: strata, ratio and method do not fit, or the method needs everybody before the draw.
    """
    known = {
        name: None if given is None else tuple(normalised(given, name))
        for name, given in (levels or {}).items()
    }
    by_stratum = bool(ratio) and all(isinstance(value, Mapping) for value in ratio.values())
    possible = list(ratio) if strata is None and by_stratum else strata
    labels = [""] if possible is None else list(normalised(list(possible), "stratum", empty=True))
    seen = replace(beside, columns={name: ["any"] * len(labels) for name in known})
    plan = design(labels, ratio, method=method, blocks=blocks, arrival=True, beside=seen)
    shares = {label: tuple(row) for label, row in zip(plan.labels, plan.shares.tolist(), strict=True)}
    elsewhere = shares[""] if possible is None else None
    return ArrivalPlan(
        method,
        plan.arms,
        {} if possible is None else shares,
        elsewhere,
        plan.blocks,
        replace(beside, columns={}),
        known,
    )
