"""What the estimand does about events after the allocation, from the protocol's word to the finding."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise.errors import NotSupportedError, ProtocolError
from equipoise.findings import Findings, analyse, read_data
from equipoise.protocol import load_study

BASE = "effect.score.after.texts - control"
SCORE = "  effect: {outcomes: score, contrast: texts - control, adjust: none, model: linear, at: after, missing: bounds}"
REST = "  rest: {outcomes: [days, passed], contrast: texts - control, adjust: none, at: after, missing: none}"


@pytest.fixture
def moved(people: pd.DataFrame) -> pd.DataFrame:
    """More of those who got texts left; some who left had answered."""
    rng = np.random.default_rng(8)
    return people.assign(
        left_employer=(rng.random(len(people)) < np.where(people["arm"] == "texts", 0.2, 0.1)) * 1
    )


def found(
    folder, people: pd.DataFrame, tmp_path: Path, strategy: str, analyses: str = f"{SCORE}\n{REST}"
) -> Findings:
    made = folder(analyses)
    text = (made / "protocol.yaml").read_text()
    text = text.replace("good: low, scale: count", "good: low, scale: count, range: [0, 28]")
    (made / "protocol.yaml").write_text(
        text.replace("analyses:", f"events: {{left_employer: {strategy}}}\nanalyses:", 1)
    )
    people.to_csv(tmp_path / "data.csv", index=False)
    study = load_study(made)
    return analyse(study, read_data(study, tmp_path / "data.csv"))


def difference(values: pd.Series, arm: pd.Series) -> float:
    means = values.groupby(arm).mean()
    return float(means["texts"] - means["control"])


def test_a_composite_event_counts_as_the_worst_value_whether_somebody_answered_or_not(
    folder, moved, tmp_path
):
    results = found(folder, moved, tmp_path, "composite")
    left = moved["left_employer"] == 1
    effect = results.find(BASE)
    assert effect.estimate == pytest.approx(difference(moved["score"].mask(left, 0.0), moved["arm"]))
    days = results.find("rest.days.after.texts - control")
    assert days.estimate == pytest.approx(difference(moved["days"].mask(left, 28.0), moved["arm"]))
    passed = results.find("rest.passed.after.texts - control")
    assert passed.estimate == pytest.approx(difference(moved["passed"].mask(left, 0), moved["arm"]))
    assert effect.n["texts"] == int((moved["score"].notna() | left)[moved["arm"] == "texts"].sum())
    assert "left employer: counts as the worst value of the outcome (composite)" in effect.estimand
    inside = left & moved["arm"].isin(["texts", "control", "calls"])
    assert f"left employer: {inside.sum()} people count with the worst value" in " ".join(effect.warnings)


def test_a_hypothetical_event_sets_the_answers_aside_and_the_bounds_allow_for_it(folder, moved, tmp_path):
    results = found(folder, moved, tmp_path, "hypothetical")
    kept = moved["score"].mask(moved["left_employer"] == 1)
    effect = results.find(BASE)
    assert effect.estimate == pytest.approx(difference(kept, moved["arm"]))
    assert effect.n_missing["texts"] == int(kept[moved["arm"] == "texts"].isna().sum())
    assert "as if it had not happened" in effect.estimand
    assert "set aside (hypothetical strategy)" in " ".join(effect.warnings)
    worst, best = kept.fillna(0.0), kept.fillna(100.0)
    texts = moved["arm"] == "texts"
    bounds = results.find(f"{BASE}.bounds").interval
    assert bounds.low == pytest.approx(difference(worst.where(texts, best), moved["arm"]))
    assert bounds.high == pytest.approx(difference(best.where(texts, worst), moved["arm"]))


def test_treatment_policy_and_descriptions_take_outcomes_as_they_are(folder, moved, tmp_path):
    plain = found(folder, moved, tmp_path, "treatment-policy").find(BASE)
    assert plain.estimate == pytest.approx(difference(moved["score"], moved["arm"]))
    described = [
        one
        for one in found(folder, moved, tmp_path, "composite")
        if one.id == "description.score.after.texts"
    ]
    assert [one.estimate for one in described] == [
        pytest.approx(moved["score"][moved["arm"] == "texts"].mean())
    ]


def test_a_composite_without_a_worst_value_is_refused_when_the_protocol_is_checked(folder, moved, tmp_path):
    made = folder(f"{SCORE}\n{REST}")
    text = (made / "protocol.yaml").read_text()
    (made / "protocol.yaml").write_text(
        text.replace("analyses:", "events: {left_employer: composite}\nanalyses:", 1)
    )
    with pytest.raises(ProtocolError, match=r'events\.left_employer.*"days" has none: give it `range:`'):
        load_study(made)


@pytest.mark.parametrize("strategy", ["while-on-treatment", "principal-stratum"])
def test_a_strategy_that_needs_more_than_the_frame_knows_is_refused(folder, moved, tmp_path, strategy):
    with pytest.raises(NotSupportedError, match=rf"events\.left_employer: the strategy {strategy}"):
        found(folder, moved, tmp_path, strategy)
