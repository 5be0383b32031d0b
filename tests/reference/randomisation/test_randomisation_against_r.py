"""Exact randomisation tests against R's coin, and against estimatr refitted in every allocation."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from equipoise.allocation import design, every_allocation
from equipoise.estimation.randomisation.inversion import ConstantEffects
from equipoise.estimation.randomisation.moments import any_statistic, over
from equipoise.estimation.randomisation.p_values import randomisation_test
from equipoise.estimation.randomisation.redraws import Redraws, listed
from equipoise.estimation.randomisation.statistics import statistic_of

FOLDER = Path(__file__).parent
R = json.loads((FOLDER / "randomisation_reference.json").read_text())
CONTRAST = (-1.0, 1.0)


def every(strata: Sequence[str] | int, observed: np.ndarray) -> Redraws:
    plan = design(strata, {"0": 1, "1": 1}, method="blocked" if not isinstance(strata, int) else "complete")
    found = list(every_allocation(plan))
    codes = np.array([codes for codes, _ in found], dtype=np.int8)
    return listed(codes, [float(chance) for _, chance in found], observed.astype(np.int8))


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "people.csv")


@pytest.fixture(scope="module")
def teams() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "teams.csv")


@pytest.mark.parametrize(("model", "name"), [("linear", "linear"), ("lin-interacted", "lin")])
def test_a_studentised_test_within_strata_is_that_of_estimatr_in_every_allocation(people, model, name):
    statistic = statistic_of(
        model, people["y"], np.arange(14), CONTRAST, covariates=people["before"], strata=people["stratum"]
    )
    found = randomisation_test(statistic, every(list(people["stratum"]), people["arm"].to_numpy()))
    assert found.statistic == pytest.approx(R[name]["statistic"], rel=1e-8)
    assert found.p_value == pytest.approx(R[name]["p"], abs=1e-12)
    assert (found.draws, found.exact, found.mc_error) == (70 * 20, True, None)


def test_a_difference_of_means_within_strata_is_that_of_estimatr_in_every_allocation(people):
    statistic = statistic_of(
        "difference-in-means", people["y"], np.arange(14), CONTRAST, strata=people["stratum"]
    )
    found = randomisation_test(statistic, every(list(people["stratum"]), people["arm"].to_numpy()))
    assert found.statistic == pytest.approx(R["means"]["statistic"], rel=1e-8)
    assert found.p_value == pytest.approx(R["means"]["p"], abs=1e-12)


def test_the_bare_difference_is_tested_as_coin_and_scipy_do(people):
    y, arm = people["y"].to_numpy(), people["arm"].to_numpy()
    statistic = statistic_of("difference-in-means", y, np.arange(14), CONTRAST)
    found = randomisation_test(statistic, every(14, arm), studentised=False)
    assert found.p_value == pytest.approx(R["coin_difference"], abs=1e-12)
    scipy = stats.permutation_test(
        (y[arm == 1], y[arm == 0]),
        lambda a, b, axis: np.abs(a.mean(axis=axis) - b.mean(axis=axis)),
        vectorized=True,
        alternative="greater",
        n_resamples=np.inf,
    )
    assert found.p_value == pytest.approx(scipy.pvalue, abs=1e-12)


def test_a_statistic_of_ones_own_gives_the_exact_rank_test_of_coin(people):
    ranks = stats.rankdata(people["y"])
    statistic = any_statistic(lambda arm: float(ranks[arm == 1].sum() - ranks.sum() / 2))
    found = randomisation_test(statistic, every(14, people["arm"].to_numpy()), studentised=False)
    assert found.p_value == pytest.approx(R["coin_ranks"], abs=1e-12)


def test_whole_clusters_are_drawn_and_every_constant_effect_tested_as_by_refitting(teams):
    arm = teams.groupby("team")["arm"].first().to_numpy()
    redraws = every(8, arm)
    statistic = statistic_of(
        "linear",
        teams["y"],
        teams["team"] - 1,
        CONTRAST,
        covariates=teams["before"],
        cluster=teams["team"],
        shifted=teams["arm"],
    )
    found = randomisation_test(statistic, redraws)
    assert found.statistic == pytest.approx(R["teams"]["statistic"], rel=1e-8)
    assert found.smallest == pytest.approx(2 / 70)
    test = ConstantEffects(*over(statistic, redraws), redraws, studentised=True)
    ours = [test.p_value(tau) for tau in R["teams"]["taus"]]
    assert ours == pytest.approx(R["teams"]["p"], abs=1e-12)
