"""Families of claims, interim looks and margins, from the data of a study to its findings."""

import json

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from equipoise.errors import ProtocolError
from equipoise.estimation.looks.boundaries import (
    boundaries,
    nominal_levels,
    p_value_within_share,
    sequential_p_value,
)
from equipoise.estimation.looks.stopped import estimate_after_looks
from equipoise.findings import analyse, read_data
from equipoise.protocol import load_study, lock

EFFECT = "  effect: {contrast: texts - control, adjust: none, model: linear, at: after}"
BOTH = "  effect: {contrast: each - control, adjust: none, model: linear, variance: classical, dof: residual, at: after}"
SCORE = "effect.score.after.texts - control"


@pytest.fixture
def locked(folder):
    """A function that writes the study with these analyses and other lines, and locks it."""

    def make(analyses=EFFECT, testing=None, more=""):
        path = folder(analyses)
        text = (path / "protocol.yaml").read_text()
        if testing is not None:
            text = text[: text.index("testing:")] + testing
        (path / "protocol.yaml").write_text(text + more)
        (path / "lock.json").unlink(missing_ok=True)
        registration = lock(
            load_study(path), time="2021-02-01T09:00:00+00:00", seed_commitment=None, version="0.1.0"
        )
        (path / "lock.json").write_text(registration.model_dump_json(by_alias=True))
        return load_study(path)

    return make


@pytest.fixture
def found(tmp_path, people):
    """A function that analyses people, with the looks that a workspace kept of them."""

    def make(study, *looks, frame=people):
        place = tmp_path / "data"
        place.mkdir(exist_ok=True)
        frame.to_csv(place / "participants.csv", index=False)
        (place / "dictionary.json").write_text(json.dumps({"source": "outside", "looks": looks}))
        return analyse(study, read_data(study, place))

    return make


def look(answered, **given):
    return {"on": "2021-04-20", "kind": "export", "answered": answered, "asked": 420, "declared": True,
            "sealed": False, **given}  # fmt: skip


LOOKS = "looks: [{at: 0.5 of answers, spend: obrien-fleming}]\n"


@pytest.mark.parametrize(("word", "theirs"), [("hommel", "hommel"), ("benjamini-yekutieli", "fdr_by")])
def test_a_step_shares_its_error_rate_by_the_method_that_the_protocol_names(locked, found, word, theirs):
    study = locked(testing=f"testing:\n  - {{claims: [score, days, passed], method: {word}}}\n")
    results = found(study)
    effects = [results.find(f"effect.{name}.after.texts - control") for name in ("score", "days", "passed")]
    expected = multipletests([one.p_value for one in effects], method=theirs)[1]
    assert [one.p_adjusted for one in effects] == pytest.approx(expected, abs=1e-12)
    assert {one.tested_together for one in effects} == {3}


@pytest.mark.parametrize("method", ["hommel", "benjamini-yekutieli", "dunnett"])
def test_no_method_opens_a_step_that_an_earlier_one_has_not_reached(locked, found, method):
    last = "[passed]" if method == "dunnett" else "[score, passed]"
    text = f"testing:\n  - {{claims: [days]}}\n  - {{then: {last}, method: {method}}}\n"
    results = found(locked(BOTH, text))
    arms = ("texts", "calls")
    first = [results.find(f"effect.days.after.{arm} - control") for arm in arms]
    assert {one.decision for one in first} == {"not-rejected"}
    later = [results.find(f"effect.passed.after.{arm} - control") for arm in arms]
    assert {(one.decision, one.p_adjusted, one.confirmatory) for one in later} == {
        ("not-tested", None, False)
    }


def test_arms_with_a_shared_control_are_tested_by_dunnett_as_scipy_does(locked, found, people):
    study = locked(BOTH, "testing:\n  - {claims: [score], method: dunnett}\n")
    results = found(study)
    arms = [people.loc[people["arm"] == arm, "score"].dropna() for arm in ("control", "texts", "calls")]
    theirs = stats.dunnett(*arms[1:], control=arms[0], random_state=3)
    for number, arm in enumerate(("texts", "calls")):
        effect = results.find(f"effect.score.after.{arm} - control")
        assert effect.statistic == pytest.approx(theirs.statistic[number], rel=1e-8)
        assert effect.p_adjusted == pytest.approx(theirs.pvalue[number], abs=5e-4)


def test_dunnett_for_several_outcomes_is_refused_with_the_remedy(locked):
    with pytest.raises(
        ProtocolError, match=r"days\.after, score\.after with texts - control.*Take holm or hommel"
    ):
        locked(testing="testing:\n  - {claims: [score, days], method: dunnett}\n")


@pytest.mark.parametrize(
    ("looks", "said"),
    [
        ("[{at: halfway}]", "not a share of the answers"),
        ("[{at: 1.5 of answers}]", "a number between 0 and 1"),
        ("[{at: 0.5 of answers}, {at: 0.3 of answers}]", "does not come after"),
        ("[{at: 0.3 of answers}, {at: 0.5 of answers, spend: pocock}]", "choose one for all looks"),
    ],
)
def test_looks_that_cannot_be_are_refused_at_the_load(locked, looks, said):
    with pytest.raises(ProtocolError, match=said):
        locked(more=f"looks: {looks}\n")


