"""Assumptions estimated from data are those that the data were made with, and can be pasted."""

import numpy as np
import polars as pl
import pytest
import yaml
from scipy import stats

from equipoise.diagnosis import simulate_study
from equipoise.diagnosis.planning.pasted import assumptions_block
from equipoise.diagnosis.planning.pilot import values_from
from equipoise.errors import DesignError
from equipoise.findings.reading.data import StudyData
from equipoise.findings.reading.scores import scored
from equipoise.protocol.models.assumptions import Diagnosis


@pytest.fixture(scope="module")
def study(build):
    def change(protocol, survey):
        protocol["outcomes"]["motivation"] |= {"waves": ["before", "after"], "margin": 0.3}
        protocol["diagnosis"]["assume"]["response"]["differs-by-arm"] = 0.1

    return build(change)


@pytest.fixture(scope="module")
def values(study):
    return values_from(study, simulate_study(study, 5, people=4000).data)


def of(values, name):
    return next(outcome for outcome in values.outcomes if outcome.name == name)


def holds(counted, truth, spread=1.5):
    """The interval, widened by half, holds the truth."""
    half = spread * (counted.interval.high - counted.interval.low) / 2
    return abs(counted.value - truth) <= half


def test_means_of_the_control_arm_and_spreads_within_arms_are_those_that_were_assumed(values):
    motivation, days = of(values, "motivation"), of(values, "days")
    assert holds(motivation.mean, 4.6)
    assert motivation.mean.among == 'of the arm "control"'
    assert holds(motivation.sd, 1.1)
    assert holds(motivation.before_after, 0.6)
    assert holds(days.mean, 1.4)
    assert holds(of(values, "heard").mean, 0.3)


def test_correlations_are_those_of_the_scores_within_arms(values):
    # Outcomes correlate by 0.3 towards their good directions; fewer days are better.
    assert values.correlations[("motivation", "days")].value == pytest.approx(-0.25, abs=0.08)


def test_response_comes_by_wave_with_the_difference_between_arms(values):
    before, after = values.response
    assert (before.wave, before.differs_by_arm) == ("before", None)
    assert before.share.value == pytest.approx(0.7)
    assert after.differs_by_arm.value == pytest.approx(0.1, abs=1e-3)
    # Wilson's and Newcombe's intervals of 1,100 and 1,300 of 2,000, by hand
    z = stats.norm.ppf(0.975)
    low, high = (
        (p + z * z / 4000 + sign * z * np.sqrt(p * (1 - p) / 2000 + z * z / 4 / 2000**2)) / (1 + z * z / 2000)
        for p, sign in ((0.65, -1), (0.55, 1))
    )
    expected = 0.1 - np.hypot(0.65 - low, high - 0.55)
    assert after.differs_by_arm.interval.low == pytest.approx(expected, abs=1e-9)


def test_no_effect_is_taken_from_the_data(study, values):
    block = assumptions_block(study, values)
    read = Diagnosis.model_validate(yaml.safe_load(block)["diagnosis"])
    assert all(outcome.effects == () for outcome in read.assume.outcomes.values())
    assert "    # effect: 0.3 or -0.3, the smallest that matters" in block
    assert "too uncertain to plan with" in block


def test_the_block_is_read_by_the_protocol_and_says_the_numbers_behind_each_value(study, values):
    block = assumptions_block(study, values)
    read = Diagnosis.model_validate(yaml.safe_load(block)["diagnosis"]).assume
    motivation = of(values, "motivation")
    assert read.outcomes["motivation"].mean == pytest.approx(motivation.mean.value, abs=0.005)
    assert read.outcomes["motivation"].before_after_correlation == pytest.approx(0.6, abs=0.05)
    assert read.outcomes["heard"].sd is None
    assert read.correlations["motivation"]["days"] == pytest.approx(-0.25, abs=0.08)
    assert read.response.waves == {"before": 0.7, "after": 0.6}
    assert f"# {motivation.sd.n} within arms; 95% interval" in block


