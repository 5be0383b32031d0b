"""Models of effects by the names that a protocol gives them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy.typing as npt

from equipoise.errors import nearest
from equipoise.estimation.arrays import Dof, refuse
from equipoise.estimation.effects.adjusted import lin_interacted, linear_effect
from equipoise.estimation.effects.neyman import difference_in_means
from equipoise.estimation.effects.ordinal import ordinal_effect
from equipoise.estimation.effects.pseudo_likelihood import logistic_effect, poisson_effect
from equipoise.estimation.inference import Estimate
from equipoise.estimation.mixed.arms import mixed_effect
from equipoise.estimation.mixed.fit import MixedDof
from equipoise.estimation.mixed.mmrm import mmrm_effect

__all__ = ["MODELS", "Model", "ModelName", "estimate_effect"]

ModelName = Literal[
    "difference-in-means", "linear", "lin-interacted", "logistic", "ordinal", "poisson", "mixed", "mmrm"
]


@dataclass(frozen=True)
class Model:
    """A model: what it is in a line, and its function."""

    summary: str
    effect: Callable[..., Estimate]


def estimate_effect(
    model: str,
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    variance: str | None = None,
    dof: Dof | MixedDof | None = None,
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
    covariate_names: Sequence[str] | None = None,
) -> Estimate:
    """A contrast of arms by the model of a name.

    Args:
        model: a name in `MODELS`.
        outcome: (n,) in its own unit, without gaps; for mmrm (n, waves), NaN where a wave was not answered.
        arm: (n,) codes from 0; allocation as randomised.
        contrast: one weight an arm, adding up to 0.
        covariates: (n, p) measured before allocation.
        strata: (n,) labels.
        cluster: (n,) labels; (n, 2) with the variance `two-way`.
        variance: kind of covariance; the model's default where left out, CR2 for linear models of clusters.
        dof: degrees of freedom; the model's default where left out.
        level: coverage of the interval.
        arm_names, covariate_names: for messages; p names of the covariates' columns.
    Returns:
        The estimate, in the outcome's unit whatever the model.
    Raises:
        DesignError: an unknown model, or a design that the model cannot estimate.
    """
    if model not in MODELS:
        raise refuse("model", f'is "{model}"; expected one of {nearest(model, tuple(MODELS))}')
    effect = MODELS[model].effect
    options: dict[str, Any] = {"strata": strata, "level": level, "arm_names": arm_names}
    if dof is not None:
        options["dof"] = dof
    if model == "difference-in-means":
        _only_means(covariates, cluster, variance)
        return effect(outcome, arm, contrast, **options)
    if variance is None and cluster is not None and model in ("linear", "lin-interacted"):
        variance = "CR2"
    if model in _MODEL_BASED:
        _only_model_based(model, variance, dof)
    elif variance is not None:
        options["variance"] = variance
    if model in _BY_LIKELIHOOD:
        options["covariate_names"] = covariate_names
    return effect(outcome, arm, contrast, covariates=covariates, cluster=cluster, **options)


def _only_means(
    covariates: npt.ArrayLike | None, cluster: npt.ArrayLike | None, variance: str | None
) -> None:
    if covariates is not None:
        raise refuse("covariates", "cannot be used by difference-in-means; choose linear or lin-interacted.")
    if cluster is not None:
        raise refuse("cluster", "cannot be used by difference-in-means; choose linear, with CR2.")
    if variance not in (None, "neyman", "HC2"):
        raise refuse("variance", f"{variance} does not go with difference-in-means; its variance is neyman.")


def _only_model_based(model: str, variance: str | None, dof: str | None) -> None:
    if variance not in (None, "classical"):
        raise refuse("variance", f"{variance} does not go with {model}; its variance is classical.")
    if dof == "residual":
        raise refuse("dof", f"residual does not go with {model}; choose kenward-roger or satterthwaite.")


_MODEL_BASED = ("mixed", "mmrm")
_BY_LIKELIHOOD = ("logistic", "ordinal", "poisson")
MODELS: dict[str, Model] = {
    "difference-in-means": Model("Difference in means, Neyman's variance", difference_in_means),
    "linear": Model("Least squares on arms, covariates and strata", linear_effect),
    "lin-interacted": Model("Least squares with centred covariates interacted with arms", lin_interacted),
    "logistic": Model("Logistic regression, average marginal effect", logistic_effect),
    "ordinal": Model("Proportional-odds regression, average marginal effect", ordinal_effect),
    "poisson": Model("Poisson pseudo-likelihood, average marginal effect", poisson_effect),
    "mixed": Model("Linear mixed model, a random intercept for each cluster", mixed_effect),
    "mmrm": Model("Mixed model for repeated measures", mmrm_effect),
}
