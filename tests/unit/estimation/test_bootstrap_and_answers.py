"""The wild bootstrap against refitting every draw, and what models by likelihood refuse."""

from itertools import product

import numpy as np
import pytest

from equipoise.errors import DesignError
from equipoise.estimation.effects.change import change_score_effect
from equipoise.estimation.effects.ordinal import proportional_odds
from equipoise.estimation.effects.pseudo_likelihood import logistic_effect, logistic_means, poisson_effect
from equipoise.estimation.effects.wild import few_clusters_in_an_arm, wild_effect
from equipoise.estimation.least_squares.linear import fit_linear
from equipoise.estimation.least_squares.two_way import fit_two_way
from equipoise.estimation.least_squares.wild_bootstrap import wild_cluster_bootstrap

RNG = np.random.default_rng(12)
ROWS = 60


def refitted(y, x, column, value, cluster, weights):
    """p-value by fitting the restricted model once, and the full one to every draw, with plain numpy."""

    def t(outcome):
        bread = np.linalg.inv(x.T @ x)
        beta = bread @ x.T @ outcome
        scores = x * (outcome - x @ beta)[:, None]
        sums = np.stack([scores[cluster == g].sum(axis=0) for g in np.unique(cluster)])
        return (beta[column] - value) / np.sqrt((bread @ sums.T @ sums @ bread)[column, column])

    rest = np.delete(x, column, axis=1)
    less = y - value * x[:, column]
    fitted = rest @ np.linalg.lstsq(rest, less, rcond=None)[0]
    drawn = [t(value * x[:, column] + fitted + (less - fitted) * draw[cluster]) for draw in weights]
    return np.mean(np.abs(drawn) >= abs(t(y)) * (1 - 1e-9))


def trial(clusters, strata=False):
    cluster = np.arange(ROWS) % clusters
    arm = RNG.integers(0, 2, ROWS)
    stratum = RNG.integers(0, 3, ROWS) if strata else np.zeros(ROWS, dtype=int)
    before = RNG.normal(size=ROWS)
    y = arm + before + stratum + RNG.normal(size=ROWS) + RNG.normal(size=clusters)[cluster]
    return y, arm, before, stratum, cluster


@pytest.mark.parametrize("strata", [False, True])
def test_with_few_clusters_every_weighting_of_webb_is_taken_and_equals_refitting(strata):
    y, arm, before, stratum, cluster = trial(4, strata)
    indicators = (stratum[:, None] == np.unique(stratum)).astype(float)
    x = np.column_stack([arm, before, indicators])
    found = wild_effect(
        "linear",
        y,
        arm,
        (-1, 1),
        cluster,
        np.random.default_rng(0),
        covariates=before,
        strata=stratum if strata else None,
        level=0.8,
    )
    points = np.sqrt([0.5, 1.0, 1.5])
    weights = np.array(list(product([*points, *-points], repeat=4)))
    assert (found.points, found.draws, found.enumerated, found.mc_error) == ("webb", 6**4, True, None)
    assert found.estimate.p_value == pytest.approx(refitted(y, x, 0, 0.0, cluster, weights), abs=1e-12)
    for end, inwards in ((found.estimate.interval.low, 1e-6), (found.estimate.interval.high, -1e-6)):
        assert refitted(y, x, 0, end + inwards, cluster, weights) > 0.2
        assert refitted(y, x, 0, end - inwards, cluster, weights) <= 0.2


def test_with_twelve_clusters_every_sign_is_taken():
    y, arm, before, _, cluster = trial(12)
    x = np.column_stack([np.ones(ROWS), arm, before])
    found = wild_cluster_bootstrap(y, x, [0, 1, 0], cluster, np.random.default_rng(0))
    plain = fit_linear(y, x, variance="CR1", cluster=cluster, dof="residual").contrast([0, 1, 0])
    assert (found.points, found.draws, found.enumerated) == ("rademacher", 2**12, True)
    assert (found.estimate.estimate, found.estimate.std_error) == (plain.estimate, plain.std_error)
    signs = np.array(list(product([-1.0, 1.0], repeat=12)))
    assert found.estimate.p_value == pytest.approx(refitted(y, x, 1, 0.0, cluster, signs), abs=1e-12)


def test_draws_give_the_p_value_of_all_weightings_to_their_error():
    y, arm, _, _, cluster = trial(12)
    every = wild_effect("lin-interacted", y, arm, (-1, 1), cluster, np.random.default_rng(0))
    drawn = wild_effect("lin-interacted", y, arm, (-1, 1), cluster, np.random.default_rng(0), draws=2000)
    assert not drawn.enumerated
    assert drawn.estimate.p_value == pytest.approx(every.estimate.p_value, abs=5 * drawn.mc_error)


