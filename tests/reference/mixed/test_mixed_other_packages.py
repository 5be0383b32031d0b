"""Mixed models against lme4, lmerTest, pbkrtest, nlme and statsmodels, on unequal and awkward designs."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from equipoise.estimation.mixed.arms import fit_arms
from equipoise.estimation.mixed.crossover import fit_crossover, two_by_two
from equipoise.estimation.mixed.mmrm import average_of_waves, fit_repeated
from equipoise.estimation.mixed.wedge import fit_stepped_wedge

HERE = Path(__file__).parent
REFERENCE = json.loads((HERE / "mixed_reference.json").read_text())
CLUSTERS, WEDGE, COHORT, WAVES, CROSSOVER = (
    pd.read_csv(HERE / f"{name}.csv", keep_default_na=False)
    for name in ("clusters", "wedge", "cohort", "waves", "crossover")
)
ARMS = ("control", "low", "high")
HIGH, HIGH_LOW = (-1, 0, 1), (0, -1, 1)


def agrees(found, reference, place=None):
    """The estimate, its error and its degrees of freedom, to the tolerances for restricted likelihood."""
    wanted = {key: value if place is None else value[place] for key, value in reference.items()}
    assert found.estimate == pytest.approx(wanted["estimate"], abs=1e-5)
    assert found.std_error == pytest.approx(wanted["std_error"], rel=1e-4)
    assert found.dof == pytest.approx(wanted["dof"], abs=1e-2)
    assert found.p_value == pytest.approx(wanted["p"], abs=1e-5)


def codes(column, order):
    return np.array([order.index(value) for value in column])


def of_clusters(contrast, outcome="y", adjusted=True, **groupings):
    groupings = {"cluster": CLUSTERS["cluster"]} | groupings
    return fit_arms(
        CLUSTERS[outcome],
        codes(CLUSTERS["arm"], ARMS),
        contrast,
        groupings,
        covariates=CLUSTERS["before"] if adjusted else None,
        strata=CLUSTERS["stratum"] if adjusted else None,
    )


GROUPINGS = {
    "cluster": {},
    "nested": {"half": CLUSTERS["cluster"] * 10 + CLUSTERS["half"]},
    "crossed": {"rater": CLUSTERS["rater"]},
}


@pytest.mark.parametrize("name", GROUPINGS)
@pytest.mark.parametrize("dof", ["satterthwaite", "kenward-roger"])
def test_clusters_nested_and_crossed_intercepts_equal_lmer(name, dof):
    for place, contrast in enumerate((HIGH, HIGH_LOW)):
        found = of_clusters(contrast, **GROUPINGS[name]).effect(dof=dof)
        agrees(found, REFERENCE[name][dof.replace("-", "_")], place)


@pytest.mark.parametrize("name", GROUPINGS)
def test_variances_and_likelihood_equal_lmer(name):
    fit = of_clusters(HIGH, **GROUPINGS[name]).fit
    theirs = REFERENCE[name]["variances"]
    assert fit.parameters["cluster"] == pytest.approx(theirs["cluster"], abs=1e-4)
    assert fit.parameters["residual"] == pytest.approx(theirs["Residual"], abs=1e-4)
    assert sorted(fit.parameters.values()) == pytest.approx(sorted(theirs.values()), abs=1e-4)
    assert fit.at_boundary == ()
    assert fit.log_likelihood == pytest.approx(REFERENCE[name]["log_likelihood"], abs=1e-7)


def test_a_variance_that_the_data_want_below_zero_is_zero_and_still_costs_degrees_of_freedom():
    found = of_clusters(HIGH, "flat", adjusted=False)
    assert found.fit.at_boundary == ("cluster",)
    assert found.fit.parameters["cluster"] == 0
    for place, contrast in enumerate((HIGH, HIGH_LOW)):
        agrees(
            of_clusters(contrast, "flat", adjusted=False).effect(),
            REFERENCE["boundary"]["kenward_roger"],
            place,
        )
    assert found.effect(dof="satterthwaite").dof == pytest.approx(found.effect().dof, rel=1e-9)
    assert found.effect(dof="satterthwaite").std_error < found.effect().std_error


def test_the_model_of_one_intercept_equals_statsmodels():
    frame = CLUSTERS.assign(arm=pd.Categorical(CLUSTERS["arm"], ARMS))
    theirs = smf.mixedlm("y ~ arm + before", frame, groups="cluster").fit(method="bfgs", gtol=1e-9)
    ours = fit_arms(
        CLUSTERS["y"],
        codes(CLUSTERS["arm"], ARMS),
        HIGH,
        {"cluster": CLUSTERS["cluster"]},
        covariates=CLUSTERS["before"],
    )
    assert ours.effect().estimate == pytest.approx(theirs.params["arm[T.high]"], abs=1e-5)
    variances = (theirs.cov_re.iloc[0, 0], theirs.scale)
    assert tuple(ours.fit.parameters.values()) == pytest.approx(variances, rel=1e-4)
    assert ours.fit.log_likelihood == pytest.approx(theirs.llf, abs=1e-6)


@pytest.mark.parametrize("dof", ["satterthwaite", "kenward-roger"])
def test_stepped_wedges_equal_lmer(dof):
    wedge = fit_stepped_wedge(WEDGE["y"], WEDGE["exposure"], WEDGE["period"], WEDGE["cluster"])
    key = dof.replace("-", "_")
    agrees(wedge.average(dof=dof), REFERENCE["wedge"][key], 0)
    agrees(wedge.after(3, dof=dof), REFERENCE["wedge"][key], 1)
    constant = fit_stepped_wedge(
        WEDGE["y"], WEDGE["exposure"], WEDGE["period"], WEDGE["cluster"], course="constant"
    )
    agrees(constant.average(dof=dof), REFERENCE["wedge_constant"][key])
    cohort = fit_stepped_wedge(
        COHORT["y"], COHORT["exposure"], COHORT["period"], COHORT["cluster"], person=COHORT["person"]
    )
    agrees(cohort.average(dof=dof), REFERENCE["cohort"][key])


def wide(frame, value, column, rows):
    table = frame.pivot(index=rows, columns=column, values=value)
    return table.to_numpy()


def crossover(**options):
    outcome = wide(CROSSOVER, "y", "period", "person")
    orders = ("abc", "bca", "cab", "acb", "bac", "cba")
    arms = np.array([["abc".index(arm) for arm in orders[person % 6]] for person in range(len(outcome))])
    return fit_crossover(outcome, arms, arms=3, **options)


@pytest.mark.parametrize("dof", ["satterthwaite", "kenward-roger"])
def test_crossovers_with_and_without_carry_over_equal_lmer(dof):
    key = dof.replace("-", "_")
    plain = crossover()
    agrees(plain.effect((-1, 0, 1), dof=dof), REFERENCE["crossover"][key], 0)
    agrees(plain.effect((0, -1, 1), dof=dof), REFERENCE["crossover"][key], 1)
    carried = crossover(carry_over=True)
    agrees(carried.effect((-1, 0, 1), dof=dof), REFERENCE["carry_over"][key], 0)


def test_two_arms_in_two_periods_have_the_closed_form():
    rng = np.random.default_rng(5)
    order = np.repeat([False, True], (9, 14))
    outcome = rng.normal(size=(23, 1)) * 2 + rng.normal(size=(23, 2)) + np.arange(2)
    outcome[order] = outcome[order] + [0, 0.8]
    closed = two_by_two(outcome, order)
    arms = np.where(order[:, None], [1, 0], [0, 1])
    fitted = fit_crossover(outcome, arms, arms=2)
    mixed = fitted.effect((1, -1))
    assert (mixed.estimate, mixed.std_error, mixed.dof) == pytest.approx(
        (closed.effect.estimate, closed.effect.std_error, 21), rel=1e-7
    )
    carried = fit_crossover(outcome, arms, arms=2, carry_over=True).carry_over((1, -1))
    assert carried.estimate == pytest.approx(closed.carry_over.estimate, rel=1e-9)
    halves = (outcome[:, 0] - outcome[:, 1]) / 2
    assert closed.effect.estimate == pytest.approx(halves[~order].mean() - halves[order].mean(), rel=1e-12)
    assert closed.period.estimate == pytest.approx(halves[~order].mean() + halves[order].mean(), rel=1e-12)


def repeated(frame, structure):
    people = frame.drop_duplicates("person").sort_values("person")
    return fit_repeated(
        wide(frame, "y", "wave", "person"),
        codes(people["arm"], ("a", "b", "c")),
        covariates=people["before"],
        structures=(structure,),
    )


@pytest.mark.parametrize("structure", ["unstructured", "toeplitz", "ar1"])
def test_repeated_waves_equal_gls(structure):
    """An AR(2) of three waves is any Toeplitz covariance of three waves."""
    frame = WAVES[WAVES["wave"] < 4] if structure == "toeplitz" else WAVES
    fitted, theirs = repeated(frame, structure), REFERENCE[structure]
    waves = fitted.people.shape[1]
    for contrast, at, place in (
        ((-1, 0, 1), np.eye(waves)[-1], 0),
        ((0, -1, 1), average_of_waves([True] * waves), 1),
    ):
        found = fitted.contrast(contrast, at, dof="satterthwaite")
        assert found.estimate == pytest.approx(theirs["estimate"][place], abs=1e-5)
        assert found.std_error == pytest.approx(theirs["std_error"][place], rel=1e-4)
    assert fitted.fit.log_likelihood >= theirs["log_likelihood"] - 1e-6
    assert fitted.fit.log_likelihood == pytest.approx(theirs["log_likelihood"], abs=1e-4)
