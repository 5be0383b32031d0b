"""The models of one row a person, or a row a cluster: least squares and pseudo-likelihood."""

from typing import cast

from equipoise.estimation.arrays import Dof
from equipoise.estimation.registry import estimate_effect
from equipoise.findings.fitting.clusters import both_ways, fit_wild, rows_of
from equipoise.findings.fitting.fitted import Fitted
from equipoise.findings.sampling.measured import Measured

__all__ = ["fit_regression"]


def fit_regression(measured: Measured) -> Fitted:
    """The contrast by least squares, or as an average marginal effect.

    Raises:
        DesignError: the design cannot be estimated.
    """
    analysis, rows = measured.analysis, rows_of(measured)
    if analysis.variance == "wild-bootstrap":
        return fit_wild(measured, rows)
    linear = analysis.model in ("linear", "lin-interacted")
    return Fitted(
        estimate_effect(
            str(analysis.model),
            rows.y,
            rows.arm,
            measured.weights,
            covariates=rows.covariates,
            strata=rows.strata,
            cluster=both_ways(measured) if analysis.variance == "two-way" else rows.cluster,
            variance=analysis.variance,
            dof=cast(Dof, analysis.dof) if linear else None,
            level=analysis.interval,
            arm_names=measured.arm_names,
            covariate_names=measured.covariates.column_names,
        ),
        rows.notes,
    )
