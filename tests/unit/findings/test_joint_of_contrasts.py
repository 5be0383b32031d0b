"""Several contrasts of an analysis are tested together, as its effects were fitted."""

import numpy as np
import pytest
import statsmodels.formula.api as smf

from equipoise.estimation.mixed.arms import fit_arms
from equipoise.findings import analyse, read_data
from equipoise.protocol import load_study
from equipoise.report.results import Results

JOINT = "effect.score.after.joint"


@pytest.fixture
def analysed(folder, people, tmp_path):
    """A function that gives the study and its findings."""

    def make(model):
        people.to_csv(tmp_path / "data.csv", index=False)
        study = load_study(folder(f"  effect: {{{model}, at: after}}"))
        return study, analyse(study, read_data(study, tmp_path / "data.csv"))

    return make


def test_additive_arms_are_tested_together_as_by_statsmodels(analysed, people):
    found = analysed(
        "contrast: each - control, adjust: [age, strata], model: linear, variance: classical, dof: residual"
    )[1]
    kept = people[people["score"].notna()]
    fit = smf.ols("score ~ C(arm, Treatment('control')) + age + C(site)", kept).fit()
    names = [name for name in fit.params.index if "arm" in name]
    theirs = fit.f_test(np.eye(len(fit.params))[[list(fit.params.index).index(name) for name in names]])
    joint = found.find(JOINT)
    assert joint.statistic == pytest.approx(float(theirs.fvalue), rel=1e-8)
    assert joint.p_value == pytest.approx(float(theirs.pvalue), rel=1e-8)
    assert joint.kind == "test"


def test_lins_arms_are_tested_together_with_the_covariance_of_statsmodels(analysed, people):
    found = analysed("contrast: all pairs, adjust: [age], model: lin-interacted, dof: residual")[1]
    kept = people[people["score"].notna()].copy()
    kept["centred"] = kept["age"] - kept["age"].mean()
    fit = smf.ols("score ~ 0 + C(arm) + C(arm):centred", kept).fit(cov_type="HC2")
    values, covariance = fit.params.to_numpy()[:3], fit.cov_params().to_numpy()[:3, :3]
    rows = np.array([[1, -1, 0], [1, 0, -1]])
    wald = (rows @ values) @ np.linalg.solve(rows @ covariance @ rows.T, rows @ values)
    joint = found.find(JOINT)
    assert joint.statistic == pytest.approx(wald / 2, rel=1e-8)
    assert "2 contrasts" in joint.model


@pytest.mark.parametrize("dof", ["kenward-roger", "satterthwaite"])
def test_arms_of_a_mixed_model_are_tested_together_with_its_own_degrees_of_freedom(analysed, people, dof):
    found = analysed(f"contrast: each - control, adjust: none, model: mixed, cluster: team, dof: {dof}")[1]
    kept = people[people["score"].notna()]
    coded = kept["arm"].map({"control": 0, "texts": 1, "calls": 2})
    fitted = fit_arms(kept["score"], coded, (-1, 1, 0), {"team": kept["team"]})
    theirs = fitted.joint_test(((-1, 1, 0), (-1, 0, 1)), dof)
    joint = found.find(JOINT)
    assert (joint.statistic, joint.dof) == pytest.approx((theirs.statistic, theirs.dof_denominator), rel=1e-8)


def test_one_contrast_has_no_joint_test(analysed):
    found = analysed("contrast: texts - control, adjust: none, model: linear")[1]
    assert not [one for one in found if one.id.endswith(".joint")]


def test_the_joint_test_stands_with_what_supplements_the_main_results(analysed):
    study, found = analysed("contrast: each - control, adjust: none, model: linear")
    results = Results.of_study(study, found)
    told = [*results.checking, *results.exploratory]
    assert [one.id for one in told].count(JOINT) == 1
    assert JOINT not in [one.id for one in results.main]
