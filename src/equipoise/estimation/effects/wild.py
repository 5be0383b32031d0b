"""A contrast of arms in a linear model, with the wild cluster bootstrap for its p-value and interval."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import arms_compared, codes_of, contrast_weights, name_of, refuse
from equipoise.estimation.effects.arm_design import ArmDesign, additive_design, interacted_design
from equipoise.estimation.least_squares.linear import fit_linear
from equipoise.estimation.least_squares.wild_bootstrap import WildBootstrap, wild_cluster_bootstrap

__all__ = ["few_clusters_in_an_arm", "wild_effect"]

FEWEST = 6
"""Clusters in an arm below which restricted bootstraps were seen to reject far too seldom."""


class _Design(Protocol):
    def __call__(
        self,
        outcome: npt.ArrayLike,
        arm: npt.ArrayLike,
        contrast: npt.ArrayLike,
        *,
        covariates: npt.ArrayLike | None = None,
        strata: npt.ArrayLike | None = None,
        arm_names: Sequence[str] | None = None,
    ) -> ArmDesign: ...


_DESIGNS: Mapping[str, _Design] = {"linear": additive_design, "lin-interacted": interacted_design}


def wild_effect(
    model: str,
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    cluster: npt.ArrayLike,
    chance: np.random.Generator,
    *,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    draws: int = 10_000,
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
) -> WildBootstrap:
    """A contrast of arms by `linear` or `lin-interacted`, tested by re-drawing the signs of whole clusters.

    Args:
        model: `linear` or `lin-interacted`.
        outcome: (n,) in its own unit; NaN is refused, not dropped.
        arm: (n,) codes from 0; allocation as randomised.
        contrast: one weight an arm, adding up to 0.
        cluster: (n,) labels.
        chance: where draws come from.
        covariates: (n, p) measured before allocation.
        strata: (n,) labels.
        draws: how many; where there are no more different ones, each is taken once.
        level: coverage of the interval.
        arm_names: for messages.
    Returns:
        The contrast with the bootstrap's p-value and interval; see `wild_cluster_bootstrap`.
    Raises:
        DesignError: another model, or a design that it cannot estimate.
    """
    if model not in _DESIGNS:
        raise refuse("model", f'is "{model}"; the wild bootstrap goes with linear and lin-interacted.')
    design = _DESIGNS[model](
        outcome, arm, contrast, covariates=covariates, strata=strata, arm_names=arm_names
    )
    design.check(fit_linear(design.outcome, design.matrix, variance="classical", strata=design.strata))
    return wild_cluster_bootstrap(
        design.outcome,
        design.matrix,
        design.vector,
        cluster,
        chance,
        strata=design.strata,
        draws=draws,
        level=level,
    )


def few_clusters_in_an_arm(
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    cluster: npt.ArrayLike,
    arm_names: Sequence[str] | None = None,
) -> str | None:
    """What to tell where an arm compared has so few clusters that the wild bootstrap fails; else None.

    MacKinnon & Webb (2017), J. Applied Econometrics 32:233.
    """
    codes, units = np.asarray(arm, dtype=np.int64), codes_of(cluster, "cluster")[0]
    for code in arms_compared(contrast_weights(contrast, codes)):
        held = len(np.unique(units[codes == code]))
        if held < FEWEST:
            return (
                f"{name_of(code, arm_names, 'arm')} has {held} clusters: with fewer than {FEWEST} in an arm "
                "the wild bootstrap hardly ever rejects; a randomisation test does not depend on it"
            )
    return None
