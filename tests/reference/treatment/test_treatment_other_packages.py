"""Factorials, moderators, waves, ratings and doses against stored output of R, and against definitions."""

import json
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from equipoise.errors import DesignError
from equipoise.estimation.effects.adjusted import linear_effect
from equipoise.estimation.effects.dose_response import (
    dose_curve,
    dose_trend,
    linear_contrast,
    monotone_contrast,
)
from equipoise.estimation.effects.factorial import factorial_effects
from equipoise.estimation.effects.learning import effect_by_wave
from equipoise.estimation.effects.moderators import effect_by_moderator
from equipoise.estimation.effects.ratings import component_effects, component_interaction, marginal_means
from equipoise.findings.sampling.cells import cells_of
from equipoise.protocol.contrasts import parse_contrast

HERE = Path(__file__).parent
REFERENCE = json.loads((HERE / "treatment_reference.json").read_text())
PEOPLE = pd.read_csv(HERE / "people.csv")
RATINGS = pd.read_csv(HERE / "ratings.csv")
TEXTS = (PEOPLE["texts"] == "yes").to_numpy(dtype=np.int64)
BONUS = PEOPLE["bonus"].map({"none": 0, "small": 1, "large": 2}).to_numpy()
CELLS = np.stack([BONUS, TEXTS], axis=1)
PROFILES = np.stack(
    [RATINGS["origin"].map({"home": 0, "near": 1, "far": 2}), RATINGS["grade"].map({"low": 0, "high": 1})],
    axis=1,
)
OF_RATINGS = (RATINGS["score"], PROFILES, (3, 2), RATINGS["respondent"])


def check(estimates, theirs, dof=True):
    """Estimates and errors to 1e-8, degrees of freedom to 1e-6."""
    pairs = {
        key: np.atleast_1d(value) for key, value in theirs.items() if key in ("estimate", "std_error", "dof")
    }
    for place, estimate in enumerate(estimates):
        assert estimate.estimate == pytest.approx(pairs["estimate"][place], rel=1e-8)
        assert estimate.std_error == pytest.approx(pairs["std_error"][place], rel=1e-8)
        if dof and "dof" in pairs:
            assert estimate.dof == pytest.approx(pairs["dof"][place], rel=1e-6)


def check_joint(test, theirs):
    assert test.statistic == pytest.approx(theirs["F"], rel=1e-8)
    assert test.dof_denominator == pytest.approx(theirs["dof"], rel=1e-6)
    assert test.p_value == pytest.approx(theirs["p"], rel=1e-6)


def _over_all_cells(cells, crossed, shares):
    """A contrast of one factor spread over the cells of both, the other by its shares."""
    (factor,), (own,) = cells.factors, cells.levels
    weight = dict(zip(own, cells.weights, strict=True))
    spread = []
    for cell in product(*crossed.levels):
        named = dict(zip(crossed.factors, cell, strict=True))
        (other,) = set(named) - {factor}
        spread.append(weight[named[factor]] * float(shares[other][named[other]]))
    return replace(crossed, weights=np.array(spread))


def term(found, *factors):
    return next(one for one in found if one.factors == factors)


def effects_of(term):
    return [one.effect for one in term.effects]


