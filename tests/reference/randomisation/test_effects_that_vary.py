"""Whether an effect varies: draws against regressions, p-values by hand, size over whole designs."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from equipoise.errors import DesignError
from equipoise.estimation.randomisation.moderated import levels_apart, slopes_apart
from equipoise.estimation.randomisation.redraws import drawn, listed
from equipoise.estimation.randomisation.variation import LEFT_OUT, variation_test

TWO = (-1.0, 1.0)


def test_in_a_draw_differences_between_levels_are_those_of_a_regression_of_cells() -> None:
    rng, n = np.random.default_rng(3), 90
    y, level, moved = rng.normal(size=n), np.arange(n) % 3, (rng.permutation(n) < 45).astype(float)
    arms = np.stack([rng.permutation(n) % 2 for _ in range(4)]).astype(np.int8)
    cluster = rng.permutation(n) % 20
    for block in (None, cluster):
        found = levels_apart(y, moved, np.arange(n), TWO, level, cluster=block)(arms)
        for place, arm in enumerate(arms):
            for effect in (0.0, 0.7):
                data = pd.DataFrame({"y": y - effect * moved, "level": level, "arm": arm.astype(float)})
                fit = smf.ols("y ~ C(level) * arm", data).fit(
                    **{"cov_type": "HC2"} if block is None else {
                        "cov_type": "cluster", "cov_kwds": {"groups": block, "use_correction": False}
                    }
                )  # fmt: skip
                test = fit.wald_test("C(level)[T.1]:arm = 0, C(level)[T.2]:arm = 0", use_f=True, scalar=True)
                # by cluster each cell has its factor n / (n - 1), which moves the statistic a little
                close = {"rel": 1e-8} if block is None else {"rel": 0.12}
                assert found.sizes(effect)[place] == pytest.approx(test.statistic, **close)


def test_in_a_draw_the_slope_is_that_of_a_regression_with_a_line_for_each_arm() -> None:
    rng, n = np.random.default_rng(4), 60
    y, x, moved = rng.normal(size=n), rng.normal(size=n), (rng.permutation(n) < 30).astype(float)
    arms = np.stack([rng.permutation(n) % 2 for _ in range(4)]).astype(np.int8)
    found = slopes_apart(y, moved, np.arange(n), TWO, x)(arms)
    for place, arm in enumerate(arms):
        lines = [smf.ols("y ~ x", {"y": y[arm == a], "x": x[arm == a]}).fit(cov_type="HC1") for a in (0, 1)]
        slope = lines[1].params["x"] - lines[0].params["x"]
        variance = sum(line.bse["x"] ** 2 for line in lines)
        assert found.effects[place, 0, 0] == pytest.approx(slope, rel=1e-9)
        assert found.sizes(0.0)[place] == pytest.approx(slope**2 / variance, rel=1e-9)


def every() -> np.ndarray:
    """Six of twelve people, three of each level of six."""
    halves = [np.isin(range(6), chosen) for chosen in combinations(range(6), 3)]
    return np.array([np.concatenate((one, other)) for one in halves for other in halves], dtype=np.int8)


LEVEL = np.repeat([0, 1], 6)


def p_of(y0: np.ndarray, effect: np.ndarray, arms: np.ndarray, row: int) -> float:
    arm = arms[row].astype(float)
    y = y0 + effect * arm
    redraws = listed(arms, np.full(len(arms), 1 / len(arms)), arms[row])
    estimate = y[arm == 1].mean() - y[arm == 0].mean()
    error = np.sqrt((y[arm == 1].var(ddof=1) + y[arm == 0].var(ddof=1)) / 6)
    given = levels_apart(y, arm, np.arange(12), TWO, LEVEL)
    return variation_test(given, redraws, (estimate - 4 * error, estimate, estimate + 4 * error)).p_value


def test_the_p_value_is_the_largest_over_constant_effects_each_by_hand() -> None:
    rng, arms = np.random.default_rng(5), every()
    y0, arm = rng.normal(size=12), arms[123].astype(float)
    y = y0 + np.where(LEVEL == 1, 3.0, 0.5) * arm

    def by_hand(effect: float) -> float:
        left, found = y - effect * arm, []
        for row in arms.astype(bool):
            cells = [left[(level == LEVEL) & (row == there)] for level in (0, 1) for there in (False, True)]
            difference = cells[3].mean() - cells[2].mean() - cells[1].mean() + cells[0].mean()
            found.append(difference**2 / sum(cell.var(ddof=1) / 3 for cell in cells))
        return float(np.mean(np.array(found) >= found[123] * (1 - 1e-9)))

    redraws = listed(arms, np.full(len(arms), 1 / len(arms)), arms[123])
    given = levels_apart(y, arm, np.arange(12), TWO, LEVEL)
    found = variation_test(given, redraws, (0.0, 1.7, 4.0))
    assert found.p_value == pytest.approx(max(map(by_hand, (1.7, *np.linspace(0, 4, 41)))) + LEFT_OUT)
    assert (found.draws, found.exact, found.mc_error) == (400, True, None)


@pytest.mark.parametrize("effect", [0.0, 5.0])
def test_a_constant_effect_is_said_to_vary_no_more_often_than_stated_over_all_allocations(effect) -> None:
    rng, arms = np.random.default_rng(6), every()
    y0 = rng.exponential(size=12)
    found = np.array([p_of(y0, np.full(12, effect), arms, row) for row in range(0, 400, 5)])
    for alpha in (0.05, 0.1, 0.25):
        assert np.mean(found <= alpha) <= alpha + 3 * np.sqrt(alpha * (1 - alpha) / len(found))


def test_an_effect_that_differs_between_levels_is_found() -> None:
    rng, n = np.random.default_rng(7), 80
    arms = np.stack([rng.permutation(n) % 2 for _ in range(1000)]).astype(np.int8)
    level, arm = np.arange(n) % 2, arms[0].astype(float)
    y = rng.normal(size=n) + np.where(level == 1, 2.5, 0.0) * arm
    redraws = drawn(lambda size, _: arms[:size], arms[0], 999, np.random.default_rng)
    for given in (levels_apart, slopes_apart):
        moderation = given(y, arm, np.arange(n), TWO, level.astype(float), adjusted=rng.normal(size=(n, 2)))
        found = variation_test(moderation, redraws, (0.2, 1.2, 2.2))
        assert 1 / 1000 + LEFT_OUT <= found.p_value < 0.02
        assert found.mc_error > 0


def test_a_level_with_nobody_in_an_arm_allows_no_test_and_one_level_none_at_all() -> None:
    arms = np.array([[0, 0, 1, 1], [1, 1, 0, 0], [0, 1, 0, 1], [1, 0, 1, 0]], dtype=np.int8)
    redraws = listed(arms, np.full(4, 0.25), arms[0])
    given = levels_apart([1.0, 2, 3, 5], arms[0], np.arange(4), TWO, ["a", "a", "b", "b"])
    with pytest.raises(DesignError, match="too few people in an arm"):
        variation_test(given, redraws, (-1.0, 0.0, 1.0))
    with pytest.raises(DesignError, match="for everybody"):
        levels_apart([1.0, 2, 3, 5], arms[0], np.arange(4), TWO, ["a"] * 4)
