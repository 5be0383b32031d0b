"""What restricted likelihood needs of the data under a covariance, and what follows from it.

A covariance V of the rows depends on parameters t_1, ..., t_m; V_i and V_ij are its derivatives. Each kind of
covariance reduces the rows to cross products (`Moments`); everything after that (likelihood, score,
information, and the adjustments for few clusters) needs no rows and no kind of covariance any more.
"""

from dataclasses import dataclass

import numpy as np

from equipoise.estimation.arrays import Floats

__all__ = ["Curvature", "Moments", "Restricted", "restricted"]


@dataclass(frozen=True, eq=False)
class Curvature:
    """Of a covariance that is not linear in its parameters: what its second derivatives add.

    Attributes:
        cross: (m, m, k + 1, k + 1) U'V^-1 V_ij V^-1 U.
        traces: (m, m) tr(V^-1 V_ij).
    """

    cross: Floats
    traces: Floats


@dataclass(frozen=True, eq=False)
class Moments:
    """Cross products of U = [X, y], the k columns of the design and the outcome, under a covariance.

    Attributes:
        log_det: log |V|.
        cross: (k + 1, k + 1) U'V^-1 U.
        first: (m, k + 1, k + 1) U'V^-1 V_i V^-1 U.
        second: (m, m, k + 1, k + 1) U'V^-1 V_i V^-1 V_j V^-1 U.
        traces: (m,) tr(V^-1 V_i).
        pairs: (m, m) tr(V^-1 V_i V^-1 V_j).
        curvature: None where V is linear in its parameters.
    """

    log_det: float
    cross: Floats
    first: Floats
    second: Floats
    traces: Floats
    pairs: Floats
    curvature: Curvature | None = None


@dataclass(frozen=True, eq=False)
class Restricted:
    """The restricted likelihood at some values of the parameters.

    Attributes:
        log_likelihood: up to a constant of the design.
        coefficients: (k,) generalised least squares.
        covariance: (k, k) (X'V^-1 X)^-1, called Phi below.
        score: (m,) derivative of the log-likelihood.
        observed: (m, m) minus its second derivative.
        expected: (m, m) the expectation of `observed`.
        slopes: (m, k, k) X'V^-1 V_i V^-1 X, minus the P_i of Kenward & Roger (1997).
        products: (m, m, k, k) X'V^-1 V_i V^-1 V_j V^-1 X, their Q_ij.
        bends: (m, m, k, k) X'V^-1 V_ij V^-1 X, their R_ij; None where all are 0.
    """

    log_likelihood: float
    coefficients: Floats
    covariance: Floats
    score: Floats
    observed: Floats
    expected: Floats
    slopes: Floats
    products: Floats
    bends: Floats | None


def restricted(moments: Moments) -> Restricted:
    """Restricted likelihood, its derivatives and the fixed effects.

    Args:
        moments: with a design of full column rank.
    Returns:
        The likelihood with its first and second derivatives.

    Patterson & Thompson (1971), Biometrika 58:545; the derivatives as in Searle, Casella & McCulloch (1992),
    Variance Components, section 6.6, with P = V^-1 - V^-1 X Phi X'V^-1.
    """
    design = moments.cross[:-1, :-1]
    covariance = np.asarray(np.linalg.inv(design), dtype=np.float64)
    coefficients = covariance @ moments.cross[:-1, -1]
    residual = np.append(-coefficients, 1.0)
    log_likelihood = -0.5 * (
        moments.log_det + float(np.linalg.slogdet(design)[1]) + float(residual @ moments.cross @ residual)
    )
    slopes, products = moments.first[:, :-1, :-1], moments.second[:, :, :-1, :-1]
    squares = moments.first @ residual @ residual
    tilted = (moments.first @ residual)[:, :-1]
    spread = moments.second @ residual @ residual - tilted @ covariance @ tilted.T
    turned = covariance @ slopes
    paired = moments.pairs - 2 * np.einsum("kl,ijlk->ij", covariance, products)
    paired += np.einsum("ikl,jlk->ij", turned, turned)
    observed = spread - 0.5 * paired
    if moments.curvature is not None:
        curved = moments.curvature.cross
        left = moments.curvature.traces - np.einsum("kl,ijlk->ij", covariance, curved[:, :, :-1, :-1])
        observed = observed + 0.5 * (left - curved @ residual @ residual)
    return Restricted(
        log_likelihood,
        coefficients,
        covariance,
        0.5 * (squares - moments.traces + np.einsum("ikk->i", turned)),
        0.5 * (observed + observed.T),
        0.25 * (paired + paired.T),
        slopes,
        products,
        None if moments.curvature is None else moments.curvature.cross[:, :, :-1, :-1],
    )
