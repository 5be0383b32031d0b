"""Mixed models, repeated waves, averages and slopes from a study's folder and data, against statsmodels."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from equipoise.errors import ProtocolError
from equipoise.estimation.mixed.mmrm import fit_repeated
from equipoise.findings import Findings, analyse, read_data
from equipoise.protocol import load_study
from equipoise.report import detail
from equipoise.report.names import Names
from equipoise.report.results import Results
from equipoise.report.words import sentence

PROTOCOL = """\
equipoise: 1
study: {id: repeated, title: A trial, kind: trial, question: Does it work?, launch: 2021-03-01}
participants:
  roster:
    ref: {type: text, role: identifier}
    site: {type: category, levels: [north, south]}
    team: {type: category}
arms: {control: {}, texts: {}}
allocation: {UNITstrata: [site], ratio: equal, when: launch}
waves:
  before: {survey: nothing, opens: launch - 3 weeks, closes: launch}
  week4: {survey: nothing, opens: launch + 4 weeks, closes: launch + 5 weeks, label: a month}
  week8: {survey: nothing, opens: launch + 8 weeks, closes: launch + 9 weeks, label: two months}
  week16: {survey: nothing, opens: launch + 16 weeks, closes: launch + 17 weeks}
outcomes:
  score: {column: score, waves: [week4, week8, week16], role: primary, good: high, label: Score}