class TestFactorials:
    plain = staticmethod(lambda **given: factorial_effects(PEOPLE["y1"], CELLS, (3, 2), **given))

    def test_main_effects_with_all_others_alike_equal_emmeans(self):
        found = self.plain(covariates=PEOPLE["age"])
        check(effects_of(term(found, 0)), REFERENCE["factorial"]["bonus_equal"])
        check(effects_of(term(found, 1)), REFERENCE["factorial"]["texts_equal"])

    def test_main_effects_averaged_by_the_shares_of_the_draw_equal_emmeans(self):
        found = self.plain(covariates=PEOPLE["age"], shares=((2, 1, 1), (1, 1)))
        check(effects_of(term(found, 1)), REFERENCE["factorial"]["texts_shares"])

    def test_interactions_are_differences_of_differences_whatever_the_shares(self):
        for shares in (None, ((2, 1, 1), (3, 1))):
            found = self.plain(covariates=PEOPLE["age"], shares=shares)
            check(effects_of(term(found, 0, 1)), REFERENCE["factorial"]["interaction"])
        assert [one.levels for one in term(found, 0, 1).effects] == [(1, 1), (2, 1)]

    def test_joint_tests_are_those_of_effect_coding(self):
        found = self.plain(covariates=PEOPLE["age"], dof="residual")
        for factors, name in (((0,), "F_bonus"), ((1,), "F_texts"), ((0, 1), "F_interaction")):
            joint = term(found, *factors).joint
            assert joint.statistic == pytest.approx(REFERENCE["factorial"][name], rel=1e-8)

    @pytest.mark.parametrize("absorbed", [True, False])
    def test_by_cluster_the_joint_tests_equal_clubsandwich_with_strata_absorbed_or_as_columns(self, absorbed):
        sites = np.stack([PEOPLE["site"] == "b", PEOPLE["site"] == "c"], axis=1).astype(float)
        given = {"covariates": PEOPLE["age"], "strata": PEOPLE["site"]}
        if not absorbed:
            given = {"covariates": np.concatenate((PEOPLE[["age"]], sites), axis=1)}
        found = self.plain(cluster=PEOPLE["cluster"], **given)
        check_joint(term(found, 0).joint, REFERENCE["factorial"]["clustered_bonus"])
        check_joint(term(found, 0, 1).joint, REFERENCE["factorial"]["clustered_interaction"])

    @pytest.mark.parametrize(
        ("text", "name", "place"),
        [
            ("texts.yes - texts.no", "texts_shares", 0),
            ("bonus.large - bonus.none", "bonus_equal", 1),
            ("(bonus.small - bonus.none) x texts", "interaction", 0),
            ("(bonus.large - bonus.none) x texts", "interaction", 1),
        ],
    )
    def test_contrasts_as_protocols_write_them_give_the_same(self, text, name, place):
        levels = {"bonus": ("none", "small", "large"), "texts": ("no", "yes")}
        shares = {
            "bonus": {"none": Fraction(1, 2), "small": Fraction(1, 4), "large": Fraction(1, 4)},
            "texts": {"no": Fraction(1, 2), "yes": Fraction(1, 2)},
        }
        contrast = parse_contrast(text, levels, "bonus")
        both = parse_contrast("(bonus.large - bonus.none) x texts", levels, "bonus")
        cells = cells_of(contrast, levels, shares)
        crossed = cells_of(both, levels, shares)
        whole = cells if len(cells.factors) == 2 else _over_all_cells(cells, crossed, shares)
        code = crossed.codes({factor: PEOPLE[factor].to_numpy() for factor in crossed.factors})
        effect = linear_effect(PEOPLE["y1"], code, whole.weights, covariates=PEOPLE["age"])
        theirs = REFERENCE["factorial"][name]
        check([effect], {key: np.atleast_1d(value)[place] for key, value in theirs.items()})

    def test_columns_coded_minus_and_plus_one_have_half_and_a_quarter(self):
        two = CELLS[:, 0] < 2
        found = factorial_effects(PEOPLE["y1"][two], CELLS[two], (2, 2))
        coded = PEOPLE[two].assign(a=2 * BONUS[two] - 1, b=2 * TEXTS[two] - 1)
        model = smf.ols("y1 ~ a * b", coded).fit(cov_type="HC2")
        for factors, name, times in (((0,), "a", 2), ((1,), "b", 2), ((0, 1), "a:b", 4)):
            effect = effects_of(term(found, *factors))[0]
            assert effect.estimate == pytest.approx(times * model.params[name], rel=1e-8)
            assert effect.std_error == pytest.approx(times * model.bse[name], rel=1e-8)

    def test_three_factors_have_every_term_up_to_the_order_asked_for(self):
        three = np.concatenate((CELLS, (PEOPLE["site"] == "a").to_numpy(dtype=int)[:, None]), axis=1)
        found = factorial_effects(PEOPLE["y1"], three, (3, 2, 2), order=3)
        assert [one.factors for one in found] == [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]

    def test_an_empty_cell_leaves_out_what_averages_over_it_and_names_it(self):
        kept = ~((BONUS == 2) & (TEXTS == 1))
        found = factorial_effects(PEOPLE["y1"][kept], CELLS[kept], (3, 2))
        assert all(one.joint is None for one in found)
        assert "level 2 of factor 0, level 1 of factor 1" in term(found, 1).not_estimable

    def test_codes_and_shares_that_do_not_fit_are_refused(self):
        with pytest.raises(DesignError, match="of factor 0 are not codes 0 to 1"):
            factorial_effects(PEOPLE["y1"], CELLS, (2, 2))
        with pytest.raises(DesignError, match="one share for each level"):
            self.plain(shares=((1, 1), (1, 1)))


