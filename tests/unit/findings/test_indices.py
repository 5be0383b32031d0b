"""An index of several outcomes as an outcome: from the protocol's words to the finding."""

import numpy as np
import pandas as pd
import pytest

from equipoise.errors import ProtocolError
from equipoise.findings import Findings, analyse, read_data
from equipoise.protocol import load_study
from equipoise.report.facts import outcomes
from equipoise.report.names import Names

ID = "effect.wellbeing_index.after.texts - control"
EFFECT = "  effect: {outcomes: [wellbeing_index], contrast: texts - control, adjust: ADJUST, model: linear, at: after, missing: none}\n"
PARTS = "  rest: {outcomes: [score, days, passed], contrast: texts - control, adjust: none, at: after, missing: none}"
INDEX = (
    "  wellbeing_index: {index: [score, days, passed], waves: [after], role: secondary, margin: 0.2MORE}\n"
)


def found(folder, people, tmp_path, more: str = "", adjust: str = "none", events: str = "") -> Findings:
    made = folder(EFFECT.replace("ADJUST", adjust) + PARTS)
    text = (made / "protocol.yaml").read_text()
    text = text.replace("outcomes:\n", f"outcomes:\n{INDEX.replace('MORE', more)}", 1)
    (made / "protocol.yaml").write_text(text.replace("analyses:", f"{events}analyses:", 1))
    people.to_csv(tmp_path / "data.csv", index=False)
    study = load_study(made)
    return analyse(study, read_data(study, tmp_path / "data.csv"))


@pytest.fixture
def gaps(people: pd.DataFrame) -> pd.DataFrame:
    """Days and passing go with the score; some answered one part only, some none."""
    rng, people = np.random.default_rng(9), people.copy()
    latent = people["score"].fillna(50)
    people["days"] = np.clip(np.round(8 - latent / 10 + rng.normal(0, 1.5, len(people))), 0, None)
    people["passed"] = (latent + rng.normal(0, 15, len(people)) > 50).astype(float)
    people.loc[rng.random(len(people)) < 0.3, "days"] = np.nan
    people.loc[rng.random(len(people)) < 0.3, "passed"] = np.nan
    return people


def by_hand(people: pd.DataFrame, weights: str, least: float) -> tuple[pd.Series, pd.Series]:
    """The index and its weights, in pandas."""
    parts = people[["score", "days", "passed"]]
    control = parts[people["arm"] == "control"]
    z = (parts - control.mean()) / control.std() * [1, -1, 1]
    z = z[(z.notna().mean(axis=1) >= least)].reindex(people.index)
    share = pd.Series(1 / 3, index=z.columns)
    if weights == "inverse-covariance":
        share = pd.Series(np.linalg.inv(z.dropna().cov()).sum(axis=1), index=z.columns)
        share /= share.sum()
    known = z.notna() * share
    return (z * share).sum(axis=1, min_count=1) / known.sum(axis=1), share


@pytest.mark.parametrize("weights", ["equal", "inverse-covariance"])
@pytest.mark.parametrize(
    ("more", "least"), [("", 0.5), (", least-answered: 1", 1.0), (", least-answered: 0.3", 0.3)]
)
def test_an_index_is_the_weighted_mean_of_its_parts_in_control_sds(
    folder, gaps, tmp_path, weights, more, least
):
    effect = found(folder, gaps, tmp_path, f"{more}, weights: {weights}").find(ID)
    values, share = by_hand(gaps, weights, least)
    means = values.groupby(gaps["arm"]).mean()
    assert effect.estimate == pytest.approx(means["texts"] - means["control"], rel=1e-9)
    assert effect.n["texts"] == int(values[gaps["arm"] == "texts"].notna().sum())
    assert (effect.good, effect.margin, effect.units) == ("high", 0.2, "SD of the control arm")
    (told,) = (one for one in effect.warnings if one.startswith("weights of the index"))
    assert f"Score {share['score']:.2f}, Days {share['days']:.2f}" in told
    assert f"(at least {least:.0%} of it)" in told


def test_an_index_is_adjusted_for_itself_before_where_all_its_parts_were_asked_before(folder, gaps, tmp_path):
    rng = np.random.default_rng(1)
    whole = gaps.assign(
        days_before=rng.poisson(3, len(gaps)), passed_before=(rng.random(len(gaps)) < 0.5) * 1
    )
    effect = found(folder, whole, tmp_path, adjust="[before]").find(ID)
    assert "adjusted for the score before" in effect.model
    plain = found(folder, whole, tmp_path).find(ID)
    assert effect.std_error < plain.std_error


def test_an_event_counts_in_the_parts_and_so_in_the_index(folder, gaps, tmp_path):
    left = (np.random.default_rng(3).random(len(gaps)) < 0.2) * 1
    effect = found(folder, gaps.assign(left=left), tmp_path, events="events: {left: hypothetical}\n").find(ID)
    parts = ["score", "days", "passed"]
    staying = gaps.assign(**{part: gaps[part].mask(left == 1) for part in parts})
    means = by_hand(staying, "equal", 0.5)[0].groupby(gaps["arm"]).mean()
    assert effect.estimate == pytest.approx(means["texts"] - means["control"], rel=1e-9)


def test_an_index_whose_part_is_missing_or_does_not_vary_is_no_estimate(folder, gaps, tmp_path):
    effect = found(folder, gaps.drop(columns="days"), tmp_path).find(ID)
    assert effect.not_estimable == 'the data have no column "days"'
    effect = found(folder, gaps.assign(passed=1), tmp_path).find(ID)
    assert 'outcome "passed" has' in str(effect.not_estimable)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("index: [score, dais, passed]", '"dais" is not an outcome'),
        ("index: [score]", "two outcomes or more"),
        ("index: [score, days, passed], good: low", "turned so that high is good"),
        ("index: [score, days, passed], waves: [before, after]", "an index is of outcomes of the same waves"),
        ("column: wellbeing_index, weights: equal", "are of an `index:` of several outcomes"),
        ("index: [score, days], column: x", "found column and index"),
    ],
)
def test_what_is_no_index_is_refused(folder, written, why):
    made = folder(EFFECT.replace("ADJUST", "none") + PARTS)
    index = INDEX.replace("index: [score, days, passed]", written).replace("MORE", "")
    index = index.replace("waves: [before, after], waves: [after]", "waves: [before, after]")
    text = (made / "protocol.yaml").read_text().replace("outcomes:\n", f"outcomes:\n{index}", 1)
    (made / "protocol.yaml").write_text(text)
    with pytest.raises(ProtocolError, match=why):
        load_study(made)


def test_the_report_says_of_what_an_index_is_made(folder, gaps, tmp_path):
    made = folder(EFFECT.replace("ADJUST", "none") + PARTS)
    index = INDEX.replace("MORE", ", weights: inverse-covariance")
    text = (made / "protocol.yaml").read_text().replace("outcomes:\n", f"outcomes:\n{index}", 1)
    (made / "protocol.yaml").write_text(text)
    study = load_study(made)
    table = outcomes(study, Names(study.protocol, study.explore))
    assert table.rows[0][2].text == (
        "index of Score and Days and Passed, weighted by inverse covariance, in SDs of the control arm"
    )
