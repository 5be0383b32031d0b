"""Weights by one over the chance of an arm, from the protocol's word to the finding."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from equipoise.errors import ProtocolError
from equipoise.estimation.effects.weighted import hajek, horvitz_thompson, joint_probabilities
from equipoise.findings import Findings, analyse, read_data
from equipoise.protocol import load_study

BASE = "effect.score.after.texts - control"
RATIOS = """ratio:
    - {where: "site == 'north'", control: 1, texts: 3, calls: 1}
    - {else: {control: 2, texts: 1, calls: 1}}"""
CHANCES = {"north": {"control": 0.2, "texts": 0.6, "calls": 0.2}}
OTHERS = {"control": 0.5, "texts": 0.25, "calls": 0.25}


def weighted(weights: str, more: str = "") -> str:
    return (
        f"  effect: {{outcomes: score, contrast: texts - control, at: after, weights: {weights}{more}}}\n"
        "  rest: {outcomes: [days, passed], contrast: texts - control, adjust: none, at: after, missing: none}"
    )


@pytest.fixture
def uneven(people: pd.DataFrame) -> pd.DataFrame:
    """Arms drawn at fixed numbers whose shares differ by site, and scores that differ by site a lot."""
    rng, people = np.random.default_rng(4), people.copy()
    for site, rows in people.groupby("site").groups.items():
        chances = CHANCES.get(site, OTHERS)
        slots = np.repeat(list(chances), [round(20 * chance) for chance in chances.values()])
        people.loc[rows, "arm"] = rng.permutation(np.resize(slots, len(rows)))
    return people.assign(score=people["score"] + 20 * (people["site"] == "north") - 10)


def analysed(folder, people, tmp_path, analyses: str) -> Findings:
    made = folder(analyses)
    text = (made / "protocol.yaml").read_text()
    (made / "protocol.yaml").write_text(_ratios(text))
    people.to_csv(tmp_path / "data.csv", index=False)
    study = load_study(made)
    return analyse(study, read_data(study, tmp_path / "data.csv"))


def _ratios(text: str) -> str:
    one = "allocation: {strata: [site], ratio: {control: 1, texts: 1, calls: 1}, when: launch}"
    assert one in text
    return text.replace(one, f"allocation:\n  strata: [site]\n  when: launch\n  {RATIOS}")


def chance(people: pd.DataFrame) -> pd.Series:
    return people.apply(lambda one: CHANCES.get(one["site"], OTHERS)[one["arm"]], axis=1)


def test_hajeks_weights_are_one_over_the_chance_that_the_ratio_of_the_stratum_gives(folder, uneven, tmp_path):
    effect = analysed(folder, uneven, tmp_path, weighted("hajek", ", adjust: none")).find(BASE)
    known = uneven.assign(chance=chance(uneven)).dropna(subset=["score"])
    means = known.groupby("arm").apply(
        lambda arm: np.average(arm["score"], weights=1 / arm["chance"]), include_groups=False
    )
    assert effect.estimate == pytest.approx(means["texts"] - means["control"], rel=1e-10)
    fit = smf.wls("score ~ C(arm, Treatment('control'))", known, weights=1 / known["chance"]).fit(
        cov_type="HC2"
    )
    assert effect.std_error == pytest.approx(fit.bse["C(arm, Treatment('control'))[T.texts]"], rel=1e-8)
    bare = known.groupby("arm")["score"].mean()
    assert abs(effect.estimate - (bare["texts"] - bare["control"])) > 1  # so that the weights matter here
    assert "weighted by one over the chance of each person's arm (Hajek)" in effect.model
    assert "chances of the arm that people are in: from 0.2 to 0.6" in effect.warnings


def test_hajeks_weights_go_with_the_score_before_and_leave_the_strata_out_by_default(
    folder, uneven, tmp_path
):
    effect = analysed(folder, uneven, tmp_path, weighted("hajek")).find(BASE)
    known = uneven.assign(chance=chance(uneven)).dropna(subset=["score"])
    known["gap"] = known["score_before"].isna() * 1
    known["before"] = known["score_before"].fillna(known["score_before"].mean())
    formula = "score ~ C(arm, Treatment('control')) + before + gap"
    fit = smf.wls(formula, known, weights=1 / known["chance"]).fit(cov_type="HC2")
    name = "C(arm, Treatment('control'))[T.texts]"
    assert (effect.estimate, effect.std_error) == pytest.approx((fit.params[name], fit.bse[name]), rel=1e-8)


def aronow_samii(people: pd.DataFrame) -> tuple[float, float]:
    """Estimate and error by the printed formula, pair by pair, of numbers fixed within sites."""
    total, variance = 0.0, 0.0
    for _, site in people.groupby("site"):
        n, counts = len(site), site["arm"].value_counts()
        rows = [
            (one["score"] * (1 if one["arm"] == "texts" else -1), one["arm"], counts[one["arm"]] / n)
            for _, one in site.iterrows()
            if one["arm"] != "calls"
        ]
        for place, (y, arm, p) in enumerate(rows):
            total += y / p
            variance += (1 - p) * (y / p) ** 2 + y**2 / p  # itself in the other arm: never, so Young's bound
            for other, (z, its, q) in enumerate(rows):
                if other == place:
                    continue
                together = counts[arm] * (counts[its] - (arm == its)) / (n * (n - 1))
                variance += (together - p * q) / together * (y / p) * (z / q)
    return total / len(people), np.sqrt(variance) / len(people)


def test_horvitz_and_thompsons_error_knows_that_the_draw_fixed_the_numbers(folder, uneven, tmp_path):
    whole = uneven.assign(score=uneven["score"].fillna(50.0))
    effect = analysed(folder, whole, tmp_path, weighted("horvitz-thompson")).find(BASE)
    assert (effect.estimate, effect.std_error) == pytest.approx(aronow_samii(whole), rel=1e-9)
    assert effect.dof is None
    assert "Horvitz and Thompson" in effect.model
    assert "Aronow and Samii's variance" in effect.model


def test_totals_without_everybodys_answer_are_no_estimate(folder, uneven, tmp_path):
    effect = analysed(folder, uneven, tmp_path, weighted("horvitz-thompson")).find(BASE)
    assert effect.estimate is None
    assert "did not answer, and Horvitz and Thompson's totals need everybody; take `weights: hajek`" in str(
        effect.not_estimable
    )


@pytest.mark.parametrize(
    ("weights", "more", "why"),
    [
        ("hajek", ", model: logistic", "hajek weights go with the model linear, not with logistic"),
        ("hajek", ", adjust: [strata]", "allow for strata already"),
        ("hajek", ", by: site", "`by` is not worked out with `weights: hajek`"),
        ("hajek", ", test: randomisation", "`test` is not worked out with"),
        ("horvitz-thompson", ", model: linear", "go with the model difference-in-means"),
    ],
)
def test_what_does_not_go_with_weights_is_refused(folder, uneven, tmp_path, weights, more, why):
    with pytest.raises(ProtocolError, match=why):
        analysed(folder, uneven, tmp_path, weighted(weights, more))


@pytest.mark.parametrize("weights", ["hajek", "horvitz-thompson"])
def test_clusters_are_weighted_by_the_chance_of_their_arm_as_a_whole(folder, people, tmp_path, weights):
    made = folder(weighted(weights, ", adjust: none"))
    one = "allocation: {strata: [site], ratio: {control: 1, texts: 1, calls: 1}, when: launch}"
    drawn = (
        "allocation: {unit: team, ratio: {control: 2, texts: 1, calls: 1}, method: complete, when: launch}"
    )
    text = (made / "protocol.yaml").read_text().replace(one, drawn)
    (made / "protocol.yaml").write_text(text)
    teams = sorted(people["team"].unique())
    arms = dict(zip(teams, np.resize(["control", "texts", "control", "calls"], len(teams)), strict=True))
    whole = people.assign(arm=people["team"].map(arms), score=people["score"].fillna(50.0))
    whole.to_csv(tmp_path / "data.csv", index=False)
    study = load_study(made)
    effect = analyse(study, read_data(study, tmp_path / "data.csv")).find(BASE)
    codes = {"control": 0, "texts": 1, "calls": 2}
    code, of_teams = whole["arm"].map(codes).to_numpy(), np.array([codes[arms[team]] for team in teams])
    chances = np.tile([0.5, 0.25, 0.25], (len(whole), 1))
    given = (whole["score"].to_numpy(), code, [-1, 1, 0], chances)
    if weights == "hajek":
        engine = hajek(*given, cluster=whole["team"].to_numpy())
    else:
        joint = joint_probabilities(of_teams, 3)
        engine = horvitz_thompson(*given, joint=joint, cluster=whole["team"].to_numpy())
    assert (effect.estimate, effect.std_error) == pytest.approx(
        (engine.estimate, engine.std_error), rel=1e-10
    )


@pytest.mark.parametrize("method", ["simple", "minimised"])
def test_totals_of_other_methods_have_the_chances_of_their_own_draw(folder, uneven, tmp_path, method):
    made = folder(weighted("horvitz-thompson"))
    one = "allocation: {strata: [site], ratio: {control: 1, texts: 1, calls: 1}, when: launch}"
    drawn = f"allocation: {{ratio: {{control: 1, texts: 1, calls: 1}}, method: {method}, when: launch"
    drawn += ", balance: [site]}" if method == "minimised" else "}"
    (made / "protocol.yaml").write_text((made / "protocol.yaml").read_text().replace(one, drawn))
    few = uneven.iloc[:90].assign(score=uneven["score"].fillna(50.0))
    for rows in few.groupby("site").groups.values():
        arms = np.random.default_rng(5).permutation(np.resize(["control", "texts", "calls"], len(rows)))
        few.loc[rows, "arm"] = arms
    few.to_csv(tmp_path / "data.csv", index=False)
    study = load_study(made)
    effect = analyse(study, read_data(study, tmp_path / "data.csv")).find(BASE)
    assert effect.not_estimable is None
    totals = few.groupby("arm")["score"].sum() * 3 / len(few)
    near = {"simple": 1e-9, "minimised": 0.05}[method]  # chances of a third, estimated from draws
    assert effect.estimate == pytest.approx(totals["texts"] - totals["control"], abs=near * 100)
    both = few[few["arm"] != "calls"]["score"]
    alone = np.sqrt(((3 * both) ** 2 * (1 - 1 / 3) + 3 * both**2).sum()) / len(few)
    if method == "simple":
        assert effect.std_error == pytest.approx(alone, rel=1e-9)
    else:
        assert effect.std_error < alone / 2  # numbers that are kept even leave less to chance
        assert "chances of two together are those of the minimised allocation" in " ".join(effect.warnings)
