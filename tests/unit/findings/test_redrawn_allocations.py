"""Tests by re-drawing: the protocol's own procedure, from a study and its data, or why it cannot be drawn."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from equipoise.allocation import (
    METHODS,
    allocate,
    draw_stage,
    given_seed,
    stage_of,
    strata_labels,
    units_of,
)
from equipoise.errors import NotSupportedError
from equipoise.estimation.effects.adjusted import linear_effect
from equipoise.estimation.several.multiplicity import adjust_p_values
from equipoise.findings import analyse, read_data
from equipoise.findings.sampling.redraws import drawing_of
from equipoise.protocol import load_study, lock

PROTOCOL = """\
equipoise: 1
study: {id: redrawn, title: A trial, kind: trial, question: Does it work?, launch: 2021-03-01 09:00}
participants:
  roster:
    ref: {type: text, role: identifier}
    site: {type: category}
    team: {type: category}
    age: {type: number}
    pair: {type: text}
  ENROLMENT
ALLOCATION
outcomes:
  score: {column: score, role: primary, good: high}
  other: {column: other, role: primary, good: high}
analyses:
  effect: {outcomes: [score], contrast: texts - control, missing: none, ANALYSIS}
  more: {outcomes: [other], contrast: texts - control, missing: none, ANALYSIS}
