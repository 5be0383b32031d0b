"""Tests and intervals over the whole design: size, coverage and statistics by fitting every allocation."""

from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from equipoise.allocation import METHODS, Beside, design, every_allocation, simulate, unit_probabilities
from equipoise.errors import DesignError
from equipoise.estimation.effects.adjusted import lin_interacted, linear_effect
from equipoise.estimation.effects.neyman import difference_in_means
from equipoise.estimation.randomisation.balance import imbalance
from equipoise.estimation.randomisation.in_turn import in_turn
from equipoise.estimation.randomisation.inversion import ConstantEffects
from equipoise.estimation.randomisation.moments import over
from equipoise.estimation.randomisation.p_values import randomisation_test
from equipoise.estimation.randomisation.redraws import drawn, listed
from equipoise.estimation.randomisation.statistics import statistic_of

ARMS3 = (-1.0, 0.0, 1.0)
N = 72


def fixed_counts(numbers: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, ...]]:
    """Every allocation of strata of (people, treated) by itertools alone."""
    parts = [[set(chosen) for chosen in combinations(range(n), treated)] for n, treated in numbers]
    for chosen in product(*parts):
        yield tuple(
            int(person in members)
            for (n, _), members in zip(numbers, chosen, strict=True)
            for person in range(n)
        )


@pytest.fixture(scope="module")
def awkward() -> dict[str, Any]:
    """Three arms, strata of unequal size with one alone in his, a constant and a repeated covariate."""
    rng = np.random.default_rng(7)
    stratum = np.array(["a"] * 30 + ["b"] * 29 + ["c"] * 12 + ["alone"])
    x = rng.normal(size=N)
    covariates = np.column_stack([x, rng.integers(0, 2, N), np.ones(N), 2 * x])
    plan = design(list(stratum), {"a": 1, "b": 2, "c": 1}, method="blocked")
    cluster = np.repeat(np.arange(24), 3)
    by_cluster = design([f"s{i % 2}" for i in range(24)], {"a": 1, "b": 1, "c": 1}, method="blocked")
    return {
        "y": rng.normal(size=N) * 10,
        "x": covariates,
        "stratum": stratum,
        "draws": simulate(plan, 12, rng),
        "cluster": cluster,
        "cluster_stratum": np.array([f"s{i % 2}" for i in range(24)])[cluster],
        "cluster_draws": simulate(by_cluster, 8, rng),
    }


@pytest.mark.parametrize("variance", ["classical", "HC0", "HC1", "HC2", "HC3"])
@pytest.mark.parametrize("covariates", [True, False])
@pytest.mark.parametrize("strata", [True, False])
def test_a_draws_contrast_and_error_are_those_of_the_regression(awkward, variance, covariates, strata):
    extra = {
        "covariates": awkward["x"] if covariates else None,
        "strata": awkward["stratum"] if strata else None,
        "variance": variance,
    }
    found = statistic_of("linear", awkward["y"], np.arange(N), ARMS3, **extra)(awkward["draws"])
    fits = [linear_effect(awkward["y"], arm, ARMS3, **extra) for arm in awkward["draws"]]
    np.testing.assert_allclose(found.effect[:, 0], [fit.estimate for fit in fits], rtol=1e-8)
    np.testing.assert_allclose(found.covariance[:, 0, 0] ** 0.5, [fit.std_error for fit in fits], rtol=1e-8)


@pytest.mark.parametrize("model", ["linear", "lin-interacted"])
@pytest.mark.parametrize("variance", ["CR0", "CR1", "CR2", "CR3"])
@pytest.mark.parametrize("covariates", [True, False])
@pytest.mark.parametrize("strata", [True, False])
def test_a_draw_of_clusters_is_fitted_as_by_the_regression(awkward, model, variance, covariates, strata):
    extra = {
        "covariates": awkward["x"][:, :2] if covariates else None,
        "strata": awkward["cluster_stratum"] if strata else None,
        "cluster": awkward["cluster"],
        "variance": variance,
    }
    fitted = {"linear": linear_effect, "lin-interacted": lin_interacted}[model]
    found = statistic_of(model, awkward["y"], awkward["cluster"], ARMS3, **extra)(awkward["cluster_draws"])
    fits = [fitted(awkward["y"], arm[awkward["cluster"]], ARMS3, **extra) for arm in awkward["cluster_draws"]]
    np.testing.assert_allclose(found.effect[:, 0], [fit.estimate for fit in fits], rtol=1e-8)
    np.testing.assert_allclose(found.covariance[:, 0, 0] ** 0.5, [fit.std_error for fit in fits], rtol=1e-8)


