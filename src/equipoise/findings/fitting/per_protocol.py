"""Those who took up what their arm offered: a comparison that the lots did not make."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from equipoise.findings.fitting.fitted import Fitted
from equipoise.findings.sampling.measured import Measured
from equipoise.findings.sampling.take_up import followed_arm

__all__ = ["fit_per_protocol"]

_NOT_RANDOMISED = (
    "not randomised: who follows their arm is chosen after allocation, so the people compared differ in more "
    "than their arm"
)


def fit_per_protocol(measured: Measured, fit: Callable[[Measured], Fitted]) -> Fitted:
    """The contrast among those who followed their arm, by the way of fitting of its model.

    Raises:
        DesignError: too few followed, or the take-up cannot be read.
    """
    followed = followed_arm(measured)
    sample = replace(measured.sample, inside=followed, code=np.where(followed, measured.sample.code, -1))
    those = replace(measured, sample=sample)
    kept, all_ = measured.sample.counts(followed), measured.sample.counts(measured.sample.inside)
    counted = ", ".join(f"{kept[arm]} of {all_[arm]} in {arm}" for arm in kept)
    fitted = fit(those)
    return replace(
        fitted,
        notes=(_NOT_RANDOMISED, f"followed their arm: {counted}", *fitted.notes),
        fields={
            **fitted.fields,
            "n": sample.counts((fitted.analysed or those).answered),
            "n_missing": measured.sample.counts(measured.sample.inside & np.isnan(measured.values)),
        },
    )
