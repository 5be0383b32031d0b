"""Means by arm that a model gives, averaged over everyone, with their covariance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import Floats, Ints, arms_compared, contrast_weights, name_of, refuse
from equipoise.estimation.inference import Estimate, estimate_from

__all__ = ["MarginalMeans"]


@dataclass(frozen=True, eq=False)
class MarginalMeans:
    """The fitted mean outcome if everyone were in an arm, for each arm that somebody is in.

    Attributes:
        arms: (k,) codes of these arms.
        means: (k,) in the outcome's unit; of a yes/no outcome, probabilities.
        covariance: (k, k) of the means, by the delta method, covariates taken as fixed.
        scale: a size of the outcome, beside which an error that is mere rounding is recognised.
        arm_names: for messages.
    """

    arms: Ints
    means: Floats
    covariance: Floats
    scale: float
    arm_names: Sequence[str] | None = None

    def contrast(self, contrast: npt.ArrayLike, level: float = 0.95) -> Estimate:
        """The average marginal effect: a contrast of the means, on the normal distribution.

        Args:
            contrast: one weight an arm, those without people included.
            level: coverage of the interval.
        Raises:
            DesignError: weights that are no contrast, or an arm compared has nobody.
        """
        weights = contrast_weights(contrast, self.arms)
        for code in arms_compared(weights):
            if code not in self.arms:
                name = name_of(code, self.arm_names, "arm")
                raise refuse("arm", f"{name} has nobody with an outcome to compare.")
        chosen = weights[self.arms]
        error = float(np.sqrt(chosen @ self.covariance @ chosen))
        return estimate_from(float(chosen @ self.means), error, np.inf, level, scale=self.scale)
