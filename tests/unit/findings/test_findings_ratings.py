"""Effects on ratings: components, levels, and errors for other stimuli than those shown."""

import numpy as np
import pandas as pd
import pytest

from equipoise.estimation.effects.ratings import component_effects, marginal_means
from equipoise.estimation.mixed.fit import fit_mixed
from equipoise.findings import Findings, analyse, read_data
from equipoise.protocol import load_study

PROTOCOL = """\
equipoise: 1
study: {id: rated, title: Ratings, kind: survey-experiment, question: Does a name matter?, launch: 2021-03-01}
participants:
  roster:
    ref: {type: text, role: identifier}
    cohort: {type: category, levels: [new, old]}
    team: {type: category}
tasks: {cvs: {vignette: vignettes/cv.yaml, per-person: 4}}
outcomes: {score: {task: cvs, question: score, role: primary, good: neither}}
analyses:
  near: {contrast: origin.near - origin.home}
  far: {contrast: origin.far - origin.home}
  graded: {contrast: grade.high - grade.low}
  teams: {contrast: grade.high - grade.low, cluster: team, sensitivity-of: graded}
  names: {contrast: origin.near - origin.home, model: mixed, sensitivity-of: near}
  grades: {contrast: grade.high - grade.low, model: mixed, sensitivity-of: graded}
  both: {contrast: grade.high - grade.low, cluster: team, variance: two-way, sensitivity-of: graded}
"""
VIGNETTE = """\
attributes:
  origin:
    levels: [home, near, far]
    text: {home: [Ann, Bob, Cat], near: [Dee, Eve, Fay], far: [Gus, Hal, Ida]}
  grade: {levels: [low, high], text: {low: [C], high: [D]}}
template: "{origin} {grade}"
questions: [{id: score, ask: How good?, type: number, low: 0, high: 20}]
"""
EXPLORE = "by_cohort: {contrast: grade.high - grade.low, by: cohort}\nby_origin: {contrast: grade.high - grade.low, by: origin}\nby_week: {contrast: grade.high - grade.low, by: week since launch}\n"
NAMES = {"home": ("Ann", "Bob", "Cat"), "near": ("Dee", "Eve", "Fay"), "far": ("Gus", "Hal", "Ida")}


@pytest.fixture
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    rows = pd.DataFrame(
        {"ref": np.repeat([f"P{i:02}" for i in range(60)], 4), "position": np.tile(range(1, 5), 60)}
    )
    rows["origin"] = rng.choice(list(NAMES), len(rows))
    rows["grade"] = rng.choice(["low", "high"], len(rows))
    rows["origin_text"] = [rng.choice(NAMES[origin]) for origin in rows["origin"]]
    name = rows["origin_text"].map(dict(zip(sum(NAMES.values(), ()), rng.normal(0, 1, 9), strict=True)))
    person = np.repeat(rng.normal(0, 1, 60), 4)
    rows["score"] = (
        10 + 1.5 * (rows["grade"] == "high") + name + person + rng.normal(0, 1, len(rows))
    ).round(3)
    return rows


@pytest.fixture
def results(rows, tmp_path) -> Findings:
    for name, text in (
        ("protocol.yaml", PROTOCOL),
        ("vignettes/cv.yaml", VIGNETTE),
        ("explore.yaml", EXPLORE),
    ):
        path = tmp_path / "rated" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    folder = tmp_path / "data"
    folder.mkdir()
    people = pd.DataFrame({"ref": rows["ref"].unique()})
    people["cohort"] = np.where(np.arange(60) % 3 == 0, "old", "new")
    people["team"] = [f"t{i % 15}" for i in range(60)]
    people.to_csv(folder / "participants.csv", index=False)
    rows.to_csv(folder / "cvs.csv", index=False)
    study = load_study(tmp_path / "rated")
    return analyse(study, read_data(study, folder))


def coded(rows) -> np.ndarray:
    return np.stack(
        [rows["origin"].map({"home": 0, "near": 1, "far": 2}), rows["grade"] == "high"], axis=1
    ).astype(int)


def positions(rows) -> np.ndarray:
    return (rows["position"].to_numpy()[:, None] == [2, 3, 4]).astype(float)


