"""The models of one row a person: least squares and pseudo-likelihood."""

from typing import cast

from equipoise.estimation.arrays import Dof
from equipoise.estimation.registry import estimate_effect
from equipoise.findings.fitting.fitted import Fitted
from equipoise.findings.measured import Measured

__all__ = ["fit_regression"]


def fit_regression(measured: Measured) -> Fitted:
    """The contrast by least squares, or as an average marginal effect.

    Raises:
        DesignError: the design cannot be estimated.
    """
    analysis = measured.analysis
    linear = analysis.model in ("linear", "lin-interacted")
    return Fitted(
        estimate_effect(
            str(analysis.model),
            measured.y,
            measured.arm,
            measured.weights,
            covariates=measured.columns,
            strata=measured.strata,
            cluster=measured.cluster,
            variance=analysis.variance,
            dof=cast(Dof, analysis.dof) if linear else None,
            level=analysis.interval,
            arm_names=measured.arm_names,
        )
    )