class TestModerators:
    @staticmethod
    def found(**given):
        given = {"strata": PEOPLE["site"], "cluster": PEOPLE["cluster"]} | given
        return effect_by_moderator(PEOPLE["y1"], TEXTS, (-1, 1), PEOPLE["age"], **given)

    def test_the_line_and_the_effects_at_percentiles_equal_clubsandwich(self):
        found = self.found()
        check([found.slope], REFERENCE["moderator"]["slope"])
        for ours, theirs in zip(found.at, REFERENCE["moderator"]["at"], strict=True):
            assert ours.value == pytest.approx(theirs["value"], rel=1e-12)
            check([ours.effect], theirs)

    def test_the_bins_equal_the_binning_estimator_written_out_in_r(self):
        found = self.found()
        assert [each.median for each in found.bins] == REFERENCE["moderator"]["medians"]
        check([each.effect for each in found.bins], REFERENCE["moderator"]["bins"])

    def test_linearity_is_the_test_of_the_nested_models(self):
        check_joint(self.found().linearity, REFERENCE["moderator"]["linearity"])

    def test_strata_as_columns_give_the_same_as_absorbed_ones(self):
        sites = np.stack([PEOPLE["site"] == "b", PEOPLE["site"] == "c"], axis=1).astype(float)
        absorbed, columns = self.found(), self.found(strata=None, covariates=sites)
        assert columns.slope.estimate == pytest.approx(absorbed.slope.estimate, rel=1e-9)
        assert columns.linearity.p_value == pytest.approx(absorbed.linearity.p_value, rel=1e-7)

    def test_a_contrast_of_three_arms_is_that_of_the_fully_interacted_model(self):
        found = effect_by_moderator(PEOPLE["y1"], BONUS, (-1, 0.5, 0.5), PEOPLE["age"])
        model = smf.ols("y1 ~ C(bonus, Treatment('none')) * age", PEOPLE).fit(cov_type="HC2")
        names = [f"C(bonus, Treatment('none'))[T.{level}]:age" for level in ("small", "large")]
        vector = np.array([0.5 if name in names else 0.0 for name in model.params.index])
        test = model.t_test(vector)
        assert found.slope.estimate == pytest.approx(test.effect.item(), rel=1e-8)
        assert found.slope.std_error == pytest.approx(test.sd.item(), rel=1e-8)

    def test_a_bin_of_one_value_has_the_difference_in_means_there_and_no_slope(self):
        few = np.where(PEOPLE["age"] < 41, 1.0, np.where(PEOPLE["age"] < 50, 2.0, 3.0))
        found = effect_by_moderator(PEOPLE["y1"], TEXTS, (-1, 1), few)
        for value, each in zip((1.0, 2.0, 3.0), found.bins, strict=True):
            plain = linear_effect(PEOPLE["y1"][few == value], TEXTS[few == value], (-1, 1))
            assert each.effect.estimate == pytest.approx(plain.estimate, rel=1e-9)
            assert each.effect.std_error == pytest.approx(plain.std_error, rel=1e-9)
        assert found.linearity is None

    def test_values_that_repeat_make_fewer_bins_and_an_arm_without_a_line_has_no_effect_there(self):
        few = np.where(PEOPLE["age"] < 48, 1.0, np.where((PEOPLE["age"] < 60) | (TEXTS == 1), 2.0, 3.0))
        found = effect_by_moderator(PEOPLE["y1"], TEXTS, (-1, 1), few)
        assert [sum(each.counts) for each in found.bins] == [np.sum(few == 1), np.sum(few > 1)]
        assert found.bins[1].effect is None
        assert "one value alone" in found.bins[1].not_estimable

    def test_a_moderator_that_does_not_vary_is_refused(self):
        with pytest.raises(DesignError, match="is 1 for everybody"):
            effect_by_moderator(PEOPLE["y1"], TEXTS, (-1, 1), np.ones(len(PEOPLE)))
        with pytest.raises(DesignError, match='is 4 for everybody in arm "yes"'):
            effect_by_moderator(
                PEOPLE["y1"], TEXTS, (-1, 1), np.where(TEXTS, 4.0, PEOPLE["age"]), arm_names=("no", "yes")
            )

    def test_few_people_have_a_line_and_no_bins(self):
        few = np.arange(12)
        found = effect_by_moderator(PEOPLE["y1"][few], few % 2, (-1, 1), few)
        assert found.slope.std_error > 0
        assert (found.bins, found.linearity) == ((), None)


