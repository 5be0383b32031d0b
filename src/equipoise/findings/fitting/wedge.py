"""Stepped wedges and waiting lists: everybody begins without, and who has switched stays with it."""

from typing import cast

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.inference import Estimate
from equipoise.estimation.mixed.fit import MixedDof
from equipoise.estimation.mixed.wedge import Course, WedgeFit, fit_stepped_wedge
from equipoise.findings.fitting.in_periods import Further, InPeriods, alike_in_a_period
from equipoise.findings.fitting.mixed import at_boundary
from equipoise.findings.sampling.periods import Periods

__all__ = ["fit_wedge"]

_AVERAGED = (
    " The effect may change with the time since the switch; this is its average over the periods since then "
    "that were seen, each counting the same."
)
_CONSTANT = " The effect is taken to be the same whenever it is measured after the switch."
_OTHER: dict[Course, Course] = {"by-exposure": "constant", "constant": "by-exposure"}
_NAMED = {
    "by-exposure": "an effect for each period since the switch, averaged",
    "constant": "one effect for all periods since the switch",
}


def fit_wedge(periods: Periods) -> InPeriods:
    """The effect after the switch, by exposure time, and the same with the other course of the effect.

    Raises:
        DesignError: the design cannot be estimated.
    """
    course = periods.schedule.effect
    fitted = _fitted(periods, course)
    effect = _average(fitted, periods)
    other = _OTHER[course]
    return InPeriods(
        effect,
        f"stepped wedge: {_intercepts(fitted)}, periods as fixed effects, {_NAMED[course]}",
        _AVERAGED if course == "by-exposure" else _CONSTANT,
        dict(fitted.fit.parameters),
        at_boundary(fitted.fit),
        (*_by_exposure(fitted, periods), _otherwise(periods, other)),
        None if periods.cluster is None else alike_in_a_period(fitted.fit.parameters),
    )


def _fitted(periods: Periods, course: Course) -> WedgeFit:
    treated = _joined(periods)
    exposure = np.cumsum(periods.arm == treated, axis=1) * (periods.arm == treated)
    rows = np.flatnonzero(periods.analysed)
    person, period = np.nonzero(periods.there[rows])
    cluster = person if periods.cluster is None else periods.cluster[person]
    repeated = periods.returning and periods.cluster is not None
    return fit_stepped_wedge(
        periods.values[rows][person, period],
        exposure[rows][person, period],
        period,
        cluster,
        person=person if repeated else None,
        covariates=None if periods.columns is None else periods.columns[person],
        strata=None if periods.strata is None else periods.strata[person],
        course=course,
    )


def _average(fitted: WedgeFit, periods: Periods) -> Estimate:
    found = fitted.average(periods.analysis.interval, cast(MixedDof, periods.analysis.dof))
    return found.scaled(float(periods.weights[_joined(periods)]))


def _joined(periods: Periods) -> int:
    """The arm that people switch to."""
    switch = periods.schedule.switch
    if switch is None:
        raise DesignError(
            "somebody goes back to the arm they left, or there are three arms: no stepped wedge"
        )
    return periods.arms.index(switch[1])


def _by_exposure(fitted: WedgeFit, periods: Periods) -> tuple[Further, ...]:
    """The effect in each period since the switch; nothing where it is constant."""
    if fitted.course == "constant":
        return ()
    level, dof = periods.analysis.interval, cast(MixedDof, periods.analysis.dof)
    sign = float(periods.weights[_joined(periods)])
    return tuple(
        Further(
            f"exposure={exposure}",
            "exploratory",
            "the effect in this period since the switch, 1 being the first",
            fitted.after(int(exposure), level, dof).scaled(sign),
            str(exposure),
        )
        for exposure in fitted.exposures
    )


def _otherwise(periods: Periods, course: Course) -> Further:
    found: Estimate | str
    try:
        found = _average(_fitted(periods, course), periods)
    except DesignError as error:
        found = str(error)
    return Further(course, "sensitivity", f"the same model with {_NAMED[course]}", found)


def _intercepts(fitted: WedgeFit) -> str:
    names = [name for name in fitted.fit.parameters if name != "residual"]
    return f"linear mixed model (REML) with random intercepts of {', '.join(names)}"