@pytest.mark.parametrize("variance", ["HC0", "HC1", "HC2", "HC3"])
def test_a_draw_is_fitted_by_arm_as_by_lins_regression(awkward, variance):
    inside = awkward["stratum"] != "alone"
    extra = {
        "covariates": awkward["x"][inside],
        "strata": awkward["stratum"][inside],
        "variance": variance,
    }
    y = awkward["y"][inside]
    found = statistic_of("lin-interacted", y, np.flatnonzero(inside), ARMS3, **extra)(awkward["draws"])
    for arm, effect, covariance in zip(awkward["draws"], found.effect, found.covariance, strict=True):
        try:
            fit = lin_interacted(y, arm[inside], ARMS3, **extra)
        except DesignError:
            assert np.isnan(effect[0])
            continue
        assert (effect[0], covariance[0, 0] ** 0.5) == pytest.approx((fit.estimate, fit.std_error), rel=1e-8)


def test_a_draw_of_means_weighs_strata_by_the_people_randomised(awkward):
    inside = awkward["stratum"] != "alone"
    y, stratum = awkward["y"][inside], awkward["stratum"][inside]
    extra = {"strata": stratum, "randomised": {"a": 40, "b": 30, "c": 30}}
    found = statistic_of("difference-in-means", y, np.flatnonzero(inside), ARMS3, **extra)(awkward["draws"])
    fits = [difference_in_means(y, arm[inside], ARMS3, **extra) for arm in awkward["draws"]]
    np.testing.assert_allclose(found.effect[:, 0], [fit.estimate for fit in fits], rtol=1e-8)
    np.testing.assert_allclose(found.covariance[:, 0, 0] ** 0.5, [fit.std_error for fit in fits], rtol=1e-8)


@pytest.mark.parametrize("clustered", [True, False])
def test_many_strata_are_projected_out_as_few_are(clustered):
    rng = np.random.default_rng(12)
    stratum, size = np.repeat(np.arange(80), 4), 3 if clustered else 1
    plan = design([str(label) for label in stratum], {"a": 1, "b": 1}, method="blocked")
    place = np.repeat(np.arange(320), size)
    y, x = rng.normal(size=320 * size), rng.normal(size=320 * size)
    extra = {"covariates": x, "strata": stratum[place]}
    if clustered:
        extra |= {"cluster": place, "variance": "CR2"}
    draws = simulate(plan, 3, rng)
    found = statistic_of("linear", y, place, (-1.0, 1.0), **extra)(draws)
    fits = [linear_effect(y, arm[place], (-1.0, 1.0), **extra) for arm in draws]
    np.testing.assert_allclose(found.effect[:, 0], [fit.estimate for fit in fits], rtol=1e-8)
    np.testing.assert_allclose(found.covariance[:, 0, 0] ** 0.5, [fit.std_error for fit in fits], rtol=1e-8)


def test_means_within_many_strata_are_those_within_few():
    rng = np.random.default_rng(13)
    stratum = np.repeat(np.arange(70), 6)
    plan = design([str(label) for label in stratum], {"a": 1, "b": 1}, method="blocked")
    y, draws = rng.normal(size=420), simulate(plan, 3, rng)
    found = statistic_of("difference-in-means", y, np.arange(420), (-1.0, 1.0), strata=stratum)(draws)
    fits = [difference_in_means(y, arm, (-1.0, 1.0), strata=stratum) for arm in draws]
    np.testing.assert_allclose(found.effect[:, 0], [fit.estimate for fit in fits], rtol=1e-8)
    np.testing.assert_allclose(found.covariance[:, 0, 0] ** 0.5, [fit.std_error for fit in fits], rtol=1e-8)