class TestWaves:
    WAVES = PEOPLE[["y1", "y2", "y3"]].to_numpy()

    def test_waves_trend_and_equality_equal_clubsandwich_with_errors_by_person(self):
        found = effect_by_wave(self.WAVES, TEXTS, (-1, 1), (1, 2, 3))
        check([each.effect for each in found.waves], REFERENCE["learning"]["waves"])
        check([found.trend], REFERENCE["learning"]["trend"])
        check_joint(found.equality, REFERENCE["learning"]["equality"])

    def test_a_wave_alone_is_the_difference_in_means_of_those_who_answered_it(self):
        found = effect_by_wave(self.WAVES, BONUS, (-1, 0, 1), (0, 4, 12))
        for column, wave in zip(self.WAVES.T, found.waves, strict=True):
            held = ~np.isnan(column) & (BONUS != 1)
            plain = linear_effect(column[held], BONUS[held], (-1, 0, 1))
            assert wave.effect.estimate == pytest.approx(plain.estimate, rel=1e-10)
            assert sum(wave.counts) == held.sum()

    def test_a_score_before_has_a_slope_in_each_wave(self):
        found = effect_by_wave(
            self.WAVES, TEXTS, (-1, 1), (1, 2, 3), covariates=PEOPLE["age"], variance="CR0"
        )
        long = PEOPLE.melt(["texts", "age"], ["y1", "y2", "y3"], "wave", "y", ignore_index=False).dropna()
        long["person"] = long.index
        long["age"] = long["age"] - long["age"].mean()
        model = smf.ols("y ~ 0 + wave * C(texts) + wave:age", long).fit(
            cov_type="cluster", cov_kwds={"groups": long["person"], "use_correction": False}
        )
        first = model.params["C(texts)[T.yes]"]
        assert found.waves[0].effect.estimate == pytest.approx(first, rel=1e-8)
        assert found.waves[0].effect.std_error == pytest.approx(model.bse["C(texts)[T.yes]"], rel=1e-8)

    def test_a_wave_that_nobody_of_an_arm_answered_has_no_effect_and_the_others_do(self):
        waves = self.WAVES.copy()
        waves[TEXTS == 1, 1] = np.nan
        found = effect_by_wave(waves, TEXTS, (-1, 1), (1, 2, 3))
        assert found.waves[1].effect is None
        assert "fewer than two people" in found.waves[1].not_estimable
        assert found.trend.estimate == pytest.approx(
            (found.waves[2].effect.estimate - found.waves[0].effect.estimate) / 2, rel=1e-10
        )

    def test_times_that_repeat_are_refused(self):
        with pytest.raises(DesignError, match="all of them different"):
            effect_by_wave(self.WAVES, TEXTS, (-1, 1), (1, 1, 2))


class TestRatings:
    def test_component_effects_equal_clubsandwich(self):
        origin, grade = component_effects(*OF_RATINGS, covariates=RATINGS["position"])
        check([*origin.effects[1:], grade.effects[1]], REFERENCE["conjoint"]["effects"])
        check_joint(origin.joint, REFERENCE["conjoint"]["joint"])
        assert origin.effects[0] is None

    def test_two_way_errors_by_named_stimulus_equal_sandwich(self):
        origin, grade = component_effects(
            *OF_RATINGS, covariates=RATINGS["position"], stimulus=RATINGS["stimulus"]
        )
        found = [one.std_error for one in (*origin.effects[1:], grade.effects[1])]
        assert found == pytest.approx(REFERENCE["conjoint"]["two_way"], rel=1e-8)

    def test_marginal_means_equal_clubsandwich_and_means_of_the_ratings(self):
        found = marginal_means(RATINGS["score"], PROFILES[:, 0], 3, RATINGS["respondent"])
        check([each.mean for each in found], REFERENCE["conjoint"]["means"])
        assert [each.ratings for each in found] == np.bincount(PROFILES[:, 0]).tolist()

    def test_interactions_equal_clubsandwich(self):
        found = component_interaction(*OF_RATINGS, first=0, second=1, covariates=RATINGS["position"])
        check([row[0] for row in found.effects], REFERENCE["conjoint"]["interaction"])
        check_joint(found.joint, REFERENCE["conjoint"]["interaction_joint"])

    def test_an_interaction_does_not_hang_on_which_attribute_is_first(self):
        one = component_interaction(*OF_RATINGS, first=0, second=1)
        other = component_interaction(*OF_RATINGS, first=1, second=0)
        assert other.effects[0][1].estimate == pytest.approx(one.effects[1][0].estimate, rel=1e-10)
        assert other.effects[0][1].std_error == pytest.approx(one.effects[1][0].std_error, rel=1e-8)

    def test_a_level_never_shown_has_no_mean_and_no_effect(self):
        found = marginal_means(RATINGS["score"], PROFILES[:, 1], 3, RATINGS["respondent"])
        assert (found[2].ratings, found[2].mean) == (0, None)
        with pytest.raises(DesignError, match="level 2 of attribute 1 is in no profile"):
            component_effects(RATINGS["score"], PROFILES, (3, 3), RATINGS["respondent"])


