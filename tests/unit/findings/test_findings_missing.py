"""What stands beside an effect because answers are missing, from a study and its data to findings."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from equipoise.errors import ProtocolError
from equipoise.estimation.missing.lee import lee_bounds
from equipoise.estimation.missing.partly_identified import effect_interval
from equipoise.findings import Findings, analyse, read_data
from equipoise.protocol import load_study

BASE = "effect.score.after.texts - control"
PLAN = "  effect: {outcomes: %s, contrast: texts - control, adjust: [%s], model: linear, at: after, missing: [%s]%s}"
REST = "  rest: {outcomes: [%s], contrast: texts - control, adjust: [strata], at: after, missing: none}"


def plan(*missing: str, more: str = "", adjust: str = "before, strata", outcome: str = "score") -> str:
    """One outcome with what the case asks for, and the others so that they can be claimed."""
    others = ", ".join(name for name in ("score", "days", "passed") if name != outcome)
    return f"{PLAN % (outcome, adjust, ', '.join(missing), more)}\n{REST % others}"


def found(folder: Path, frame: pd.DataFrame, tmp_path: Path) -> Findings:
    path = tmp_path / "data.csv"
    frame.to_csv(path, index=False)
    study = load_study(folder)
    return analyse(study, read_data(study, path))


@pytest.fixture
def leaving(people: pd.DataFrame) -> pd.DataFrame:
    """The texts bring more answers than the rest, at every site."""
    rng = np.random.default_rng(5)
    kept = rng.random(len(people)) < np.where(people["arm"] == "texts", 0.98, 0.5)
    return people.assign(
        score=people["score"].where(kept), answered_after=(people["score"].notna() & kept) * 1
    )


def test_lee_bounds_are_tightened_by_strata_where_the_arm_moves_response_one_way(folder, leaving, tmp_path):
    results = found(folder(plan("lee")), leaving, tmp_path)
    bounds, interval = results.find(f"{BASE}.lee"), results.find(f"{BASE}.lee.interval")
    code = leaving["arm"].map({"control": 0, "texts": 1, "calls": 2}).to_numpy()
    theirs = lee_bounds(
        leaving["score"], leaving["score"].notna(), code, (-1, 1, 0), cells=leaving["site"].to_numpy(str)
    )
    assert (bounds.interval.low, bounds.interval.high) == pytest.approx((theirs.low, theirs.high))
    assert bounds.interval.level is None
    assert interval.interval.low == pytest.approx(theirs.interval.low)
    assert "assuming the arm moves response one way only" in bounds.model
    assert "Trimmed within strata" in bounds.model
    assert "people who would answer under either arm" in bounds.estimand
    assert bounds.warnings == ()


def test_a_sign_that_varies_by_stratum_blocks_tightening_and_small_differences_are_uninformative(
    folder, people, tmp_path
):
    held = np.ones(len(people), bool)
    for (_, arm), rows in people.groupby(["site", "arm"]).groups.items():
        held[rows] = np.arange(len(rows)) >= (6 if arm == "texts" else 5)
    site_turned = (people["site"] == "north") & (people["arm"] == "texts")
    held[site_turned] = True
    frame = people.assign(score=people["score"].fillna(50).where(held))
    bounds = found(folder(plan("lee")), frame, tmp_path).find(f"{BASE}.lee")
    assert any("not tightened by strata" in warning for warning in bounds.warnings)
    same = people.assign(score=people["score"].fillna(50))
    bounds = found(folder(plan("lee")), same, tmp_path).find(f"{BASE}.lee")
    assert any(warning.startswith("uninformative: response differs by 0.0") for warning in bounds.warnings)


def test_bounds_have_an_interval_that_allows_for_sampling(folder, people, tmp_path):
    results = found(folder(plan("bounds")), people, tmp_path)
    ends = results.find(f"{BASE}.bounds").interval
    filled = [
        [people["score"][people["arm"] == arm].fillna(value) for arm, value in pairs]
        for pairs in ((("texts", 0.0), ("control", 100.0)), (("texts", 100.0), ("control", 0.0)))
    ]
    errors = [np.sqrt(sum(arm.var() / len(arm) for arm in each)) for each in filled]
    theirs = effect_interval((ends.low, ends.high), tuple(errors))
    interval = results.find(f"{BASE}.bounds.interval").interval
    assert (interval.low, interval.high) == pytest.approx((theirs.low, theirs.high), rel=1e-9)
    assert interval.level == 0.95


_ONCE: list[Findings] = []


@pytest.fixture
def imputed(folder, leaving, tmp_path) -> Findings:
    """Analysed once for all tests that look at it; each of them has the study's folder and the data."""
    more = ", auxiliaries: [days, passed, left_employer]"
    frame = leaving.assign(days=leaving["days"].where(leaving["age"] < 60), left_employer=leaving["age"] > 50)
    frame.to_csv(tmp_path / "data.csv", index=False)
    study = folder(plan("imputation", "tipping-point", "response-weights", more=more))
    protocol = study / "protocol.yaml"
    events = "events: {left_employer: treatment-policy}\nanalyses:"
    protocol.write_text(protocol.read_text().replace("analyses:", events))
    if not _ONCE:
        _ONCE.append(found(study, frame, tmp_path))
    return _ONCE[0]


