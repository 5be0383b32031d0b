"""The change since before as what is analysed: from the protocol's word to the finding."""

import numpy as np
import pytest
import statsmodels.formula.api as smf

from equipoise.errors import ProtocolError
from equipoise.findings import Findings, analyse, read_data
from equipoise.protocol import load_study

BASE = "effect.score.after.texts - control"
TERM = "C(arm, Treatment('control'))[T.texts]"


def analyses(more: str = "") -> str:
    return (
        "  effect: {outcomes: score, contrast: texts - control, at: after, model: linear, "
        f"change-from: before{more}}}\n"
        "  rest: {outcomes: [days, passed], contrast: texts - control, adjust: none, at: after, missing: none}"
    )


def found(folder, people, tmp_path, more: str = "") -> Findings:
    study = load_study(folder(analyses(more)))
    people.to_csv(tmp_path / "data.csv", index=False)
    return analyse(study, read_data(study, tmp_path / "data.csv"))


def test_a_change_is_that_of_whoever_has_both_scores(folder, people, tmp_path):
    results = found(folder, people, tmp_path)
    effect = results.find(BASE)
    both = people.assign(change=people["score"] - people["score_before"]).dropna(subset=["change"])
    fit = smf.ols("change ~ C(arm, Treatment('control')) + C(site)", both).fit(cov_type="HC2")
    assert (effect.estimate, effect.std_error) == pytest.approx((fit.params[TERM], fit.bse[TERM]), rel=1e-8)
    assert effect.n["texts"] == int((both["arm"] == "texts").sum())
    assert "Variable: the change since before in Score at after" in effect.estimand
    assert "difference in mean change" in effect.estimand
    assert "of the change since before" in effect.model
    bounds = results.find(f"{BASE}.bounds").interval
    arms = {arm: rows["score"] - rows["score_before"] for arm, rows in people.groupby("arm")}
    low = arms["texts"].fillna(-100).mean() - arms["control"].fillna(100).mean()
    assert bounds.low == pytest.approx(low)


def test_the_report_says_what_a_change_score_costs(folder, people, tmp_path):
    (told,) = (one for one in found(folder, people, tmp_path).find(BASE).warnings if "change score" in one)
    both = people.dropna(subset=["score", "score_before"])
    within = both[["score", "score_before"]] - both.groupby("arm")[["score", "score_before"]].transform(
        "mean"
    )
    correlation = within.corr().iloc[0, 1]
    spread = within.var()
    change = (within["score"] - within["score_before"]).var()
    ratio = np.sqrt(spread["score"] * (1 - correlation**2) / change)
    assert f"a correlation of {correlation:.2f}" in told
    assert f"about {ratio:.0%} of this one" in told


def test_adjusted_for_the_score_before_it_is_the_estimate_of_the_score_after(folder, people, tmp_path):
    adjusted = found(folder, people, tmp_path, ", adjust: [before, strata]").find(BASE)
    both = people.dropna(subset=["score", "score_before"])
    formula = "score ~ score_before + C(arm, Treatment('control')) + C(site)"
    assert adjusted.estimate == pytest.approx(smf.ols(formula, both).fit().params[TERM], rel=1e-8)
    assert not any("change score" in one for one in adjusted.warnings)


def test_a_randomisation_test_is_of_the_change_too(folder, people, tmp_path):
    effect = found(folder, people, tmp_path, ", test: {by: randomisation, draws: 199}").find(BASE)
    assert effect.draws == 199
    assert effect.estimate == pytest.approx(found(folder, people, tmp_path).find(BASE).estimate)


def test_without_the_scores_before_there_is_no_change(folder, people, tmp_path):
    effect = found(folder, people.drop(columns="score_before"), tmp_path).find(BASE)
    assert effect.not_estimable == 'the data have no column "score_before"'


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("change-from: after", '"after" is not a wave before the allocation'),
        ("change-from: before, at: slope", "is a change already"),
        ("change-from: before, model: logistic", "not by logistic"),
        ("change-from: before, outcomes: passed", '"passed" is yes-no, and a difference'),
    ],
)
def test_what_is_no_change_since_before_is_refused(folder, written, why):
    text = analyses().replace("at: after, model: linear, change-from: before", written, 1)
    if "outcomes: passed" in written:
        text = text.replace("outcomes: score, ", "", 1)
    with pytest.raises(ProtocolError, match=why):
        load_study(folder(text))
