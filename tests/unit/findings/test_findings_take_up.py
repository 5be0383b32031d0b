"""Effects among those who took something up, from the protocol's words to findings that say what they assume."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from equipoise.estimation.effects.instrumental import complier_effect
from equipoise.findings import Findings, analyse, read_data
from equipoise.protocol import load_study

EFFECT = "  effect: {contrast: texts - control, adjust: [strata], at: after}\n"
COMPLIERS = (
    EFFECT
    + """\
  readers: {contrast: texts - control, adjust: [strata], outcomes: score, at: after, target: complier,
            take-up: read_any, assumption: texts act only by being read, supplementary-to: effect}
  followers: {contrast: texts - control, adjust: [strata], outcomes: score, at: after, kind: per-protocol,
              take-up: read_any, supplementary-to: effect}
"""
)


@pytest.fixture
def readers(people) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    people["read_any"] = np.where((people["arm"] == "texts") & (rng.random(len(people)) < 0.6), "yes", "no")
    return people


def found(folder, frame, tmp_path, analyses=COMPLIERS) -> Findings:
    study = load_study(folder(analyses))
    frame.to_csv(tmp_path / "participants.csv", index=False)
    return analyse(study, read_data(study, tmp_path / "participants.csv"))


def test_the_effect_among_compliers_is_that_of_the_estimator_and_states_its_assumption(
    folder, readers, tmp_path
):
    effect = found(folder, readers, tmp_path).find("readers.score.after.texts - control")
    kept = readers[readers["score"].notna()]
    code = kept["arm"].map({"control": 0, "texts": 1, "calls": 2}).to_numpy()
    direct = complier_effect(
        kept["score"], code, (-1, 1, 0), (kept["read_any"] == "yes").astype(float), strata=kept["site"]
    )
    assert effect.estimate == pytest.approx(direct.effect.estimate, rel=1e-10)
    assert effect.std_error == pytest.approx(direct.effect.std_error, rel=1e-10)
    assert effect.tier == "exploratory"  # the study is not locked
    assert "assuming: texts act only by being read" in effect.estimand
    assert "assumes: texts act only by being read" in effect.warnings
    assert any("first-stage F" in warning for warning in effect.warnings)
    assert effect.model.startswith("two-stage least squares, read any moved by the allocation alone")


def test_its_anderson_rubin_interval_stands_beside_it_with_the_p_value_of_the_allocation(
    folder, readers, tmp_path
):
    findings = found(folder, readers, tmp_path)
    beside = findings.find("readers.score.after.texts - control.anderson-rubin")
    effect = findings.find("readers.score.after.texts - control")
    assert beside.estimate == effect.estimate
    assert beside.interval.low < effect.estimate < beside.interval.high
    assert beside.std_error is None
    assert beside.warnings == ()


def test_an_interval_without_ends_says_that_take_up_hardly_differed(folder, readers, tmp_path):
    rng = np.random.default_rng(1)
    readers["read_any"] = np.where(rng.random(len(readers)) < 0.5, "yes", "no")
    findings = found(folder, readers, tmp_path)
    beside = findings.find("readers.score.after.texts - control.anderson-rubin")
    assert beside.interval.low is None
    assert beside.interval.high is None
    assert "take-up hardly differed between the arms" in beside.warnings[0]
    effect = findings.find("readers.score.after.texts - control")
    assert any("only the Anderson-Rubin interval can be relied upon" in text for text in effect.warnings)


REDRAWN = COMPLIERS.replace("target: complier,", "target: complier, test: {by: randomisation, draws: 2000},")


@pytest.fixture
def few_readers(readers) -> pd.DataFrame:
    """Five people of one site in each arm, all of whom answered; four of those texted read."""
    rng = np.random.default_rng(9)
    answered = readers[readers["score"].notna() & (readers["site"] == "north")]
    few = pd.concat([answered[answered["arm"] == arm].head(5) for arm in ("control", "texts", "calls")])
    few["score"] = rng.normal(50, 5, 15).round(1) + 12 * (few["arm"] == "texts")
    few["read_any"] = np.where((few["arm"] == "texts") & (np.arange(15) != 9), "yes", "no")
    others = readers[(readers["site"] != "north") & (readers["arm"] == "control")]
    silent = others.drop_duplicates("site").assign(score=np.nan)  # their sites say nothing here
    return pd.concat([few, silent], ignore_index=True)


def test_an_effect_among_compliers_is_tested_and_its_interval_found_by_all_allocations(
    folder, few_readers, tmp_path
):
    """An effect of b is tested by outcomes less b times what was taken up, each allocation by itself."""
    effect = found(folder, few_readers, tmp_path, REDRAWN).find("readers.score.after.texts - control")
    ten = few_readers[(few_readers["arm"] != "calls") & few_readers["score"].notna()]
    y, taken = ten["score"].to_numpy(), (ten["read_any"] == "yes").to_numpy().astype(float)
    texts = (ten["arm"] == "texts").to_numpy()
    allocations = np.array([np.isin(range(10), chosen) for chosen in combinations(range(10), 5)])

    def p_value(b: float) -> float:
        left = y - b * taken
        tops, bottoms = (np.array([left[rows] for rows in given]) for given in (allocations, ~allocations))
        error = np.sqrt((tops.var(axis=1, ddof=1) + bottoms.var(axis=1, ddof=1)) / 5)
        t = np.abs(tops.mean(axis=1) - bottoms.mean(axis=1)) / error
        return float(np.mean(t >= t[(allocations == texts).all(axis=1)] - 1e-9))

    assert effect.draws == 252
    assert effect.p_value == pytest.approx(p_value(0.0))
    assert effect.estimate == pytest.approx((y[texts].mean() - y[~texts].mean()) / taken[texts].mean())
    low, high = effect.interval.low, effect.interval.high
    for inside, outside in ((low + 1e-6, low - 1e-6), (high - 1e-6, high + 1e-6)):
        assert p_value(inside) > 0.05 >= p_value(outside)
    assert "(Anderson-Rubin)" in effect.model
    assert "all 252 allocations" in effect.model


def test_its_interval_has_no_ends_where_the_draw_does_not_tell_that_take_up_differs(
    folder, few_readers, tmp_path
):
    few_readers["read_any"] = np.where(np.arange(17) % 4 == 1, "yes", "no")
    findings = found(folder, few_readers, tmp_path, REDRAWN)
    effect = findings.find("readers.score.after.texts - control")
    assert (effect.interval.low, effect.interval.high) == (None, None)
    assert any("by re-drawing has no ends" in warning for warning in effect.warnings)
    beside = findings.find("readers.score.after.texts - control.anderson-rubin")
    assert beside.draws is None


def test_take_up_that_some_lack_gives_no_estimate_and_says_what_to_do(folder, readers, tmp_path):
    readers.loc[readers["score"].notna().idxmax(), "read_any"] = None
    effect = found(folder, readers, tmp_path).find("readers.score.after.texts - control")
    assert effect.estimate is None
    assert "is not known for 1 of" in effect.not_estimable
    assert "fill the column in" in effect.not_estimable


@pytest.mark.parametrize(
    ("column", "said"),
    [(None, "a column that the data do not have"), ("perhaps", "expected numbers, or yes and no")],
)
def test_take_up_that_cannot_be_read_is_named(folder, readers, tmp_path, column, said):
    readers = readers.drop(columns="read_any") if column is None else readers.assign(read_any=column)
    for analysis in ("readers", "followers"):
        effect = found(folder, readers, tmp_path).find(f"{analysis}.score.after.texts - control")
        assert said in effect.not_estimable


def test_a_per_protocol_analysis_compares_those_who_followed_and_says_that_lots_did_not(
    folder, readers, tmp_path
):
    findings = found(folder, readers, tmp_path)
    effect = findings.find("followers.score.after.texts - control")
    follows = (readers["arm"] == "texts") == (readers["read_any"] == "yes")
    kept = readers[follows & readers["score"].notna() & readers["arm"].isin(["control", "texts"])]
    counts = kept["arm"].value_counts()
    assert {arm: effect.n[arm] for arm in ("control", "texts")} == counts.to_dict()
    assert effect.n_randomised["texts"] == int((readers["arm"] == "texts").sum())
    assert any(warning.startswith("not randomised:") for warning in effect.warnings)
    assert not [one for one in findings if one.analysis == "followers" and one.kind == "bound"]


def test_a_column_that_names_the_arm_received_says_who_followed(folder, readers, tmp_path):
    received = readers["arm"].where(readers["arm"] != "calls", "texts")
    named = found(folder, readers.assign(read_any=received), tmp_path)
    effect = named.find("followers.score.after.texts - control")
    assert effect.n["calls"] == 0
    assert effect.n["texts"] == int((readers["score"].notna() & (readers["arm"] == "texts")).sum())


def test_nothing_that_is_about_the_effect_as_randomised_stands_beside_an_effect_of_takers(
    folder, readers, tmp_path
):
    takers = """\
  takers: {contrast: texts - control, adjust: none, outcomes: passed, at: after, target: complier,
           take-up: read_any, assumption: texts act only by being read}
  followers: {contrast: texts - control, adjust: none, outcomes: passed, at: after, kind: per-protocol,
              take-up: read_any}