def test_a_regression_by_arm_of_too_many_columns_is_refused_before_it_fills_the_memory():
    people = 20_000
    x = np.random.default_rng(1).normal(size=(people, 75))
    with pytest.raises(DesignError, match="76 columns, too many for 20,000 people"):
        statistic_of("lin-interacted", x[:, 0], np.arange(people), (-1.0, 1.0), covariates=x)


SMALL = ((6, 3), (4, 2))
"""Strata of six with three treated and of four with two: 120 allocations."""
SMALL_STRATA = np.repeat(["a", "b"], [6, 4])


@pytest.fixture(scope="module")
def small() -> np.ndarray:
    return np.array(list(fixed_counts(SMALL)), dtype=np.int8)


@pytest.mark.parametrize("model", ["linear", "lin-interacted", "difference-in-means"])
@pytest.mark.parametrize("studentised", [True, False])
def test_a_true_null_is_rejected_no_more_often_than_said_over_the_whole_design(small, model, studentised):
    y = np.random.default_rng(3).normal(size=10)
    statistic = statistic_of(model, y, np.arange(10), (-1.0, 1.0), strata=SMALL_STRATA)
    chances = np.full(len(small), 1 / len(small))
    p = np.array(
        [
            randomisation_test(statistic, listed(small, chances, arm), studentised=studentised).p_value
            for arm in small
        ]
    )
    for alpha in np.unique(p):
        assert (p <= alpha + 1e-12).mean() == pytest.approx(alpha, abs=1e-9)  # exact, not only valid


@pytest.mark.parametrize("studentised", [True, False])
def test_the_interval_covers_a_constant_effect_as_often_as_said_over_the_whole_design(small, studentised):
    nothing, chances = np.random.default_rng(5).normal(size=10), np.full(len(small), 1 / len(small))
    kept = []
    for number, arm in enumerate(small):
        statistic = statistic_of(
            "linear", nothing + 2.5 * arm, np.arange(10), (-1.0, 1.0), strata=SMALL_STRATA, shifted=arm
        )
        redraws = listed(small, chances, arm)
        test = ConstantEffects(*over(statistic, redraws), redraws, studentised)
        kept.append(test.p_value(2.5) > 0.1 + 1e-12)
        if number % 25 == 0:
            interval = test.interval(0.9)
            beyond = 1e-6 * (interval.high - interval.low)
            assert interval.contains(2.5) or not kept[-1]
            assert test.p_value(interval.high) > 0.1 + 1e-12 > test.p_value(interval.high + beyond)
            assert test.p_value(interval.low) > 0.1 + 1e-12 > test.p_value(interval.low - beyond)
    assert np.mean(kept) == pytest.approx(0.9)


def test_a_constant_effect_is_tested_as_by_refitting_outcomes_without_it(small):
    y, arm = np.random.default_rng(8).normal(size=10), small[17]
    redraws = listed(small, np.full(len(small), 1 / len(small)), arm)
    whole = statistic_of("linear", y, np.arange(10), (-1.0, 1.0), strata=SMALL_STRATA, shifted=arm)
    test = ConstantEffects(*over(whole, redraws), redraws, studentised=True)
    for effect in (-3.0, -0.4, 0.0, 0.7, 2.0):
        refitted = statistic_of("linear", y - effect * arm, np.arange(10), (-1.0, 1.0), strata=SMALL_STRATA)
        assert test.p_value(effect) == pytest.approx(randomisation_test(refitted, redraws).p_value, abs=1e-12)


