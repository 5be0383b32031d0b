"""Cautions about numbers too small to carry an estimate, and about people who carry too much of it."""

from collections.abc import Iterator

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.arrays import arms_compared
from equipoise.estimation.least_squares.linear import fit_linear
from equipoise.findings.sampling.measured import Measured

__all__ = ["alone_in_stratum", "few_clusters", "leverage", "tiny_arms", "yes_or_no_too_rare"]

FEW_CLUSTERS = 20
"""Under so many, the t interval rests on Satterthwaite's approximation alone (Cameron & Miller 2015)."""
TINY = 10
RARE = 5
"""The rule of Cochran (1954): with fewer yes or no in an arm the normal approximation is poor."""
HEAVY = 0.5
OUTSTANDING = 5.0
MOST_ROWS = 20_000
"""With more people no one of them weighs, whatever the design; a stratum of one is told of apart."""


def alone_in_stratum(measured: Measured) -> Iterator[str]:
    """Strata in which one person answered carry no information: counted and named."""
    if measured.strata is None:
        return
    labels, counts = np.unique(measured.strata.astype(str), return_counts=True)
    alone = [str(label) for label in labels[counts == 1]]
    if alone:
        people = "1 person is" if len(alone) == 1 else f"{len(alone)} people are"
        yield f"{people} alone in their stratum ({', '.join(alone[:5])}) and carry no information"


def few_clusters(measured: Measured) -> Iterator[str]:
    """An interval that rests on few clusters, however many people are in them."""
    if measured.cluster is None:
        return
    by_arm = {
        measured.arm_names[arm]: len(np.unique(measured.cluster[measured.arm == arm]))
        for arm in arms_compared(measured.weights)
    }
    if sum(by_arm.values()) < FEW_CLUSTERS:
        listed = ", ".join(f"{arm} {count}" for arm, count in by_arm.items())
        yield (
            f"there are few clusters ({listed}): the interval rests on them and not on the number of people, "
            "and of tests the one by re-drawing is the surer"
        )


def tiny_arms(measured: Measured) -> Iterator[str]:
    """Arms compared of whom hardly anybody has the outcome."""
    counts = np.bincount(measured.arm, minlength=len(measured.weights))
    for arm in arms_compared(measured.weights):
        if 0 < counts[arm] < TINY:
            name = measured.arm_names[arm]
            yield f"only {counts[arm]} people of {name} are analysed; one of them could turn the result"


def yes_or_no_too_rare(measured: Measured) -> Iterator[str]:
    """An outcome of yes or no that nearly everybody in an arm has alike: separation, or close to it."""
    if measured.study.protocol.outcomes[measured.outcome].scale != "yes-no":
        return
    for arm in arms_compared(measured.weights):
        y = measured.y[measured.arm == arm]
        if not len(y):
            continue
        name, rare = measured.arm_names[arm], int(min(y.sum(), len(y) - y.sum()))
        said = "yes" if y.sum() <= len(y) - y.sum() else "no"
        if rare == 0:
            yield (
                f"nobody of {name} said {said}: a logistic model has no finite answer, and errors of "
                "other models are too small"
            )
        elif rare < RARE:
            yield f"only {rare} of {len(y)} of {name} said {said}; the interval is rough"


def leverage(measured: Measured) -> Iterator[str]:
    """People whose own answer makes most of what the model says of them, far more than anybody else's."""
    if measured.columns is None or len(measured.y) > MOST_ROWS:
        return
    arms = (measured.arm[:, None] == np.unique(measured.arm)).astype(np.float64)
    design = np.concatenate((arms, measured.columns), axis=1)
    try:
        fit = fit_linear(measured.y, design, strata=measured.strata, variance="classical")
    except DesignError:
        return  # the model itself says why
    hat = np.delete(fit.leverage, fit.uninformative)
    heavy = hat > max(HEAVY, OUTSTANDING * fit.rank / fit.rows)
    if heavy.any():
        people = "1 person makes" if heavy.sum() == 1 else f"{int(heavy.sum())} people make"
        yield (
            f"{people} most of their own fitted value (largest leverage {hat.max():.2f}): the estimate leans "
            "on a covariate that is far from everybody else's"
        )
