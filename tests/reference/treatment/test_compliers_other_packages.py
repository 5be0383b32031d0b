"""Effects among compliers against AER, estimatr and clubSandwich (stored output), and against definitions."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise.errors import DesignError
from equipoise.estimation.effects.adjusted import linear_effect
from equipoise.estimation.effects.instrumental import bloom_ratio, complier_effect
from equipoise.estimation.effects.two_stage import Instruments, two_stage_least_squares
from equipoise.estimation.effects.weak_instruments import ReducedForms, anderson_rubin, first_stage

HERE = Path(__file__).parent
REFERENCE = json.loads((HERE / "complier_reference.json").read_text())
TRIAL = pd.read_csv(HERE / "complier_trial.csv")
ARMS = ("control", "letters", "calls")
ARM = TRIAL["arm"].map({name: code for code, name in enumerate(ARMS)}).to_numpy()
Y, TAKEN = TRIAL["y"].to_numpy(), TRIAL["taken"].to_numpy(dtype=float)
CLUSTER = TRIAL["cluster"].to_numpy()
CONTRAST = (-1, 0, 1)
ROBUST = ("classical", "HC0", "HC1", "HC2", "HC3")


def dummies(*, strata: bool = True) -> np.ndarray:
    levels = sorted(TRIAL["stratum"].unique())[1:] if strata else []
    return np.stack([TRIAL["age"], *(TRIAL["stratum"] == level for level in levels)], axis=1).astype(float)


def two_instruments(**given) -> Instruments:
    columns = np.stack([ARM == 1, ARM == 2], axis=1).astype(float)
    exogenous = np.stack([np.ones(len(Y)), TRIAL["age"]], axis=1)
    return Instruments(columns, exogenous, **given)


def set_of(outcome, taken, model):
    return anderson_rubin(ReducedForms.of(outcome, taken, model), model)


def found(**given):
    return complier_effect(Y, ARM, CONTRAST, TAKEN, **{"covariates": TRIAL["age"], "dof": "residual"} | given)


@pytest.mark.parametrize("variance", ROBUST)
def test_two_arms_without_covariates_equal_estimatr(variance):
    two = ARM != 1
    effect = complier_effect(Y[two], ARM[two], CONTRAST, TAKEN[two], variance=variance).effect
    theirs = REFERENCE["two_arms"][variance]
    assert effect.estimate == pytest.approx(theirs["estimate"], rel=1e-8)
    assert effect.std_error == pytest.approx(theirs["std_error"], rel=1e-8)


@pytest.mark.parametrize("variance", ROBUST)
@pytest.mark.parametrize("absorbed", [True, False])
def test_a_contrast_of_three_arms_with_strata_equals_estimatr_absorbed_or_as_columns(variance, absorbed):
    given = {"strata": TRIAL["stratum"]} if absorbed else {"covariates": dummies()}
    effect = found(variance=variance, **given).effect
    theirs = REFERENCE["full"][variance]
    assert effect.estimate == pytest.approx(theirs["estimate"], abs=1e-10)
    assert effect.std_error == pytest.approx(theirs["std_error"], rel=1e-8)
    assert effect.dof == theirs["dof"]


@pytest.mark.parametrize(("variance", "name"), [("CR0", "CR0"), ("CR1", "stata"), ("CR2", "CR2")])
def test_errors_by_cluster_equal_estimatr(variance, name):
    dof = "satterthwaite" if variance == "CR2" else "residual"
    effect = found(covariates=dummies(), cluster=CLUSTER, variance=variance, dof=dof).effect
    theirs = REFERENCE["full_clustered"][name]
    assert effect.std_error == pytest.approx(theirs["std_error"], rel=1e-8)
    assert effect.dof == pytest.approx(theirs["dof"], rel=1e-6)


@pytest.mark.parametrize("variance", ["CR2", "CR3"])
def test_errors_by_cluster_and_their_dof_equal_clubsandwich_on_ivreg(variance):
    effect = found(strata=TRIAL["stratum"], cluster=CLUSTER, variance=variance, dof="satterthwaite").effect
    theirs = REFERENCE["club"][variance]
    assert effect.std_error == pytest.approx(theirs["std_error"], rel=1e-8)
    assert effect.dof == pytest.approx(theirs["dof"], rel=1e-6)


@pytest.mark.parametrize("variance", ["HC2", "HC3"])
def test_satterthwaite_dof_of_people_equal_clubsandwich(variance):
    effect = found(strata=TRIAL["stratum"], variance=variance, dof="satterthwaite").effect
    assert effect.std_error == pytest.approx(REFERENCE["rows"][variance]["std_error"], rel=1e-8)
    assert effect.dof == pytest.approx(REFERENCE["rows"][variance]["dof"], rel=1e-6)


def test_an_amount_taken_up_equals_estimatr():
    effect = complier_effect(
        Y, ARM, CONTRAST, TRIAL["minutes"], covariates=TRIAL["age"], cluster=CLUSTER
    ).effect
    theirs = REFERENCE["minutes"]
    assert effect.estimate == pytest.approx(theirs["estimate"], rel=1e-8)
    assert effect.std_error == pytest.approx(theirs["std_error"], rel=1e-8)
    assert effect.dof == pytest.approx(theirs["dof"], rel=1e-6)


@pytest.mark.parametrize(("variance", "at"), [("classical", ("over",)), ("HC2", ("over", "HC2"))])
def test_more_instruments_than_amounts_equal_ivreg_and_estimatr(variance, at):
    fit = two_stage_least_squares(Y, TAKEN, two_instruments(variance=variance, dof="residual"))
    theirs = REFERENCE[at[0]] if len(at) == 1 else REFERENCE[at[0]][at[1]]
    assert fit.coefficients[-1] == pytest.approx(theirs["estimate"], rel=1e-8)
    assert np.sqrt(fit.covariance[-1, -1]) == pytest.approx(theirs["std_error"], rel=1e-8)


def test_two_amounts_moved_by_two_instruments_solve_the_moment_equations():
    amounts = np.stack([TAKEN, TRIAL["minutes"]], axis=1)
    model = two_instruments()
    fit = two_stage_least_squares(Y, amounts, model)
    regressors = np.concatenate((model.exogenous, amounts), axis=1)
    moments = np.concatenate((model.exogenous, model.columns), axis=1).T @ (Y - regressors @ fit.coefficients)
    assert np.abs(moments).max() < 1e-8


def test_the_first_stage_is_the_robust_test_of_clubsandwich_and_the_effective_f_by_its_formula():
    model = two_instruments(cluster=CLUSTER, variance="CR2")
    found = first_stage(model.reduced_form(TAKEN), model)
    theirs = REFERENCE["strength"]
    assert found.robust.statistic == pytest.approx(theirs["F"], rel=1e-8)
    assert found.robust.dof_denominator == pytest.approx(theirs["dof"], rel=1e-6)
    assert found.effective == pytest.approx(theirs["effective"], rel=1e-8)


def test_with_one_instrument_the_effective_f_is_the_robust_one():
    strength = found(strata=TRIAL["stratum"]).strength
    assert strength.effective == pytest.approx(strength.robust.statistic, rel=1e-10)


@pytest.mark.parametrize(
    ("name", "given"), [("ar_one", {"cluster": CLUSTER}), ("ar_people", {"cluster": None})]
)
def test_ends_of_the_anderson_rubin_set_are_where_the_test_of_clubsandwich_just_rejects(name, given):
    set_ = found(covariates=dummies(), dof="satterthwaite", **given).anderson_rubin
    assert set_.bounded
    assert set_.parts[0] == pytest.approx(REFERENCE[name]["roots"], rel=1e-7)


def test_the_anderson_rubin_set_of_two_instruments_is_that_of_the_joint_test():
    set_ = set_of(Y, TAKEN, two_instruments(cluster=CLUSTER, variance="CR2"))
    assert set_.parts == (pytest.approx(REFERENCE["ar_two"]["roots"], rel=1e-7),)


def test_where_allocation_hardly_moves_take_up_the_set_is_the_whole_line_and_says_so():
    hardly = TRIAL["hardly"].to_numpy(dtype=float)
    set_ = complier_effect(
        Y, ARM, CONTRAST, hardly, covariates=TRIAL["age"], strata=TRIAL["stratum"], cluster=CLUSTER
    ).anderson_rubin
    assert REFERENCE["ar_weak"] == {"roots": [], "kept_at_zero": True}
    assert set_.parts == ((-np.inf, np.inf),)
    assert not set_.bounded


def rejected(b, model, taken, level=0.95):
    return model.reduced_form(Y - b * taken).joint_test(model.selector).p_value < 1 - level


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("instruments", [1, 2])
def test_the_set_holds_exactly_what_the_test_does_not_reject_whatever_its_shape(seed, instruments):
    rng = np.random.default_rng(seed)
    taken = rng.normal(size=len(Y)) + 0.14 * (ARM == 2) - 0.05 * (ARM == 1)
    both = two_instruments()
    model = Instruments(both.columns[:, :instruments], both.exogenous)
    set_ = set_of(Y, taken, model)
    for b in np.concatenate((np.linspace(-60, 60, 13), [-1e4, 1e4])):
        assert set_.contains(b) != rejected(b, model, taken)


def test_two_rays_and_an_empty_set_are_possible_and_found():
    rng = np.random.default_rng(0)
    columns = np.tile([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], (60, 1))
    ones, noise, other = np.ones((240, 1)), rng.normal(size=240), rng.normal(size=240)
    one = Instruments(columns[:, :1], ones)
    rays = set_of(5 * columns[:, 0] + noise, noise + 0.02 * columns[:, 0], one)
    assert [np.isinf(part).tolist() for part in rays.parts] == [[True, False], [False, True]]
    opposed = set_of(
        5 * columns[:, 0] - 5 * columns[:, 1] + 0.1 * noise,
        columns.sum(axis=1) + 0.1 * other,
        Instruments(columns, ones),
    )
    assert opposed.parts == ()


def test_the_effect_is_the_ratio_of_both_contrasts_and_of_blooms_where_no_control_takes_up():
    one_sided = np.where(ARM == 0, 0.0, TAKEN)
    two = ARM != 1
    found = complier_effect(Y[two], ARM[two], CONTRAST, one_sided[two])
    plain = linear_effect(Y[two], ARM[two], CONTRAST)
    share = one_sided[ARM == 2].mean()
    assert found.as_randomised.estimate == pytest.approx(plain.estimate, rel=1e-10)
    assert found.as_randomised.std_error == pytest.approx(plain.std_error, rel=1e-10)
    assert found.take_up == pytest.approx(share, rel=1e-12)
    assert found.effect.estimate == pytest.approx(plain.estimate / share, rel=1e-10)
    bloom = bloom_ratio(plain, share)
    assert bloom.estimate == pytest.approx(found.effect.estimate, rel=1e-10)
    assert bloom.p_value == plain.p_value


def test_where_everybody_complies_the_effect_is_that_of_the_allocation_and_strength_has_no_number():
    exact = (ARM == 2).astype(float)
    found = complier_effect(Y, ARM, CONTRAST, exact, covariates=TRIAL["age"])
    assert found.strength is None
    assert found.effect.estimate == pytest.approx(found.as_randomised.estimate, rel=1e-10)
    assert found.effect.std_error == pytest.approx(found.as_randomised.std_error, rel=1e-8)
    low, high = found.anderson_rubin.parts[0]
    assert (low, high) == pytest.approx(
        (found.as_randomised.interval.low, found.as_randomised.interval.high), rel=1e-8
    )


@pytest.mark.parametrize("taken", [np.ones(len(Y)), np.zeros(len(Y))])
@pytest.mark.parametrize("strata", [None, TRIAL["stratum"]])
def test_take_up_that_does_not_differ_is_refused_and_not_divided_by(taken, strata):
    with pytest.raises(DesignError, match="does not differ between the arms compared"):
        complier_effect(Y, ARM, CONTRAST, taken, strata=strata)


def test_missing_take_up_an_empty_arm_and_an_impossible_share_are_refused_by_name():
    missing = TAKEN.copy()
    missing[3] = np.nan
    with pytest.raises(DesignError, match=r"take_up.*missing or infinite in 1 of 330 rows"):
        complier_effect(Y, ARM, CONTRAST, missing)
    held = ARM != 2
    with pytest.raises(DesignError, match='arm "calls" has nobody'):
        complier_effect(Y[held], ARM[held], CONTRAST, TAKEN[held], arm_names=ARMS)
    with pytest.raises(DesignError, match="share"):
        bloom_ratio(linear_effect(Y, ARM, CONTRAST), 0.0)


def test_over_every_allocation_the_set_holds_the_truth_as_often_as_the_plain_interval_holds_nought():
    """Nine people, six of whom comply: whoever is allocated, outcome less 3 x take-up stays the same."""
    complies = np.array([1, 1, 1, 1, 1, 1, 0, 0, 0])
    fixed = np.random.default_rng(3).normal(10, 2, 9) + 2 * complies
    held = []
    for treated in combinations(range(9), 4):
        arm = np.isin(np.arange(9), treated).astype(int)
        taken = (arm * complies).astype(float)
        found = complier_effect(fixed + 3 * taken, arm, (-1, 1), taken)
        plain = linear_effect(fixed, arm, (-1, 1)).interval
        assert found.anderson_rubin.contains(3.0) == plain.contains(0.0)
        held.append((found.anderson_rubin.contains(3.0), found.effect.interval.contains(3.0)))
    shares = np.mean(held, axis=0)
    assert len(held) == 126
    assert (np.abs(shares - 0.95) < 0.03).all()


def test_a_covariate_that_repeats_another_or_a_stratum_changes_nothing():
    once = found(strata=TRIAL["stratum"], dof="satterthwaite")
    repeated = np.stack([TRIAL["age"], 2 * TRIAL["age"] - 7, TRIAL["stratum"] == "a"], axis=1).astype(float)
    again = found(strata=TRIAL["stratum"], covariates=repeated, dof="satterthwaite")
    for one, other in ((once.effect, again.effect), (once.as_randomised, again.as_randomised)):
        assert other.estimate == pytest.approx(one.estimate, rel=1e-9, abs=1e-10)
        assert other.std_error == pytest.approx(one.std_error, rel=1e-9)
        assert other.dof == pytest.approx(one.dof, rel=1e-6)


def test_people_alone_in_their_stratum_carry_no_information():
    alone = TRIAL["stratum"].where(TRIAL.index > 3, TRIAL.index.map(lambda row: f"only {row}"))
    with_them = found(strata=alone, dof="satterthwaite").effect
    rest = TRIAL.index > 3
    without = complier_effect(
        Y[rest],
        ARM[rest],
        CONTRAST,
        TAKEN[rest],
        covariates=TRIAL["age"][rest],
        strata=TRIAL["stratum"][rest],
    ).effect
    assert with_them.estimate == pytest.approx(without.estimate, rel=1e-8, abs=1e-9)
    assert with_them.std_error == pytest.approx(without.std_error, rel=1e-8)
    assert with_them.dof == pytest.approx(without.dof, rel=1e-6)


def test_another_unit_of_outcome_or_take_up_only_scales_the_results():
    one, other = (
        found(),
        complier_effect(1e6 * Y + 3, ARM, CONTRAST, TAKEN / 1e4, covariates=TRIAL["age"], dof="residual"),
    )
    assert other.effect.estimate == pytest.approx(1e10 * one.effect.estimate, rel=1e-6)
    assert other.effect.std_error == pytest.approx(1e10 * one.effect.std_error, rel=1e-8)
    scaled = [1e10 * end for end in one.anderson_rubin.parts[0]]
    assert other.anderson_rubin.parts[0] == pytest.approx(scaled, rel=1e-6)


def test_an_outcome_that_does_not_vary_is_refused():
    with pytest.raises(DesignError, match="does not vary"):
        complier_effect(np.full(len(Y), 4.0), ARM, CONTRAST, TAKEN)