LOOKED_AT = {
    "minimised": Beside({"site": list("nsnsnsnsnsnsns")}, coin=0.8, measure="range"),
    "rerandomised": Beside({"site": list("nsnsnsnsnsnsns")}, accept=0.5),
}


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_is_drawn_again_with_the_chances_of_its_draw(method):
    beside = LOOKED_AT.get(method, Beside())
    plan = design(list("aaaaabbbbbbbcc"), {"x": 2, "y": 1}, method=method, beside=beside)
    redraws = drawn(
        lambda size, stream: simulate(plan, size, stream), simulate(plan, 1, np.random.default_rng(0))[0],
        20_000, np.random.default_rng,
    )  # fmt: skip
    codes = np.concatenate(list(redraws.pieces()))
    known = unit_probabilities(plan)
    draws = 1 / (1 / len(codes) + (0 if known.estimated is None else 1 / known.estimated.draws))
    for arm, chance in enumerate(known.of_units.T):
        error = (chance * (1 - chance) / draws) ** 0.5
        assert (np.abs((codes == arm).mean(axis=0) - chance) < 4.5 * error).all()


def test_drawn_and_listed_allocations_give_the_same_p_value_up_to_its_error():
    plan = design(list("aaaaaabbbbb"), {"x": 1, "y": 1}, method="blocked")
    every = list(every_allocation(plan))
    y, arm = np.random.default_rng(2).normal(size=11), np.array(every[40][0], dtype=np.int8)
    statistic = statistic_of("linear", y + arm, np.arange(11), (-1.0, 1.0), strata=list("aaaaaabbbbb"))
    codes = np.array([codes for codes, _ in every], dtype=np.int8)
    exact = randomisation_test(statistic, listed(codes, [float(chance) for _, chance in every], arm))
    monte_carlo = randomisation_test(
        statistic,
        drawn(lambda size, stream: simulate(plan, size, stream), arm, 20_000, np.random.default_rng),
    )
    assert monte_carlo.p_value == pytest.approx(exact.p_value, abs=4 * monte_carlo.mc_error)
    assert monte_carlo.smallest == 1 / 20_001


def test_a_draw_depends_on_its_place_and_not_on_what_was_drawn_before():
    plan = design(5_000, {"x": 1, "y": 1}, method="complete")
    redraws = drawn(
        lambda size, stream: simulate(plan, size, stream),
        np.zeros(5_000, dtype=np.int8),
        60,
        np.random.default_rng,
    )
    first, again = list(redraws.pieces()), list(redraws.pieces())
    assert len(first) > 2
    assert all((one == other).all() for one, other in zip(first, again, strict=True))
    longer = drawn(
        lambda size, stream: simulate(plan, size, stream), redraws.observed, 100, np.random.default_rng
    )
    assert (np.concatenate(list(longer.pieces()))[: len(first[0])] == first[0]).all()


def test_allocations_that_allow_no_error_count_as_extreme():
    y = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
    codes = np.array(list(fixed_counts(((6, 3),))), dtype=np.int8)
    observed = np.array([0, 0, 1, 0, 1, 1], dtype=np.int8)
    statistic = statistic_of("linear", y, np.arange(6), (-1.0, 1.0))
    found = randomisation_test(statistic, listed(codes, np.full(20, 0.05), observed))
    assert found.p_value == pytest.approx(1.0)  # 18 tie with what was observed, 2 part the outcomes wholly
    parted = listed(codes, np.full(20, 0.05), np.array([0, 0, 0, 1, 1, 1], dtype=np.int8))
    with pytest.raises(
        DesignError, match="does not vary within the arms compared, or a stratum has one person"
    ):
        randomisation_test(statistic, parted)
    assert randomisation_test(statistic, parted, studentised=False).p_value == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": "poisson"}, 'model: is "poisson"'),
        ({"cluster": [0, 0, 0, 1, 1, 1]}, "cluster: holds people of several units of the draw"),
        ({"strata": ["a"] * 5}, "strata: has 5 rows"),
        ({"model": "lin-interacted", "variance": "classical"}, "variance: classical cannot be re-drawn"),
    ],
)
def test_what_cannot_be_drawn_again_is_refused(arguments, message):
    given = {"model": "linear", "outcome": np.arange(6.0), "place": np.arange(6), "contrast": (-1.0, 1.0)}
    with pytest.raises(DesignError, match=message):
        statistic_of(**(given | arguments))