def test_after_a_declared_look_the_final_test_spends_what_is_left(locked, found, people):
    answers = int(people["score"].notna().sum())
    effect = found(locked(more=LOOKS), look(140)).find(SCORE)
    assert effect.p_adjusted == pytest.approx(
        sequential_p_value(effect.p_value, [140, answers], [0.5, 1], "obrien-fleming"), rel=1e-9
    )
    level = nominal_levels(boundaries([140, answers], [0.5, 1], "obrien-fleming"))[-1]
    assert any("as the protocol declares (on 2021-04-20, when 140 of 420" in one for one in effect.warnings)
    assert any(f"p-value of {level:.4f} or less here, in place of 0.05" in one for one in effect.warnings)
    assert (effect.decision == "rejected") == (effect.p_value <= level)


def test_claims_drawn_again_together_share_what_is_spent_at_the_look(locked, found):
    step = "testing:\n  - {claims: [days, score], method: westfall-young}\n"
    ids = [f"effect.{name}.after.texts - control" for name in ("days", "score")]
    alone, looked = found(locked(testing=step)), found(locked(testing=step, more=LOOKS), look(140))
    for one in ids:
        together = alone.find(one).p_adjusted
        # the draws hang on the hash of the protocol, which declares looks or not
        expected = p_value_within_share(together, [0.5, 1], "obrien-fleming")
        assert looked.find(one).p_adjusted == pytest.approx(expected, abs=0.03)
        assert looked.find(one).p_adjusted > looked.find(one).p_value
        assert any("that share is used which is spent at this look" in w for w in looked.find(one).warnings)


def test_the_estimate_after_looks_stands_beside_the_plain_one(locked, found, people):
    answers = int(people["score"].notna().sum())
    results = found(locked(more=LOOKS), look(140))
    effect, beside = results.find(SCORE), results.find(f"{SCORE}.allowing-for-looks")
    z = np.sign(effect.estimate) * stats.norm.isf(effect.p_value / 2)
    bounds = boundaries([140, answers], [0.5, 1], "obrien-fleming")
    expected = estimate_after_looks(z, effect.std_error, [140, answers], bounds[:1])
    assert beside.estimate == pytest.approx(expected.estimate, rel=1e-8)
    assert beside.interval.high == pytest.approx(expected.interval.high, rel=1e-8)
    assert beside.tier == "sensitivity"


def test_the_analysis_of_a_look_decides_by_its_own_bound_and_gives_the_conditional_power(
    locked, found, people
):
    assumed = "diagnosis: {assume: {score: {mean: 50, sd: 10, effect: 3}}}\n"
    early = people.copy()
    early.loc[np.random.default_rng(1).random(len(early)) < 0.5, "score"] = np.nan
    now = int(early["score"].notna().sum())
    results = found(locked(more=LOOKS + assumed), look(now), frame=early)
    effect = results.find(SCORE)
    level = nominal_levels(boundaries([now], [0.5], "obrien-fleming"))[-1]
    assert level == pytest.approx(0.00305, abs=1e-5)
    assert effect.decision == ("rejected" if effect.p_value <= level else "not-rejected")
    assert any("the analysis of such a look" in one for one in effect.warnings)
    power = {
        name: results.find(f"{SCORE}.conditional-power.{name}").estimate for name in ("trend", "assumed")
    }
    z = np.sign(effect.estimate) * stats.norm.isf(effect.p_value / 2)
    last = boundaries([1, 2], [0.5, 1], "obrien-fleming")[-1]
    for name, drift in (("trend", z * np.sqrt(2)), ("assumed", 3 / effect.std_error * np.sqrt(2))):
        mean = z * np.sqrt(0.5) + drift * 0.5
        by_hand = stats.norm.sf((last - mean) / np.sqrt(0.5)) + stats.norm.cdf((-last - mean) / np.sqrt(0.5))
        assert power[name] == pytest.approx(by_hand, abs=1e-9)


def test_declared_looks_that_were_not_made_leave_the_whole_error_rate(locked, found):
    results = found(locked(more=LOOKS))
    effect = results.find(SCORE)
    assert effect.p_adjusted == pytest.approx(effect.p_value, rel=1e-8)
    assert any("the data tell of none" in one for one in effect.warnings)
    assert not [one for one in results if one.id.endswith("allowing-for-looks")]


def test_an_undeclared_look_spends_nothing_and_is_told_of(locked, found):
    effect = found(locked(more=LOOKS), look(140, declared=False)).find(SCORE)
    assert effect.p_adjusted == pytest.approx(effect.p_value, rel=1e-8)
    assert any("the stated error rate no longer holds" in one for one in effect.warnings)


def test_every_step_after_the_first_allows_for_the_looks_too(locked, found, people):
    strong = people.assign(score=(people["score"] + 20 * (people["arm"] == "texts")).clip(upper=100))
    answers = int(people["score"].notna().sum())
    results = found(locked(more=LOOKS), look(140), frame=strong)
    assert results.find(SCORE).decision == "rejected"
    pair = [results.find(f"effect.{name}.after.texts - control") for name in ("days", "passed")]
    alone = [sequential_p_value(one.p_value, [140, answers], [0.5, 1], "obrien-fleming") for one in pair]
    expected = multipletests(alone, method="holm")[1]
    assert [one.p_adjusted for one in pair] == pytest.approx(expected, rel=1e-8)


def test_a_margin_brings_the_share_of_the_interval_inside_it(locked, found):
    results = found(locked())
    effect = results.find(SCORE)
    low, high = effect.interval.low, effect.interval.high
    share = max(0, min(high, 2) - max(low, -2)) / (high - low) * max((high - low) / 8, 1)
    assert effect.second_generation == pytest.approx(share, abs=1e-12)
    assert results.find("effect.days.after.texts - control").second_generation is None
