"""A minimised trial is analysed as it was drawn: its factors as main effects, and in the order of arrival."""

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.api as sm

from equipoise.allocation import allocate, draw_stage, given_seed, stage_of, units_of
from equipoise.estimation.effects.adjusted import linear_effect
from equipoise.findings import analyse, read_data
from equipoise.findings.sampling.redraws import drawing_of
from equipoise.protocol import load_study

PROTOCOL = """\
equipoise: 1
study: {id: small, title: A trial, kind: trial, question: Does it work?, launch: 2021-03-01 09:00}
participants:
  enrolment: rolling
  roster:
    ref: {type: text, role: identifier}
    site: {type: category, levels: [north, south, west]}
    grade: {type: category, levels: [junior, senior]}
arms: {control: {}, texts: {}}
allocation:
  ratio: {control: 1, texts: 1}
  method: minimised
  balance: {site: 2, grade: 1}
  measure: variance
  biased-coin: 0.9
  when: enrolled
outcomes:
  score: {column: score, role: primary, good: high}
analyses:
  effect: {outcomes: [score], contrast: texts - control, missing: none, test: {by: randomisation, draws: 1999}}
"""


@pytest.fixture
def study(tmp_path: Path):
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "protocol.yaml").write_text(PROTOCOL)
    return load_study(folder)


@pytest.fixture
def people(study):
    """Forty people in order of arrival, with the arms that they were given."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"ref": [f"P{number:02}" for number in range(40)]})
    frame["site"] = rng.choice(["north", "south", "west"], 40)
    frame["grade"] = rng.choice(["junior", "senior"], 40)
    units = units_of(study, *stage_of(study, None), pl.DataFrame(frame.to_dict("list")), "ref")
    frame["arm"] = draw_stage(study, *stage_of(study, None), units, given_seed("ab" * 32))[0].arms
    frame["enrolled_at"] = pd.date_range("2021-03-02 10:00", periods=40, freq="h").astype(str)
    frame["score"] = rng.normal(size=40) + 2 * (frame["site"] == "west") + 0.7 * (frame["arm"] == "texts")
    return frame


def found(study, frame, folder):
    frame.to_csv(folder / "data.csv", index=False)
    return read_data(study, folder / "data.csv")


def test_the_factors_are_adjusted_for_as_main_effects_unless_the_protocol_says_otherwise(
    study, people, tmp_path
):
    effect = analyse(study, found(study, people, tmp_path)).find("effect.score.texts - control")
    assert effect.model.startswith("linear regression, adjusted for site and grade; HC2")
    dummies = pd.get_dummies(people[["site", "grade"]], drop_first=True).to_numpy(float)
    regressors = np.column_stack([np.ones(40), people["arm"] == "texts", dummies])
    fit = sm.OLS(people["score"].to_numpy(), regressors).fit(cov_type="HC2")
    assert effect.estimate == pytest.approx(fit.params[1], rel=1e-9)
    assert effect.std_error == pytest.approx(fit.bse[1], rel=1e-9)


def test_the_arms_are_drawn_again_in_the_order_of_arrival_whatever_the_order_of_the_rows(
    study, people, tmp_path
):
    shuffled = found(study, people.sample(frac=1, random_state=1), tmp_path)
    drawing = drawing_of(study, shuffled, "main")
    assert drawing.plan.arrival
    assert list(drawing.plan.beside.columns["site"]) == list(people["site"])
    assert (drawing.plan.beside.weights, drawing.plan.beside.measure) == ((2, 1), "variance")
    effect = analyse(study, shuffled).find("effect.score.texts - control")
    again = analyse(study, found(study, people, tmp_path)).find("effect.score.texts - control")
    assert (effect.p_value, effect.draws) == (again.p_value, 1999)
    assert "p-value by re-drawing the minimised allocation (1,999 draws)" in effect.model

    dummies = pd.get_dummies(people[["site", "grade"]], drop_first=True).to_numpy(float)

    def size(arms):
        arm = np.array([arm == "texts" for arm in arms]).astype(int)
        return abs(linear_effect(people["score"], arm, (-1.0, 1.0), covariates=dummies).statistic)

    keyed = [
        allocate(
            list(people["ref"]), None, {"control": 1, "texts": 1}, method="minimised", stage="main",
            seed=number.to_bytes(32, "big"), arrival=True, beside=drawing.plan.beside,
        ).arms
        for number in range(600)
    ]  # fmt: skip
    share = np.mean([size(arms) >= size(people["arm"]) for arms in keyed])
    assert effect.p_value == pytest.approx(
        share, abs=4.5 * (share * (1 - share) * (1 / 600 + 1 / 1999)) ** 0.5
    )


def test_without_the_moment_of_enrolment_it_is_said_why_nothing_is_drawn_again(study, people, tmp_path):
    effect = analyse(study, found(study, people.drop(columns="enrolled_at"), tmp_path)).find(
        "effect.score.texts - control"
    )
    assert 'no column "enrolled_at"' in str(effect.not_estimable or effect.warnings)
