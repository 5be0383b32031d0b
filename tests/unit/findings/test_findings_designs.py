"""Designs beyond two arms: factorials, ratings, weeks, stages; each number against another calculation."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from equipoise.findings import Findings, analyse, read_data
from equipoise.protocol import load_study

HEAD = """\
equipoise: 1
study: {id: design, title: A design, kind: KIND, question: Does it work?, launch: 2021-03-01 09:00}
participants:
  roster:
    ref: {type: text, role: identifier}
    cohort: {type: category, levels: [old, new]}
"""
FACTORIAL = (
    HEAD.replace("KIND", "trial")
    + """\
allocation:
  main: {arms: {control: {}, texts: {}}, ratio: equal, when: launch}
  bonus: {arms: {none: {}, small: {}, large: {}}, ratio: {none: 2, small: 1, large: 1}, when: launch}
outcomes: {score: {column: score, role: primary, good: high, range: [0, 100]}}
analyses:
  effect: {contrast: main.texts - main.control, model: linear, missing: none}
  bonus: {contrast: bonus.large - bonus.none, model: linear, missing: none}
  both: {contrast: (main.texts - main.control) x (bonus.large - bonus.none), model: linear, missing: none}
  within: {contrast: main.texts - main.control within bonus.small, model: linear, missing: none}
  added: {contrast: bonus.large - bonus.none, among: main == 'texts', model: linear, missing: none}
"""
)
RATED = (
    HEAD.replace("KIND", "survey-experiment")
    + """\
tasks:
  cvs: {vignette: vignettes/cv.yaml, present: {joint: 1, separate: 1}, per-person: 4}
outcomes: {progress: {task: cvs, question: progress, role: primary, scale: yes-no, good: neither}}
analyses:
  gap: {contrast: name.away - name.home}
  cr1: {contrast: name.away - name.home, variance: CR1, dof: residual, sensitivity-of: gap}
  closes: {contrast: (name.away - name.home) x (condition.joint - condition.separate), adjust: [grade], variance: CR1, dof: residual}
"""
)
VIGNETTE = """\
attributes:
  name: {levels: [home, away], text: {home: [A], away: [B]}}
  grade: {levels: [low, high], text: {low: [C], high: [D]}}
template: "{name} {grade}"
questions: [{id: progress, ask: Progress?, type: yes-no}]
"""
WEEKS = (
    HEAD.replace("KIND", "trial")
    + """\
arms: {control: {}, texts: {}}
allocation: {ratio: {control: 1, texts: 1}, when: launch}
waves:
  after: {survey: said, opens: launch + 1 day, closes: launch + 4 weeks}
