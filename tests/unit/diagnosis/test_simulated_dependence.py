"""What goes together as assumed: outcomes, clusters, subgroups, doses, and stages of allocation."""

import numpy as np
import polars as pl
import pytest

from equipoise.diagnosis import simulate_study
from equipoise.findings.reading.scores import scored

MANY = 4_000


def frame(study, people=MANY):
    return scored(study, simulate_study(study, 5, people=people).data)


def numbers_only(protocol, survey):
    """Three outcomes that are plain numbers, so that scores follow the latent exactly."""
    names = ("hours", "calls", "visits")
    asked = [{"id": n, "ask": f"How many {n}?", "type": "number", "low": 0, "high": 1000} for n in names]
    survey["pages"] = [{"id": "own", "questions": asked}]
    protocol["outcomes"] = {
        n: {"question": f"work.{n}", "waves": ["after"], "good": "high", "role": role}
        for n, role in zip(names, ("primary", "secondary", "secondary"), strict=True)
    }
    assumed = {"mean": 500, "sd": 50, "before-after correlation": 0.5}
    protocol["diagnosis"]["assume"] = {n: dict(assumed) for n in names}


def by_team(protocol, **unit):
    protocol["participants"]["roster"]["team"] = {"type": "text"}
    protocol["units"] = {"team": unit}
    protocol["allocation"]["unit"] = "team"
    protocol["analyses"]["effect"] |= {"adjust": ["strata"], "variance": "CR2", "cluster": "team"}


def correlation(data, *columns):
    return np.corrcoef(*(data.numbers(column) for column in columns))[0, 1]


def test_pairs_correlate_as_written_and_the_others_as_all_do(build):
    def change(protocol, survey):
        numbers_only(protocol, survey)
        protocol["diagnosis"]["assume"]["correlation"] = 0.3
        protocol["diagnosis"]["assume"]["correlations"] = {"hours": {"calls": -0.6}}

    found = frame(build(change))
    for end in ("", "_before"):
        assert correlation(found, f"hours{end}", f"calls{end}") == pytest.approx(-0.6, abs=0.04)
        assert correlation(found, f"hours{end}", f"visits{end}") == pytest.approx(0.3, abs=0.05)
    assert correlation(found, "hours_before", "hours") == pytest.approx(0.5, abs=0.05)


def test_people_of_one_unit_are_as_alike_as_assumed(build):
    def change(protocol, survey):
        numbers_only(protocol, survey)
        by_team(protocol, icc=0.2, people=20)
        protocol["diagnosis"]["assume"]["calls"]["icc"] = 0.0

    found = frame(build(change))
    teams = found.participants["team"].rank("dense").to_numpy().astype(int) - 1
    assert np.bincount(teams).tolist() == [20] * (MANY // 20)
    for name, icc in (("hours", 0.2), ("calls", 0.0)):
        values = found.numbers(name)
        between = np.bincount(teams, values).var(ddof=1) / 20  # of means, times 20
        within = sum(values[teams == team].var(ddof=1) for team in range(MANY // 20)) / (MANY // 20)
        assert (between - within) / (between + 19 * within) == pytest.approx(icc, abs=0.05)
    assert correlation(found, "hours_before", "hours") == pytest.approx(0.5, abs=0.05)


def test_units_differ_in_size_as_planned_and_keep_to_one_stratum(build):
    def change(protocol, survey):
        numbers_only(protocol, survey)
        by_team(protocol, **{"icc": 0.1, "people": 20, "people-cv": 0.5})

    people = frame(build(change)).participants
    sizes = people.group_by("team").len()["len"].to_numpy()
    assert sizes.std() / sizes.mean() == pytest.approx(0.5, abs=0.12)
    assert people.group_by("team").agg(pl.col("site").n_unique(), pl.col("arm").n_unique()).select(
        pl.max("site", "arm")
    ).row(0) == (1, 1)


def test_an_effect_in_a_subgroup_is_on_those_alone_and_goes_by_the_dose(build):
    def change(protocol, survey):
        numbers_only(protocol, survey)
        protocol["diagnosis"]["assume"]["hours"]["effect"] = [
            {"arm": "offer", "constant": 10},
            {"arm": "offer", "constant": 40, "when": {"site": "east"}},
        ]
        protocol["diagnosis"]["assume"]["dose"] = {0.5: 0.5, 1: 0.5}

    study = build(change)
    simulated = simulate_study(study, 5, people=MANY)
    found = scored(study, simulated.data)
    hours = found.participants.group_by("site", "arm").agg(pl.col("hours").mean())
    mean = {(site, arm): value for site, arm, value in hours.iter_rows()}
    assert mean["east", "offer"] - mean["east", "control"] == pytest.approx(50 * 0.75, abs=6)
    assert mean["west", "offer"] - mean["west", "control"] == pytest.approx(10 * 0.75, abs=6)
    assert simulated.planted["hours"]["offer"] == pytest.approx(30 * 0.75, abs=1)


def test_an_outcome_may_be_answered_by_fewer_than_its_wave(build):
    def change(protocol, survey):
        protocol["diagnosis"]["assume"]["motivation"]["response"] = 0.7
        protocol["diagnosis"]["assume"]["response"] = {"after": 0.5}

    found = frame(build(change))
    answered = found.participants["heard"].is_not_null().to_numpy()
    motivated = found.participants["motivation"].is_not_null().to_numpy()
    assert answered.mean() == pytest.approx(0.5, abs=0.01)
    assert motivated[answered].mean() == pytest.approx(0.7, abs=0.05)


def test_ratios_differ_between_strata_as_written(build):
    def change(protocol, survey):
        protocol["allocation"]["ratio"] = [
            {"where": "site == 'east'", "control": 3, "offer": 1},
            {"else": {"control": 1, "offer": 1}},
        ]

    people = frame(build(change)).participants
    offered = people.group_by("site").agg((pl.col("arm") == "offer").mean())
    assert dict(offered.iter_rows()) == pytest.approx({"east": 0.25, "west": 0.5}, abs=0.001)


def test_a_stage_within_an_arm_draws_of_that_arm_alone(build):
    def change(protocol, survey):
        ratio = {"method": "blocked", "when": "launch"}
        protocol["allocation"] = {
            "main": {"arms": protocol.pop("arms"), **ratio},
            "extra": {"arms": {"none": {}, "voucher": {}}, "among": "main == 'offer'", **ratio},
        }
        protocol["diagnosis"]["assume"]["motivation"]["effect"] = {"arm": "voucher", "constant": 0.2}
        for name in ("days", "heard"):
            del protocol["diagnosis"]["assume"][name]["effect"]
        protocol["analyses"]["effect"]["adjust"] = []

    people = frame(build(change)).participants
    assert set(people.filter(pl.col("main") == "control")["extra"]) == {None}
    assert set(people.filter(pl.col("main") == "offer")["extra"]) == {"none", "voucher"}
