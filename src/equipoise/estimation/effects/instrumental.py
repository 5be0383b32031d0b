"""The effect of taking something up, among those whose take-up follows the arm that they were given."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg

from equipoise.errors import DesignError
from equipoise.estimation.arrays import (
    Dof,
    Floats,
    Ints,
    arms_compared,
    contrast_weights,
    finite,
    finite_columns,
    name_of,
    refuse,
    same_length,
)
from equipoise.estimation.effects.two_stage import Instruments, two_stage_least_squares
from equipoise.estimation.effects.weak_instruments import (
    ConfidenceSet,
    FirstStage,
    ReducedForms,
    anderson_rubin,
    first_stage,
)
from equipoise.estimation.inference import Estimate
from equipoise.estimation.least_squares.covariance import Variance
from equipoise.estimation.least_squares.linear import LinearFit

__all__ = ["ComplierEffect", "bloom_ratio", "complier_effect"]


@dataclass(frozen=True)
class ComplierEffect:
    """The effect among compliers, and what it is made of.

    Attributes:
        effect: of taking it up, in the outcome's unit for each unit of take-up.
        as_randomised: the contrast of the arms' outcomes, take-up ignored.
        take_up: the contrast of the arms' take-up.
        strength: of the first stage; None where take-up follows the arm exactly.
        anderson_rubin: the set that keeps its level however little take-up differs.
    """

    effect: Estimate
    as_randomised: Estimate
    take_up: float
    strength: FirstStage | None
    anderson_rubin: ConfidenceSet


def complier_effect(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    take_up: npt.ArrayLike,
    *,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    variance: Variance | None = None,
    dof: Dof = "satterthwaite",
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
) -> ComplierEffect:
    """The effect of take-up among those whose take-up follows their arm, by two-stage least squares.

    Args:
        outcome: (n,) in its own unit; NaN is refused, not dropped.
        arm: (n,) codes from 0; allocation as randomised.
        contrast: one weight an arm, adding up to 0. It is the one instrument; how else arms differ stays in
            the model.
        take_up: (n,) 1 or 0, or an amount.
        covariates: (n, p) measured before allocation.
        strata: (n,) labels whose intercepts are absorbed.
        cluster: (n,) labels.
        variance: kind of covariance; left out, HC2, or CR2 with clusters.
        dof: degrees of freedom.
        level: coverage of the intervals.
        arm_names: for messages.
    Returns:
        The contrast of outcomes over that of take-up, covariates and strata allowed for. It is the mean
        effect among compliers if allocation acts through take-up alone and makes nobody take up less; for an
        amount, an average of effects a unit, which weighs people by how far allocation moved them.
    Raises:
        DesignError: an arm compared has nobody, or the arms do not differ in take-up at all.

    Angrist, Imbens & Rubin (1996), JASA 91:444; for amounts Angrist & Imbens (1995), JASA 90:431.
    """
    y, taken = finite(outcome, "outcome"), finite(take_up, "take_up")
    codes = np.asarray(arm, dtype=np.int64)
    extra = None if covariates is None else finite_columns(covariates, "covariates")
    same_length(len(y), arm=codes, take_up=taken, covariates=extra)
    weights = contrast_weights(contrast, codes)
    _everybody_there(codes, weights, arm_names)
    columns, exogenous = _arms_as_instrument(codes, weights, extra, intercept=strata is None)
    kind: Variance = variance or ("HC2" if cluster is None else "CR2")
    model = Instruments(columns, exogenous, _labels(strata), _labels(cluster), kind, dof)
    forms, picked = ReducedForms.of(y, taken, model), model.selector[0]
    return ComplierEffect(
        as_randomised=forms.outcome.contrast(picked, level),
        effect=two_stage_least_squares(y, taken, model).contrast(picked, level),
        take_up=float(picked @ np.nan_to_num(forms.taken.coefficients)),
        strength=_strength(forms.taken, model),
        anderson_rubin=anderson_rubin(forms, model, level),
    )


def bloom_ratio(effect: Estimate, share: float) -> Estimate:
    """The effect among those treated, where no control could be and only the share who took it up is known.

    Args:
        effect: of the allocation.
        share: of the treated arm who took it up, above 0 and at most 1.
    Returns:
        Effect and interval over the share. The share is taken as known, so the error is a little too small;
        with each person's take-up `complier_effect` gives the same estimate and counts that error too.
    Raises:
        DesignError: a share outside (0, 1].

    Bloom (1984), Evaluation Review 8:225.
    """
    if not 0 < share <= 1:
        raise refuse("share", f"is {share:g}; expected the share who took it up, above 0 and at most 1.")
    return effect.scaled(1 / share)


def _labels(labels: npt.ArrayLike | None) -> npt.NDArray[np.generic] | None:
    return None if labels is None else np.asarray(labels)


def _everybody_there(codes: Ints, weights: Floats, arm_names: Sequence[str] | None) -> None:
    counts = np.bincount(codes, minlength=len(weights))
    for code in arms_compared(weights):
        if not counts[code]:
            raise refuse("arm", f"{name_of(code, arm_names, 'arm')} has nobody with an outcome to compare.")


def _arms_as_instrument(
    codes: Ints, weights: Floats, covariates: Floats | None, *, intercept: bool
) -> tuple[Floats, Floats]:
    """The contrast c as one column, and what completes the arms: their means are c (c'mu) / c'c and the rest.

    With strata the intercept is theirs.
    """
    present = np.flatnonzero(np.bincount(codes, minlength=len(weights)))
    arms = (codes[:, None] == present).astype(np.float64)
    direction = weights[present]
    rest = linalg.null_space(np.stack((direction, np.ones(len(present)))))
    parts = [np.ones((len(codes), int(intercept))), arms @ rest]
    if covariates is not None:
        parts.append(covariates - covariates.mean(axis=0))
    return (arms @ direction / (direction @ direction))[:, None], np.concatenate(parts, axis=1)


def _strength(taken: LinearFit, model: Instruments) -> FirstStage | None:
    try:
        return first_stage(taken, model)
    except DesignError:
        return None
