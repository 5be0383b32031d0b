"""Scores of models fitted without the arms: against derivatives taken numerically, and exact tests by hand."""

from itertools import combinations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import optimize, special, stats

from equipoise.errors import DesignError
from equipoise.estimation.effects.ordinal import ordinal_effect
from equipoise.estimation.effects.pseudo_likelihood import logistic_effect, poisson_effect
from equipoise.estimation.randomisation.p_values import randomisation_test
from equipoise.estimation.randomisation.redraws import listed
from equipoise.estimation.randomisation.scores import SCORED_MODELS, score_of

N = 60
TWO = (-1.0, 1.0)


def people() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    x = rng.normal(size=N)
    return {
        "x": x[:, None],
        "stratum": np.array(["a", "b", "c"])[rng.integers(0, 3, N)],
        "logistic": (rng.random(N) < special.expit(0.4 * x)).astype(float),
        "poisson": rng.poisson(np.exp(0.3 + 0.3 * x)).astype(float),
        "ordinal": np.digitize(0.6 * x + rng.logistic(size=N), (-1, 0, 1)).astype(float),
    }


def log_likelihood(model: str, y: np.ndarray, columns: np.ndarray, at: np.ndarray) -> np.ndarray:
    """By row; of an ordinal model the first three parameters are thresholds."""
    if model == "logistic":
        return y * (columns @ at) - np.log1p(np.exp(columns @ at))
    if model == "poisson":
        return y * (columns @ at) - np.exp(columns @ at)
    cuts = np.concatenate(([-np.inf], at[:3], [np.inf]))
    place, eta = y.astype(int), columns @ at[3:]
    chance = special.expit(cuts[place + 1] - eta) - special.expit(cuts[place] - eta)
    return np.log(np.maximum(chance, 1e-12))  # thresholds out of order are very unlikely


def by_hand(model: str, given: dict[str, np.ndarray], arm: np.ndarray, cluster: np.ndarray | None) -> float:
    """The generalised score statistic, all derivatives by differences (Boos 1992)."""
    y, strata = given[model], given["stratum"][:, None] == ["b", "c"]
    direction = np.where(arm == 1, 1 / (arm == 1).sum(), -1 / (arm == 0).sum())
    null = np.column_stack([given["x"], strata])
    if model != "ordinal":
        null = np.column_stack([np.ones(N), null])
    start = np.concatenate(([-1.0, 0.0, 1.0], np.zeros(3))) if model == "ordinal" else np.zeros(4)
    whole = np.column_stack([null, direction])

    def total(at: np.ndarray) -> float:
        return -log_likelihood(model, y, null, at).sum()

    fitted = optimize.minimize(total, start, method="BFGS", options={"gtol": 1e-9}).x
    at = np.append(fitted, 0.0)
    h, k = 1e-4, len(at)
    steps = np.eye(k) * h
    rows = np.stack(
        [
            (log_likelihood(model, y, whole, at + s) - log_likelihood(model, y, whole, at - s)) / (2 * h)
            for s in steps
        ],
        axis=1,
    )
    information = np.empty((k, k))
    for i, one in enumerate(steps):
        for j, other in enumerate(steps):
            corners = [(1, one + other), (-1, one - other), (-1, other - one), (1, -one - other)]
            second = sum(sign * log_likelihood(model, y, whole, at + s).sum() for sign, s in corners)
            information[i, j] = -second / (4 * h * h)
    parts = rows[:, -1] - rows[:, :-1] @ np.linalg.solve(information[:-1, :-1], information[:-1, -1])
    if cluster is not None:
        parts = np.bincount(cluster, parts)
    return float(rows[:, -1].sum() / np.sqrt((parts**2).sum()))


@pytest.mark.parametrize("model", SCORED_MODELS)
@pytest.mark.parametrize("clustered", [False, True])
def test_the_score_is_the_derivative_of_the_likelihood_over_its_robust_error(model, clustered) -> None:
    given, rng = people(), np.random.default_rng(8)
    cluster = np.arange(N) % 15 if clustered else None
    unit = np.arange(N) if cluster is None else cluster
    arms = np.stack([rng.permutation(np.arange(unit.max() + 1) % 2) for _ in range(4)]).astype(np.int8)
    found = score_of(
        model, given[model], unit, TWO, covariates=given["x"], strata=given["stratum"], cluster=cluster
    )(arms)
    expected = [by_hand(model, given, row[unit], cluster) for row in arms]
    np.testing.assert_allclose(
        found.effect[:, 0] / np.sqrt(found.covariance[:, 0, 0]), expected, rtol=2e-5, atol=2e-5
    )


