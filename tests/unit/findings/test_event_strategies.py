"""What the estimand does about events after the allocation, from the protocol's word to the finding."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise.errors import ProtocolError, RosterError
from equipoise.estimation.mixed.mmrm import fit_repeated
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


TWO_WAVES = (
    (
        "  after: {",
        "  middle: {survey: nothing, opens: launch + 2 weeks, closes: launch + 4 weeks}\n  after: {",
    ),
    ("waves: [after], role: primary", "waves: [middle, after], role: primary"),
)
AT_BOTH = "  effect: {outcomes: score, contrast: texts - control, adjust: none, model: linear, at: [middle, after], missing: none}"
HOUR = pd.Timedelta(hours=1)
OPENED = {
    wave: pd.Timestamp(day, tz="UTC") for wave, day in (("middle", "2021-03-15"), ("after", "2021-04-26"))
}


@pytest.fixture
def dated(people: pd.DataFrame) -> pd.DataFrame:
    """The score at two waves with the time of each answer, and when people left: before, between, after."""
    rng = np.random.default_rng(5)
    left = rng.random(len(people)) < np.where(people["arm"] == "texts", 0.4, 0.2)
    day = pd.Timestamp("2021-03-02", tz="UTC") + pd.to_timedelta(rng.integers(0, 2400, len(people)), unit="h")
    frame = people.drop(columns="score").assign(
        score_middle=people["score"].sample(frac=1, random_state=1).to_numpy(),
        score_after=people["score"],
        left_employer=left * 1,
        left_employer_at=pd.Series(day).where(left),
    )
    for wave, opens in OPENED.items():
        answered = opens + pd.to_timedelta(rng.integers(0, 300, len(people)), unit="h")
        frame[f"answered_{wave}"] = pd.Series(answered).where(frame[f"score_{wave}"].notna())
    return frame


def of_events(folder, people, tmp_path, events: str, analyses: str, *changes: tuple[str, str]) -> Findings:
    made = folder(analyses)
    text = (made / "protocol.yaml").read_text()
    for before, after in (*changes, ("  - {then: [days, passed], method: holm}\n", "")):
        text = text.replace(before, after)
    (made / "protocol.yaml").write_text(text.replace("analyses:", f"events: {{{events}}}\nanalyses:", 1))
    people.to_csv(tmp_path / "data.csv", index=False)
    study = load_study(made)
    return analyse(study, read_data(study, tmp_path / "data.csv"))


def until_left(people: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Both waves as last answered before leaving, person by person."""
    closes = {"middle": pd.Timestamp("2021-03-29", tz="UTC"), "after": pd.Timestamp("2021-05-24", tz="UTC")}
    rows = []
    for _, one in people.iterrows():
        known, kept = np.nan, []
        for wave in ("middle", "after"):
            answered, left = one[f"answered_{wave}"], one["left_employer_at"]
            gone_first = pd.notna(left) and not answered <= left and left < closes[wave]
            known = known if gone_first else one[f"score_{wave}"]
            kept.append(known)
        rows.append(kept)
    return tuple(pd.Series(column, index=people.index) for column in zip(*rows, strict=True))


def test_while_on_treatment_takes_the_last_answer_before_the_event(folder, dated, tmp_path):
    results = of_events(folder, dated, tmp_path, "left_employer: while-on-treatment", AT_BOTH, *TWO_WAVES)
    middle, after = until_left(dated)
    carried = (after == dated["score_middle"]) & dated["score_after"].ne(after)
    assert carried.any()  # somebody's earlier answer stands for the later wave
    assert (after.isna() & dated["score_after"].notna()).any()  # somebody had answered nothing by then
    for wave, values in (("middle", middle), ("after", after)):
        effect = results.find(f"effect.score.{wave}.texts - control")
        assert effect.estimate == pytest.approx(difference(values, dated["arm"]), abs=1e-10)
        assert effect.n["texts"] == int(values[dated["arm"] == "texts"].notna().sum())
    assert "Score at after, or as last answered before left employer where that came first" in effect.estimand
    assert "left employer: what was last answered before it counts (while on treatment)" in effect.estimand
    missing = int((dated["left_employer"].eq(1) & after.isna()).sum())
    assert f"last answered by then, {missing} are missing" in " ".join(effect.warnings)


def test_repeated_waves_are_those_last_answered_before_the_event(folder, dated, tmp_path):
    both = AT_BOTH.replace("model: linear", "model: mmrm")
    effect = of_events(folder, dated, tmp_path, "left_employer: while-on-treatment", both, *TWO_WAVES).find(
        "effect.score.after"
    )
    waves = np.stack(until_left(dated), axis=1)
    known = ~np.isnan(waves).all(axis=1)
    arm = dated["arm"].map({"control": 0, "texts": 1, "calls": 2}).to_numpy()
    engine = fit_repeated(waves[known], arm[known], arms=3).contrast(
        np.array([-1.0, 1.0, 0.0]), np.array([0.0, 1.0])
    )
    assert effect.estimate == pytest.approx(engine.estimate, rel=1e-6)


@pytest.mark.parametrize("written", ["%Y-%m-%d", "%Y-%m-%d 00:00:00", "%Y-%m-%dT00:00"])
def test_with_one_wave_an_answer_after_the_event_is_missing_and_one_on_its_day_counts(
    folder, dated, tmp_path, written
):
    one = dated.rename(columns={"score_after": "score"}).drop(columns=["score_middle", "answered_middle"])
    one["left_employer_at"] = one["left_employer_at"].dt.strftime(written)
    effect = of_events(folder, one, tmp_path, "left_employer: while-on-treatment", SCORE).find(BASE)
    day = pd.to_datetime(one["left_employer_at"].str[:10], utc=True)
    gone = day.notna() & ~(one["answered_after"] < day + pd.Timedelta(days=1))
    gone &= day < pd.Timestamp("2021-05-24", tz="UTC")
    assert effect.estimate == pytest.approx(difference(one["score"].mask(gone), one["arm"]), abs=1e-10)


