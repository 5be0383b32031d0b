"""Every number of a finding agrees with an independent calculation from the same frame."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.stats.multitest import multipletests

from equipoise.findings import Findings, analyse, read_data
from equipoise.protocol import load_study


def found(folder: Path, frame: pd.DataFrame, tmp_path: Path) -> Findings:
    path = tmp_path / "data.csv"
    frame.to_csv(path, index=False)
    study = load_study(folder)
    return analyse(study, read_data(study, path))


def answered(frame: pd.DataFrame, outcome: str = "score") -> pd.DataFrame:
    kept = frame[frame[outcome].notna()].copy()
    before = kept["score_before"]
    kept["lacking"] = before.isna().astype(float)
    kept["before"] = before.fillna(before.mean())
    return kept


def test_regression_with_strata_and_a_score_before_that_some_lack(folder, people, tmp_path) -> None:
    effect = found(folder(), people, tmp_path).find("effect.score.after.texts - control")
    kept = answered(people)
    fit = smf.ols("score ~ C(arm, Treatment('control')) + C(site) + before + lacking", kept).fit(
        cov_type="HC2"
    )
    name = "C(arm, Treatment('control'))[T.texts]"
    assert effect.estimate == pytest.approx(fit.params[name], rel=1e-8)
    assert effect.std_error == pytest.approx(fit.bse[name], rel=1e-8)
    assert effect.n == {arm: int((kept["arm"] == arm).sum()) for arm in ("control", "texts", "calls")}
    assert effect.n_randomised["control"] == int((people["arm"] == "control").sum())
    assert effect.n_missing["texts"] == effect.n_randomised["texts"] - effect.n["texts"]
    assert any("is missing for" in warning for warning in effect.warnings)
    low = effect.estimate - stats.t.ppf(0.975, effect.dof) * effect.std_error
    assert effect.interval.low == pytest.approx(low, rel=1e-10)
    assert effect.p_value == pytest.approx(2 * stats.t.sf(abs(effect.statistic), effect.dof), rel=1e-10)


def test_stratified_difference_weighs_strata_by_the_people_randomised(folder, people, tmp_path) -> None:
    text = "  effect: {contrast: texts - control, adjust: [strata], model: difference-in-means, at: after}"
    effect = found(folder(text), people, tmp_path).find("effect.score.after.texts - control")
    sizes = people.groupby("site").size() / len(people)
    total, variance = 0.0, 0.0
    for site, share in sizes.items():
        arms = [
            people[(people["site"] == site) & (people["arm"] == arm)]["score"].dropna()
            for arm in ("texts", "control")
        ]
        total += share * (arms[0].mean() - arms[1].mean())
        variance += share**2 * sum(arm.var(ddof=1) / len(arm) for arm in arms)
    assert effect.estimate == pytest.approx(total, rel=1e-10)
    assert effect.std_error == pytest.approx(np.sqrt(variance), rel=1e-10)


def test_lins_estimator_over_several_arms_and_every_contrast(folder, people, tmp_path) -> None:
    text = "  effect: {contrast: all pairs, adjust: [age], model: lin-interacted, at: after}"
    results = found(folder(text), people, tmp_path).select(analysis="effect", kind="effect", outcome="score")
    assert len(results) == 3
    kept = people[people["score"].notna()].copy()
    kept["centred"] = kept["age"] - kept["age"].mean()
    fit = smf.ols("score ~ 0 + C(arm) + C(arm):centred", kept).fit(cov_type="HC2")
    for finding in results:
        first, _, second = finding.contrast.partition(" - ")
        test = fit.t_test(f"C(arm)[{first}] - C(arm)[{second}] = 0")
        assert finding.estimate == pytest.approx(float(test.effect[0]), rel=1e-8)
        assert finding.std_error == pytest.approx(float(test.sd[0, 0]), rel=1e-8)


def test_clusters_by_cr1_agree_with_statsmodels(folder, people, tmp_path) -> None:
    text = "  effect: {contrast: texts - control, adjust: none, model: linear, variance: CR1, dof: residual, cluster: team, at: after}"
    effect = found(folder(text), people, tmp_path).find("effect.score.after.texts - control")
    kept = people[people["score"].notna()]
    fit = smf.ols("score ~ C(arm, Treatment('control'))", kept).fit(
        cov_type="cluster", cov_kwds={"groups": pd.factorize(kept["team"])[0]}
    )
    name = "C(arm, Treatment('control'))[T.texts]"
    assert effect.std_error == pytest.approx(fit.bse[name], rel=1e-8)
    assert effect.dof == kept["team"].nunique() - 1


def test_counts_and_yes_or_no_by_average_marginal_effects(folder, people, tmp_path) -> None:
    text = (
        "  effect: {contrast: texts - control, adjust: none, model: linear, at: after}\n"
        "  counted: {outcomes: [days], contrast: texts - control, adjust: none, model: poisson, at: after, sensitivity-of: effect}\n"
        "  odds: {outcomes: [passed], contrast: texts - control, adjust: none, model: logistic, at: after, sensitivity-of: effect}"
    )
    results = found(folder(text), people, tmp_path)
    means = people.groupby("arm")["days"].mean()
    shares = people.groupby("arm")["passed"].mean()
    counted = results.find("counted.days.after.texts - control")
    assert counted.estimate == pytest.approx(means["texts"] - means["control"], rel=1e-6)
    assert results.find("odds.passed.after.texts - control").estimate == pytest.approx(
        shares["texts"] - shares["control"], abs=1e-8
    )
    assert results.find("effect.passed.after.texts - control").estimate == pytest.approx(
        shares["texts"] - shares["control"], rel=1e-10
    )


def test_by_category_is_an_interaction(folder, people, tmp_path) -> None:
    explore = "look: {outcomes: [score], contrast: texts - control, adjust: none, model: linear, at: after, by: site}\n"
    results = found(folder(explore=explore), people, tmp_path)
    kept = people[people["score"].notna()]
    fit = smf.ols("score ~ 0 + C(site):C(arm)", kept).fit(cov_type="HC2")
    names = {name: at for at, name in enumerate(fit.params.index)}
    for site in ("north", "south", "west"):
        finding = results.find(f"look.score.after.texts - control.site={site}")
        vector = np.zeros(len(names))
        vector[names[f"C(site)[{site}]:C(arm)[texts]"]] = 1
        vector[names[f"C(site)[{site}]:C(arm)[control]"]] = -1
        test = fit.t_test(vector)
        assert finding.estimate == pytest.approx(float(test.effect[0]), rel=1e-8)
        assert finding.std_error == pytest.approx(float(test.sd[0, 0]), rel=1e-8)
        assert not finding.planned
    assert results.find("look.score.after.texts - control.interaction").kind == "test"


def test_bounds_fill_the_missing_with_the_ends_of_the_range(folder, people, tmp_path) -> None:
    bounds = found(folder(), people, tmp_path).find("effect.score.after.texts - control.bounds")
    texts, control = (people[people["arm"] == arm]["score"] for arm in ("texts", "control"))
    assert bounds.interval.low == pytest.approx(
        texts.fillna(0).mean() - control.fillna(100).mean(), rel=1e-10
    )
    assert bounds.interval.high == pytest.approx(
        texts.fillna(100).mean() - control.fillna(0).mean(), rel=1e-10
    )
    assert bounds.interval.level is None


def test_the_standardised_effect_says_which_sd(folder, people, tmp_path) -> None:
    effect = found(folder(), people, tmp_path).find("effect.score.after.texts - control")
    control = people[people["arm"] == "control"]["score"].dropna()
    assert effect.standardised.sd == pytest.approx(control.std(ddof=1), rel=1e-10)
    assert effect.standardised.sd_source == "the arm control after"
    full = people.assign(score_before=people["age"])
    pooled = found(folder(), full, tmp_path).find("effect.score.after.texts - control").standardised
    assert pooled.sd_source == "all arms before allocation, pooled"


def test_tests_go_in_order_and_share_their_error_rate(folder, people, tmp_path) -> None:
    study = folder()
    reached = []
    for shift in (0.0, 30.0):
        moved = people.assign(
            score=(people["score"] + np.where(people["arm"] == "texts", shift, -shift / 3)).clip(0, 100)
        )
        locked(study)
        results = found(study, moved, tmp_path)
        primary = results.find("effect.score.after.texts - control")
        second = [results.find(f"effect.{name}.after.texts - control") for name in ("days", "passed")]
        if primary.p_value > 0.05:
            assert [one.decision for one in second] == ["not-tested", "not-tested"]
            assert all(one.p_adjusted is None for one in second)
        else:
            assert primary.decision == "rejected"
            holm = multipletests([one.p_value for one in second], method="holm")[1]
            assert [one.p_adjusted for one in second] == pytest.approx(list(holm), rel=1e-12)
        reached.append(primary.decision)
    assert reached == ["not-rejected", "rejected"] or reached == ["rejected", "rejected"]


def locked(folder: Path, time: str = "2021-02-01T09:00:00+00:00") -> None:
    from equipoise.protocol import lock

    (folder / "lock.json").unlink(missing_ok=True)
    registration = lock(load_study(folder), time=time, seed_commitment=None, version="0.1.0")
    (folder / "lock.json").write_text(registration.model_dump_json(by_alias=True))


def test_confirmatory_needs_the_lock_before_the_answers_and_before_the_data_were_public(
    folder, people, tmp_path
) -> None:
    study = folder()
    effect = "effect.score.after.texts - control"
    unlocked = found(study, people, tmp_path)
    assert {(one.planned, one.tier) for one in unlocked} == {(False, "exploratory")}
    locked(study)
    timed = people.assign(answered_after="2021-05-01T10:00:00Z")
    first = found(study, timed, tmp_path).find(effect)
    assert (first.planned, first.confirmatory, first.tier) == (True, True, "primary")
    locked(study, "2021-06-01T09:00:00+00:00")
    late = found(study, timed, tmp_path).find(effect)
    assert not late.confirmatory
    assert "answered before the protocol was locked" in late.warnings[-1]
    protocol = study / "protocol.yaml"
    protocol.write_text(
        protocol.read_text().replace(
            "launch: 2021-03-01}", "launch: 2021-03-01, data-public-since: 2008-12-01}"
        )
    )
    locked(study)
    public = found(study, timed, tmp_path).find(effect)
    assert not public.confirmatory
    assert "the data were public" in public.warnings[-1]


def test_rows_may_be_shuffled_and_columns_moved(folder, people, tmp_path) -> None:
    study = folder()
    one = found(study, people, tmp_path)
    other = found(study, people.sample(frac=1, random_state=1)[people.columns[::-1]], tmp_path)
    assert one.to_json() == other.to_json()


def test_swapped_labels_of_arms_mirror_the_effect(folder, people, tmp_path) -> None:
    study = folder()
    swapped = people.assign(arm=people["arm"].replace({"control": "texts", "texts": "control"}))
    one, other = (
        found(study, frame, tmp_path).find("effect.score.after.texts - control")
        for frame in (people, swapped)
    )
    assert one.estimate == pytest.approx(-other.estimate, rel=1e-9)
    assert one.std_error == pytest.approx(other.std_error, rel=1e-9)


def test_a_person_alone_in_a_stratum_is_counted_and_named(folder, people, tmp_path) -> None:
    few = people[
        (people["site"] != "west")
        | (people.index == people[(people["site"] == "west") & people["score"].notna()].index[0])
    ]
    effect = found(folder(), few, tmp_path).find("effect.score.after.texts - control")
    assert any("alone in their stratum (west)" in warning for warning in effect.warnings)
    without = found(folder(), few[few["site"] != "west"], tmp_path).find("effect.score.after.texts - control")
    assert effect.estimate == pytest.approx(without.estimate, rel=1e-2)