def test_contrasts_of_levels_are_average_marginal_component_effects(results, rows):
    origin, grade = component_effects(
        rows["score"], coded(rows), (3, 2), rows["ref"], covariates=positions(rows)
    )
    for reference, theirs in (
        ("near.score.origin.near - origin.home", origin.effects[1]),
        ("far.score.origin.far - origin.home", origin.effects[2]),
        ("graded.score.grade.high - grade.low", grade.effects[1]),
    ):
        ours = results.find(reference)
        assert ours.estimate == pytest.approx(theirs.estimate, rel=1e-9)
        assert ours.std_error == pytest.approx(theirs.std_error, rel=1e-9)


def test_errors_for_other_names_of_the_kind_stand_beside_an_effect_of_names(results, rows):
    beside = results.find("near.score.origin.near - origin.home.origin.other-texts")
    origin, _ = component_effects(
        rows["score"],
        coded(rows),
        (3, 2),
        rows["ref"],
        covariates=positions(rows),
        stimulus=rows["origin_text"],
    )
    assert beside.std_error == pytest.approx(origin.effects[1].std_error, rel=1e-9)
    assert beside.std_error > 1.5 * results.find("near.score.origin.near - origin.home").std_error
    assert "by participant and by the 9 texts of origin" in beside.model
    assert not [one for one in results if one.analysis == "graded" and "other-texts" in one.id]


def test_names_may_have_a_random_effect_beside_that_of_the_participant(results, rows):
    codes = rows["origin"].map({"home": 0, "near": 1, "far": 2}).to_numpy()
    means = (codes[:, None] == np.arange(3)).astype(float)
    extra = np.column_stack([rows["grade"] == "low", positions(rows)]).astype(float)
    fit = fit_mixed(
        rows["score"], np.column_stack([means, extra]), {"person": rows["ref"], "name": rows["origin_text"]}
    )
    direct = fit.contrast((-1, 1, 0, 0, 0, 0, 0))
    effect = results.find("names.score.origin.near - origin.home")
    assert (effect.estimate, effect.std_error) == pytest.approx((direct.estimate, direct.std_error), rel=1e-7)
    assert effect.dof == pytest.approx(direct.dof, rel=1e-6)
    assert effect.dof < 12  # nine names, not 240 ratings, are what it hangs on
    assert "random intercepts of participants, texts of origin, adjusted for" in effect.model
    assert "Kenward-Roger degrees of freedom" in effect.model
    assert "stimuli of the kind shown" in effect.estimand
    assert not [one for one in results if one.id.startswith(f"{effect.id}.")]


def test_a_level_shown_in_one_text_has_no_random_effect_of_texts(results):
    lacking = results.find("grades.score.grade.high - grade.low")
    assert 'no column "grade_text"' in lacking.not_estimable


def test_means_by_level_are_marginal_means(results, rows):
    theirs = marginal_means(rows["score"], coded(rows)[:, 0], 3, rows["ref"])
    for level, each in zip(NAMES, theirs, strict=True):
        ours = results.find(f"description.score.origin={level}")
        assert ours.estimate == pytest.approx(each.mean.estimate, rel=1e-10)
        assert ours.std_error == pytest.approx(each.mean.std_error, rel=1e-8)


def test_by_a_level_the_interaction_comes_first_adjusted_for_what_else_was_drawn(results, rows):
    found = [one for one in results if one.analysis == "by_cohort"]
    assert found[0].id.endswith(".interaction")
    new, old = (
        results.find(f"by_cohort.score.grade.high - grade.low.cohort={level}") for level in ("new", "old")
    )
    assert found[0].estimate == pytest.approx(old.estimate - new.estimate, rel=1e-9)
    assert sum(new.n.values()) + sum(old.n.values()) == len(rows)
    by_origin = [one for one in results if one.analysis == "by_origin"]
    assert (by_origin[0].kind, len(by_origin)) == ("test", 4)


def test_what_ratings_do_not_have_cannot_tell_them_apart(results):
    (one,) = [one for one in results if one.analysis == "by_week"]
    assert "which ratings do not have" in one.not_estimable


def test_errors_go_by_the_column_that_the_analysis_names_alone_or_with_the_participant(results):
    alone, teams = results.find("graded.score.grade.high - grade.low"), results.find("teams")
    both = results.find("both")
    assert (
        teams.estimate == pytest.approx(both.estimate, rel=1e-12) == pytest.approx(alone.estimate, rel=1e-12)
    )
    assert len({round(one.std_error, 12) for one in (alone, teams, both)}) == 3
