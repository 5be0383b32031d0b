"""The covariance of least squares that an analysis by levels uses."""

from typing import cast

from equipoise.estimation.arrays import Dof
from equipoise.estimation.least_squares.covariance import VARIANCES, Variance
from equipoise.protocol.models.analyses import Analysis

__all__ = ["dof_of", "variance_of"]


def variance_of(analysis: Analysis) -> Variance:
    """The one that the analysis names for least squares; else HC2, or CR2 where errors go by cluster.

    HC2 is Neyman's variance for means of cells.
    """
    linear = analysis.model in ("linear", "lin-interacted")
    if linear and analysis.variance in VARIANCES:
        return cast(Variance, analysis.variance)
    return "HC2" if analysis.cluster in (None, "participant") else "CR2"


def dof_of(analysis: Analysis) -> Dof:
    """Satterthwaite's, unless the analysis asks for the residual ones."""
    return "residual" if analysis.dof == "residual" else "satterthwaite"
