"""Rolling enrolment: the arm of one person at the moment of arrival, without drawing anybody else's.

The arm hangs on the seed, the stage, the stratum and the place in the stratum's queue, and on nothing that
comes later. So it is the same whether people are drawn one by one as they come or, when enrolment has
closed, all at once (`allocate` with `arrival`), as anybody does who verifies the draw.
"""

from collections.abc import Iterable, Mapping

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
) -> ArrivalPlan:
    """Settle how people will be allocated as they come.

    Args:
        ratio: `{arm: share}`, or `{stratum: {arm: share}}` where ratios differ.
        method: simple or permuted-blocks.
        strata: every stratum in which somebody may arrive; None where they are not known beforehand, which
            takes one ratio for all.
        blocks: sizes of permuted blocks as multiples of the ratio's sum; 1, 2 and 3 unless given.
    Raises:
        DesignError: strata, ratio and method do not fit, or the method needs everybody before the draw.
        NotSupportedError: a method that this version cannot draw.
    """
    by_stratum = bool(ratio) and all(isinstance(value, Mapping) for value in ratio.values())
    possible = list(ratio) if strata is None and by_stratum else strata
    labels = [""] if possible is None else list(normalised(list(possible), "stratum", empty=True))
    plan = design(labels, ratio, method=method, blocks=blocks, arrival=True)
    shares = {label: tuple(row) for label, row in zip(plan.labels, plan.shares.tolist(), strict=True)}
    if possible is None:
        return ArrivalPlan(method, plan.arms, {}, shares[""], plan.blocks)
    return ArrivalPlan(method, plan.arms, shares, None, plan.blocks)