def test_spreads_and_correlations_equal_those_of_scipy_where_there_are_no_arms(study):
    rng = np.random.default_rng(3)
    x = rng.normal(4, 1, 50)
    y = 0.5 * x + rng.normal(0, 1, 50)
    people = pl.DataFrame(
        {"ref": [f"P{k:02d}" for k in range(50)], "motivation_before": x, "motivation_after": y}
    )
    found = of(values_from(study, StudyData("ref", people)), "motivation")
    r = stats.pearsonr(x, y)
    interval = r.confidence_interval(0.95)
    assert found.before_after.value == pytest.approx(r.statistic, rel=1e-12)
    assert found.before_after.interval.low == pytest.approx(interval.low, rel=1e-12)
    assert found.sd.value == pytest.approx(y.std(ddof=1), rel=1e-12)
    assert found.mean.among == "of everybody"


def test_likeness_in_clusters_comes_with_the_sizes_of_the_clusters(build):
    def change(protocol, survey):
        protocol["units"] = {"team": {"icc": 0.1}}
        protocol["allocation"] |= {"unit": "team", "strata": []}
        protocol["analyses"]["effect"] = {"contrast": "offer - control", "at": "after"}

    clustered = build(change)
    rng = np.random.default_rng(8)
    team = np.repeat(np.arange(24), 20)
    y = rng.normal(0, np.sqrt(0.2), 24)[team] + rng.normal(0, np.sqrt(0.8), len(team))
    people = pl.DataFrame(
        {
            "ref": [f"P{k:03d}" for k in range(len(team))],
            "team": [f"t{k:02d}" for k in team],
            "arm": ["offer" if k % 2 else "control" for k in team],
            "motivation": y + 4,
        }
    )
    found = values_from(clustered, StudyData("ref", people))
    likeness = of(found, "motivation").likeness
    assert likeness.interval.low < 0.2 < likeness.interval.high
    block = yaml.safe_load(assumptions_block(clustered, found))
    assert block["units"]["team"] == {
        "icc": pytest.approx(likeness.correlation, abs=1e-3),
        "people": 20.0,
        "people-cv": 0.0,
    }


def test_masked_arms_are_pooled_and_none_is_taken_for_control(study):
    data = scored(study, simulate_study(study, 5, people=400).data)
    letters = data.participants["arm"].replace_strict({"control": "B", "offer": "A"})
    masked = StudyData("ref", data.participants.with_columns(letters), masked=True)
    open_, hidden = values_from(study, data), values_from(study, masked)
    assert of(hidden, "motivation").sd == of(open_, "motivation").sd
    assert of(hidden, "motivation").mean.among == "of everybody"
    assert all(each.differs_by_arm is None for each in hidden.response)


def test_outcomes_with_few_answers_are_left_out_by_name_and_no_outcome_at_all_is_refused(study):
    few = pl.DataFrame({"ref": [f"P{k}" for k in range(12)], "motivation_after": [1.0] * 9 + [None] * 3})
    days = pl.Series("days", np.arange(12.0))
    found = values_from(study, StudyData("ref", few.with_columns(days)))
    assert found.left_out == ("motivation", "heard")
    with pytest.raises(DesignError, match="small: no outcome has 10 answers or more"):
        values_from(study, StudyData("ref", few))


def test_pairs_that_contradict_each_other_are_made_smaller_together(study):
    # Three outcomes of which each two have people of their own, so that their correlations cannot all be had.
    rng = np.random.default_rng(1)
    x = rng.standard_normal((3, 40))
    y = 0.95 * x + 0.1 * rng.standard_normal((3, 40))
    none = np.full(40, np.nan)
    people = pl.DataFrame(
        {
            "ref": [f"P{k:03d}" for k in range(120)],
            "motivation_after": np.concatenate([x[0], x[1], none]),
            "days": np.concatenate([y[0], none, x[2]]),
            "heard": np.concatenate([none, -y[1], y[2]]),
        },
        nan_to_null=True,
    )
    values = values_from(study, StudyData("ref", people))
    block = assumptions_block(study, values)
    assert "# Multiplied by 0.49" in block
    read = yaml.safe_load(block)["diagnosis"]["assume"]["correlations"]
    matrix = np.eye(3)
    matrix[0, 1:], matrix[1, 2] = list(read["motivation"].values()), read["days"]["heard"]
    assert np.linalg.eigvalsh(np.triu(matrix, 1) + np.triu(matrix, 1).T + np.eye(3))[0] > 0
