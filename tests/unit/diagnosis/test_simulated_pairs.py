"""Simulated trials of pairs that the design makes, and of a criterion that it holds its draw to."""

from collections import Counter

import numpy as np
import pytest

from equipoise.diagnosis.simulated.simulate import simulate_study
from equipoise.findings import analyse
from equipoise.protocol import load_study

PROTOCOL = """\
equipoise: 1
study: {id: alike, title: A trial, kind: trial, question: Does it work?, launch: 2021-03-01 09:00}
participants:
  expected: 60
  roster:
    ref: {type: text, role: identifier}
    site: {type: category, levels: [north, south]}
    age: {type: integer, low: 20, high: 60}
arms: {control: {}, texts: {}}
allocation: {ratio: {control: 1, texts: 1}, when: launch, METHOD}
outcomes:
  score: {column: score, role: primary, good: high}
analyses:
  effect: {outcomes: [score], contrast: texts - control, missing: none}
diagnosis:
  assume:
    score: {mean: 10, sd: 2, effect: {arm: texts, constant: 1}}
"""


@pytest.fixture
def study(tmp_path):
    def make(method):
        (tmp_path / "protocol.yaml").write_text(PROTOCOL.replace("METHOD", method), "utf-8")
        return load_study(tmp_path)

    return make


def test_simulated_people_have_the_pairs_that_the_draw_would_make_and_are_analysed_by_them(study) -> None:
    asked = study("method: matched-pairs, strata: [site], pair: {on: [age]}")
    data = simulate_study(asked, 1).data
    people = data.participants
    pairs = Counter(zip(people["site"], people["pair"], strict=True))
    assert all(count == 2 for (_, pair), count in pairs.items() if pair != "left over")
    whole = people.filter(people["pair"] != "left over")
    sign = np.where(whole["arm"].to_numpy() == "texts", 1.0, -1.0)
    both = whole.with_columns(score=whole["score"] * sign).group_by("site", "pair").agg(d=whole["score"].name)
    differences = np.array([sum(two) for two in both["d"].to_list()])
    effect = next(iter(analyse(asked, data).select(kind="effect")))
    assert effect.estimate == pytest.approx(differences.mean())
    assert effect.std_error == pytest.approx(differences.std(ddof=1) / len(differences) ** 0.5)


def test_simulated_draws_are_held_to_the_criterion(study) -> None:
    asked = study("method: rerandomised, criterion: {covariates: [age], accept: 0.05}")
    apart = []
    for seed in range(8):
        people = simulate_study(asked, seed).data.participants
        means = [people.filter(people["arm"] == arm)["age"].mean() for arm in ("control", "texts")]
        apart.append(abs(means[0] - means[1]) / people["age"].std())
    assert max(apart) < 0.03  # of draws without a criterion, nine in ten are beyond