TESTING
"""
TWO = "arms: {control: {}, texts: {}}\nallocation: {ratio: {control: 1, texts: 1}, when: launch, MORE}"
THREE = (
    "arms: {calls: {}, control: {}, texts: {}}\n"
    "allocation: {ratio: {calls: 1, control: 1, texts: 1}, when: launch, MORE}"
)
REDRAWN = "test: {by: randomisation}"
ID = "effect.score.texts - control"


@pytest.fixture
def study(tmp_path: Path):
    """Writes a study: how it allocates, how it tests."""

    def make(
        allocation=TWO, more="method: complete", analysis=REDRAWN, enrolment="", testing="", locked=False
    ):
        folder = tmp_path / "study"
        folder.mkdir(exist_ok=True)
        words = {"ALLOCATION": allocation.replace("MORE", more), "ANALYSIS": analysis, "TESTING": testing}
        text = PROTOCOL.replace("ENROLMENT", enrolment)
        for name, value in words.items():
            text = text.replace(name, value)
        (folder / "protocol.yaml").write_text(text)
        if locked:
            registration = lock(
                load_study(folder), time="2021-02-01T09:00:00+00:00", seed_commitment=None, version="0.1.0"
            )
            (folder / "lock.json").write_text(registration.model_dump_json(by_alias=True))
        return load_study(folder)

    return make


@pytest.fixture
def found(tmp_path: Path):
    def make(study, frame):
        frame.to_csv(tmp_path / "data.csv", index=False)
        return analyse(study, read_data(study, tmp_path / "data.csv"))

    return make


def people(arms: str, seed: int = 3, effect: float = 2.0) -> pd.DataFrame:
    """A person a letter: c for control, t for texts, a for calls."""
    rng, n = np.random.default_rng(seed), len(arms)
    frame = pd.DataFrame({"ref": [f"P{i:03}" for i in range(n)]})
    frame["site"] = ["north" if i < n // 2 else "south" for i in range(n)]
    frame["team"] = [f"t{i // 4:02}" for i in range(n)]
    frame["age"] = rng.integers(20, 60, n)
    frame["arm"] = [{"c": "control", "t": "texts", "a": "calls"}[arm] for arm in arms]
    frame["score"] = rng.normal(size=n).round(3) + effect * (frame["arm"] == "texts")
    frame["other"] = frame["score"] + rng.normal(size=n).round(3)
    return frame


def by_hand(frame: pd.DataFrame, allocations: list[np.ndarray], **more: object) -> float:
    """The share of allocations whose t statistic is as large, each fitted by itself."""
    there = frame["score"].notna().to_numpy()

    def size(arm: np.ndarray) -> float:
        fit = linear_effect(frame["score"][there], arm[there], (-1.0, 1.0), **more)
        return abs(fit.statistic)

    observed = size((frame["arm"] == "texts").to_numpy().astype(int))
    return float(np.mean([size(arm) >= observed * (1 - 1e-9) for arm in allocations]))


def test_a_small_trial_is_tested_by_all_its_allocations(study, found) -> None:
    frame = people("cttcctctct")
    effect = found(study(), frame).find(ID)
    allocations = [np.isin(range(10), chosen).astype(int) for chosen in combinations(range(10), 5)]
    assert effect.p_value == pytest.approx(by_hand(frame, allocations))
    assert (effect.draws, effect.mc_error, effect.dof) == (252, None, None)
    assert "all 252 allocations" in effect.model
    assert "interval of a constant effect" in effect.model
    assert effect.interval.low < effect.estimate < effect.interval.high
    assert "the smallest p-value that 252 allocations allow is 0.00794" in effect.warnings


def test_people_who_did_not_answer_keep_their_place_in_the_draw(study, found) -> None:
    frame = people("cttcctct")
    frame.loc[[1, 2], "score"] = np.nan
    effect = found(study(), frame).find(ID)
    allocations = [np.isin(range(8), chosen).astype(int) for chosen in combinations(range(8), 4)]
    there = frame["score"].notna().to_numpy()
    kept = [arm for arm in allocations if 2 <= arm[there].sum() <= 4]  # others leave nobody to compare with
    expected = (by_hand(frame, kept) * len(kept) + len(allocations) - len(kept)) / len(allocations)
    assert effect.p_value == pytest.approx(expected)
    assert "the randomisation test assumes that the arm does not move who answers" in effect.warnings


def test_the_arms_that_are_not_compared_keep_their_people(study, found) -> None:
    frame = people("ctactactac", effect=4)
    frame = frame[frame["ref"] != "P009"]
    effect = found(study(THREE), frame).find(ID)
    assert effect.draws == 20
    assert "the smallest p-value that 20 allocations allow is 0.1" in effect.warnings
    assert effect.interval is None
    assert any(warning.startswith("no interval") for warning in effect.warnings)


def test_a_larger_trial_draws_the_same_whatever_the_order_of_its_rows(study, found) -> None:
    frame = people("ctct" * 15, effect=0.6)
    within = study(more="method: blocked, strata: [site]", analysis="test: {by: randomisation, draws: 999}")
    effect = found(within, frame).find(ID)
    shuffled = found(within, frame.sample(frac=1, random_state=1)).find(ID)
    assert (effect.p_value, effect.interval) == (shuffled.p_value, shuffled.interval)
    assert effect.draws == 999
    assert effect.mc_error == pytest.approx((effect.p_value * (1 - effect.p_value) / 999) ** 0.5)


def test_a_model_fitted_by_likelihood_is_tested_by_its_score(study, found) -> None:
    frame = people("cttcctctct").assign(score=[0, 1, 1, 0, 1, 0, 0, 1, 0, 1])
    effect = found(study(analysis=f"{REDRAWN}, model: poisson, adjust: none"), frame).find(ID)
    allocations = [np.isin(range(10), chosen) for chosen in combinations(range(10), 5)]
    score = frame["score"].to_numpy() - 0.5

    def size(arm: np.ndarray) -> float:
        z = np.where(arm, 0.2, -0.2)
        return abs(z @ score) / np.sqrt(((z * score) ** 2).sum())

    observed = size((frame["arm"] == "texts").to_numpy())
    expected = np.mean([size(arm) >= observed - 1e-9 for arm in allocations])
    assert effect.p_value == pytest.approx(expected)
    assert (effect.draws, effect.dof) == (252, None)
    assert "the score of the arm in that model fitted without it, over its robust error" in effect.model
    assert "the interval is the model's" in effect.model
    half = 1.959964 * effect.std_error
    assert effect.interval.high == pytest.approx(effect.estimate + half)  # the model's, not inverted


@pytest.mark.parametrize(("by", "words"), [("site", "levels of site"), ("age", "each unit of age")])
def test_whether_an_effect_varies_is_tested_by_the_draw(study, found, by, words) -> None:
    frame = people("ctct" * 10)
    frame["score"] += 4 * ((frame["site"] == "north") & (frame["arm"] == "texts"))
    results = found(study(analysis=f"test: {{by: randomisation, draws: 999}}, by: {by}, adjust: none"), frame)
    effect = results.find(f"{ID}.interaction")
    assert words in effect.model
    assert "under the null that the effect is the same for everybody" in effect.model
    assert effect.draws == 999
    assert effect.statistic * effect.estimate > 0
    assert (effect.p_value < 0.05) == (by == "site")


def test_few_clusters_are_drawn_again_without_being_asked_for(study, found) -> None:
    frame = people("cccctttt" * 4)
    effect = found(study(more="unit: team, method: complete", analysis="model: linear"), frame).find(ID)
    teams = [np.isin(range(8), chosen).astype(int) for chosen in combinations(range(8), 4)]
    team = np.arange(32) // 4
    expected = by_hand(frame, [arm[team] for arm in teams], cluster=team, variance="CR2")
    assert effect.p_value == pytest.approx(expected)
    assert effect.draws == 70
    assert any(warning.startswith("few clusters (6.0 degrees") for warning in effect.warnings)
    many = found(study(more="unit: team", analysis="model: linear"), people("cccctttt" * 16)).find(ID)
    assert many.draws is None


def test_clusters_whose_draw_is_not_in_the_data_keep_the_t_test_and_say_why(study, found) -> None:
    frame = people("cccctttt" * 4).drop(columns="site")
    grouped = study(
        more="unit: team, method: blocked, strata: [site]", analysis="model: linear, adjust: none"
    )
    effect = found(grouped, frame).find(ID)
    assert effect.draws is None
    assert effect.dof == pytest.approx(6)
    assert any('no column "site", on which the draw of main hung' in warning for warning in effect.warnings)


ROLLING = "enrolment: rolling"


@pytest.mark.parametrize(
    ("more", "enrolment", "change", "message"),
    [
        ("strata: [site]", "", lambda f: f.drop(columns="site"), 'the data have no column "site"'),
        (
            "method: permuted-blocks",
            ROLLING,
            lambda f: f,
            'no column "enrolled_at", so the draw of main, in order of arrival',
        ),
        (
            "method: permuted-blocks",
            ROLLING,
            lambda f: f.assign(enrolled_at="2021-03-02 10:00"),
            'people have the same "enrolled_at" as another',
        ),
        (
            "unit: team",
            "",
            lambda f: f,
            'people of "t00" are in different arms, though it was drawn as a whole',
        ),
    ],
)
def test_a_draw_that_the_data_do_not_tell_is_not_estimable(study, found, more, enrolment, change, message):
    asked = study(more=more, analysis=f"{REDRAWN}, adjust: none", enrolment=enrolment)
    effect = found(asked, change(people("ctct" * 4))).find(ID)
    assert message in effect.not_estimable
    assert effect.p_value is None


def test_numbers_that_cannot_have_been_drawn_are_kept_and_told(study, found) -> None:
    effect = found(study(), people("cttttttt")).find("more.other.texts - control")
    assert effect.not_estimable is not None  # one person in an arm has no error
    effect = found(study(), people("ccttttttt")).find(ID)
    assert effect.draws == 36
    assert any("cannot give these numbers by arm" in warning for warning in effect.warnings)


def test_blocks_are_drawn_again_in_the_order_in_which_people_came(study, tmp_path) -> None:
    frame = people("ctct" * 6)
    order = np.random.default_rng(1).permutation(24)
    frame["enrolled_at"] = [f"2021-03-{day + 1:02} 09:00" for day in order]
    frame.to_csv(tmp_path / "data.csv", index=False)
    blocked = study(more="method: permuted-blocks, blocks: [1]", enrolment=ROLLING)
    drawing = drawing_of(blocked, read_data(blocked, tmp_path / "data.csv"), "main")
    assert (drawing.place[np.argsort(order)] == np.arange(24)).all()
    redraws = drawing.redraws(500)
    codes = np.concatenate(list(redraws.pieces()))
    assert not redraws.exact
    assert (codes.reshape(500, 12, 2).sum(axis=2) == 1).all()


STAGES = """\
allocation:
  main: {arms: {control: {}, texts: {}}, ratio: equal, when: launch, method: complete}
  bonus: {arms: {none: {}, voucher: {}}, MORE ratio: equal, when: launch, method: complete}"""


def contrasting(asked, contrast):
    """The same study with another contrast."""
    path = asked.folder / "protocol.yaml"
    path.write_text(path.read_text().replace("contrast: texts - control", f"contrast: {contrast}"))
    return load_study(asked.folder)


def test_only_the_stage_whose_arms_are_compared_is_drawn_again(study, found) -> None:
    frame = people("cttcctct" * 2).rename(columns={"arm": "main"})
    frame["bonus"] = None
    frame.loc[frame["main"] == "texts", "bonus"] = ["none", "voucher"] * 4
    asked = contrasting(study(STAGES, more="among: main == 'texts',"), "bonus.voucher - bonus.none")
    assert found(asked, frame).find("effect.score.bonus.voucher - bonus.none").draws == 70


def test_a_contrast_of_several_stages_is_not_tested_by_the_draw_of_one(study, found) -> None:
    frame = people("cttcctct" * 2).rename(columns={"arm": "main"})
    frame["bonus"] = ["none", "voucher"] * 8
    asked = contrasting(study(STAGES, more=""), "main.texts - main.control within bonus.none")
    effect = next(iter(found(asked, frame).select(kind="effect", outcome="score")))
    assert "compares arms of several stages (main, bonus)" in effect.not_estimable


@pytest.mark.parametrize(
    ("analysis", "message"),
    [
        ("model: mixed, cluster: site", "with the model mixed; supported: difference-in-means, linear"),
        ("by: week since launch", "by week since launch, which no draw tells apart"),
    ],
)
def test_what_no_draw_can_test_is_refused_before_anything_is_computed(study, found, analysis, message):
    with pytest.raises(NotSupportedError, match=message):
        found(study(analysis=f"{REDRAWN}, {analysis}"), people("ctct" * 4))


TOGETHER = "testing:\n  - {claims: [score, other], method: westfall-young}"


def test_claims_are_adjusted_together_by_the_same_draws(study, found) -> None:
    frame = people("ctct" * 6, effect=0.9)
    frame["other"] = frame["score"] * 2 + 5
    asked = study(testing=TOGETHER, locked=True)
    results = found(asked, frame)
    both = [results.find(ID), results.find("more.other.texts - control")]
    assert [one.p_adjusted for one in both] == pytest.approx([both[0].p_value] * 2)  # they say the same
    assert any(
        "adjusted for 2 claims by re-drawing the allocation (10,000 draws)" in w for w in both[0].warnings
    )
    results = found(asked, people("ctct" * 6, effect=0.9))
    both = [results.find(ID), results.find("more.other.texts - control")]
    alone = [one.p_value for one in both]
    adjusted = [one.p_adjusted for one in both]
    assert all(p <= q for p, q in zip(alone, adjusted, strict=True))
    assert all(q <= holm + 0.01 for q, holm in zip(adjusted, adjust_p_values("holm", alone), strict=True))


def test_claims_whose_draw_is_not_in_the_data_are_adjusted_by_holm_and_say_so(study, found) -> None:
    frame = people("ctct" * 6, effect=0.9).drop(columns="site")
    asked = study(more="strata: [site]", analysis="adjust: none", testing=TOGETHER, locked=True)
    results = found(asked, frame)
    both = [results.find(ID), results.find("more.other.texts - control")]
    assert [one.p_adjusted for one in both] == pytest.approx(
        adjust_p_values("holm", [b.p_value for b in both])
    )
    assert any("adjusted by Holm in place of Westfall and Young" in warning for warning in both[0].warnings)


NEEDS = {
    "blocked": "strata: [site]",
    "permuted-blocks": "strata: [site]",
    "minimised": "balance: [site]",
    "rerandomised": "criterion: {covariates: [age], accept: 0.5}",
    "matched-pairs": "pair: pair",
}


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_of_allocation_is_drawn_again_from_a_study_and_its_data(study, found, method) -> None:
    frame = people("ctct" * 8, effect=0.0)
    asked = study(
        more=f"method: {method}, {NEEDS.get(method, '')}".rstrip(", "), analysis=f"{REDRAWN}, adjust: none"
    )
    frame["pair"] = [f"{row // 2}" for row in range(len(frame))]
    roster = pl.DataFrame(frame.drop(columns="arm").to_dict("list"))
    units = units_of(asked, *stage_of(asked, None), roster, "ref")
    frame["arm"] = draw_stage(asked, *stage_of(asked, None), units, given_seed("ab" * 32))[0].arms
    effect = found(asked, frame).find(ID)
    assert effect.draws == 10_000
    assert 1 / 10_001 <= effect.p_value <= 1
    assert method in effect.model
    assert not any("cannot give these numbers" in warning for warning in effect.warnings)


def test_all_that_was_known_before_is_tested_together_as_a_check_on_fraud_or_error(study, found) -> None:
    asked = study(more="method: blocked, strata: [site]", analysis="test: t")
    honest = people("ctct" * 10)
    drawn = allocate(
        list(honest["ref"]), strata_labels([list(honest["site"])]), {"control": 1, "texts": 1},
        method="blocked", stage="main", seed=bytes(range(32)),
    )  # fmt: skip
    fair = found(asked, honest.assign(arm=drawn.arms)).find("balance.omnibus")
    assert (fair.kind, fair.draws) == ("test", 999)
    assert fair.p_value > 0.05
    oldest = honest.groupby("site")["age"].rank(method="first") > 10
    chosen = found(asked, honest.assign(arm=np.where(oldest, "texts", "control"))).find("balance.omnibus")
    assert chosen.p_value == 1 / 1000
