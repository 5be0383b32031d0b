"""The effect among those whose take-up follows their arm."""

from typing import cast

import numpy as np

from equipoise.estimation.arrays import Dof, refuse
from equipoise.estimation.effects.instrumental import ComplierEffect, complier_effect
from equipoise.estimation.least_squares.covariance import Variance
from equipoise.findings.fitting.fitted import Fitted
from equipoise.findings.sampling.measured import Measured
from equipoise.findings.sampling.take_up import amount_of, take_up_column
from equipoise.instruments.scoring import Floats

__all__ = ["fit_compliers", "taken_by"]

WEAK = 10.0
"""A first-stage F below this is called weak: Staiger & Stock (1997), Econometrica 65:557."""


def fit_compliers(measured: Measured) -> Fitted:
    """Two-stage least squares, the allocation as the instrument for the take-up.

    Raises:
        DesignError: take-up is missing, or does not differ between the arms.
    """
    analysis = measured.analysis
    found = complier_effect(
        measured.y,
        measured.arm,
        measured.weights,
        taken_by(measured),
        covariates=measured.columns,
        strata=measured.strata,
        cluster=measured.cluster,
        variance=cast(Variance, analysis.variance),
        dof=cast(Dof, analysis.dof),
        level=analysis.interval,
        arm_names=measured.arm_names,
    )
    notes = (f"assumes: {analysis.assumption}", _first_stage(found))
    return Fitted(found.effect, notes, compliers=found)


def taken_by(measured: Measured) -> Floats:
    """What those analysed took up, shape (n,), without gaps.

    Raises:
        DesignError: it is not known of somebody, or cannot be read.
    """
    column = take_up_column(measured.study, measured.analysis, measured.at)
    taken = amount_of(measured.study, measured.data, column)[measured.answered]
    unknown = int(np.isnan(taken).sum())
    if unknown:
        raise refuse(
            "take-up",
            f"({column}) is not known for {unknown} of {len(taken)} analysed; fill the column in for them (0 "
            "for those who took up nothing), since leaving people out would undo the randomisation.",
        )
    return taken


def _first_stage(found: ComplierEffect) -> str:
    words = f"take-up differed by {found.take_up:.3g} between the arms compared"
    if found.strength is None:
        return f"{words}, without exception"
    test = found.strength.robust
    words += f" (first-stage F {test.statistic:.1f} on 1 and {test.dof_denominator:.1f} degrees of freedom)"
    if test.statistic < WEAK:
        return f"{words}: so little that only the Anderson-Rubin interval can be relied upon"
    return words