def test_it_keeps_its_size_where_errors_by_cluster_alone_are_too_sure():
    """Ten clusters of very different sizes, no effect: 400 trials, 5% expected, 8.3% is three errors more."""
    sizes = np.array([2, 2, 3, 3, 4, 5, 8, 13, 20, 40])
    cluster, rng = np.repeat(np.arange(10), sizes), np.random.default_rng(3)
    rejected = np.zeros(2)
    for _ in range(400):
        arm = rng.permutation(np.repeat([0, 1], 5))[cluster]
        y = rng.normal(size=100) + rng.normal(size=10)[cluster]
        wild = wild_effect("linear", y, arm, (-1, 1), cluster, rng, draws=199)
        plain = wild.estimate.std_error, wild.estimate.statistic
        rejected += [wild.estimate.p_value <= 0.05, abs(plain[1]) > 1.96]
    assert rejected[0] / 400 < 0.083 < rejected[1] / 400


def test_clusters_too_few_to_reject_anything_are_refused():
    cluster = np.repeat([0, 1], 10)
    with pytest.raises(DesignError, match="too few clusters in an arm for the wild bootstrap"):
        wild_cluster_bootstrap(
            RNG.normal(size=20),
            np.column_stack([np.ones(20), RNG.normal(size=20)]),
            [0, 1],
            cluster,
            np.random.default_rng(0),
            level=0.999,
        )


def test_an_arm_of_few_clusters_is_told_of():
    cluster = np.repeat(np.arange(12), 2)
    told = few_clusters_in_an_arm((cluster < 3).astype(int), (-1, 1), cluster, ["control", "texts"])
    assert told.startswith('arm "texts" has 3 clusters')
    assert few_clusters_in_an_arm(cluster % 2, (-1, 1), cluster) is None
    with pytest.raises(DesignError, match="goes with linear and lin-interacted"):
        wild_effect("logistic", cluster, cluster % 2, (-1, 1), cluster, RNG)


def test_two_ways_need_two_columns():
    with pytest.raises(DesignError, match="need two columns of clusters"):
        fit_two_way(np.arange(4.0), np.ones((4, 1)), [0, 0, 1, 1])


@pytest.mark.parametrize(
    ("effect", "outcome"),
    [
        (logistic_effect, [0.0, 1, 0, 1, 1, 1, 1, 1]),
        (poisson_effect, [0.0, 3, 1, 1, 0, 0, 0, 0]),
    ],
)
def test_an_arm_that_predicts_perfectly_is_named(effect, outcome):
    with pytest.raises(DesignError, match=r'perfectly for some people by arm "texts" \(all answer alike'):
        effect(outcome, [0, 0, 0, 0, 1, 1, 1, 1], (-1, 1), arm_names=["control", "texts"])


def test_a_stratum_or_a_covariate_that_predicts_perfectly_is_named():
    arm, site = np.tile([0, 1], 20), np.repeat(["east", "north", "south", "west"], 10)
    y = np.where(site == "south", 1.0, RNG.integers(0, 2, 40))
    with pytest.raises(DesignError, match='by stratum "south"'):
        logistic_means(y, arm, strata=site)
    score = RNG.normal(size=40)
    both, yes = np.column_stack([RNG.normal(size=40), score]), (score > 0).astype(float)
    with pytest.raises(DesignError, match=r"by covariate 2 \(all"):
        logistic_means(yes, arm, covariates=both)
    with pytest.raises(DesignError, match=r"by score \(all"):
        logistic_means(yes, arm, covariates=both, covariate_names=["age", "score"])


def test_ordered_answers_that_an_arm_predicts_perfectly_are_refused_by_its_name():
    answers = np.array([1.0, 2, 3, 1, 2, 3, 3, 3, 3, 3])
    arm = np.repeat([0, 1], [6, 4])
    with pytest.raises(DesignError, match='perfectly for some people by arm "texts"'):
        proportional_odds(answers, arm, arm_names=["control", "texts"])


@pytest.mark.parametrize(
    ("answers", "message"),
    [(np.ones(60), "is the same for everyone"), (np.arange(60.0), "60 different values; .* at most 50")],
)
def test_answers_that_are_no_ordered_few_are_refused(answers, message):
    with pytest.raises(DesignError, match=message):
        proportional_odds(answers, np.arange(60) % 2)


def test_an_arm_without_answers_has_no_odds_and_no_mean():
    fit = proportional_odds(np.tile([1.0, 2, 3], 8), np.repeat([0, 2], 12), arm_names=["a", "b", "c"])
    for read in (fit.log_odds, fit.means.contrast):
        assert np.isfinite(read((-1, 0, 1)).std_error)
        with pytest.raises(DesignError, match='arm "b" has nobody with an outcome to compare'):
            read((-1, 1, 0))


def test_who_lacks_a_score_has_no_change():
    with pytest.raises(DesignError, match="before: is missing"):
        change_score_effect([1.0, 2, 3, 4], [1.0, np.nan, 2, 2], [0, 1, 0, 1], (-1, 1))
