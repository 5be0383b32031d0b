"""Ratings whose attributes, ways of presenting or raters' arms are drawn again, each as it was drawn."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from equipoise.estimation.randomisation.statistics import statistic_of
from equipoise.findings import analyse, read_data
from equipoise.protocol import load_study

PROTOCOL = """\
equipoise: 1
study: {id: rated, title: Ratings, kind: survey-experiment, question: Does a name matter?, launch: 2021-03-01}
participants: {roster: {ref: {type: text, role: identifier}}}
arms: {control: {}, texts: {}}
allocation: {ratio: {control: 1, texts: 1}, when: launch, method: complete}
tasks: {cvs: {vignette: vignettes/cv.yaml, per-person: 4, present: {joint: 1, separate: 1}}}
outcomes: {score: {task: cvs, question: score, role: primary, good: neither}}
analyses: {effect: {contrast: CONTRAST, adjust: [position], test: randomisation, MORE}}
"""
VIGNETTE = """\
attributes:
  origin: {levels: [home, near, far], text: {home: [H], near: [N], far: [F]}}
  grade: {levels: [low, high], text: {low: [C], high: [D]}}
template: "{origin} {grade}"
questions: [{id: score, ask: How good?, type: number, low: 0, high: 20}]
"""


def ratings(people: int) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    rows = pd.DataFrame({"ref": np.repeat([f"P{i}" for i in range(people)], 4)})
    rows["position"] = np.tile(range(1, 5), people)
    rows["grade"] = np.concatenate([rng.permutation(["low", "low", "high", "high"]) for _ in range(people)])
    rows["origin"] = np.concatenate([rng.permutation(["home", "near", "far", "far"]) for _ in range(people)])
    rows["condition"] = np.repeat(np.resize(["joint", "separate"], people), 4)
    person = np.repeat(rng.normal(0, 2, people), 4)
    rows["score"] = (10 + 1.2 * (rows["grade"] == "high") + person + rng.normal(0, 1, len(rows))).round(2)
    return rows


@pytest.fixture
def found(tmp_path):
    def make(rows, contrast, more="missing: none"):
        folder = tmp_path / "rated"
        (folder / "vignettes").mkdir(parents=True, exist_ok=True)
        text = PROTOCOL.replace("CONTRAST", contrast).replace("MORE", more)
        (folder / "protocol.yaml").write_text(text)
        (folder / "vignettes" / "cv.yaml").write_text(VIGNETTE)
        data = tmp_path / "data"
        data.mkdir(exist_ok=True)
        people = pd.DataFrame({"ref": rows["ref"].unique()})
        people["arm"] = ["control", "texts", "texts", "control", "texts", "control"][: len(people)]
        people.sort_values("ref").to_csv(data / "participants.csv", index=False)
        rows.to_csv(data / "cvs.csv", index=False)
        study = load_study(folder)
        return analyse(study, read_data(study, data)).find(f"effect.score.{contrast}")

    return make


def t_of(rows: pd.DataFrame, shown: np.ndarray) -> float:
    """The regression on what was shown and the position, fitted anew; errors go by participant (CR0).

    Where everybody would have been shown the same in each position it has no answer, which is extreme.
    """
    if len(np.unique(shown.reshape(-1, 4), axis=0)) == 1:
        return np.inf
    there = rows.assign(shown=shown)[rows["score"].notna().to_numpy()]
    fit = smf.ols("score ~ shown + C(position)", there).fit(
        cov_type="cluster",
        cov_kwds={"groups": pd.factorize(there["ref"])[0], "use_correction": False},
    )
    return abs(fit.tvalues["shown"])


def test_what_was_drawn_for_each_rating_is_given_out_anew_among_the_ratings_of_its_person(found) -> None:
    rows = ratings(3)
    rows.loc[5, "score"] = np.nan
    effect = found(rows, "grade.high - grade.low")
    hands = [np.isin(range(4), chosen).astype(float) for chosen in combinations(range(4), 2)]
    draws = [np.concatenate(dealt) for dealt in product(hands, repeat=3)]
    observed = t_of(rows, (rows["grade"] == "high").to_numpy().astype(float))
    expected = np.mean([t_of(rows, draw) >= observed - 1e-9 for draw in draws])
    assert effect.draws == 216
    assert effect.p_value == pytest.approx(expected)
    assert "re-drawing grade among the ratings of each participant (all 216 orders)" in effect.model
    assert effect.interval.low < effect.estimate < effect.interval.high
    assert any("does not move who answers" in warning for warning in effect.warnings)


def test_levels_that_are_not_compared_stay_where_they_were_shown(found) -> None:
    effect = found(ratings(4), "origin.near - origin.home")
    assert effect.draws == 2**4
    assert any("the smallest p-value that 16 draws allow is 0.125" in warning for warning in effect.warnings)


def test_a_way_of_presenting_drawn_for_each_person_is_given_out_anew_among_persons(found) -> None:
    rows = ratings(6)
    effect = found(rows, "condition.joint - condition.separate")
    means = rows.groupby("ref")["score"].mean().to_numpy()  # positions are alike for everybody
    draws = np.array([np.isin(range(6), chosen) for chosen in combinations(range(6), 3)])

    def size(joint: np.ndarray) -> float:
        one, other = means[joint], means[~joint]
        return abs(one.mean() - other.mean()) / np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / 3)

    observed = size(np.arange(6) % 2 == 0)
    assert effect.draws == 20
    assert effect.p_value == pytest.approx(np.mean([size(draw) >= observed - 1e-9 for draw in draws]))
    assert "re-drawing condition among the participants" in effect.model


def test_an_arm_of_the_raters_is_drawn_again_as_its_stage_was(found) -> None:
    effect = found(ratings(6), "texts - control")
    assert effect.draws == 20
    assert "re-drawing the complete allocation" in effect.model


def test_the_draw_is_the_same_whatever_the_order_of_the_ratings(found) -> None:
    rows = ratings(6)
    effect = found(rows, "grade.high - grade.low")
    shuffled = found(rows.sample(frac=1, random_state=2), "grade.high - grade.low")
    assert effect.draws == 10_000  # of 46,656 orders
    assert shuffled.p_value == effect.p_value
    assert shuffled.interval.low == pytest.approx(effect.interval.low, rel=1e-9)


@pytest.mark.parametrize(
    ("contrast", "more", "change", "said"),
    [
        ("grade x condition", "missing: none", {}, "crosses what was drawn apart"),
        ("grade.high - grade.low", "among: grade == 'high' || origin == 'far'", {}, "`among` looks at grade"),
        ("condition.joint - condition.separate", "missing: none", {"condition": "joint"}, "several ways"),
    ],
)
def test_what_no_draw_can_test_is_not_estimable(found, contrast, more, change, said) -> None:
    rows = ratings(6)
    for column, value in change.items():
        rows.loc[4, column] = value
    assert said in found(rows, contrast, more).not_estimable


@pytest.mark.parametrize("covariates", [True, False])
def test_errors_of_rows_drawn_apart_go_by_cluster_as_in_the_regression(covariates) -> None:
    rng, n = np.random.default_rng(1), 40
    y, cluster, x = rng.normal(size=n), rng.permutation(np.arange(n) % 9), rng.normal(size=n)
    arms = np.stack([rng.permutation(np.arange(n) % 3) for _ in range(5)]).astype(np.int8)
    found = statistic_of(
        "linear", y, np.arange(n), (-1.0, 0.0, 1.0), covariates=x[:, None] if covariates else None,
        cluster=cluster, variance="CR0",
    )(arms)  # fmt: skip
    for place, arm in enumerate(arms):
        data = pd.DataFrame({"y": y, "x": x, "b": arm == 1, "c": arm == 2}).astype(float)
        fit = smf.ols("y ~ b + c + x" if covariates else "y ~ b + c", data).fit(
            cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False}
        )
        assert found.effect[place, 0] == pytest.approx(fit.params["c"], rel=1e-9)
        assert found.covariance[place, 0, 0] ** 0.5 == pytest.approx(fit.bse["c"], rel=1e-9)
