"""Crossovers: people or clusters have several arms in turn, and are compared with themselves."""

from typing import cast

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.inference import Estimate
from equipoise.estimation.mixed.crossover import CrossoverFit, fit_crossover, two_by_two
from equipoise.estimation.mixed.fit import MixedDof
from equipoise.findings.fitting.in_periods import Further, InPeriods, alike_in_a_period
from equipoise.findings.fitting.mixed import at_boundary
from equipoise.findings.sampling.periods import Periods

__all__ = ["fit_crossed"]

_AVERAGED = " Each period counts as its people tell; everybody is compared with themselves."
_BY_CLUSTER = (
    " Each period counts as its people tell; every {unit} is compared with itself, by other people each time."
)
_CARRIED = "what the arms leave behind in the period after, the arm of the period before in the same model"
_CONFOUNDED = (
    "with two periods, carry-over cannot be told from a difference between those who had the arms in either "
    "order; it decides nothing here, because testing it first spoils the error rate"
)
_CLOSED = "half the difference between the orders' mean differences, of those measured in both periods"


def fit_crossed(periods: Periods) -> InPeriods:
    """The contrast of arms within people or clusters, and what each arm leaves behind.

    Raises:
        DesignError: nobody is measured twice and no clusters were drawn, or the design cannot be estimated.
    """
    if not periods.returning and periods.cluster is None:
        raise DesignError(
            "nobody is measured in more than one period, so nobody can be compared with themselves; give the "
            "outcome a wave in each period"
        )
    fitted = _fitted(periods, carry_over=False)
    further = [_carried(periods)]
    if len(periods.arms) == 2 and periods.values.shape[1] == 2 and periods.cluster is None:
        further.append(_closed(periods))
    names = [name for name in fitted.fit.parameters if name != "residual"]
    return InPeriods(
        fitted.effect(periods.weights, *_inference(periods)),
        f"crossover: linear mixed model (REML) with random intercepts of {', '.join(names)}, periods and "
        "arms as fixed effects, no carry-over",
        _AVERAGED if periods.returning else _BY_CLUSTER.format(unit=periods.analysis.cluster),
        dict(fitted.fit.parameters),
        at_boundary(fitted.fit),
        tuple(further),
        None if periods.cluster is None else alike_in_a_period(fitted.fit.parameters),
    )


def _fitted(periods: Periods, *, carry_over: bool) -> CrossoverFit:
    rows = periods.analysed
    values = np.where(periods.there[rows], periods.values[rows], np.nan)
    return fit_crossover(
        values,
        periods.arm[rows],
        arms=len(periods.arms),
        covariates=periods.columns,
        strata=periods.strata,
        carry_over=carry_over,
        cluster=periods.cluster,
    )


def _inference(periods: Periods) -> tuple[float, MixedDof]:
    return periods.analysis.interval, cast(MixedDof, periods.analysis.dof)


def _carried(periods: Periods) -> Further:
    found: Estimate | str
    try:
        found = _fitted(periods, carry_over=True).carry_over(periods.weights, *_inference(periods))
    except DesignError as error:
        found = str(error)
    notes = (_CONFOUNDED,) if periods.values.shape[1] == 2 else ()
    return Further("carry-over", "exploratory", _CARRIED, found, notes=notes)


def _closed(periods: Periods) -> Further:
    """The closed form; its first arm is the one that the contrast counts for."""
    first = int(np.argmax(periods.weights))
    both = periods.there.all(axis=1)
    found: Estimate | str
    try:
        second_first = periods.arm[both, 0] != first
        found = two_by_two(periods.values[both], second_first, periods.analysis.interval).effect
    except DesignError as error:
        found = str(error)
    return Further("closed-form", "sensitivity", _CLOSED, found)
