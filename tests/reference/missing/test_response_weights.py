"""Response weights against statsmodels, and their errors against estimating equations stacked by number."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import optimize, special

from equipoise.errors import DesignError
from equipoise.estimation.effects.adjusted import lin_interacted, linear_effect
from equipoise.estimation.missing.response_weights import effect_by_response_weights, response_model
from equipoise.estimation.missing.weighted_clusters import effect_of_clusters


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


def in_clusters(seed=3):
    """Twenty-four clusters of 4 to 12 people, three strata, half of them in either arm."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(24), rng.integers(4, 13, 24))
    arm, stratum = cluster % 2, cluster // 8
    x = rng.normal(size=len(cluster)) + rng.normal(size=24)[cluster]
    y = x + 0.5 * arm + rng.normal(size=24)[cluster] + rng.normal(size=len(cluster))
    answered = rng.random(len(cluster)) < special.expit(0.8 + 0.6 * x)
    return np.where(answered, y, np.nan), answered, arm, x, stratum, cluster


def means_by_hand(y, weight, cluster):
    y = np.nan_to_num(y)
    return np.array([weight[cluster == c] @ y[cluster == c] / weight[cluster == c].sum() for c in range(24)])


@pytest.mark.parametrize("interacted", [False, True])
@pytest.mark.parametrize("adjusted", [False, True])
def test_with_everybody_answering_cluster_means_are_compared_as_by_hc2(interacted, adjusted):
    _, _, arm, x, stratum, cluster = in_clusters()
    y = x + 0.5 * arm + np.random.default_rng(1).normal(size=len(x))
    response = response_model(np.ones(len(x), dtype=bool), arm, x)
    extra = {"covariates": x[:, None], "strata": stratum} if adjusted else {}
    found = effect_of_clusters(y, response, (-1, 1), cluster, interacted=interacted, **extra)
    first = np.unique(cluster, return_index=True)[1]
    whole = np.ones(len(x))
    extra = (
        {"covariates": means_by_hand(x, whole, cluster)[:, None], "strata": stratum[first]}
        if adjusted
        else {}
    )
    effect = lin_interacted if interacted else linear_effect
    theirs = effect(means_by_hand(y, whole, cluster), arm[first], (-1, 1), **extra)
    assert (found.estimate, found.std_error) == pytest.approx((theirs.estimate, theirs.std_error), rel=1e-9)
    assert found.dof == pytest.approx(theirs.dof, rel=1e-9)


def test_weighted_cluster_means_and_the_error_that_knows_their_weights_by_number():
    y, answered, arm, x, stratum, cluster = in_clusters()
    response = response_model(answered, arm, x)
    found = effect_of_clusters(y, response, (-1, 1), cluster, strata=stratum)
    first = np.unique(cluster, return_index=True)[1]
    z = np.concatenate([np.column_stack((np.ones(len(x)), x)) * (arm == k)[:, None] for k in (0, 1)], axis=1)
    gamma = optimize.root(lambda t: z.T @ (answered - special.expit(z @ t)), np.zeros(4), tol=1e-13).x
    d = np.column_stack([np.ones(24), arm[first], stratum[first] == 1, stratum[first] == 2]).astype(float)

    def effect(t):
        means = means_by_hand(y, answered / special.expit(z @ t), cluster)
        return means, np.linalg.lstsq(d, means, rcond=None)[0]

    means, beta = effect(gamma)
    assert found.estimate == pytest.approx(beta[1], rel=1e-9)
    slope = [(effect(gamma + s)[1][1] - effect(gamma - s)[1][1]) / 2e-5 for s in np.eye(4) * 1e-5]
    chance = special.expit(z @ gamma)
    information = z.T @ (z * (chance * (1 - chance))[:, None])
    moved = np.linalg.solve(information, (z * (answered - chance)[:, None]).T).T @ slope
    bread = np.linalg.inv(d.T @ d)
    spare = 1 - np.einsum("ij,jk,ik->i", d, bread, d)
    influence = (d @ bread)[:, 1] * (means - d @ beta) / np.sqrt(spare) + np.bincount(cluster, moved)
    assert found.std_error == pytest.approx(np.sqrt((influence**2).sum()), rel=1e-6)


def test_a_cluster_without_answers_or_in_two_arms_is_named():
    y, answered, arm, x, _, cluster = in_clusters()
    silent = np.where(cluster == 5, False, answered)
    with pytest.raises(DesignError, match='"5" has nobody who answered'):
        effect_of_clusters(y, response_model(silent, arm, x), (-1, 1), cluster)
    with pytest.raises(DesignError, match='"0" has people in different arms'):
        effect_of_clusters(y, response_model(answered, arm, x), (-1, 1), cluster // 2)