"""
    findings = found(folder, readers, tmp_path, EFFECT + takers)
    assert len([one for one in findings if one.analysis == "takers"]) == 2
    assert len([one for one in findings if one.analysis == "followers"]) == 1


def test_take_up_may_be_an_outcome_of_the_wave_looked_at(folder, readers, tmp_path):
    readers["passed"] = (readers["read_any"] == "yes").astype(int)
    named = found(folder, readers, tmp_path).find("readers.score.after.texts - control")
    through = found(folder, readers, tmp_path, COMPLIERS.replace("read_any", "passed"))
    assert through.find("readers.score.after.texts - control").estimate == named.estimate


def test_a_dose_that_the_frame_leaves_empty_is_nought(folder, readers, tmp_path):
    readers["dose_delivered"] = np.where(readers["read_any"] == "yes", 3.0, np.nan)
    study = folder(COMPLIERS.replace("read_any", "dose_delivered"))
    contact = (
        "contacts:\n  news: {to: {arm: texts}, channel: email, template: messages/news.md, from: launch}\n"
    )
    protocol = (study / "protocol.yaml").read_text()
    (study / "protocol.yaml").write_text(protocol.replace("analyses:\n", f"{contact}analyses:\n", 1))
    (study / "messages").mkdir()
    (study / "messages" / "news.md").write_text("---\nsubject: News\n---\nThank you.\n")
    readers.to_csv(tmp_path / "participants.csv", index=False)
    loaded = load_study(study)
    effect = analyse(loaded, read_data(loaded, tmp_path / "participants.csv")).find(
        "readers.score.after.texts - control"
    )
    assert effect.not_estimable is None
    once = found(folder, readers, tmp_path).find("readers.score.after.texts - control")
    assert effect.estimate == pytest.approx(once.estimate / 3, rel=1e-9)
