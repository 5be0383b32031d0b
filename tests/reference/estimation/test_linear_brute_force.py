"""The covariances and their degrees of freedom against n x n matrices written straight from the papers."""

import numpy as np
import pytest

from equipoise.estimation.least_squares.linear import fit_linear


def symmetric_power(matrix, power):
    values, vectors = np.linalg.eigh(matrix)
    raised = np.array([value**power if value > 1e-10 else 0.0 for value in values])
    return vectors @ np.diag(raised) @ vectors.T


def brute_force(y, x, cluster, power, contrasts):
    """Bell & McCaffrey (2002) and Pustejovsky & Tipton (2018) with nothing absorbed and nothing factored."""
    n = len(y)
    bread = np.linalg.inv(x.T @ x)
    hat = x @ bread @ x.T
    residual_maker = np.eye(n) - hat
    residual = residual_maker @ y
    members = [np.flatnonzero(cluster == label) for label in np.unique(cluster)]
    meat = np.zeros((x.shape[1],) * 2)
    rows = []
    for g in members:
        a = symmetric_power(np.eye(len(g)) - hat[np.ix_(g, g)], power)
        score = x[g].T @ a @ residual[g]
        meat += np.outer(score, score)
        rows.append(
            bread @ x[g].T @ a @ residual_maker[g]
        )  # (k, n): its product with y is this cluster's part
    covariance = bread @ meat @ bread
    c = np.atleast_2d(contrasts)
    parts = [c @ row for row in rows]
    expected = sum(part @ part.T for part in parts)
    whiten = symmetric_power(expected, -0.5)
    parts = [whiten @ part for part in parts]
    q = len(c)
    total = 0.0
    for s in range(q):
        for t in range(q):
            for one in parts:
                for other in parts:
                    gamma = one @ other.T
                    total += gamma[s, s] * gamma[t, t] + gamma[s, t] * gamma[t, s]
    eta = q * (q + 1) / total
    estimate = c @ bread @ x.T @ y
    wald = estimate @ np.linalg.solve(c @ covariance @ c.T, estimate)
    return estimate, c @ covariance @ c.T, eta, wald * (eta - q + 1) / (eta * q)


def trial(seed, n=60, strata=4, clusters=12, nested=True):
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, clusters, n)
    stratum = cluster % strata if nested else rng.integers(0, strata, n)
    arm = rng.integers(0, 3, n)
    x = np.column_stack([arm == 1, arm == 2, rng.normal(size=n)]).astype(float)
    y = x @ [0.5, -0.2, 1.0] + stratum + rng.normal(size=n) * (1 + arm) + rng.normal(size=clusters)[cluster]
    return y, x, stratum, cluster


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize(("variance", "power"), [("CR0", 0), ("CR2", -0.5), ("CR3", -1)])
def test_cluster_covariances_with_absorbed_strata_equal_the_full_matrices(variance, power, nested):
    y, x, stratum, cluster = trial(1, nested=nested)
    full = np.column_stack([x, stratum[:, None] == np.unique(stratum)])
    contrasts = np.eye(full.shape[1])[:2]
    estimate, covariance, eta, statistic = brute_force(y, full, cluster, power, contrasts)
    fit = fit_linear(y, x, variance=variance, strata=stratum, cluster=cluster)
    assert fit.coefficients[:2] == pytest.approx(estimate, rel=1e-10)
    assert fit.covariance[:2, :2] == pytest.approx(covariance, rel=1e-9)
    joint = fit.joint_test(np.eye(3)[:2])
    assert joint.dof_denominator == pytest.approx(eta - 1, rel=1e-8)
    assert joint.statistic == pytest.approx(statistic, rel=1e-8)
    one = brute_force(y, full, cluster, power, contrasts[:1])
    assert fit.contrast([1, 0, 0]).dof == pytest.approx(one[2], rel=1e-8)


@pytest.mark.parametrize(("variance", "power"), [("HC0", 0), ("HC2", -0.5), ("HC3", -1)])
def test_row_covariances_and_their_degrees_of_freedom_equal_the_full_matrices(variance, power):
    y, x, stratum, _ = trial(2, nested=False)
    full = np.column_stack([x, stratum[:, None] == np.unique(stratum)])
    contrasts = np.eye(full.shape[1])[:2]
    _, covariance, eta, statistic = brute_force(y, full, np.arange(60), power, contrasts)
    fit = fit_linear(y, x, variance=variance, strata=stratum)
    assert fit.covariance[:2, :2] == pytest.approx(covariance, rel=1e-9)
    joint = fit.joint_test(np.eye(3)[:2])
    assert (joint.dof_denominator, joint.statistic) == pytest.approx((eta - 1, statistic), rel=1e-8)
    one = brute_force(y, full, np.arange(60), power, contrasts[:1])
    assert fit.contrast([1, 0, 0]).dof == pytest.approx(one[2], rel=1e-8)


def test_weights_are_least_squares_on_rows_multiplied_by_their_roots():
    y, x, stratum, cluster = trial(3)
    weights = np.random.default_rng(4).uniform(0.5, 3, len(y))
    root = np.sqrt(weights)
    full = np.column_stack([x, stratum[:, None] == np.unique(stratum)]) * root[:, None]
    estimate, covariance, eta, _ = brute_force(y * root, full, cluster, -0.5, np.eye(7)[:1])
    fit = fit_linear(y, x, variance="CR2", strata=stratum, cluster=cluster, weights=weights).contrast(
        [1, 0, 0]
    )
    assert fit.estimate == pytest.approx(estimate[0], rel=1e-10)
    assert fit.std_error**2 == pytest.approx(covariance[0, 0], rel=1e-9)
    assert fit.dof == pytest.approx(eta, rel=1e-8)


def test_clusters_that_are_whole_strata_get_the_pseudo_inverse():
    """Ratings within respondents: the respondent's own effect is fitted exactly inside its cluster."""
    rng = np.random.default_rng(5)
    person = np.repeat(np.arange(10), 6)
    x = rng.integers(0, 2, (60, 2)).astype(float)
    y = x @ [1.0, 0.0] + rng.normal(size=10)[person] + rng.normal(size=60)
    full = np.column_stack([x, person[:, None] == np.arange(10)])
    _, covariance, eta, _ = brute_force(y, full, person, -0.5, np.eye(12)[:1])
    found = fit_linear(y, x, variance="CR2", strata=person, cluster=person).contrast([1, 0])
    assert found.std_error**2 == pytest.approx(covariance[0, 0], rel=1e-9)
    assert found.dof == pytest.approx(eta, rel=1e-8)


def test_a_fit_of_many_rows_is_that_of_numpys_own_least_squares() -> None:
    """Many rows are factored in another way than few, with an outcome far from 0 and a column near another."""
    rng = np.random.default_rng(3)
    rows = 12_000
    one = rng.normal(size=rows)
    for apart in (1.0, 1e-3, 1e-6):
        design = np.stack((np.ones(rows), one, one + apart * rng.normal(size=rows)), axis=1)
        outcome = 1e6 + design @ [1.0, 2.0, -1.0] + rng.normal(size=rows)
        fit = fit_linear(outcome, design, variance="classical")
        scaled = design.copy()
        scaled[:, 2] = (design[:, 2] - design[:, 1]) / apart
        expected, *_ = np.linalg.lstsq(scaled, outcome - 1e6, rcond=None)
        expected = [expected[0] + 1e6, expected[1] - expected[2] / apart, expected[2] / apart]
        assert fit.coefficients == pytest.approx(expected, rel=1e-8)
