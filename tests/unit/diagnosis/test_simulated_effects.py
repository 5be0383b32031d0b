"""The estimate of the real analysis recovers what was planted, over many simulated trials."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from equipoise.diagnosis import simulate_study
from equipoise.findings.reading.scores import scored
from equipoise.protocol.folder import load_study


def only(protocol, *names):
    """Keep these outcomes, so that trials are cheap."""
    for name in set(protocol["outcomes"]) - set(names):
        del protocol["outcomes"][name]
        del protocol["diagnosis"]["assume"][name]
    protocol["outcomes"][names[0]]["role"] = "primary"


def estimates(study, seeds, analyse, **given):
    """Rows of estimate minus planted, standard error and degrees of freedom, by outcome and contrast."""
    rows = {}
    for seed in seeds:
        simulated = simulate_study(study, seed, **given)
        for finding in analyse(study, simulated.data).findings:
            if finding.analysis == "effect" and finding.kind == "effect":
                arm = finding.contrast.partition(" ")[0]
                truth = simulated.planted[finding.outcome][arm]
                row = (finding.estimate - truth, finding.std_error, finding.dof, truth)
                rows.setdefault((finding.outcome, arm), []).append(row)
    return {key: np.array(found) for key, found in rows.items()}


def assert_unbiased(found):
    for key, rows in found.items():
        error = rows[:, 0].std(ddof=1) / np.sqrt(len(rows))
        assert abs(rows[:, 0].mean()) < 3 * error, key


def test_analysis_recovers_the_planted_effect_on_score_count_and_share_diluted_by_uptake(build, analyse):
    found = estimates(build(), range(80), analyse)
    assert set(found) == {("motivation", "offer"), ("days", "offer"), ("heard", "offer")}
    assert_unbiased(found)
    truths = {outcome: rows[0, 3] for (outcome, _), rows in found.items()}
    assert truths == pytest.approx({"motivation": 0.32, "days": -0.4, "heard": 0.24})  # 80% took it up


def test_each_of_several_arms_has_its_own_effect_at_its_own_ratio(build, analyse):
    def change(protocol, survey):
        only(protocol, "motivation")
        protocol["arms"] = {"control": {}, "letter": {}, "call": {}}
        protocol["allocation"]["ratio"] = {"control": 2, "letter": 1, "call": 1}
        protocol["analyses"]["effect"]["contrast"] = ["letter - control", "call - control"]
        protocol["diagnosis"]["assume"]["motivation"]["effect"] = [
            {"arm": "letter", "constant": 0.2},
            {"arm": "call", "constant": -0.5},
        ]

    found = estimates(build(change), range(50), analyse)
    assert_unbiased(found)
    assert found["motivation", "letter"][0, 3] == pytest.approx(0.16)
    assert found["motivation", "call"][0, 3] == pytest.approx(-0.4)


def test_effect_planted_on_teams_is_recovered_and_teams_are_never_split(build, analyse):
    def change(protocol, survey):
        only(protocol, "motivation")
        protocol["allocation"] = {
            "unit": "team",
            "ratio": {"control": 1, "offer": 1},
            "method": "complete",
        }
        protocol["analyses"]["effect"] |= {"variance": "CR2", "cluster": "team", "adjust": ["before"]}

    study = build(change)
    people = simulate_study(study, 1).data.participants
    assert people.group_by("team").agg(pl.col("arm").n_unique())["arm"].max() == 1
    assert_unbiased(estimates(study, range(50), analyse))


def test_effect_by_week_is_recovered_in_each_week(build, analyse):
    by_week = [1.2, 0.9, 0.6, 0.3]

    def change(protocol, survey):
        only(protocol, "motivation")
        protocol["waves"]["after"] = {
            "survey": "work",
            "opens": "launch + 1 day",
            "closes": "launch + 6 weeks",
            "remind": {"after": ["1 week", "2 weeks", "3 weeks"], "template": "messages/remind.md"},
        }
        protocol["diagnosis"]["assume"]["uptake"] = 1.0
        protocol["diagnosis"]["assume"]["motivation"]["effect"] = {"arm": "offer", "by-week": by_week}
        protocol["analyses"]["fade"] = {
            "outcomes": ["motivation"],
            "contrast": "offer - control",
            "by": "week since launch",
            "supplementary-to": "effect",
        }

    study = build(change, {"messages/remind.md": "---\nsubject: Reminder\n---\nPlease answer: {link}\n"})
    found, overall = {}, []
    for seed in range(50):
        simulated = simulate_study(study, seed, people=400)
        for finding in analyse(study, simulated.data).findings:
            if finding.analysis == "fade" and finding.id.rpartition(".")[2].startswith("week="):
                found.setdefault(int(finding.level), []).append(finding.estimate)
            if finding.analysis == "effect" and finding.kind == "effect":
                overall.append(finding.estimate - simulated.planted["motivation"]["offer"])
    assert abs(np.mean(overall)) < 3 * np.std(overall, ddof=1) / np.sqrt(len(overall))
    for week, expected in enumerate(by_week, start=1):
        values = np.array([value for value in found[week] if value is not None])
        assert len(values) > 40
        assert abs(values.mean() - expected) < 3 * values.std(ddof=1) / np.sqrt(len(values)), week


@pytest.fixture(scope="module")
def null_trials(build):
    """300 trials without an effect, estimated by plain differences of means: an analysis of our own."""

    def change(protocol, survey):
        only(protocol, "motivation", "heard")
        for name in ("motivation", "heard"):
            protocol["diagnosis"]["assume"][name]["effect"] = 0.0

    study = build(change)
    rows = []
    for seed in range(300):
        simulated = simulate_study(study, seed)
        assert simulated.planted == {"motivation": {"offer": 0.0}, "heard": {"offer": 0.0}}
        data = scored(study, simulated.data)
        offered = (data.participants["arm"] == "offer").to_numpy()
        rows.append([welch(data.numbers(name), offered) for name in ("motivation_before", "motivation")])
    return np.array(rows)


def welch(values, offered):
    groups = [values[rows & np.isfinite(values)] for rows in (offered, ~offered)]
    test = stats.ttest_ind(*groups, equal_var=False)
    return test.statistic, test.pvalue


@pytest.mark.parametrize("place", [0, 1], ids=["before", "after"])
def test_without_an_effect_scores_differ_by_arm_by_chance_alone(null_trials, place):
    statistic, p_value = null_trials[:, place].T
    assert abs(statistic.mean()) < 3 / np.sqrt(300)
    assert statistic.std(ddof=1) == pytest.approx(1.0, abs=3 / np.sqrt(2 * 300))
    low, high = stats.binom.ppf([0.001, 0.999], 300, 0.05)
    assert low <= (p_value < 0.05).sum() <= high


def test_interval_of_the_analysis_covers_no_effect_in_95_of_100_trials(build, analyse):
    def change(protocol, survey):
        only(protocol, "motivation")
        protocol["diagnosis"]["assume"]["motivation"]["effect"] = 0.0
        protocol["participants"]["expected"] = 100

    rows = estimates(build(change), range(150), analyse)["motivation", "offer"]
    covered = np.abs(rows[:, 0]) <= stats.t.ppf(0.975, rows[:, 2]) * rows[:, 1]
    low, high = stats.binom.ppf([0.001, 0.999], 150, 0.95)
    assert low <= covered.sum() <= high


@pytest.mark.parametrize("name", ["mod-ing", "symbolic-awards"])
def test_studies_of_the_programme_recover_what_their_assumptions_plant(name, analyse, examples):
    study = load_study(examples / name)
    found = estimates(study, range(4), analyse)
    statistics = np.concatenate([rows[:, 0] / rows[:, 1] for rows in found.values()])
    assert len(statistics) == 4 * 5
    assert np.abs(statistics).max() < 4
    assert abs(statistics.mean()) < 3 * np.sqrt((1 + 4 * 0.3) / len(statistics))  # outcomes correlate
