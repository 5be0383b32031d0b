"""The forest plot: results side by side, and an average only where the programme says of what."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from equipoise.errors import DesignError, ProtocolError
from equipoise.estimation.meaning.shrinkage import shrunk_effects
from equipoise.estimation.synthesis.random_effects import random_effects, shared_arm_covariance
from equipoise.findings.results import Finding
from equipoise.findings.synthesis import StudyResult, synthesised
from equipoise.protocol.models.files import Forest
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.programme import load_programme
from equipoise.report.figures.forest import Trial, forest
from equipoise.report.names import Names

NAMES = Names(
    Protocol.model_validate(
        {
            "equipoise": 1,
            "study": {"id": "x", "title": "X", "kind": "trial", "question": "Does it help?"},
            "arms": {"control": {}, "texts": {}, "calls": {}},
            "outcomes": {"mood": {"column": "mood", "good": "high", "label": "Mood", "unit": "points"}},
        }
    )
)
EFFECTS = [(0.30, 0.12), (0.05, 0.10), (0.42, 0.20), (0.11, 0.08)]
POOLED = Forest(pooled=True, estimand="The mean effect of weekly texts on mood.")


def result(study, estimate, error, contrast="texts - control", **given):
    interval = {"level": 0.95, "low": estimate - 2 * error, "high": estimate + 2 * error}
    base = {
        "id": f"effect.mood.{contrast}", "analysis": "effect", "kind": "effect", "outcome": "mood", "good": "high",
        "contrast": contrast, "tier": "primary", "estimate": 4 * estimate, "std_error": 4 * error, "units": "points",
        "interval": {**interval, "low": 4 * interval["low"], "high": 4 * interval["high"]},
        "n": {"control": 100, "texts": 100, "calls": 50},
        "standardised": {"estimate": estimate, "std_error": error, "interval": interval, "sd": 4.0, "sd_source": "x"},
    }  # fmt: skip
    return StudyResult(study, Finding.model_validate({**base, **given}))


def trials(*results):
    return [Trial(f"Study {one.study}", one, NAMES, f"{one.study}/provenance.html") for one in results]


FOUR = [result(name, *numbers) for name, numbers in zip("abcd", EFFECTS, strict=True)]


def test_side_by_side_no_common_effect_is_claimed():
    figure = forest(trials(*FOUR))
    assert "no common effect is claimed" in figure.source
    assert len(figure.table.rows) == 4
    assert "Average" not in figure.description


def test_a_declared_average_stands_below_with_its_heterogeneity_and_prediction():
    figure = forest(trials(*FOUR), POOLED)
    y, v = (np.array(column) for column in zip(*EFFECTS, strict=True))
    expected = random_effects(y, v**2)
    average, ahead = figure.table.rows[4:]
    assert average[4].raw == pytest.approx(expected.effect.estimate, rel=1e-12)
    assert ahead[0].text == "Where the effect of another such study may lie"
    assert sum(row[-1].raw for row in figure.table.rows[:4]) == pytest.approx(1)
    assert figure.source.startswith("The mean effect of weekly texts on mood.")
    for said in ("Hartung and Knapp, on 3 degrees of freedom", "Q = ", "lies between studies"):
        assert said in figure.source
    assert figure.title == "The average may be zero"
    assert f"{expected.effect.estimate:.3f}" in figure.wide_svg
    assert "Average of the studies" in figure.narrow_svg


def test_under_four_studies_nothing_is_said_of_another_one():
    figure = forest(trials(*FOUR[:3]), POOLED)
    assert len(figure.table.rows) == 4
    assert "Under four studies nothing is said of another one" in figure.source


def test_effects_are_drawn_towards_the_average_only_where_the_programme_asks():
    plan = POOLED.model_copy(update={"shrink": True})
    figure = forest(trials(*FOUR), plan)
    y, errors = (np.array(column) for column in zip(*EFFECTS, strict=True))
    expected = shrunk_effects(y, errors)
    assert [row[-1].raw for row in figure.table.rows[:4]] == pytest.approx(expected.estimates.tolist())
    assert [row[-1].text for row in figure.table.rows[4:]] == ["–", "–"]
    assert "empirical Bayes predictions and carry no test" in figure.source
    assert (
        "Drawn towards" not in [column.heading for column in forest(trials(*FOUR), POOLED).table.columns][-1]
    )


def test_effects_of_arms_that_share_a_control_are_not_drawn_towards_the_average():
    pair = [result("a", 0.3, 0.12), result("a", 0.2, 0.15, "calls - control"), FOUR[1]]
    figure = forest(trials(*pair), POOLED.model_copy(update={"shrink": True}))
    assert "not drawn towards the average: the results are several of one study" in figure.source


def test_arms_of_one_study_enter_with_their_shared_control():
    pair = [result("a", 0.3, 0.12), result("a", 0.2, 0.15, "calls - control"), FOUR[1]]
    found = synthesised(pair, "standardised")
    covariance = shared_arm_covariance(
        [0.12**2, 0.15**2, 0.1**2], [np.sqrt(100 / 200), np.sqrt(50 / 150), 0], ["a", "a", "b"]
    )
    assert found.effect.estimate == pytest.approx(
        random_effects([0.3, 0.2, 0.05], covariance).effect.estimate
    )
    assert covariance[0, 1] > 0


def test_the_outcomes_own_unit_averages_estimates_as_they_are():
    plan = Forest(pooled=True, scale="own", estimand="The mean effect on mood, in points.")
    figure = forest(trials(*FOUR), plan)
    y, v = (np.array(column) for column in zip(*EFFECTS, strict=True))
    assert figure.table.rows[4][2].raw == pytest.approx(random_effects(4 * y, 16 * v**2).effect.estimate)
    assert "Difference (points)" in figure.subtitle


@pytest.mark.parametrize(
    ("results", "scale", "said"),
    [
        (FOUR[:1], "standardised", "holds 1 study"),
        ([FOUR[0], result("b", 0.1, 0.1, good="low")], "standardised", "better high and some low"),
        ([FOUR[0], result("b", 0.1, 0.1, units="days")], "own", "several units"),
        ([FOUR[0], result("b", 0.1, 0.1, standardised=None)], "standardised", "of b cannot be averaged"),
        ([FOUR[0], result("a", 0.1, 0.1, outcome="days")], "standardised", "of a are several"),
        ([FOUR[0], result("a", 0.1, 0.1, "texts - calls")], "standardised", "of a are several"),
    ],
)
def test_what_cannot_be_averaged_says_why_and_the_figure_stands_without_it(results, scale, said):
    with pytest.raises(DesignError, match=said):
        synthesised(results, scale)
    figure = forest(trials(*results), Forest(pooled=True, scale=scale, estimand="The mean effect."))
    assert figure.source.startswith("No average:")


PROGRAMME = """\
equipoise: 1
programme: {id: good-days, title: Good days, question: What helps?, period: all of 2027}
studies: [study]
synthesis: {forest: FOREST}
"""


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ("{pooled: true}", "needs `estimand:`"),
        ("{shrink: true}", "`shrink: true` needs `pooled: true`"),
        ("{results: {sutdy: effect}}", '"sutdy" is not a study of the programme'),
        ("{poled: true}", "poled"),
    ],
)
def test_a_forest_plot_that_cannot_be_drawn_is_refused_with_its_place(tmp_path, plan, said):
    place = tmp_path / "good-days"
    shutil.copytree(Path(__file__).parents[3] / "docs" / "reference-examples" / "study", place / "study")
    (place / "programme.yaml").write_text(PROGRAMME.replace("FOREST", plan))
    with pytest.raises(ProtocolError, match=r"good-days/programme\.yaml:4") as refused:
        load_programme(place)
    assert said in str(refused.value)