def test_one_person_in_a_cell_leaves_the_difference_and_no_error():
    y, strata = np.array([1.0, 4.0, 2.0, 7.0]), ["a", "a", "b", "b"]
    codes = np.array([[0, 1, 0, 1], [1, 0, 0, 1], [0, 1, 1, 0], [1, 0, 1, 0]], dtype=np.int8)
    redraws = listed(codes, np.full(4, 0.25), codes[0])
    statistic = statistic_of("difference-in-means", y, np.arange(4), (-1.0, 1.0), strata=strata)
    assert randomisation_test(statistic, redraws, studentised=False).p_value == pytest.approx(0.5)
    with pytest.raises(DesignError, match="statistic: difference"):
        randomisation_test(statistic, redraws)


def test_an_allocation_that_the_procedure_cannot_give_is_refused():
    codes = np.array(list(fixed_counts(((4, 2),))), dtype=np.int8)
    with pytest.raises(DesignError, match="none of the allocations"):
        listed(codes, np.full(6, 1 / 6), np.array([0, 0, 0, 1], dtype=np.int8))


def test_the_omnibus_distance_is_mahalanobis_and_its_mean_over_the_design_is_known(small):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(10, 3)) @ rng.normal(size=(3, 3))
    found = imbalance(x, np.arange(10), 2)(small).effect[:, 0]
    inverse = np.linalg.inv(np.cov(x.T))
    for arm, distance in zip(small[:9], found[:9], strict=True):
        apart = [
            (arm == code).sum() * _squared(x[arm == code].mean(0) - x.mean(0), inverse) for code in (0, 1)
        ]
        assert distance == pytest.approx(sum(apart), rel=1e-10)
    within = imbalance(np.column_stack([x, x[:, 0]]), np.arange(10), 2, strata=SMALL_STRATA)
    chances = np.full(len(small), 1 / len(small))
    tests = [randomisation_test(within, listed(small, chances, arm), studentised=False) for arm in small]
    for alpha in (0.05, 0.1, 0.25, 0.5):
        assert np.mean([test.p_value <= alpha + 1e-12 for test in tests]) <= alpha + 1e-12
    complete = np.array(list(fixed_counts(((10, 5),))), dtype=np.int8)
    assert imbalance(x, np.arange(10), 2)(complete).effect.mean() == pytest.approx(3.0)
    with pytest.raises(DesignError, match="do not vary within strata"):
        imbalance(np.ones((10, 1)), np.arange(10), 2)


def _squared(apart: np.ndarray, inverse: np.ndarray) -> float:
    return float(apart @ inverse @ apart)


def test_arms_that_units_have_in_turn_are_fitted_as_by_statsmodels():
    rng = np.random.default_rng(1)
    rows = [(unit, period) for unit in range(9) for period in range(4) for _ in range(rng.integers(1, 5))]
    unit, period = np.array(rows).T
    x, y = rng.normal(size=len(rows)), rng.normal(size=len(rows)) + rng.normal(size=9)[unit] + period
    moved = np.array([[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]])
    codes = np.array([rng.permutation(np.repeat([0, 1, 2], 3)) for _ in range(4)], dtype=np.int8)
    found = in_turn(y, unit, period, moved, covariates=x)(codes)
    for given, effect, covariance in zip(codes, found.effect, found.covariance, strict=True):
        data = pd.DataFrame({"y": y, "x": x, "u": unit, "p": period, "on": moved[given[unit], period] * 1.0})
        options = {"groups": unit, "use_correction": False}
        fit = smf.ols("y ~ on + x + C(u) + C(p)", data).fit(cov_type="cluster", cov_kwds=options)
        expected = (fit.params["on"], fit.bse["on"])
        assert (effect[0], covariance[0, 0] ** 0.5) == pytest.approx(expected, rel=1e-8)
