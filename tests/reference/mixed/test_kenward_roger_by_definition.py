"""Kenward and Roger's adjustment for repeated waves, against their formulas on whole matrices.

No package at hand adjusts a model of repeated waves in this way, so the test writes the textbook formulas out:
V is built row by row, its derivatives are numerical, and nothing is shared with the package but the data.
Kenward & Roger (1997), Biometrics 53:983, section 2.
"""

import numpy as np
import pytest
from scipy import linalg, optimize

from equipoise.estimation.mixed.mmrm import fit_repeated, slope_over_waves

RNG = np.random.default_rng(44)
PEOPLE, WAVES = 34, 3
ARM = np.arange(PEOPLE) % 2
BEFORE = RNG.normal(size=PEOPLE)
ROOT = np.array([[1.0, 0, 0], [0.6, 1.1, 0], [0.5, 0.6, 1.3]])
OUTCOME = RNG.normal(size=(PEOPLE, WAVES)) @ ROOT.T + 0.5 * BEFORE[:, None] + 0.3 * ARM[:, None]
OUTCOME[RNG.random(OUTCOME.shape) < 0.2] = np.nan
PERSON, WAVE = np.nonzero(~np.isnan(OUTCOME))
Y = OUTCOME[PERSON, WAVE]
NOW = WAVE[:, None] == np.arange(WAVES)
X = np.column_stack(
    [NOW * (ARM[PERSON] == 0)[:, None], NOW * (ARM[PERSON] == 1)[:, None], NOW * BEFORE[PERSON, None]]
)


def unstructured(t):
    whole = np.empty((WAVES, WAVES))
    later, earlier = np.tril_indices(WAVES)
    whole[later, earlier] = whole[earlier, later] = t
    return whole


def toeplitz(t):
    return linalg.toeplitz(t)


def ar1(t):
    return t[0] * t[1] ** np.abs(np.subtract.outer(np.arange(WAVES), np.arange(WAVES)))


def covariance(structure, t):
    return np.where(PERSON[:, None] == PERSON, structure(np.asarray(t))[WAVE[:, None], WAVE], 0.0)


def minus_two_log_likelihood(structure, t):
    v = covariance(structure, t)
    if np.linalg.eigvalsh(v)[0] < 1e-6:
        return 1e10
    inverse = np.linalg.inv(v)
    information = X.T @ inverse @ X
    residual = Y - X @ np.linalg.solve(information, X.T @ inverse @ Y)
    return np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1] + residual @ inverse @ residual


def derivatives(structure, t, step=1e-4):
    """First and second derivatives of V by central differences."""
    moves = np.eye(len(t)) * step

    def at(move):
        return covariance(structure, t + move)

    first = [(at(m) - at(-m)) / (2 * step) for m in moves]
    second = [
        [(at(m + o) - at(m - o) - at(o - m) + at(-m - o)) / (4 * step**2) for o in moves] for m in moves
    ]
    return first, second


def by_definition(structure, t, contrast):
    """The adjusted standard error and the degrees of freedom."""
    inverse = np.linalg.inv(covariance(structure, t))
    phi = np.linalg.inv(X.T @ inverse @ X)
    first, second = derivatives(structure, t)
    slope = [-inverse @ v @ inverse for v in first]
    p = [X.T @ s @ X for s in slope]
    projection = inverse - inverse @ X @ phi @ X.T @ inverse
    size = range(len(t))
    information = [[np.trace(projection @ first[i] @ projection @ first[j]) / 2 for j in size] for i in size]
    w = np.linalg.inv(information)
    v = covariance(structure, t)
    inside = sum(
        w[i, j]
        * (
            X.T @ slope[i] @ v @ slope[j] @ X
            - p[i] @ phi @ p[j]
            - X.T @ inverse @ second[i][j] @ inverse @ X / 4
        )
        for i in size
        for j in size
    )
    adjusted = phi + 2 * phi @ inside @ phi
    theta = np.outer(contrast, contrast) / (contrast @ phi @ contrast)
    turned = [theta @ phi @ p[i] @ phi for i in size]
    a1 = sum(w[i, j] * np.trace(turned[i]) * np.trace(turned[j]) for i in size for j in size)
    a2 = sum(w[i, j] * np.trace(turned[i] @ turned[j]) for i in size for j in size)
    b = (a1 + 6 * a2) / 2
    g = (2 * a1 - 5 * a2) / (3 * a2)
    c1, c2, c3 = (x / (3 + 2 * (1 - g)) for x in (g, 1 - g, 3 - g))
    expectation = 1 / (1 - a2)
    spread = 2 * (1 + c1 * b) / ((1 - c2 * b) ** 2 * (1 - c3 * b))
    rho = spread / (2 * expectation**2)
    m = 4 + 3 / (rho - 1)
    assert m / (expectation * (m - 2)) == pytest.approx(1, abs=1e-6)  # the scale of one contrast
    return np.sqrt(contrast @ adjusted @ contrast), m


@pytest.mark.parametrize(
    ("structure", "start"),
    [(unstructured, [1, 0.5, 1, 0.5, 0.5, 1]), (toeplitz, [1, 0.5, 0.5]), (ar1, [1, 0.5])],
)
def test_the_adjustment_is_that_of_the_textbook(structure, start):
    fitted = fit_repeated(OUTCOME, ARM, covariates=BEFORE, structures=(structure.__name__,))
    ours = np.array(list(fitted.fit.parameters.values()))
    best = optimize.minimize(
        lambda t: minus_two_log_likelihood(structure, t), start, method="BFGS", options={"gtol": 1e-4}
    )
    assert ours == pytest.approx(best.x, abs=1e-4)
    for weights in (np.eye(WAVES)[2], np.full(WAVES, 1 / WAVES), slope_over_waves((0, 1, 3))):
        found = fitted.contrast((-1, 1), weights)
        contrast = np.concatenate((-weights, weights, np.zeros(WAVES)))
        std_error, dof = by_definition(structure, ours, contrast)
        assert found.std_error == pytest.approx(std_error, rel=1e-5)
        assert found.dof == pytest.approx(dof, rel=1e-5)
