"""What a good statistician would say beside an effect: one function for each caution."""

from collections.abc import Callable, Iterator

from equipoise.findings.caution.changes import less_precise_than_adjusting
from equipoise.findings.caution.events import events_dealt_with
from equipoise.findings.caution.indices import made_of_parts
from equipoise.findings.caution.measurement import straight_lines, unreliable
from equipoise.findings.caution.numbers import (
    alone_in_stratum,
    few_clusters,
    leverage,
    tiny_arms,
    yes_or_no_too_rare,
)
from equipoise.findings.caution.planned import (
    fewer_answers_than_assumed,
    other_spread_than_assumed,
    wave_out_of_time,
)
from equipoise.findings.caution.response import differential_attrition
from equipoise.findings.sampling.measured import Measured

__all__ = ["cautions"]


def cautions(measured: Measured) -> tuple[str, ...]:
    """Every caution that applies, in the order in which a reader needs them."""
    return tuple(text for each in _CAUTIONS for text in each(measured))


_CAUTIONS: tuple[Callable[[Measured], Iterator[str]], ...] = (
    events_dealt_with,
    less_precise_than_adjusting,
    made_of_parts,
    few_clusters,
    tiny_arms,
    yes_or_no_too_rare,
    alone_in_stratum,
    leverage,
    unreliable,
    straight_lines,
    wave_out_of_time,
    differential_attrition,
    fewer_answers_than_assumed,
    other_spread_than_assumed,
)