analyses:
ANALYSES
"""
WAVES = ("week4", "week8", "week16")


@pytest.fixture
def people() -> pd.DataFrame:
    rng = np.random.default_rng(12)
    n = 160
    frame = pd.DataFrame({"ref": [f"P{i:03}" for i in range(n)]})
    frame["site"] = np.array(["north", "south"])[rng.integers(0, 2, n)]
    frame["team"] = [f"t{i:02}" for i in rng.integers(0, 24, n)]
    treated = frame["team"].str[1:].astype(int) % 2
    frame["arm"] = np.array(["control", "texts"])[treated]
    shared = rng.normal(50, 6, n) + rng.normal(0, 3, 24)[frame["team"].str[1:].astype(int)]
    frame["score_before"] = shared + rng.normal(0, 4, n)
    for place, wave in enumerate(WAVES):
        frame[f"score_{wave}"] = shared + treated * (1 + place) + rng.normal(0, 4 + place, n)
        frame.loc[rng.random(n) < 0.1 + 0.1 * place, f"score_{wave}"] = np.nan
    return frame


def found(tmp_path: Path, frame: pd.DataFrame, analyses: str, unit: str = "") -> Findings:
    folder = tmp_path / "repeated"
    (folder / "surveys").mkdir(parents=True)
    (folder / "surveys" / "nothing.yaml").write_text(
        "title: Nothing\npages:\n  - {id: a, questions: [{id: said, ask: What?, type: text}]}\n"
    )
    (folder / "protocol.yaml").write_text(PROTOCOL.replace("ANALYSES", analyses).replace("UNIT", unit))
    frame.to_csv(tmp_path / "data.csv", index=False)
    study = load_study(folder)
    return analyse(study, read_data(study, tmp_path / "data.csv"))


def test_repeated_waves_at_each_wave_on_average_and_as_a_slope(people, tmp_path) -> None:
    results = found(tmp_path, people, "  effect: {model: mmrm, at: [each, 'average(week4, week16)', slope]}")
    waves = people[[f"score_{wave}" for wave in WAVES]].to_numpy()
    some = ~np.isnan(waves).all(axis=1)
    fitted = fit_repeated(
        waves[some],
        (people["arm"] == "texts").to_numpy()[some].astype(int),
        covariates=people["score_before"][some],
        strata=people["site"][some],
    )
    times = np.array([4, 8, 16]) - 28 / 3
    points = dict(zip(WAVES, np.eye(3), strict=True)) | {
        "average [week4, week16]": np.array([0.5, 0, 0.5]),
        "slope": times / (times @ times),
    }
    for at, weights in points.items():
        effect = results.find(f"effect.score.{at}.texts - control")
        wanted = fitted.contrast((-1, 1), weights)
        assert (effect.estimate, effect.std_error, effect.dof) == pytest.approx(
            (wanted.estimate, wanted.std_error, wanted.dof), rel=1e-9
        )
        assert sum(effect.n.values()) == some.sum()
        assert "Kenward-Roger" in effect.model
    assert "per week in Score" in results.find("effect.score.slope.texts - control").estimand
    assert "two months" in results.find("effect.score.week8.texts - control").estimand
    last = results.find("effect.score.week16.texts - control")
    here = int(people["score_week16"].notna().sum())
    assert f"{here} of the {some.sum()} people analysed answered at this point" in last.warnings[0]


def test_a_linear_model_of_an_average_or_a_slope_takes_those_with_every_wave(people, tmp_path) -> None:
    results = found(
        tmp_path,
        people,
        "  effect: {model: linear, adjust: [before], missing: none, at: ['average [week4, week8]', slope]}",
    )
    people["treated"] = (people["arm"] == "texts").astype(float)
    waves = people[[f"score_{wave}" for wave in WAVES]].to_numpy()
    times = np.array([4, 8, 16]) - 28 / 3
    for at, values in (
        ("average [week4, week8]", waves[:, :2].mean(axis=1)),
        ("slope", waves @ times / (times @ times)),
    ):
        kept = people.assign(value=values).dropna(subset=["value"])
        fit = smf.ols("value ~ treated + score_before", kept).fit(cov_type="HC2")
        effect = results.find(f"effect.score.{at}.texts - control")
        assert effect.estimate == pytest.approx(fit.params["treated"], rel=1e-8)
        assert effect.std_error == pytest.approx(fit.bse["treated"], rel=1e-8)
        assert sum(effect.n.values()) == len(kept)
        assert "among those who answered every one of these waves" in effect.estimand
    assert results.find("effect.score.slope.texts - control").standardised is None


def test_a_mixed_model_has_an_intercept_for_each_cluster_that_was_drawn(people, tmp_path) -> None:
    results = found(
        tmp_path, people, "  effect: {model: mixed, adjust: none, at: week4, missing: none}", "unit: team, "
    )
    effect = results.find("effect.score.week4.texts - control")
    kept = people.dropna(subset=["score_week4"])
    fit = smf.mixedlm("score_week4 ~ arm", kept, groups="team").fit()
    assert effect.estimate == pytest.approx(fit.params["arm[T.texts]"], abs=1e-4)
    assert 5 < effect.dof < 24
    assert "a random intercept for each team" in effect.model
    assert "Clusters count by their precision: between each cluster once and each person" in effect.estimand


def test_a_wave_that_an_outcome_was_not_asked_at_has_no_average(people, tmp_path) -> None:
    frame = people.drop(columns=["score_week16"])
    results = found(
        tmp_path, frame, "  effect: {model: linear, adjust: none, at: ['average [week4, week16]', slope]}"
    )
    for at in ("average [week4, week16]", "slope"):
        effect = results.find(f"effect.score.{at}.texts - control")
        assert effect.not_estimable == 'the data have no column "score_week16"'


def test_repeated_waves_of_people_in_teams_have_an_intercept_of_each_team(people, tmp_path) -> None:
    results = found(
        tmp_path, people, "  effect: {model: mmrm, adjust: none, at: [week16, slope]}", "unit: team, "
    )
    waves = people[[f"score_{wave}" for wave in WAVES]].to_numpy()
    some = ~np.isnan(waves).all(axis=1)
    arm = (people["arm"] == "texts").to_numpy().astype(int)[some]
    fitted = fit_repeated(waves[some], arm, cluster=people["team"][some])
    direct = fitted.contrast((-1, 1), (0, 0, 1))
    effect = results.find("effect.score.week16.texts - control")
    assert (effect.estimate, effect.std_error) == pytest.approx((direct.estimate, direct.std_error), rel=1e-7)
    assert effect.dof == pytest.approx(direct.dof, rel=1e-6)
    assert "and a random intercept for each team" in effect.model
    assert "Clusters count by their precision" in effect.estimand
    alone = fit_repeated(waves[some], arm).contrast((-1, 1), (0, 0, 1))
    assert effect.std_error > alone.std_error


@pytest.mark.parametrize(
    ("unit", "plan", "message"),
    [
        ("", "model: mixed", "a mixed model needs people in clusters"),
        ("", "model: mmrm, dof: residual", "residual degrees of freedom do not go with mmrm"),
        ("", "model: mmrm, variance: HC2", "the variance HC2 does not go with mmrm"),
        ("", "model: linear, dof: kenward-roger", "kenward-roger degrees of freedom do not go with linear"),
    ],
)
def test_what_does_not_go_together_is_refused_before_any_data(unit, plan, message, people, tmp_path) -> None:
    with pytest.raises(ProtocolError, match=message):
        found(tmp_path, people, f"  effect: {{{plan}}}", unit)


def test_clusters_have_their_likeness_and_what_it_cost_beside_the_effect(people, tmp_path) -> None:
    plan = "  effect: {model: mixed, adjust: none, at: week4, missing: none}\nunits: {team: {icc: 0.1, people: 8}}"
    results = found(tmp_path, people, plan, "unit: team, ")
    kept = people.dropna(subset=["score_week4"])
    size = kept.groupby("team").size()
    of_arms, of_teams = (smf.ols(f"score_week4 ~ {name}", kept).fit() for name in ("arm", "team"))
    between, within = (of_arms.ssr - of_teams.ssr) / (len(size) - 2), of_teams.mse_resid
    arm_of = kept.groupby("team")["arm"].first()
    spread = sum((size[arm_of == arm] ** 2).sum() / size[arm_of == arm].sum() for arm in ("control", "texts"))
    average = (len(kept) - spread) / (len(size) - 2)
    icc = results.find("effect.score.week4.icc")
    wanted = (between - within) / (between + (average - 1) * within)
    assert (icc.kind, icc.units) == ("variance-component", "correlation")
    assert icc.estimate == pytest.approx(wanted, rel=1e-9)
    assert icc.interval.low < icc.estimate < icc.interval.high
    assert icc.warnings[0].startswith("24 clusters (team) of ")
    achieved = 1 + ((1 + (size.std() / size.mean()) ** 2) * size.mean() - 1) * wanted
    assert results.find("effect.score.week4.design-effect").estimate == pytest.approx(achieved, rel=1e-9)
    planned = results.find("effect.score.week4.design-effect.planned")
    assert planned.estimate == pytest.approx(1 + 7 * 0.1)
    fit = smf.mixedlm("score_week4 ~ arm", kept, groups="team").fit()
    residual = results.find("effect.score.week4.variance.residual")
    assert residual.estimate == pytest.approx(fit.scale, rel=1e-3)


def test_the_report_names_points_of_time_and_shows_the_likeness_of_clusters(people, tmp_path) -> None:
    plan = "  effect: {model: mixed, adjust: none, at: [week4, week8], missing: none}"
    results = found(tmp_path, people, plan, "unit: team, ")
    names = Names(load_study(tmp_path / "repeated").protocol)
    shown = detail.likeness(Results(results), names)
    assert [row[2].text for row in shown.rows[:2]] == ["Intracluster correlation", "Design effect, achieved"]
    assert shown.rows[0][3].text == f"{results.find('effect.score.week4.icc').estimate:.3f}"
    sentences = [sentence(one, names) for one in results.select(kind="effect", analysis="effect")]
    assert sentences[0].partition(")")[0] == "Not planned: score (a month"
    assert names.wave("average [week4, week8]") == "average of a month and two months"


@pytest.mark.parametrize(
    ("unit", "plan", "model", "dof"),
    [
        ("", "", "mmrm", "kenward-roger"),
        ("", "dof: satterthwaite", "mmrm", "satterthwaite"),
        ("", "at: week16", "mmrm", "kenward-roger"),
        ("", "test: randomisation", "linear", "satterthwaite"),
        ("", "variance: HC3", "linear", "satterthwaite"),
        ("unit: team, ", "", "linear", "satterthwaite"),
        ("unit: team, ", "model: mixed", "mixed", "kenward-roger"),
        ("unit: team, ", "model: mixed, dof: satterthwaite", "mixed", "satterthwaite"),
    ],
)
def test_the_design_chooses_repeated_waves_and_their_degrees_of_freedom(
    unit, plan, model, dof, people, tmp_path
) -> None:
    found(tmp_path, people, f"  effect: {{{plan}}}", unit)
    spelled = load_study(tmp_path / "repeated").protocol.analyses["effect"]
    assert (spelled.model, spelled.dof) == (model, dof)
    assert spelled.variance == ("classical" if model in ("mmrm", "mixed") else spelled.variance)