def test_imputation_analyses_everybody_randomised_as_often_as_information_is_missing(imputed):
    effect, plain = imputed.find(f"{BASE}.imputation"), imputed.find(BASE)
    assert effect.kind == "effect"
    assert effect.n == effect.n_randomised == plain.n_randomised
    share = int(effect.model.partition("% of the information")[0].rpartition(" ")[2])
    assert effect.draws >= max(20, share)
    assert "Days, Passed, left employer" in effect.model
    assert "missing answers imputed" in effect.estimand
    assert abs(effect.estimate - plain.estimate) < plain.std_error
    assert 0.5 < effect.std_error / plain.std_error < 1.5


def test_the_same_study_and_data_give_the_same_imputations(imputed, tmp_path):
    study = load_study(tmp_path / "outside")
    again = analyse(study, read_data(study, tmp_path / "data.csv"))
    assert again.to_json() == imputed.to_json()


def test_shifting_what_was_imputed_brings_the_interval_to_zero(imputed):
    effect = imputed.find(f"{BASE}.imputation")
    shifts = {arm: imputed.find(f"{BASE}.imputation.tipping-point.{arm}") for arm in ("control", "texts")}
    clear = effect.interval.low > 0 or effect.interval.high < 0
    for arm, point in shifts.items():
        missing = point.n_missing[arm] / point.n_randomised[arm]
        sign = 1 if arm == "texts" else -1
        moved = effect.estimate + sign * missing * point.estimate
        ends = np.array([effect.interval.low, effect.interval.high]) - effect.estimate + moved
        # the shift of an arm's mean is that of its missing share; the error grows a little with it
        assert np.abs(ends).min() < 0.35 * effect.std_error
        assert clear == (abs(moved) < abs(effect.estimate))
    assert all(point.kind == "bound" and point.tier == "exploratory" for point in shifts.values())


def test_response_weights_are_beside_the_effect_with_their_assumption(imputed):
    effect, plain = imputed.find(f"{BASE}.response-weights"), imputed.find(BASE)
    assert effect.n == plain.n
    assert "Holds if answering depends on nothing else" in effect.model
    assert abs(effect.estimate - plain.estimate) < plain.std_error


def test_yes_or_no_is_imputed_as_such_and_shifted_in_log_odds(folder, people, tmp_path):
    rng = np.random.default_rng(6)
    frame = people.assign(passed=people["passed"].astype(float).where(rng.random(len(people)) < 0.8))
    text = plan(
        "imputation", "tipping-point", more=", auxiliaries: [days]", adjust="strata", outcome="passed"
    )
    results = found(folder(text), frame, tmp_path)
    effect = results.find("effect.passed.after.texts - control.imputation")
    assert abs(effect.estimate) < 1
    point = results.find("effect.passed.after.texts - control.imputation.tipping-point.texts")
    assert point.units == "log-odds"
    assert point.estimate is not None or "no shift up to 6" in point.not_estimable


