"""Imputation of people in clusters: the sampler against integrals, draws against R's mice with pan."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special

from equipoise.errors import DesignError
from equipoise.estimation.missing.chained import Gappy, imputer
from equipoise.estimation.missing.conditional import predictors
from equipoise.estimation.missing.in_clusters import Clusters, draw_probit, posterior

HERE = Path(__file__).parent
REFERENCE = json.loads((HERE / "cluster_imputation_reference.json").read_text())["difference_of_team_means"]
TRIAL = pd.read_csv(HERE / "cluster_imputation_trial.csv")


def clustered(seed: int, clusters: int, people: int, between: float):
    rng = np.random.default_rng(seed)
    code = np.repeat(np.arange(clusters), people)
    x = rng.normal(size=len(code))
    return code, x, 1 + 0.5 * x + between * rng.normal(size=clusters)[code] + rng.normal(size=len(code)), rng


def test_the_sampler_draws_from_the_posterior_that_integration_gives() -> None:
    """Likelihood with coefficients, intercepts and the variance within integrated out, on a grid."""
    code, x, y, rng = clustered(3, 8, 6, 0.7)
    n, design = len(y), np.column_stack([np.ones(len(y)), x])
    ratios = np.linspace(1e-4, 4, 1500)  # standard deviation between over that within

    def log_density(ratio: float) -> float:
        v = np.eye(n) + ratio**2 * (code[:, None] == code)
        inverse = np.linalg.inv(v)
        information = design.T @ inverse @ design
        beta = np.linalg.solve(information, design.T @ inverse @ y)
        left = (y - design @ beta) @ inverse @ (y - design @ beta)
        dets = np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1]
        # flat in the standard deviation between is the standard deviation within, flat in the ratio
        return -0.5 * dets - (n - 3) / 2 * np.log(left)

    log = np.array([log_density(ratio) for ratio in ratios])
    weight = np.exp(log - log.max())
    mean = float(ratios @ weight / weight.sum())
    spread = float(np.sqrt(ratios**2 @ weight / weight.sum() - mean**2))
    given = predictors(x[:, None], np.zeros(n, dtype=bool))
    states = posterior(y, given, Clusters(code, code[:0], 8), rng, rounds=6000)[100:]
    drawn = np.sqrt([state.between / state.within for state in states])
    assert drawn.mean() == pytest.approx(mean, abs=0.15 * spread)
    assert drawn.std() == pytest.approx(spread, rel=0.15)
    slopes = np.array([state.coefficients[1] for state in states])
    assert slopes.mean() == pytest.approx(0.5, abs=0.35)


@pytest.mark.parametrize("kind", ["normal", "matching"])
def test_imputations_of_clusters_have_the_distribution_of_those_of_mice_with_pan(kind) -> None:
    """Within four Monte-Carlo errors of both runs; matching beside that within its own roughness."""
    score, m = TRIAL["score"].to_numpy(), 60
    equations = imputer(
        (Gappy(score, kind, "score"),), TRIAL[["before", "other"]], TRIAL["arm"], cluster=TRIAL["team"]
    )
    first = TRIAL.drop_duplicates("team").set_index("team")["arm"]
    found = []
    for rng in np.random.default_rng(2).spawn(m):
        means = pd.Series(equations.impute(rng)).groupby(TRIAL["team"]).mean()
        one, other = means[first == 1], means[first == 0]
        found.append((one.mean() - other.mean(), one.var() / len(one) + other.var() / len(other)))
    estimates, within = np.array(found).T
    noise = np.sqrt(REFERENCE["between"] * (1 / m + 1 / REFERENCE["m"]))
    rough = 0.05 if kind == "matching" else 0.0
    assert estimates.mean() == pytest.approx(REFERENCE["estimate"], abs=4 * noise + rough)
    ratio = np.log(estimates.var(ddof=1) / REFERENCE["between"])
    assert ratio == pytest.approx(0, abs=4 * np.sqrt(2 / m + 2 / REFERENCE["m"]))
    assert within.mean() == pytest.approx(REFERENCE["within"], rel=0.1)


def test_an_intercept_for_each_cluster_widens_what_is_not_known() -> None:
    code, x, y, rng = clustered(5, 12, 10, 1.5)
    y[(code % 2 == 0) & (rng.random(len(y)) < 0.9)] = np.nan
    arm = np.zeros(len(y), dtype=int)
    spreads = []
    for cluster in (None, code):
        equations = imputer((Gappy(y, "normal", "score"),), x[:, None], arm, cluster=cluster)
        spreads.append(np.std([equations.impute(one).mean() for one in np.random.default_rng(1).spawn(40)]))
    assert spreads[1] > 1.5 * spreads[0]


def test_yes_and_no_are_drawn_at_the_rate_of_their_cluster_and_shifted_in_log_odds() -> None:
    code, x, _, rng = clustered(6, 10, 400, 0.0)
    middle = np.linspace(-1.5, 1.5, 10)
    y = (rng.normal(size=len(code)) < middle[code] + 0.5 * x).astype(float)
    missing = np.arange(len(y)) % 2 == 0
    given = predictors(x[:, None], missing)
    clusters = Clusters(code[~missing], code[missing], 10)
    zero = np.zeros(int(missing.sum()))
    drawn = draw_probit(y[~missing], given, clusters, zero, np.random.default_rng(1))
    for cluster in range(10):
        there = code[missing] == cluster
        assert drawn[there].mean() == pytest.approx(y[missing][there].mean(), abs=0.15)
    more = draw_probit(y[~missing], given, clusters, zero + 1.0, np.random.default_rng(1))
    rate = special.expit(special.logit(np.clip(drawn.mean(), 0.01, 0.99)) + 1)
    assert drawn.mean() + 0.05 < more.mean() < rate + 0.03


def test_too_few_clusters_with_answers_are_refused_by_name() -> None:
    code, x, y, _ = clustered(7, 4, 10, 1.0)
    y[code > 1] = np.nan
    with pytest.raises(DesignError, match="score: is known in 2 clusters of arm"):
        imputer((Gappy(y, "normal", "score"),), x[:, None], np.zeros(40), ["texts"], code)
