"""Whether a draw of few clusters leaves chance enough room for anything to be found."""

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from math import ceil, comb

from equipoise.errors import EquipoiseError, Problem
from equipoise.protocol.checks.places import at
from equipoise.protocol.contrasts import parse_contrast
from equipoise.protocol.factors import contrast_factors, default_factor
from equipoise.protocol.models.allocation import Stage
from equipoise.protocol.study import Study

__all__ = ["check_chance"]

FIXED = ("complete", "blocked")
DEFAULT_ALPHA = 0.05


def check_chance(study: Study) -> Iterator[Problem]:
    """Comparisons of clusters whose smallest p-value is above the error rate: three against three, 0.10.

    It can be told where clusters are drawn at fixed numbers without strata, and the roster lists them
    (`levels`) or the protocol says how many people are expected and how many a cluster has. With so few
    clusters the p-value comes from the randomisation test, whatever `test` says.
    """
    alpha = max((step.alpha for step in study.protocol.testing or ()), default=DEFAULT_ALPHA)
    for name, analysis in study.protocol.analyses.items():
        stage = study.protocol.allocation.get(study.protocol.main_stage)
        if stage is None or analysis.cluster != stage.unit:
            continue
        for place, text in enumerate(analysis.contrast):
            numbers = _compared(study, stage, text)
            message = None if numbers is None else _too_few(*numbers, stage.unit, alpha)
            if message is not None:
                yield at(study, "analyses", name, "contrast", place, message=message)


def _too_few(first: int, second: int, unit: str, alpha: float) -> str | None:
    ways = comb(first + second, first)
    smallest = (2 if first == second else 1) / ways
    if smallest <= alpha:
        return None
    return (
        f"{first} against {second} of the unit {unit} can be drawn in {ways} ways, so no p-value can be "
        f"below {smallest:.2g} and nothing can be found at {alpha:g}; allocate more of them, or smaller units"
    )


def _compared(study: Study, stage: Stage, text: str) -> tuple[int, int] | None:
    """The clusters of the two arms that a contrast compares, at most; None where they are not known."""
    if not _fixed(stage):
        return None
    shares, arms = stage.ratio[0].shares, _arms(study, text)
    if len(arms) != 2 or not set(arms) <= set(shares):
        return None
    listed, planned = _listed(study, stage.unit), _planned(study, stage.unit)
    each = Fraction(listed or planned or 0, sum(shares.values()))
    if not each or (listed and each.denominator != 1):
        return None
    first, second = (ceil(each * shares[arm]) for arm in arms)
    return first, second


def _listed(study: Study, unit: str) -> int | None:
    """The clusters that the roster lists."""
    participants = study.protocol.participants
    column = participants.roster.get(unit) if participants else None
    return len(column.levels) if column is not None and column.levels else None


def _planned(study: Study, unit: str) -> int | None:
    """The clusters that the people expected fill, if the last is filled only in part it counts too."""
    participants, spec = study.protocol.participants, study.protocol.units.get(unit)
    if participants is None or participants.expected is None or spec is None or spec.people is None:
        return None
    return ceil(Fraction(participants.expected) / Fraction(str(spec.people)))


def _fixed(stage: Stage) -> bool:
    return (
        stage.method in FIXED
        and not stage.drawn_within
        and stage.among is None
        and len(stage.ratio) == 1
        and stage.to == "arms"
    )


def _arms(study: Study, text: str) -> list[str]:
    """The arms of the main stage to which a contrast gives weight; none where it cannot be read."""
    names = list(study.protocol.arms)
    with suppress(EquipoiseError):
        factors = contrast_factors(study.protocol, study.vignettes)
        weights = parse_contrast(text, factors, default_factor(study.protocol)).weights(names)
        return [arm for arm, weight in zip(names, weights, strict=True) if weight]
    return []
