"""Clusters, small strata and ordered answers, from a protocol to findings."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from equipoise.errors import EquipoiseError
from equipoise.estimation.effects.ordinal import proportional_odds
from equipoise.estimation.effects.pairs import hybrid_difference, paired_clusters, paired_difference
from equipoise.estimation.effects.wild import wild_effect
from equipoise.estimation.least_squares.two_way import fit_two_way
from equipoise.estimation.missing.response_weights import response_model
from equipoise.estimation.missing.weighted_clusters import effect_of_clusters
from equipoise.findings import Findings, analyse, read_data
from equipoise.protocol import load_study
from equipoise.report.detail import effects
from equipoise.report.names import Names
from equipoise.report.results import Results

PROTOCOL = """\
equipoise: 1
study: {id: teams, title: Teams, kind: trial, question: Does it work?, launch: 2021-03-01}
participants:
  roster:
    ref: {type: text, role: identifier}
    region: {type: category}
    team: {type: category}
    rater: {type: category}
arms: {control: {}, texts: {}}
units: {team: {}}
allocation: {unit: team, STRATA ratio: equal, when: launch}
outcomes:
  score: {column: score, role: primary, good: high}
  answer: {column: answer, role: secondary, good: high}
analyses:
ANALYSES
"""


@pytest.fixture
def people() -> pd.DataFrame:
    """Twenty teams of 4 to 23 people in two regions, whose effect grows with the team."""
    rng = np.random.default_rng(4)
    sizes = np.arange(4, 24)
    frame = pd.DataFrame({"team": np.repeat([f"t{i:02}" for i in range(20)], sizes)})
    number = frame["team"].str[1:].astype(int)
    frame["ref"] = [f"P{i:04}" for i in range(len(frame))]
    frame["region"] = np.where(number % 4 < 2, "north", "south")
    frame["rater"] = [f"r{i}" for i in rng.integers(0, 9, len(frame))]
    frame["arm"] = np.where(number % 2 == 0, "control", "texts")
    frame["size"] = np.repeat(sizes, sizes)
    effect = (frame["arm"] == "texts") * 0.1 * frame["size"]
    frame["score"] = effect + rng.normal(size=20)[number] + rng.normal(size=len(frame))
    frame["answer"] = np.digitize(frame["score"], [-0.5, 0.5, 1.5]) + 1
    return frame


@pytest.fixture
def found(tmp_path: Path, people: pd.DataFrame):
    """The findings of these analyses."""

    def make(analyses: str, strata: str = "", data: pd.DataFrame = people) -> Findings:
        text = PROTOCOL.replace("ANALYSES", analyses).replace("STRATA", strata)
        (tmp_path / "teams").mkdir(exist_ok=True)
        (tmp_path / "teams" / "protocol.yaml").write_text(text, "utf-8")
        data.drop(columns="size", errors="ignore").to_csv(tmp_path / "data.csv", index=False)
        study = load_study(tmp_path / "teams")
        return analyse(study, read_data(study, tmp_path / "data.csv"))

    return make


def test_averages_over_clusters_compare_one_mean_a_cluster(found, people) -> None:
    results = found("  effect: {outcomes: score, average-over: clusters, missing: none}")
    means = people.groupby("team").agg(score=("score", "mean"), arm=("arm", "first"))
    model = smf.ols("score ~ C(arm)", means).fit(cov_type="HC2")
    effect = results.find("effect.score.texts - control")
    assert effect.estimate == pytest.approx(model.params.iloc[1], rel=1e-9)
    assert effect.std_error == pytest.approx(model.bse.iloc[1], rel=1e-9)
    assert "Each cluster counts once" in effect.estimand
    assert "of cluster means" in effect.model
    assert "20 clusters, each with the mean of its people (270 in all) as one row" in effect.warnings


def test_the_average_over_clusters_stands_beside_that_over_people_and_the_other_way_round(found) -> None:
    people = found("  effect: {outcomes: score, missing: none}")
    clusters = found("  effect: {outcomes: score, average-over: clusters, missing: none}")
    beside = people.find("effect.score.texts - control.average-over-clusters")
    main = clusters.find("effect.score.texts - control")
    assert (beside.estimate, beside.std_error, beside.dof) == (main.estimate, main.std_error, main.dof)
    assert "Each cluster counts once" in beside.estimand
    back = clusters.find("effect.score.texts - control.average-over-people")
    assert back.estimate == people.find("effect.score.texts - control").estimate
    assert back.estimate != pytest.approx(beside.estimate, rel=0.05)


def test_clusters_in_pairs_have_the_error_of_their_pairs_whichever_they_are_averaged_over(
    found, people
) -> None:
    pairs = people.assign(region="p" + (people["team"].str[1:].astype(int) // 2).astype(str))
    text = "  effect: {outcomes: score, model: difference-in-means, adjust: strata, missing: none}"
    results = found(text, "strata: [region],", pairs)
    arm = (people["arm"] == "texts").astype(int)
    whole = paired_clusters(people["score"], arm, (-1, 1), pairs["region"], people["team"])
    effect = results.find("effect.score.texts - control")
    assert (effect.estimate, effect.std_error, effect.dof) == (whole.estimate, whole.std_error, 9)
    assert "10 pairs of clusters, weighted by their people; the error is that of pairs" in effect.warnings
    means = pairs.groupby("team").agg(
        score=("score", "mean"), arm=("arm", "first"), region=("region", "first")
    )
    each = paired_difference(means["score"], (means["arm"] == "texts").astype(int), (-1, 1), means["region"])
    beside = results.find("effect.score.texts - control.average-over-clusters")
    assert (beside.estimate, beside.std_error) == pytest.approx((each.estimate, each.std_error), rel=1e-10)


def test_clusters_that_are_in_no_pairs_have_no_difference_in_means_of_people(found) -> None:
    effect = found("  effect: {outcomes: score, model: difference-in-means, missing: none}").find(
        "effect.score.texts - control"
    )
    assert "only where these were drawn in pairs; choose the model `linear`" in effect.not_estimable


def test_bounds_of_people_are_not_taken_for_bounds_of_clusters(found) -> None:
    results = found("  effect: {outcomes: score, average-over: clusters, missing: [bounds, tipping-point]}")
    for kind in ("bounds", "tipping-point"):
        told = results.find(f"effect.score.texts - control.{kind}").not_estimable
        assert told == "worked out for an average over people only, and here each cluster counts once"


def test_means_of_clusters_may_be_weighted_for_who_did_not_answer(found, people) -> None:
    rng = np.random.default_rng(3)
    gaps = people.assign(score=people["score"].where(rng.random(len(people)) < 0.8))
    plan = "average-over: clusters, missing: response-weights, auxiliaries: [region], adjust: none"
    results = found(f"  effect: {{outcomes: score, {plan}, model: linear}}", data=gaps)
    weighted = results.find("effect.score.texts - control.response-weights")
    held, arm = gaps["score"].notna().to_numpy(), (gaps["arm"] == "texts").to_numpy().astype(int)
    response = response_model(held, arm, (gaps["region"] == "south").to_numpy()[:, None].astype(float))
    theirs = effect_of_clusters(gaps["score"], response, (-1, 1), gaps["team"])
    assert (weighted.estimate, weighted.std_error) == pytest.approx(
        (theirs.estimate, theirs.std_error), rel=1e-9
    )
    assert weighted.model.startswith("least squares of one mean for each team, its answers, each weighted")
    with pytest.raises(EquipoiseError, match="Lee's bounds are not defined where each cluster counts once"):
        found("  effect: {outcomes: score, average-over: clusters, missing: lee}")


def test_people_in_clusters_are_imputed_with_an_intercept_for_each_cluster(found, people) -> None:
    rng = np.random.default_rng(3)
    gaps = people.assign(score=people["score"].where(rng.random(len(people)) < 0.75))
    plan = "missing: [imputation, tipping-point], auxiliaries: [answer], adjust: none, model: linear"
    results = found(f"  effect: {{outcomes: score, {plan}}}", data=gaps)
    plain, imputed = (results.find(f"effect.score.texts - control{end}") for end in ("", ".imputation"))
    assert "a random intercept for each team in every equation" in imputed.model
    assert imputed.n == {"control": 130, "texts": 140}
    assert abs(imputed.estimate - plain.estimate) < 2 * plain.std_error
    assert 0.5 * plain.std_error < imputed.std_error < 1.5 * plain.std_error
    assert imputed.dof < 20  # teams, not people, are what it hangs on
    one_team = gaps.assign(
        score=gaps["score"].where(~gaps["team"].isin([f"t{i:02}" for i in range(4, 20, 2)]))
    )
    told = found(f"  effect: {{outcomes: score, {plan}}}", data=one_team)
    words = told.find("effect.score.texts - control.imputation").not_estimable
    assert 'score: is known in 2 clusters of arm "control"' in words


def test_a_cluster_of_two_arms_has_no_average(found, people) -> None:
    mixed = people.assign(arm=np.where(people["ref"] == "P0000", "texts", people["arm"]))
    effect = found("  effect: {outcomes: score, average-over: clusters, missing: none}", data=mixed).find(
        "effect.score.texts - control"
    )
    assert 'cluster "t00" has people in different arms' in effect.not_estimable


def test_strata_of_clusters_go_with_their_means(found, people) -> None:
    results = found("  effect: {outcomes: score, average-over: clusters, missing: none}", "strata: [region],")
    means = people.groupby("team").agg(
        score=("score", "mean"), arm=("arm", "first"), region=("region", "first")
    )
    model = smf.ols("score ~ C(arm) + C(region)", means).fit(cov_type="HC2")
    effect = results.find("effect.score.texts - control")
    assert (effect.estimate, effect.std_error) == pytest.approx(
        (model.params.iloc[1], model.bse.iloc[1]), rel=1e-9
    )


def test_the_wild_bootstrap_gives_p_value_and_interval_from_draws_that_the_protocol_fixes(
    found, people
) -> None:
    analysis = (
        "  effect: {outcomes: score, variance: wild-bootstrap, missing: none, test: {by: t, draws: 4999}}"
    )
    once, again = (found(analysis).find("effect.score.texts - control") for _ in range(2))
    assert once == again
    arm = (people["arm"] == "texts").astype(int)
    other = wild_effect(
        "linear", people["score"], arm, (-1, 1), people["team"], np.random.default_rng(1), draws=4999
    )
    assert once.draws == 4999
    assert once.mc_error == pytest.approx(np.sqrt(once.p_value * (1 - once.p_value) / 4999))
    assert once.p_value == pytest.approx(other.estimate.p_value, abs=6 * once.mc_error)
    assert once.interval.low == pytest.approx(other.estimate.interval.low, abs=0.1)
    assert "Rademacher weights, 4999 drawn" in once.warnings
    assert "p-value and interval by the wild bootstrap, clustered by team" in once.model


def test_few_clusters_in_an_arm_are_told_of_beside_a_wild_bootstrap(found, people) -> None:
    few = people[people["team"].isin(["t01", "t03", "t05", "t07", *[f"t{i:02}" for i in range(0, 20, 2)]])]
    effect = found("  effect: {outcomes: score, variance: wild-bootstrap, missing: none}", data=few).find(
        "effect.score.texts - control"
    )
    told = 'arm "texts" has 4 clusters: with fewer than 6 in an arm the wild bootstrap hardly ever rejects'
    assert any(told in warning for warning in effect.warnings)


def test_two_way_errors_are_by_the_unit_of_allocation_and_the_column_named(found, people) -> None:
    effect = found("  effect: {outcomes: score, variance: two-way, cluster: rater, missing: none}").find(
        "effect.score.texts - control"
    )
    design = np.column_stack([people["arm"] == "control", people["arm"] == "texts"]).astype(float)
    fit = fit_two_way(people["score"], design, people[["team", "rater"]].to_numpy())
    assert (effect.std_error, effect.dof) == pytest.approx((fit.contrast([-1, 1]).std_error, 8), rel=1e-9)
    assert "clustered two ways, by the unit of allocation and by rater" in effect.model


def test_ordered_answers_give_the_mean_score_and_the_odds_ratio(found, people) -> None:
    results = found("  effect: {outcomes: answer, model: ordinal, missing: none}")
    effect = results.find("effect.answer.texts - control")
    arm = (people["arm"] == "texts").astype(int)
    fit = proportional_odds(people["answer"], arm, cluster=people["team"])
    assert effect.estimate == pytest.approx(fit.means.contrast((-1, 1)).estimate, rel=1e-12)
    assert effect.std_error == pytest.approx(fit.means.contrast((-1, 1)).std_error, rel=1e-12)
    odds = f"odds of a higher answer: {np.exp(fit.log_odds((-1, 1)).estimate):.2f} times"
    assert any(odds in warning for warning in effect.warnings)
    assert "proportional-odds regression" in effect.model
    ratio = results.find("effect.answer.texts - control.odds-of-higher")
    assert ratio.estimate == pytest.approx(np.exp(fit.log_odds((-1, 1)).estimate), rel=1e-12)
    assert ratio.interval.low == pytest.approx(np.exp(fit.log_odds((-1, 1)).interval.low), rel=1e-12)
    assert (ratio.kind, ratio.std_error) == ("ratio", None)
    assert "CR1 standard errors clustered by team" in effect.model


@pytest.mark.parametrize("model", ["logistic", "ordinal"])
def test_the_level_that_predicts_an_answer_perfectly_is_named(found, people, model) -> None:
    yes = people.assign(answer=np.where(people["region"] == "south", 1, people["answer"] > 2).astype(int))
    analysis = f"  effect: {{outcomes: answer, model: {model}, adjust: [region], missing: none}}"
    effect = found(analysis, data=yes).find("effect.answer.texts - control")
    assert 'predicted perfectly for some people by region "south" (all answer alike' in effect.not_estimable


@pytest.mark.parametrize(
    ("analysis", "message"),
    [
        ("variance: two-way", "two-way errors are by team and by another column; name that in `cluster`"),
        (
            "average-over: clusters, model: logistic",
            "compared by difference-in-means, linear, lin-interacted, not by logistic",
        ),
        ("average-over: clusters, variance: two-way, cluster: rater", "their errors are not two-way"),
        ("model: difference-in-means, variance: CR2", "does not go with difference-in-means with errors"),
        (
            "average-over: clusters, by: region",
            "`by: region` would average over people; leave one of the two",
        ),
        ("average-over: clusters, cluster: participant", "there are no clusters to average over"),
        ("model: ordinal, variance: CR2", "CR2 does not go with ordinal"),
    ],
)
def test_what_clusters_cannot_give_is_refused_at_the_lock(found, analysis, message) -> None:
    with pytest.raises(EquipoiseError) as refused:
        found(f"  effect: {{outcomes: score, missing: none, {analysis}}}")
    assert message in str(refused.value)


def test_the_report_lists_the_other_average_by_name_and_not_among_the_main_results(tmp_path, found) -> None:
    findings = found("  effect: {outcomes: score, missing: none}")
    study = load_study(tmp_path / "teams")
    results = Results.of_study(study, findings)
    assert [one.id for one in results.main] == ["effect.score.texts - control"]
    listed = effects(results.exploratory, Names(study.protocol), "table", "Exploratory")
    assert any("each cluster counted once" in row[0].text for row in listed.rows)


SITES = """\
equipoise: 1
study: {id: sites, title: Sites, kind: trial, question: Does it work?, launch: 2021-03-01}
participants:
  roster:
    ref: {type: text, role: identifier}
    site: {type: category}
