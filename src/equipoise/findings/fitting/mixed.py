"""A linear mixed model: people of a cluster share an intercept."""

from typing import cast

from equipoise.errors import DesignError
from equipoise.estimation.mixed.arms import fit_arms
from equipoise.estimation.mixed.fit import MixedDof, MixedFit
from equipoise.findings.fitting.fitted import Fitted
from equipoise.findings.sampling.measured import Measured
from equipoise.protocol.names import in_words

__all__ = ["at_boundary", "fit_mixed_model"]


def fit_mixed_model(measured: Measured) -> Fitted:
    """The contrast with a random intercept for each cluster.

    Raises:
        DesignError: there are no clusters, or the design cannot be estimated.
    """
    analysis, cluster = measured.analysis, measured.cluster
    if cluster is None:
        raise DesignError("a mixed model needs clusters; name them in `cluster:`, or choose linear")
    fitted = fit_arms(
        measured.y,
        measured.arm,
        measured.weights,
        {in_words(analysis.cluster): cluster},
        covariates=measured.columns,
        strata=measured.strata,
        arm_names=measured.arm_names,
    )
    dof = cast(MixedDof, analysis.dof)
    return Fitted(
        fitted.effect(analysis.interval, dof),
        at_boundary(fitted.fit),
        variances=dict(fitted.fit.parameters),
        jointly=lambda rows: fitted.joint_test(rows, dof),
    )


def at_boundary(fit: MixedFit) -> tuple[str, ...]:
    """What to tell of variances that are 0: the data show no likeness, and may not show its absence."""
    return tuple(
        f"the variance between levels of {name} is estimated as 0; it may be larger, and that is allowed for"
        for name in fit.at_boundary
    )
