"""Outcomes of yes or no as ratios and in people, beside the difference."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.contingency_tables import Table2x2

from equipoise.findings import analyse, read_data
from equipoise.findings.results import Finding
from equipoise.protocol import load_study
from equipoise.report import in_people
from equipoise.report.names import Names
from equipoise.report.results import Results

PLAIN = "  effect: {contrast: texts - control, adjust: none, model: linear, at: after}"
PASSED = "effect.passed.after.texts - control"


@pytest.fixture
def analysed(folder, tmp_path):
    """A function that gives the study and its findings."""

    def make(frame, analyses=PLAIN):
        path = folder(analyses)
        frame.to_csv(tmp_path / "data.csv", index=False)
        study = load_study(path)
        return study, analyse(study, read_data(study, tmp_path / "data.csv"))

    return make


def test_the_ratios_of_two_arms_equal_those_of_statsmodels(analysed, people):
    found = analysed(people)[1]
    counts = pd.crosstab(people["arm"], people["passed"]).loc[["texts", "control"], [1, 0]]
    theirs = Table2x2(counts.to_numpy())
    for name, ratio, interval in (
        ("risk", theirs.riskratio, theirs.riskratio_confint()),
        ("odds", theirs.oddsratio, theirs.oddsratio_confint()),
    ):
        ours = found.find(f"{PASSED}.{name}-ratio")
        assert ours.kind == "ratio"
        assert ours.estimate == pytest.approx(ratio, rel=1e-8)
        assert (ours.interval.low, ours.interval.high) == pytest.approx(interval, rel=1e-7)
    assert not [one for one in found if one.kind == "ratio" and one.outcome != "passed"]


def test_a_ratio_that_does_not_exist_says_why(analysed, people):
    never = people.assign(passed=np.where(people["arm"] == "texts", 0, people["passed"]))
    found = analysed(never)[1].find(f"{PASSED}.risk-ratio")
    assert found.estimate is None
    assert "Use the difference" in found.not_estimable


def test_the_table_in_people_gives_each_result_once_with_both_ratios(analysed, people):
    study, found = analysed(people)
    names = Names(study.protocol)
    table = in_people.table(Results.of_study(study, found), names)
    effect = found.find(PASSED)
    assert [row[0].text for row in table.rows] == ["Passed, Texts against Control"]
    assert table.rows[0][1].raw == pytest.approx(100 * effect.estimate, rel=1e-12)
    assert table.rows[0][3].text.count("interval") == 1


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.02, 0.10, "17 (10 to 50)"),
        (-0.10, -0.02, "17 (10 to 50, for one fewer)"),
        (-0.02, 0.10, "25 (10 or more for one more, or 50 or more for one fewer)"),
        (0.2, 0.6, "2.5 (1.7 to 5.0)"),
    ],
)
def test_people_for_one_more_run_through_infinity_where_zero_is_inside(low, high, said):
    finding = Finding(
        id="a", analysis="a", kind="effect", estimate=(low + high) / 2,
        interval={"level": 0.95, "low": low, "high": high},
    )  # fmt: skip
    assert in_people.needed_text(finding) == said


def test_an_effect_of_clusters_is_in_total_standard_deviations(analysed, people):
    clustered = "  effect: {contrast: texts - control, adjust: none, model: linear, cluster: team, at: after}"
    effect = analysed(people.drop(columns="score_before"), clustered)[1].find(
        "effect.score.after.texts - control"
    )
    assert effect.standardised.sd_source == "the arm control after, between and within clusters"
    plain = people.loc[people["arm"] == "control", "score"].std()
    assert effect.standardised.sd == pytest.approx(plain, rel=0.05)