@pytest.mark.parametrize(
    ("lost", "why"),
    [
        ("left_employer_at", 'fill in the column "left_employer_at"'),
        ("answered_after", "it is not known which came first"),
    ],
)
def test_an_event_or_answer_without_a_date_is_no_estimate(folder, dated, tmp_path, lost, why):
    one = dated.rename(columns={"score_after": "score"}).drop(columns=[lost])
    effect = of_events(folder, one, tmp_path, "left_employer: while-on-treatment", SCORE).find(BASE)
    assert effect.estimate is None
    assert why in str(effect.not_estimable)


def test_a_date_of_what_did_not_happen_is_refused(folder, dated, tmp_path):
    wrong = dated.rename(columns={"score_after": "score"}).assign(left_employer=0)
    with pytest.raises(RosterError, match=r'left_employer_at.*"left_employer" says that it did not happen'):
        of_events(folder, wrong, tmp_path, "left_employer: while-on-treatment", SCORE)


def test_of_several_events_composite_counts_first_then_hypothetical(folder, dated, tmp_path):
    rng = np.random.default_rng(2)
    both = dated.assign(
        opted_out=(rng.random(len(dated)) < 0.3) * 1, moved=(rng.random(len(dated)) < 0.3) * 1
    )
    events = "left_employer: while-on-treatment, opted_out: hypothetical, moved: composite"
    effect = of_events(folder, both, tmp_path, events, AT_BOTH, *TWO_WAVES).find("effect.score.after")
    values = until_left(dated)[1].mask(both["opted_out"] == 1).mask(both["moved"] == 1, 0.0)
    assert effect.estimate == pytest.approx(difference(values, both["arm"]), abs=1e-10)


def test_a_principal_stratum_is_bounded_and_not_estimated(folder, moved, tmp_path):
    results = of_events(folder, moved, tmp_path, "left_employer: principal-stratum", SCORE)
    effect, bounds = results.find(BASE), results.find(f"{BASE}.principal-stratum")
    assert effect.estimate is None
    assert effect.p_value is None
    assert effect.decision == "none"
    assert "nobody is seen in both arms" in str(effect.not_estimable)
    assert "to whom left employer would happen in neither arm" in effect.estimand
    assert (bounds.kind, bounds.interval.level) == ("bound", None)
    assert "assuming that the arm moves left employer one way only" in bounds.model
    spared = moved["left_employer"] == 0
    shares = spared.groupby(moved["arm"]).mean()
    texts, control = (moved["score"][spared & (moved["arm"] == arm)].dropna() for arm in ("texts", "control"))
    assert shares["control"] > shares["texts"]  # so that control is trimmed
    kept = len(control) * shares["texts"] / shares["control"]
    ends = []
    for values in (np.sort(control)[::-1], np.sort(control)):
        part = np.clip(kept - np.arange(len(values)), 0, 1)
        ends.append(texts.mean() - part @ values / kept)
    assert (bounds.interval.low, bounds.interval.high) == pytest.approx(tuple(ends), rel=1e-10)
    assert bounds.n["texts"] == len(texts)
    assert "Estimated: by bounds only, from those who answered" in effect.estimand
    silent = int((spared & moved["score"].isna() & moved["arm"].isin(["texts", "control"])).sum())
    assert f"{silent} people did not answer" in " ".join(bounds.warnings)
    interval = results.find(f"{BASE}.principal-stratum.interval").interval
    assert interval.low < bounds.interval.low < bounds.interval.high < interval.high
    either = results.find(f"{BASE}.principal-stratum.any-direction")
    assert either.interval.low < bounds.interval.low < bounds.interval.high < either.interval.high
    assert "whichever way the arm moves it in whom" in either.model


@pytest.mark.parametrize(
    ("strategy", "analyses", "why"),
    [
        ("principal-stratum", SCORE.replace("at: after", "at: after, by: site"), "effect is by site"),
        (
            "principal-stratum",
            SCORE.replace("texts - control", "(texts + calls) / 2 - control"),
            "more than two",
        ),
        (
            "while-on-treatment",
            f"{SCORE}\n{REST.replace('[days, passed]', 'once')}",
            '"once" is measured in no',
        ),
    ],
)
def test_what_a_strategy_cannot_be_asked_is_refused_when_the_protocol_is_checked(
    folder, moved, tmp_path, strategy, analyses, why
):
    once = ("outcomes:\n", "outcomes:\n  once: {column: once, role: secondary}\n")
    with pytest.raises(ProtocolError, match=why):
        of_events(folder, moved, tmp_path, f"left_employer: {strategy}", analyses, once)


def test_a_strategy_holds_for_what_was_not_planned_too(folder, moved, tmp_path):
    by_site = "by_site: {outcomes: score, contrast: texts - control, at: after, by: site}\n"
    made = folder(SCORE, explore=by_site)
    text = (made / "protocol.yaml").read_text().replace("  - {then: [days, passed], method: holm}\n", "")
    events = "events: {left_employer: principal-stratum}\nanalyses:"
    (made / "protocol.yaml").write_text(text.replace("analyses:", events, 1))
    with pytest.raises(ProtocolError, match="the analysis by_site is by site"):
        load_study(made)