def every(n: int, treated: int) -> np.ndarray:
    return np.array([np.isin(range(n), chosen) for chosen in combinations(range(n), treated)], dtype=np.int8)


def exact(statistic, arms: np.ndarray, row: int, *, studentised: bool) -> float:
    redraws = listed(arms, np.full(len(arms), 1 / len(arms)), arms[row])
    return randomisation_test(statistic, redraws, studentised=studentised).p_value


@pytest.mark.parametrize("row", [0, 30, 77, 400])
def test_without_covariates_it_is_fishers_test_and_wilcoxons(row) -> None:
    """Both arms as large: then Fisher's table and the rank sum are symmetric, and both sides agree."""
    arms, rng = every(12, 6), np.random.default_rng(2)
    yes = (rng.random(12) < 0.4).astype(float)
    table = [[yes[arms[row] == arm].sum(), (1 - yes)[arms[row] == arm].sum()] for arm in (0, 1)]
    p = exact(score_of("logistic", yes, np.arange(12), TWO), arms, row, studentised=False)
    assert p == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-12)
    ordered = rng.integers(1, 5, 12).astype(float)
    ranks = stats.rankdata(ordered)
    sums = arms @ ranks - ranks.sum() / 2
    by_ranks = np.mean(np.abs(sums) >= abs(sums[row]) - 1e-9)
    p = exact(score_of("ordinal", ordered, np.arange(12), TWO), arms, row, studentised=False)
    assert p == pytest.approx(by_ranks, rel=1e-12)


@pytest.mark.parametrize(
    ("model", "effect"),
    [("logistic", logistic_effect), ("poisson", poisson_effect), ("ordinal", ordinal_effect)],
)
def test_it_ranks_allocations_nearly_as_refitted_effects_do_and_is_exact(model, effect) -> None:
    """All 252 allocations of ten clusters of four; the p-values of a sharp null are never too small."""
    rng, arms = np.random.default_rng(3), np.repeat(every(10, 5), 4, axis=1)
    x = rng.normal(size=40)
    y = {
        "logistic": (rng.random(40) < special.expit(x)).astype(float),
        "poisson": rng.poisson(np.exp(0.5 + 0.3 * x)).astype(float),
        "ordinal": np.digitize(x + rng.logistic(size=40), (-1, 0.5)).astype(float),
    }[model]
    unit = np.repeat(np.arange(10), 4)
    statistic = score_of(model, y, unit, TWO, covariates=x[:, None])(every(10, 5))
    scores = np.abs(statistic.effect[:, 0] / np.sqrt(statistic.covariance[:, 0, 0]))
    refits = np.abs([effect(y, row, TWO, covariates=x[:, None]).statistic for row in arms])
    p = np.mean(scores >= scores[:, None] - 1e-9, axis=1)
    assert stats.spearmanr(scores, refits).statistic > 0.99
    assert np.abs(p - np.mean(refits >= refits[:, None] - 1e-9, axis=1)).max() < 0.06
    for alpha in (0.01, 0.05, 0.1, 0.5):
        assert np.mean(p <= alpha) <= alpha + 1e-12


def test_an_arm_without_answers_has_no_score_and_perfect_prediction_is_refused() -> None:
    y, place = np.array([1.0, 0, 1, 0]), np.array([0, 1, 2, 3])
    found = score_of("logistic", y, place, TWO)(np.array([[0, 0, 0, 0, 1]], dtype=np.int8))
    assert np.isnan(found.effect).all()
    with pytest.raises(DesignError, match="predicted perfectly"):
        score_of("logistic", y, place, TWO, covariates=y[:, None])
    with pytest.raises(DesignError, match="expected one of"):
        score_of("mmrm", y, place, TWO)


def test_the_score_of_a_logistic_model_is_statsmodels_score() -> None:
    given = people()
    arm = np.arange(N) % 2
    design = sm.add_constant(given["x"])
    null = sm.Logit(given["logistic"], design).fit(disp=0, tol=1e-14)
    full = sm.Logit(given["logistic"], np.column_stack([design, arm]))
    expected = full.score(np.append(null.params, 0.0))[-1]
    found = score_of("logistic", given["logistic"], np.arange(N), TWO, covariates=given["x"])
    half = N / 2
    # the arm's score is half that of the contrast, since without the arm all scores add up to 0
    assert found(arm[None].astype(np.int8)).effect[0, 0] == pytest.approx(2 * expected / half, rel=1e-8)