arms: {control: {}, texts: {}}
allocation: {strata: [site], ratio: {control: 1, texts: 2}, when: launch}
outcomes: {score: {column: score, role: primary, good: high}}
analyses: {effect: {missing: none}}
"""


def test_strata_with_one_person_in_an_arm_keep_their_estimate_and_say_how(tmp_path) -> None:
    rng = np.random.default_rng(5)
    sites = np.repeat([f"s{i}" for i in range(7)], [3, 3, 3, 6, 6, 9, 12])
    people = pd.DataFrame({"ref": [f"P{i}" for i in range(42)], "site": sites, "score": rng.normal(size=42)})
    people["arm"] = np.tile(["control", "texts", "texts"], 14)
    (tmp_path / "protocol.yaml").write_text(SITES, "utf-8")
    people.to_csv(tmp_path / "data.csv", index=False)
    study = load_study(tmp_path)
    effect = analyse(study, read_data(study, tmp_path / "data.csv")).find("effect.score.texts - control")
    expected = hybrid_difference(people["score"], (people["arm"] == "texts").astype(int), (-1, 1), sites)
    assert (effect.estimate, effect.std_error) == pytest.approx(
        (expected.estimate, expected.std_error), rel=1e-12
    )
    assert any("3 of 7 strata have one person in an arm" in warning for warning in effect.warnings)
