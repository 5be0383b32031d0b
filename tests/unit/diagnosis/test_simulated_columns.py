"""Outcomes that are read from a column get that column."""

import numpy as np
import pytest

from equipoise.diagnosis import simulate_study, write_simulated
from equipoise.errors import DesignError
from equipoise.findings.reading.data import read_data
from equipoise.findings.reading.scores import scored
from equipoise.protocol.folder import load_study


def columns_only(protocol, survey):
    """A study like a reanalysis: no wave, no survey, one column an outcome."""
    protocol["waves"] = {}
    protocol["outcomes"] = {
        "got": {"column": "got", "role": "primary", "scale": "yes-no", "range": [0, 1], "good": "high"},
        "visits": {"column": "n_visits", "scale": "count", "range": [0, 30], "good": "low"},
        "income": {"column": "income", "range": [0, 500], "good": "high"},
    }
    protocol["analyses"]["effect"] = {
        "outcomes": "all",
        "contrast": "offer - control",
        "adjust": ["strata"],
        "model": "linear",
        "variance": "HC2",
    }
    protocol["diagnosis"]["assume"] = {
        "got": {"mean": 0.34, "effect": 0.4},
        "visits": {"mean": 2.0, "sd": 3.0, "zero-share": 0.4, "effect": -0.5},
        "income": {"mean": 60, "sd": 50, "effect": 10},
        "uptake": 0.5,
    }


def test_columns_have_mean_sd_and_effect_as_assumed(build):
    study = build(columns_only)
    simulated = simulate_study(study, 1, people=20_000)
    data = scored(study, simulated.data)
    offered = (data.participants["arm"] == "offer").to_numpy()
    assert {"got", "n_visits", "income"} <= set(simulated.data.participants.columns)
    for name, mean, sd, effect in (
        ("got", 0.34, np.sqrt(0.34 * 0.66), 0.2),
        ("visits", 2.0, 3.0, -0.25),
        ("income", 60, 50, 5),
    ):
        values = data.numbers(name)
        assert np.isfinite(values).all()
        assert values[~offered].mean() == pytest.approx(mean, abs=0.05 * sd)
        assert values[~offered].std() == pytest.approx(sd, rel=0.05)
        gap = values[offered].mean() - values[~offered].mean()
        assert gap == pytest.approx(effect, abs=4 * sd * 2 / np.sqrt(20_000))
        assert simulated.planted[name] == {"offer": pytest.approx(effect)}
    assert (data.numbers("visits")[~offered] == 0).mean() == pytest.approx(0.4, abs=0.02)
    assert data.numbers("income").min() == 0


def test_columns_are_written_and_read_and_analysed(build, analyse, tmp_path):
    study = build(columns_only)
    simulated = simulate_study(study, 1, people=600)
    write_simulated(study, simulated, tmp_path)
    found = {
        finding.outcome: finding
        for finding in analyse(study, read_data(study, tmp_path)).findings
        if finding.analysis == "effect" and finding.kind == "effect"
    }
    assert set(found) == {"got", "visits", "income"}
    for name, finding in found.items():
        truth = simulated.planted[name]["offer"]
        assert abs(finding.estimate - truth) < 4 * finding.std_error


def test_a_column_measured_at_waves_has_a_value_for_those_who_answered(build):
    def change(protocol, survey):
        protocol["outcomes"]["days"] = {"column": "days", "waves": ["before", "after"], "range": [0, 20]}
        protocol["diagnosis"]["assume"]["days"] = {
            "mean": 8, "sd": 3, "before-after correlation": 0.7, "effect": 1.0,
        }  # fmt: skip
        survey["pages"][1]["questions"].pop(0)

    people = simulate_study(build(change), 1, people=4000).data.participants
    for wave in ("before", "after"):
        assert (people[f"days_{wave}"].is_null() == people[f"answered_{wave}"].is_null()).all()
    both = people.filter(people["days_before"].is_not_null() & people["days_after"].is_not_null())
    control = both.filter(both["arm"] == "control")
    tied = np.corrcoef(control["days_before"], control["days_after"])[0, 1]
    assert tied == pytest.approx(0.7, abs=0.05)


def test_an_effect_by_week_on_a_column_without_a_wave_is_refused(build):
    def change(protocol, survey):
        columns_only(protocol, survey)
        protocol["diagnosis"]["assume"]["income"]["effect"] = {"arm": "offer", "by-week": [10, 5]}

    with pytest.raises(DesignError, match=r"assume\.income: an effect by week needs to know when"):
        simulate_study(build(change), 1)


def test_the_reanalysis_of_public_data_says_what_it_lacks_for_a_simulation(examples):
    study = load_study(examples.parent / "thornton-hiv")
    with pytest.raises(DesignError, match=r"diagnosis\.assume says nothing of got; a simulation needs"):
        simulate_study(study, 1)
