"""Response weights against statsmodels, and their errors against estimating equations stacked by number."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import optimize, special

from equipoise.errors import DesignError
from equipoise.estimation.effects.adjusted import lin_interacted, linear_effect
from equipoise.estimation.missing.response_weights import effect_by_response_weights, response_model


def trial(seed=1, people=200):
    rng = np.random.default_rng(seed)
    arm, g = rng.permutation(people) % 2, rng.integers(0, 3, people)
    x = rng.normal(size=people)
    y = x * (1 + 0.5 * arm) + 0.3 * arm + 0.3 * g + rng.normal(size=people)
    answered = rng.random(people) < special.expit(0.4 + x * (1 - 2 * arm) * 0.7)
    return np.where(answered, y, np.nan), answered, arm, x, g


def test_chances_are_those_of_a_logistic_regression_in_each_arm():
    _, answered, arm, x, g = trial()
    columns = np.column_stack((x, g == 1, g == 2))
    found = response_model(answered, arm, columns)
    for k in (0, 1):
        rows = arm == k
        theirs = sm.GLM(answered[rows], sm.add_constant(columns[rows].astype(float)), sm.families.Binomial())
        assert found.chance[rows] == pytest.approx(theirs.fit(tol=1e-14).fittedvalues, rel=1e-8)
        kept = rows & answered
        assert found.weights[kept] == pytest.approx(answered[rows].mean() / found.chance[kept], rel=1e-12)
        assert found.effective(k) == pytest.approx(
            found.weights[kept].sum() ** 2 / (found.weights[kept] ** 2).sum()
        )


def stacked(y, answered, arm, x, g, *, interacted, cluster=None):
    """Effect and error from all estimating equations at once, their derivatives by steps."""
    z = [
        np.column_stack((np.ones(len(x)), x, g == 1, g == 2)).astype(float) * (arm == k)[:, None]
        for k in (0, 1)
    ]
    z = np.concatenate(z, axis=1)
    if interacted:
        centred = np.column_stack((x, g == 1, g == 2)) - np.column_stack((x, g == 1, g == 2)).mean(axis=0)
        d = np.column_stack((1 - arm, arm, centred * (1 - arm)[:, None], centred * arm[:, None]))
    else:
        d = np.column_stack((1 - arm, arm, x, g == 1, g == 2)).astype(float)
    y, q, held = np.nan_to_num(y), z.shape[1], answered.astype(float)

    def equations(theta, spare=1.0):
        chance = special.expit(z @ theta[:q])
        residual = held / chance * (y - d @ theta[q:]) / spare
        return np.concatenate((z * (held - chance)[:, None], d * residual[:, None]), axis=1)

    gamma = optimize.root(lambda t: z.T @ (held - special.expit(z @ t)), np.zeros(q), tol=1e-13).x
    weight = held / special.expit(z @ gamma)
    beta = np.linalg.solve(d.T @ (d * weight[:, None]), d.T @ (weight * y))
    theta = np.concatenate((gamma, beta))
    steps = np.eye(len(theta)) * 1e-5
    jacobian = np.stack(
        [(equations(theta + s).sum(axis=0) - equations(theta - s).sum(axis=0)) / 2e-5 for s in steps], axis=1
    )
    hat = weight * np.einsum("ij,jk,ik->i", d, np.linalg.inv(d.T @ (d * weight[:, None])), d)
    influence = np.linalg.solve(jacobian, equations(theta, np.sqrt(1 - hat)).T).T
    c = np.zeros(len(theta))
    c[q : q + 2] = -1, 1
    moves, units = influence @ c, len(y)
    if cluster is None:
        return beta[1] - beta[0], np.sqrt((moves**2).sum())
    sums = np.bincount(cluster, moves)
    units = len(sums)
    return beta[1] - beta[0], np.sqrt(units / (units - 1) * (sums**2).sum())


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("interacted", [False, True])
def test_errors_know_that_the_weights_are_estimated(interacted, clustered):
    y, answered, arm, x, g = trial()
    cluster = np.arange(len(y)) // 10 if clustered else None
    model = response_model(answered, arm, np.column_stack((x, g == 1, g == 2)))
    found = effect_by_response_weights(
        y, model, (-1, 1), covariates=x, strata=g, cluster=cluster, interacted=interacted
    ).estimate
    estimate, error = stacked(y, answered, arm, x, g, interacted=interacted, cluster=cluster)
    assert found.estimate == pytest.approx(estimate, rel=1e-9)
    assert found.std_error == pytest.approx(error, rel=1e-6)


@pytest.mark.parametrize("interacted", [False, True])
def test_with_everybody_answering_they_change_nothing(interacted):
    _, _, arm, x, _ = trial(2)
    y = x + arm + np.random.default_rng(2).normal(size=len(x))
    model = response_model(np.ones(len(y)), arm, x)
    found = effect_by_response_weights(y, model, (-1, 1), covariates=x, interacted=interacted).estimate
    plain = (lin_interacted if interacted else linear_effect)(y, arm, (-1, 1), covariates=x, dof="residual")
    assert found.estimate == pytest.approx(plain.estimate, rel=1e-10)
    assert found.std_error == pytest.approx(plain.std_error, rel=1e-10)
    assert found.dof == plain.dof


def test_without_predictors_they_are_the_difference_of_those_who_answered():
    y, answered, arm, _, _ = trial(3)
    model = response_model(answered, arm, np.empty((len(y), 0)))
    found = effect_by_response_weights(y, model, (-1, 1)).estimate
    plain = linear_effect(y[answered], arm[answered], (-1, 1), dof="residual")
    assert found.estimate == pytest.approx(plain.estimate, rel=1e-12)
    assert found.std_error == pytest.approx(plain.std_error, rel=1e-12)


def test_they_take_away_the_bias_that_those_who_answered_have():
    """Over re-randomisations of one population whose effect is 0.3."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=500)
    errors, naive, covered = [], [], 0
    base = x + rng.normal(size=500)
    base -= base.mean()
    for _ in range(300):
        arm = rng.permutation(500) % 2
        y = base + arm * (0.3 + 0.5 * (x - x.mean()))
        answered = rng.random(500) < special.expit(0.5 + x * (1 - 2 * arm) * 0.8)
        model = response_model(answered, arm, x)
        found = effect_by_response_weights(y, model, (-1, 1)).estimate
        errors.append(found.estimate - 0.3)
        naive.append(y[answered & (arm == 1)].mean() - y[answered & (arm == 0)].mean() - 0.3)
        covered += found.interval.contains(0.3)
    noise = np.std(errors) / np.sqrt(300)
    assert abs(np.mean(errors)) < 4 * noise + 0.02  # ratios of sums are biased by order 1 / n
    assert abs(np.mean(naive)) > 0.4
    assert covered / 300 > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 300)


def test_predictors_that_tell_perfectly_who_answered_are_refused_by_arm():
    _, answered, arm, _, _ = trial(5)
    with pytest.raises(DesignError, match=r'predictors: tell perfectly who of arm "usual" answered'):
        response_model(answered, arm, answered.astype(float), ("usual", "texts"))
    with pytest.raises(DesignError, match='answered: nobody in arm "texts" answered'):
        response_model(answered & (arm == 0), arm, np.ones(len(arm)), ("usual", "texts"))


def test_a_stratum_in_which_nobody_answered_is_refused_where_arms_are_compared_at_all_randomised():
    y, answered, arm, x, g = trial(6)
    answered = answered & (g != 2)
    model = response_model(answered, arm, x)
    with pytest.raises(DesignError, match="strata: 1 strata have nobody who answered"):
        effect_by_response_weights(y, model, (-1, 1), strata=g, interacted=True)