outcomes: {score: {column: score, waves: [after], role: primary, good: high}}
analyses: {effect: {contrast: texts - control}}
"""
)


def written(folder: Path, protocol: str, **files: str) -> Path:
    for name, text in {"protocol.yaml": protocol, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def found(folder: Path, data: Path) -> Findings:
    study = load_study(folder)
    return analyse(study, read_data(study, data))


@pytest.fixture
def factorial(tmp_path: Path) -> tuple[Findings, pd.DataFrame]:
    rng = np.random.default_rng(3)
    n = 400
    frame = pd.DataFrame({"ref": [f"P{i:03}" for i in range(n)], "cohort": rng.choice(["old", "new"], n)})
    frame["main"] = rng.choice(["control", "texts"], n)
    frame["bonus"] = rng.choice(["none", "small", "large"], n, p=[0.5, 0.25, 0.25])
    shift = 3 * (frame["main"] == "texts") * (1 + (frame["bonus"] == "large"))
    frame["score"] = (50 + shift + rng.normal(0, 5, n)).clip(0, 100)
    frame.to_csv(tmp_path / "data.csv", index=False)
    return found(written(tmp_path / "design", FACTORIAL), tmp_path / "data.csv"), frame


def test_a_contrast_of_one_stage_ignores_the_others(factorial) -> None:
    results, frame = factorial
    fit = smf.ols("score ~ C(main)", frame).fit(cov_type="HC2")
    effect = results.find("effect")
    assert effect.estimate == pytest.approx(fit.params.iloc[1], rel=1e-9)
    assert effect.std_error == pytest.approx(fit.bse.iloc[1], rel=1e-9)


def test_an_interaction_is_a_difference_of_differences_of_cells(factorial) -> None:
    results, frame = factorial
    fit = smf.ols("score ~ 0 + C(main):C(bonus)", frame).fit(cov_type="HC2")
    cell = "C(main)[{}]:C(bonus)[{}]".format
    terms = [
        f"{sign} {cell(arm, bonus)}"
        for sign, arm, bonus in (
            ("", "texts", "large"),
            ("-", "control", "large"),
            ("-", "texts", "none"),
            ("+", "control", "none"),
        )
    ]
    test = fit.t_test(" ".join(terms) + " = 0")
    both = results.find("both")
    assert both.estimate == pytest.approx(float(test.effect[0]), rel=1e-8)
    assert both.std_error == pytest.approx(float(np.squeeze(test.sd)), rel=1e-8)


def test_within_looks_at_one_level_of_the_other_stage(factorial) -> None:
    results, frame = factorial
    means = frame[frame["bonus"] == "small"].groupby("main")["score"].mean()
    assert results.find("within").estimate == pytest.approx(means["texts"] - means["control"], rel=1e-9)


def test_a_stage_may_be_compared_among_those_whom_an_earlier_one_chose(factorial) -> None:
    results, frame = factorial
    chosen = frame[frame["main"] == "texts"]
    means = chosen.groupby("bonus")["score"].mean()
    added = results.find("added")
    assert added.estimate == pytest.approx(means["large"] - means["none"], rel=1e-9)
    assert sum(added.n_randomised.values()) == len(chosen)


@pytest.fixture
def ratings(tmp_path: Path) -> tuple[Findings, pd.DataFrame]:
    rng = np.random.default_rng(5)
    people = pd.DataFrame({"ref": [f"P{i:02}" for i in range(80)], "cohort": rng.choice(["old", "new"], 80)})
    rows = people[["ref"]].merge(pd.DataFrame({"position": [1, 2, 3, 4]}), how="cross")
    way = dict(zip(people["ref"], rng.choice(["joint", "separate"], 80), strict=True))
    rows["condition"] = rows["ref"].map(way)
    rows["name"] = rng.choice(["home", "away"], len(rows))
    rows["grade"] = rng.choice(["low", "high"], len(rows))
    rate = 0.6 - 0.3 * ((rows["name"] == "away") & (rows["condition"] == "separate"))
    rows["progress"] = (rng.random(len(rows)) < rate).astype(int)
    folder = tmp_path / "data"
    folder.mkdir()
    people.to_csv(folder / "participants.csv", index=False)
    rows.to_csv(folder / "cvs.csv", index=False)
    study = written(tmp_path / "design", RATED, **{"vignettes/cv.yaml": VIGNETTE})
    return found(study, folder), rows


def test_ratings_are_adjusted_for_what_else_was_drawn_and_clustered_by_participant(ratings) -> None:
    results, rows = ratings
    formula = "progress ~ C(name, Treatment('home')) + C(grade) + C(position)"
    codes = rows["ref"].astype("category").cat.codes
    fit = smf.ols(formula, rows).fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
    effect = results.find("cr1")
    name = "C(name, Treatment('home'))[T.away]"
    assert effect.estimate == pytest.approx(fit.params[name], rel=1e-8)
    assert effect.std_error == pytest.approx(fit.bse[name], rel=1e-6)
    assert "adjusted for grade and position" in effect.model
    assert effect.warnings == ("320 ratings by 80 participants",)


def test_the_default_of_ratings_is_cr2_with_the_same_estimate(ratings) -> None:
    results, _ = ratings
    default = results.find("gap")
    assert default.estimate == results.find("cr1").estimate
    assert "CR2" in default.model
    assert default.std_error > results.find("cr1").std_error * 0.98


def test_how_much_a_way_of_showing_closes_a_gap_is_an_interaction(ratings) -> None:
    results, rows = ratings
    formula = "progress ~ C(name, Treatment('home')) * C(condition, Treatment('separate')) + C(grade)"
    codes = rows["ref"].astype("category").cat.codes
    fit = smf.ols(formula, rows).fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
    name = "C(name, Treatment('home'))[T.away]:C(condition, Treatment('separate'))[T.joint]"
    effect = results.find("closes")
    assert effect.estimate == pytest.approx(fit.params[name], rel=1e-8)
    assert effect.std_error == pytest.approx(fit.bse[name], rel=1e-6)


@pytest.fixture
def weekly(tmp_path: Path) -> tuple[Path, Path, pd.DataFrame]:
    rng = np.random.default_rng(7)
    n = 160
    frame = pd.DataFrame({"ref": [f"P{i:03}" for i in range(n)], "cohort": rng.choice(["old", "new"], n)})
    frame["arm"] = rng.choice(["control", "texts"], n)
    frame["score"] = rng.normal(50, 5, n)
    frame["week"] = rng.integers(1, 5, n)
    answered = pd.Timestamp("2021-03-01T09:00Z") + pd.to_timedelta((frame["week"] - 1) * 7 + 2, unit="D")
    frame["answered_after"] = answered.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    frame.loc[:9, ["score", "answered_after"]] = [np.nan, None]
    frame.drop(columns="week").to_csv(tmp_path / "data.csv", index=False)
    survey = "title: Said\npages:\n  - {id: a, questions: [{id: said, ask: What?, type: text}]}\n"
    explore = "fade: {contrast: texts - control, by: week since launch}\n"
    study = written(tmp_path / "design", WEEKS, **{"surveys/said.yaml": survey, "explore.yaml": explore})
    return study, tmp_path / "data.csv", frame


def test_by_week_compares_those_who_answered_in_the_same_week(weekly) -> None:
    study, data, frame = weekly
    results = found(study, data)
    for week in (1, 2, 3, 4):
        kept = frame[(frame["week"] == week) & frame["score"].notna()]
        arms = kept.groupby("arm")["score"]
        finding = results.find(f"fade.score.after.texts - control.week={week}")
        assert finding.estimate == pytest.approx(arms.mean()["texts"] - arms.mean()["control"], rel=1e-9)
        assert finding.std_error == pytest.approx((arms.var() / arms.count()).sum() ** 0.5, rel=1e-9)
        assert finding.n == arms.count().to_dict()
        assert not finding.planned
        assert finding.tier == "exploratory"
        assert finding.confirmatory is False
    kept = frame[frame["score"].notna()].copy()
    kept["treated"] = (kept["arm"] == "texts").astype(float)
    kept["treated_weeks"] = kept["treated"] * kept["week"]
    fit = smf.ols("score ~ C(week) + treated + treated_weeks", kept).fit()
    linear = results.find("fade.score.after.texts - control.linear")
    assert linear.estimate == pytest.approx(fit.params["treated_weeks"], rel=1e-8)
    assert results.find("fade.score.after.texts - control.joint").kind == "test"


def test_without_times_of_answering_weeks_are_not_estimable(weekly) -> None:
    study, data, frame = weekly
    frame.drop(columns=["week", "answered_after"]).to_csv(data, index=False)
    fade = found(study, data).find("fade")
    assert fade.estimate is None
    assert "do not say when people answered" in fade.not_estimable


def test_the_same_bytes_come_out_whatever_the_order_of_hashes(weekly) -> None:
    study, data, _ = weekly
    script = (
        "import sys; from pathlib import Path\n"
        "from equipoise.findings import analyse, read_data\nfrom equipoise.protocol import load_study\n"
        "study = load_study(Path(sys.argv[1]))\n"
        "sys.stdout.write(analyse(study, read_data(study, Path(sys.argv[2]))).to_json())\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", script, str(study), str(data)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert json.loads(runs[0])["locked"] is None


def test_clusters_that_were_allocated_are_no_characteristic_of_the_arms(folder, people, tmp_path):
    study = folder()
    protocol = study / "protocol.yaml"
    text = protocol.read_text().replace(
        "team: {type: category}", "team: {type: category}\n    shift: {type: category}"
    )
    text = text.replace("allocation: {strata: [site],", "allocation: {unit: team, strata: [site],")
    protocol.write_text(text)
    team = people["team"].str[1:].astype(int) % 12
    frame = people.assign(
        team=team.map("t{:02}".format),
        site=team.map(lambda each: ("north", "south", "west")[each % 3]),
        arm=team.map(lambda each: ("control", "texts", "calls")[each // 3 % 3]),
        shift=np.where(people.index % 2, "day", "night"),
    )
    frame.to_csv(tmp_path / "data.csv", index=False)
    read = load_study(study)
    described = {
        one.outcome
        for one in analyse(read, read_data(read, tmp_path / "data.csv"))
        if one.analysis == "baseline"
    }
    assert "team" not in described
    assert {"site", "shift", "age"} <= described
