"""Arms that people have in turn: each wave is measured under the arm of its period."""

import polars as pl
import pytest

from equipoise.diagnosis import simulate_study
from equipoise.diagnosis.engine import compile_study
from equipoise.diagnosis.whole import WholeEngine
from equipoise.findings.reading.scores import scored


def crossed(protocol, survey):
    """Two periods of eight weeks, one wave in each; one arm first, or the other."""
    protocol["schedule"] = {
        "periods": {"p1": "launch", "p2": "launch + 8 weeks"},
        "sequences": {"first": ["offer", "control"], "second": ["control", "offer"]},
    }
    protocol["allocation"] = {"to": "sequences", "method": "complete"}
    del protocol["waves"]["before"], protocol["outcomes"]["days"], protocol["outcomes"]["heard"]
    protocol["waves"]["later"] = {
        "survey": "work",
        "opens": "launch + 10 weeks",
        "closes": "launch + 12 weeks",
    }
    protocol["outcomes"]["motivation"]["waves"] = ["after", "later"]
    protocol["analyses"] = {"effect": {"contrast": "offer - control"}}
    assumed = {"mean": 4.6, "sd": 1.1, "before-after correlation": 0.6}
    protocol["diagnosis"]["assume"] = {
        "motivation": assumed | {"effect": [{"arm": "offer", "constant": 0.5}]},
    }


def wedge(protocol, survey):
    """Three periods, another hundred people in each; half of the teams go over after the first period."""
    crossed(protocol, survey)
    protocol["schedule"] = {
        "periods": {"p1": "launch", "p2": "p1 + 8 weeks", "p3": "p2 + 8 weeks"},
        "sequences": {"early": ["control", "offer", "offer"], "late": ["control", "control", "offer"]},
        "effect": "constant",
    }
    del protocol["waves"]["later"]
    protocol["participants"]["expected"] = 300
    protocol["participants"]["roster"]["team"] = {"type": "text"}
    protocol["units"] = {"team": {"icc": 0.05, "people": 30}}
    protocol["allocation"] |= {"unit": "team"}
    protocol["outcomes"] = {"score": {"column": "score", "role": "primary", "good": "high"}}
    protocol["diagnosis"]["assume"] = {"score": {"mean": 50, "sd": 10, "effect": 6}}


def test_a_wave_is_under_the_arm_of_its_period(build):
    study = build(crossed)
    people = scored(study, simulate_study(study, 3, people=2000).data).participants
    means = people.group_by("arm").agg(pl.col("motivation_after", "motivation_later").mean())
    mean = {arm: values for arm, *values in means.iter_rows()}
    assert mean["first"][0] - mean["second"][0] == pytest.approx(0.5, abs=0.15)
    assert mean["first"][1] - mean["second"][1] == pytest.approx(-0.5, abs=0.15)


def test_people_of_a_unit_are_spread_over_the_periods(build):
    data = simulate_study(build(wedge), 3).data
    counts = data.participants.group_by("team", "period").len()
    assert counts["len"].unique().to_list() == [10]
    assert counts.height == 30


@pytest.mark.parametrize(("design", "truth"), [(crossed, 0.5), (wedge, 6.0)])
def test_a_trial_of_sequences_is_diagnosed_the_whole_way(build, design, truth):
    engine = compile_study(build(design))
    assert isinstance(engine, WholeEngine)
    trials = engine.trials(0, 1)
    assert trials.truth == pytest.approx([truth])
    assert (abs(trials.estimate - truth) < 4 * trials.std_error).all()
