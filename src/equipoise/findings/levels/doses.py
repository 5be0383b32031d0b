"""The outcome by how much of the intervention people took: a description, since that is their choice."""

from collections.abc import Iterator

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.arrays import refuse
from equipoise.estimation.effects.dose_response import DoseCurve, DosePoint, dose_curve
from equipoise.findings.estimates import with_estimate
from equipoise.findings.results import Finding
from equipoise.findings.sampling.measured import Measured
from equipoise.findings.sampling.take_up import amount_of, take_up_column

__all__ = ["by_dose"]

_DESCRIPTIVE = (
    "descriptive: how much people took is itself chosen after allocation, so doses compare different people"
)
_LAST_STEPS = ("dose_opened", "dose_weeks_received")


def by_dose(measured: Measured, base: Finding) -> Iterator[Finding]:
    """Means by dose among the arms that the contrast adds, the line through people and a monotone curve.

    The dose is the column that `take-up:` names; left out, the pages that people opened, else the weeks in
    which they received something.

    Args:
        measured: the outcome.
        base: what all these findings share.
    """
    offered = _offered(measured)
    base = base.model_copy(update={"kind": "mean", "contrast": None, "arm": offered, "margin": None})
    try:
        column = _column(measured)
        dose = amount_of(measured.study, measured.data, column)
        adding = np.append(measured.weights, 0.0)[measured.sample.code] > 0  # -1 is nobody's cell
        known = measured.among(adding & ~np.isnan(dose))
        if not known.answered.any():
            raise refuse("dose", f"({column}) is not known for anybody with an outcome in the arm {offered}.")
        curve = dose_curve(
            known.y, dose[known.answered], cluster=known.cluster, level=measured.analysis.interval
        )
    except DesignError as error:
        yield base.model_copy(update={"not_estimable": str(error)})
        return
    yield from _told(base.model_copy(update={"model": f"mean by {column}; {_DESCRIPTIVE}"}), curve, column)


def _offered(measured: Measured) -> str:
    return ", ".join(
        name for name, weight in zip(measured.arm_names, measured.weights, strict=True) if weight > 0
    )


def _column(measured: Measured) -> str:
    if measured.analysis.take_up is not None:
        return take_up_column(measured.study, measured.analysis, measured.at)
    for column in _LAST_STEPS:
        if measured.data.has(column):
            return column
    raise refuse(
        "dose", f"is in none of the columns {' and '.join(_LAST_STEPS)}; name its column in `take-up:`."
    )


def _told(base: Finding, curve: DoseCurve, column: str) -> Iterator[Finding]:
    for point in curve.points:
        yield _at_dose(base, point)
    if curve.slope is not None:
        words = f"difference in the mean between people one unit of {column} apart; {_DESCRIPTIVE}"
        yield with_estimate(
            base, curve.slope, id=f"{base.id}.linear", model=words, p_value=None, statistic=None
        )
    if curve.monotone is not None:
        shown = [point for point in curve.points if point.mean is not None]
        for point, value in zip(shown, curve.monotone.values, strict=True):
            yield base.model_copy(
                update={
                    "id": f"{base.id}.monotone={point.low:g}",
                    "level": _ends(point),
                    "estimate": value,
                    "model": f"the closest {curve.monotone.direction} curve; {_DESCRIPTIVE}",
                }
            )


def _at_dose(base: Finding, point: DosePoint) -> Finding:
    named = base.model_copy(
        update={
            "id": f"{base.id}.dose={point.low:g}",
            "level": _ends(point),
            "n": {str(base.arm): point.people},
            "not_estimable": point.not_estimable,
        }
    )
    return named if point.mean is None else with_estimate(named, point.mean, p_value=None, statistic=None)


def _ends(point: DosePoint) -> str:
    return f"{point.low:g}" if point.low == point.high else f"{point.low:g} to {point.high:g}"