def test_without_anybody_missing_there_is_nothing_to_impute(folder, people, tmp_path):
    text = plan("imputation", more=", auxiliaries: [passed]", adjust="strata", outcome="days")
    effect = found(folder(text), people, tmp_path).find("effect.days.after.texts - control.imputation")
    assert "nobody's answer is missing" in effect.not_estimable


def test_an_auxiliary_that_the_data_lack_is_named(folder, people, tmp_path):
    text = plan("response-weights", "imputation", more=", auxiliaries: [days]")
    results = found(folder(text), people.drop(columns="days"), tmp_path)
    for way in ("imputation", "response-weights"):
        assert 'no column "days"' in results.find(f"{BASE}.{way}").not_estimable


def test_response_that_differs_clearly_is_told_beside_the_effect(folder, leaving, people, tmp_path):
    told = found(folder(plan("lee")), leaving, tmp_path).find(BASE).warnings
    assert any("response differs between the arms by 2" in warning for warning in told)
    told = found(folder(plan("lee")), people, tmp_path).find(BASE).warnings
    assert not any("response differs" in warning for warning in told)


def test_response_has_a_test_and_is_looked_at_by_what_was_known_before(folder, leaving, tmp_path):
    results = found(folder(), leaving, tmp_path)
    assert results.find("response.after.texts - control").p_value < 0.001
    test = results.find("attrition.after.age")
    frame = leaving.assign(y=leaving["answered_after"], age=leaving["age"] - leaving["age"].mean())
    fit = smf.ols("y ~ C(arm) * age", frame).fit(cov_type="HC2")
    wald = fit.wald_test("C(arm)[T.control]:age = 0, C(arm)[T.texts]:age = 0", use_f=True, scalar=True)
    assert test.statistic == pytest.approx(float(wald.statistic) * test.dof / (test.dof + 1), rel=1e-6)
    heard = leaving[leaving["answered_after"] == 1]
    means = heard.groupby("arm")["age"].agg(["mean", "var"])
    apart = results.find("attrition.after.age.texts - control").standardised.estimate
    pooled = np.sqrt((means["var"]["texts"] + means["var"]["control"]) / 2)
    assert apart == pytest.approx((means["mean"]["texts"] - means["mean"]["control"]) / pooled, rel=1e-6)


def test_events_are_counted_apart_from_not_answering(imputed, leaving):
    lost = leaving["answered_after"] == 0
    left = leaving["age"] > 50
    texts = leaving["arm"] == "texts"
    assert imputed.find("events.unanswered_after.texts").estimate == (lost & texts).sum()
    assert imputed.find("events.left_employer.texts").estimate == (left & texts).sum()
    assert imputed.find("events.left_employer.answered_after.texts").estimate == (left & texts & ~lost).sum()


def test_the_estimand_has_its_five_attributes_in_words(imputed):
    words = imputed.find(BASE).estimand
    for part in (
        "Treatment: Texts against Control, as allocated and whatever was received.",
        "Population: everybody randomised. Each person counts once.",
        "Variable: Score at after.",
        "Events after allocation: left employer: whatever happened, everybody counts in their arm",
        "Not answering is missing data and no such event.",
        "Summary: difference in means, texts - control.",
        "Estimated: as randomised, among those who answered.",
    ):
        assert part in words


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (plan("imputation"), "missing: imputation needs `auxiliaries:`"),
        (plan("lee", more=", auxiliaries: [days]"), "auxiliaries: nothing uses them"),
        (plan("imputation", more=", auxiliaries: [before]"), '"before" is adjusted for, so it predicts already'),
        (plan("imputation", more=", auxiliaries: [score]"), '"score" is the outcome itself'),
        (plan("imputation", more=", auxiliaries: [after]"), '"after" is when the outcome itself is looked at'),
        (plan("imputation", more=", auxiliaries: [dayz]"), 'Did you mean "days"'),
        (
            plan("response-weights", adjust=""),
            "response-weights need `adjust:` or `auxiliaries:`",
        ),
    ],
)  # fmt: skip
def test_what_missing_answers_need_is_checked_before_the_lock(folder, text, message):
    with pytest.raises(ProtocolError) as refused:
        load_study(folder(text))
    assert message in str(refused.value)
