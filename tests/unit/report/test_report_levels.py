"""Effects among compliers, along numbers, by dose and by wave, as a reader of the report meets them."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise.findings import analyse, read_data
from equipoise.protocol import load_study
from equipoise.report import render_study
from equipoise.report.figures import study_figures
from equipoise.report.names import Names
from equipoise.report.words import sentence

PROTOCOL = """\
equipoise: 1
study: {id: levels, title: Texts for staff, kind: trial, question: Do texts help?, launch: 2021-03-01}
participants:
  roster:
    ref: {type: text, role: identifier}
    age: {type: number, label: Age in years}
arms: {control: {label: No texts}, texts: {label: Texts}}
allocation: {ratio: equal, when: launch}
waves:
  before: {survey: said, opens: launch - 3 weeks, closes: launch}
  soon: {survey: said, opens: launch + 4 weeks, closes: launch + 6 weeks, label: After a month}
  later: {survey: said, opens: launch + 12 weeks, closes: launch + 14 weeks, label: After three months}
outcomes:
  score: {column: score, waves: [soon, later], role: primary, good: high, label: Wellbeing, unit: points}
analyses:
  effect: {contrast: texts - control, at: later}
  readers: {contrast: texts - control, at: later, target: complier, take-up: dose_opened,
            assumption: texts act only by being opened, supplementary-to: effect}
"""
EXPLORE = """\
by_age: {contrast: texts - control, at: later, by: age}
by_dose: {contrast: texts - control, at: later, by: dose}
by_wave: {contrast: texts - control, by: wave}
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("report") / "levels"
    (folder / "surveys").mkdir(parents=True)
    (folder / "protocol.yaml").write_text(PROTOCOL)
    (folder / "explore.yaml").write_text(EXPLORE)
    (folder / "surveys" / "said.yaml").write_text(
        "title: Said\npages:\n  - {id: a, questions: [{id: said, ask: What?, type: text}]}\n"
    )
    rng = np.random.default_rng(2)
    n = 300
    people = pd.DataFrame({"ref": [f"P{i:03}" for i in range(n)], "age": rng.integers(20, 65, n)})
    people["arm"] = np.where(rng.permutation(n) < n / 2, "texts", "control")
    texts = people["arm"] == "texts"
    people["dose_opened"] = np.where(texts, rng.integers(0, 5, n), 0)
    person = rng.normal(50, 6, n)
    people["score_before"] = person + rng.normal(0, 3, n)
    for wave, size in (("soon", 0.3), ("later", 0.9)):
        people[f"score_{wave}"] = person + size * people["dose_opened"] + rng.normal(0, 3, n)
    people.loc[rng.random(n) < 0.2, "score_later"] = np.nan
    people.to_csv(folder.parent / "data.csv", index=False)
    loaded = load_study(folder)
    return loaded, analyse(loaded, read_data(loaded, folder.parent / "data.csv"))


def figures(study):
    loaded, findings = study
    names = Names(loaded.protocol, loaded.explore)
    return {one.title: one for one in study_figures(loaded, findings, names, explored=True)}


def test_each_series_has_a_figure_with_its_table_and_its_caution(study) -> None:
    found = figures(study)
    assert set(found) == {"Wellbeing by age in years", "Wellbeing by dose taken", "Wellbeing by wave"}
    assert "was not drawn by lot" in found["Wellbeing by age in years"].source
    dose = found["Wellbeing by dose taken"]
    assert "chosen after allocation" in dose.source
    assert "one unit of dose apart the mean differs by" in dose.source
    assert [row[0].text for row in dose.table.rows] == [f"Dose {n}" for n in range(5)]
    assert [row[0].text for row in found["Wellbeing by wave"].table.rows] == [
        "After a month",
        "After three months",
    ]


def test_every_number_drawn_is_in_the_table_and_has_words_for_who_cannot_see_it(study) -> None:
    for figure in figures(study).values():
        for row in figure.table.rows:
            assert row[0].text in figure.description
            assert row[1].text in figure.description
            assert all(cell.finding for cell in row[1:3])


def test_points_of_a_series_are_not_listed_again_among_exploratory_results(study) -> None:
    page = render_study(*study)
    table = re.search(
        r'<table id="exploratory-table".*?</table>|id="exploratory-table".*?</table>', page, re.S
    )[0]
    assert "interaction with age in years" in table
    assert "test of a straight line" in table
    assert "10th percentile" not in table
    assert "change per week" in table


def test_an_effect_among_compliers_has_its_assumption_in_the_same_sentence(study) -> None:
    loaded, findings = study
    names = Names(loaded.protocol, loaded.explore)
    effect = findings.find("readers.score.later.texts - control")
    said = sentence(effect, names)
    assert "in those whose dose opened follows their arm, assuming: texts act only by being opened." in said
    page = render_study(*study)
    assert "Anderson-Rubin interval" in page
    assert "assumes: texts act only by being opened" in page
    assert "effect in those whose dose opened follows their arm, two-stage least squares" in page


def test_points_of_a_series_have_no_causal_words_and_descriptions_say_why(study) -> None:
    loaded, findings = study
    names = Names(loaded.protocol, loaded.explore)
    contrast = "score.later.texts - control"
    dose = sentence(findings.find(f"by_dose.{contrast}.dose=2"), names)
    assert dose.startswith("Not planned: Wellbeing (After three months), Texts, dose 2: ")
    assert dose.endswith(
        "doses compare different people, since how much they took is chosen after allocation."
    )
    third = sentence(findings.find(f"by_age.{contrast}.age=bin1"), names)
    assert re.fullmatch(
        r"Not planned: Wellbeing.*, Texts against No texts, age in years 20 to \d+: .*interval.*\.", third
    )
    change = sentence(findings.find(f"by_age.{contrast}.interaction"), names)
    assert "the data do not settle whether the effect differs with age in years, for each unit," in change
    for said in (dose, third, change):
        assert "higher" not in said
        assert "lower" not in said