class TestDoses:
    def test_the_linear_contrast_is_the_line_through_the_arms_means(self):
        doses = np.array([0.0, 2.0, 7.0])
        means = PEOPLE.groupby(BONUS)["y1"].mean().to_numpy()
        found = dose_trend(PEOPLE["y1"], BONUS, doses)
        assert found.slope.estimate == pytest.approx(np.polyfit(doses, means, 1)[0], rel=1e-10)
        direct = linear_effect(PEOPLE["y1"], BONUS, linear_contrast(doses))
        assert found.slope.std_error == pytest.approx(direct.std_error, rel=1e-12)

    def test_the_monotone_contrast_has_the_greatest_least_correlation_with_rising_steps(self):
        weights = monotone_contrast([0, 1, 2, 3])
        steps = np.array([[0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 1, 1]], dtype=float)
        steps -= steps.mean(axis=1, keepdims=True)
        correlations = steps @ weights / np.linalg.norm(weights) / np.linalg.norm(steps, axis=1)
        assert correlations == pytest.approx(np.full(3, correlations[0]), rel=1e-12)
        assert weights == pytest.approx([-0.8660, -0.1340, 0.1340, 0.8660], abs=5e-5)

    @pytest.mark.parametrize("doses", [(0, 1, 2), (30, 5, 10), (1, 1, 4)])
    def test_both_contrasts_add_up_to_nought_and_follow_the_order_of_the_doses(self, doses):
        for weights in (linear_contrast(doses), monotone_contrast(doses)):
            assert weights.sum() == pytest.approx(0, abs=1e-12)
            assert weights[np.argmax(doses)] == weights.max() > 0
        assert monotone_contrast(doses)[monotone_contrast(doses) > 0].sum() == pytest.approx(1, rel=1e-12)

    def test_equal_doses_are_refused(self):
        with pytest.raises(DesignError, match="at least two different doses"):
            linear_contrast([1, 1])

    def test_a_curve_has_the_mean_of_each_dose_and_the_line_of_people(self):
        dose = np.floor(PEOPLE["age"] / 15)
        curve = dose_curve(PEOPLE["y1"], dose)
        means = PEOPLE.groupby(dose)["y1"].agg(["mean", "sem", "size"])
        for point, row in zip(curve.points, means.itertuples(), strict=True):
            assert (point.low, point.people) == (row.Index, row.size)
            if point.mean is not None:
                assert point.mean.estimate == pytest.approx(row.mean, rel=1e-10)
                assert point.mean.std_error == pytest.approx(row.sem, rel=1e-8)
        model = smf.ols("y1 ~ dose", PEOPLE.assign(dose=dose)).fit(cov_type="HC2")
        assert curve.slope.estimate == pytest.approx(model.params["dose"], rel=1e-8)
        assert curve.slope.std_error == pytest.approx(model.bse["dose"], rel=1e-8)

    def test_many_doses_are_put_into_eight_groups_that_hold_everybody_once(self):
        curve = dose_curve(PEOPLE["y1"], PEOPLE["age"], cluster=PEOPLE["cluster"])
        assert len(curve.points) == 8
        assert sum(point.people for point in curve.points) == len(PEOPLE)
        assert all(one.high < other.low for one, other in zip(curve.points, curve.points[1:], strict=False))
        assert len(curve.monotone.values) == 8

    def test_one_dose_for_all_has_a_mean_and_no_line(self):
        curve = dose_curve(PEOPLE["y1"], np.full(len(PEOPLE), 3.0))
        assert len(curve.points) == 1
        assert curve.slope is None
