"""Stepped wedges and crossovers from a study's folder and data, against lme4 and pbkrtest.

The data and the numbers are those of `tests/reference/mixed`.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise.errors import ProtocolError
from equipoise.findings import Finding, Findings, analyse, read_data
from equipoise.protocol import load_study

REFERENCE = Path(__file__).parents[2] / "reference" / "mixed"
LMER = json.loads((REFERENCE / "mixed_reference.json").read_text())
HEAD = """\
equipoise: 1
study: {id: design, title: A design, kind: trial, question: Does it work?, launch: 2021-03-01}
participants:
  roster:
    ref: {type: text, role: identifier}
    authority: {type: category}
    nation: {type: category, levels: [east, west]}
"""
WEDGE = (
    HEAD
    + """\
arms: {usual: {}, model: {label: The new model}}
schedule:
  periods: {p1: 2021-03-01, p2: p1 + 6 months, p3: p2 + 6 months, p4: p3 + 6 months, p5: p4 + 6 months}
  sequences:
    s1: [usual, model, model, model, model]
    s2: [usual, usual, model, model, model]
    s3: [usual, usual, usual, model, model]
    s4: [usual, usual, usual, usual, model]
allocation: {unit: authority, to: sequences, method: complete}
outcomes: {score: {column: score, role: primary, good: high, range: [-100, 100]}}
analyses: {effect: {contrast: model - usual}}
"""
)
COHORT = (
    HEAD
    + """\
arms: {usual: {}, model: {}}
schedule:
  periods: {p1: 2021-03-01, p2: p1 + 6 months, p3: p2 + 6 months, p4: p3 + 6 months}
  sequences: {s1: [usual, model, model, model], s2: [usual, usual, model, model], s3: [usual, usual, usual, model]}
allocation: {unit: authority, to: sequences, method: complete, when: launch}
waves:
  w1: {survey: nothing, opens: p1 + 3 months, closes: p1 + 4 months}
  w2: {survey: nothing, opens: p2 + 3 months, closes: p2 + 4 months}
  w3: {survey: nothing, opens: p3 + 3 months, closes: p3 + 4 months}
  w4: {survey: nothing, opens: p4 + 3 months, closes: p4 + 4 months}
outcomes: {score: {column: score, waves: [w1, w2, w3, w4], role: primary, good: high}}
analyses: {effect: {contrast: usual - model}}
"""
)
CROSSOVER = (
    HEAD
    + """\
arms: {a: {}, b: {}, c: {}}
schedule:
  periods: [1, 2, 3]
  sequences: {s0: [a, b, c], s1: [b, c, a], s2: [c, a, b], s3: [a, c, b], s4: [b, a, c], s5: [c, b, a]}
allocation: {to: sequences, method: complete}
waves:
  w1: {survey: nothing, opens: launch + 1 week, closes: launch + 2 weeks}
  w2: {survey: nothing, opens: launch + 5 weeks, closes: launch + 6 weeks}
  w3: {survey: nothing, opens: launch + 9 weeks, closes: launch + 10 weeks}
outcomes: {score: {column: score, waves: [w1, w2, w3], role: primary, good: high}}
analyses: {effect: {contrast: [c - a, c - b]}}
"""
)
BY_CLUSTER = (
    HEAD
    + """\
arms: {a: {}, b: {}}
schedule:
  periods: {p1: launch, p2: launch + 10 weeks, p3: launch + 20 weeks, p4: launch + 30 weeks}
  sequences: {abab: [a, b, a, b], baba: [b, a, b, a]}
allocation: {unit: authority, to: sequences, method: complete}
outcomes: {score: {column: score, role: primary, good: high}}
analyses: {effect: {contrast: b - a}}
"""
)
TWO_BY_TWO = (
    HEAD
    + """\
arms: {a: {}, b: {}}
schedule: {periods: {p1: launch, p2: launch + 10 weeks}, sequences: {ab: [a, b], ba: [b, a]}, washout: 2 weeks}
allocation: {to: sequences, method: complete}
waves:
  w1: {survey: nothing, opens: launch + 8 weeks, closes: launch + 9 weeks}
  early: {survey: nothing, opens: launch + 11 weeks, closes: launch + 12 weeks}
  w2: {survey: nothing, opens: launch + 18 weeks, closes: launch + 19 weeks}
outcomes: {score: {column: score, waves: [w1, early, w2], role: primary, good: high}}
analyses: {effect: {contrast: a - b}}
"""
)


def folder(tmp_path: Path, protocol: str) -> Path:
    (tmp_path / "design" / "surveys").mkdir(parents=True)
    (tmp_path / "design" / "surveys" / "nothing.yaml").write_text(
        "title: Nothing\npages:\n  - {id: a, questions: [{id: said, ask: What?, type: text}]}\n"
    )
    (tmp_path / "design" / "protocol.yaml").write_text(protocol)
    return tmp_path / "design"


def found(tmp_path: Path, protocol: str, frame: pd.DataFrame) -> Findings:
    study = load_study(folder(tmp_path, protocol))
    frame.to_csv(tmp_path / "data.csv", index=False)
    return analyse(study, read_data(study, tmp_path / "data.csv"))


def agrees(finding: Finding, reference: dict, place: int | None = None, sign: int = 1) -> None:
    wanted = {key: value if place is None else value[place] for key, value in reference.items()}
    assert finding.estimate == pytest.approx(sign * wanted["estimate"], abs=1e-5)
    assert finding.std_error == pytest.approx(wanted["std_error"], rel=1e-4)
    assert finding.dof == pytest.approx(wanted["dof"], abs=1e-2)
    assert finding.p_value == pytest.approx(wanted["p"], abs=1e-5)


def of_wedge() -> pd.DataFrame:
    rows = pd.read_csv(REFERENCE / "wedge.csv")
    return pd.DataFrame(
        {
            "ref": [f"P{i:04}" for i in range(len(rows))],
            "authority": [f"A{cluster:02}" for cluster in rows["cluster"]],
            "nation": "east",
            "arm": [f"s{sequence}" for sequence in rows["sequence"]],
            "period": [f"p{period}" for period in rows["period"]],
            "score": rows["y"],
        }
    )


def in_waves(name: str) -> pd.DataFrame:
    rows = pd.read_csv(REFERENCE / f"{name}.csv", keep_default_na=False)
    return rows.pivot(index="person", columns="period", values="y").rename(columns="score_w{}".format)


def of_cohort() -> pd.DataFrame:
    frame = in_waves("cohort").reset_index()
    cluster = (frame["person"] - 1) % 9 + 1
    frame["authority"] = [f"A{one}" for one in cluster]
    frame["arm"] = [f"s{(one - 1) % 3 + 1}" for one in cluster]
    return frame.assign(ref=[f"P{one:03}" for one in frame.pop("person")], nation="east")


def of_crossover() -> pd.DataFrame:
    frame = in_waves("crossover").reset_index()
    frame["arm"] = [f"s{(one - 1) % 6}" for one in frame["person"]]
    return frame.assign(ref=[f"P{one:03}" for one in frame.pop("person")], nation="east", authority="A1")


def test_a_stepped_wedge_of_other_people_in_each_period_equals_lmer(tmp_path) -> None:
    results = found(tmp_path, WEDGE, of_wedge())
    effect = results.find("effect.score.model - usual")
    agrees(effect, LMER["wedge"]["kenward_roger"], 0)
    agrees(results.find("effect.score.model - usual.exposure=3"), LMER["wedge"]["kenward_roger"], 1)
    constant = results.find("effect.score.model - usual.constant")
    agrees(constant, LMER["wedge_constant"]["kenward_roger"])
    assert "average over the periods since then" in effect.estimand
    assert "random intercepts of cluster, cluster and period" in effect.model
    assert "the model's standard errors, Kenward-Roger degrees of freedom" in effect.model
    assert effect.n_randomised["s1"] == (of_wedge()["arm"] == "s1").sum()
    variances = LMER["wedge"]["variances"]
    shared = variances["cluster"] + variances["cluster:period"]
    icc = results.find("effect.score.icc")
    assert icc.estimate == pytest.approx(shared / (shared + variances["Residual"]), abs=1e-5)
    assert results.find("flow.randomised.s2").estimate == (of_wedge()["arm"] == "s2").sum()


def test_a_constant_effect_is_the_main_one_only_where_the_protocol_declares_it(tmp_path) -> None:
    declared = WEDGE.replace("  sequences:\n", "  effect: constant\n  sequences:\n")
    results = found(tmp_path, declared, of_wedge())
    effect = results.find("effect.score.model - usual")
    agrees(effect, LMER["wedge_constant"]["kenward_roger"])
    assert "taken to be the same" in effect.estimand
    agrees(results.find("effect.score.model - usual.by-exposure"), LMER["wedge"]["kenward_roger"], 0)


def test_a_stepped_wedge_of_the_same_people_has_an_intercept_of_each(tmp_path) -> None:
    """The contrast is written the other way round, so the sign changes and nothing else."""
    results = found(tmp_path, COHORT, of_cohort())
    agrees(results.find("effect.score.usual - model"), LMER["cohort"]["kenward_roger"], sign=-1)
    assert results.find("effect.score.variance.person").estimate == pytest.approx(
        LMER["cohort"]["variances"]["person"], abs=1e-4
    )


def test_a_crossover_of_three_arms_with_gaps_equals_lmer(tmp_path) -> None:
    results = found(tmp_path, CROSSOVER, of_crossover())
    agrees(results.find("effect.score.c - a"), LMER["crossover"]["kenward_roger"], 0)
    agrees(results.find("effect.score.c - b"), LMER["crossover"]["kenward_roger"], 1)
    carried = results.find("effect.score.c - a.carry-over")
    assert (carried.tier, carried.p_value is not None) == ("exploratory", True)


def test_a_crossover_of_clusters_takes_other_people_in_each_period(tmp_path) -> None:
    rows = pd.read_csv(REFERENCE / "cluster_crossover.csv")
    frame = pd.DataFrame(
        {"ref": [f"P{i:04}" for i in range(len(rows))], "nation": "east", "score": rows["y"]}
    )
    frame["authority"] = [f"A{cluster:02}" for cluster in rows["cluster"]]
    frame["arm"] = np.where(rows["cluster"] % 2, "abab", "baba")
    frame["period"] = [f"p{period}" for period in rows["period"]]
    results = found(tmp_path, BY_CLUSTER, frame)
    effect = results.find("effect.score.b - a")
    reference = json.loads((REFERENCE / "mixed_more_reference.json").read_text())["cluster_crossover"]
    theirs = reference["kenward_roger"]
    assert effect.estimate == pytest.approx(theirs["estimate"], abs=1e-5)
    assert (effect.std_error, effect.dof) == pytest.approx((theirs["std_error"], theirs["dof"]), rel=1e-3)
    assert "random intercepts of cluster, cluster and period, periods" in effect.model
    assert "every authority is compared with itself, by other people each time" in effect.estimand
    shared = reference["variances"]["cluster"] + reference["variances"]["cluster:period"]
    icc = shared / sum(reference["variances"].values())
    assert results.find("effect.score.icc").estimate == pytest.approx(icc, abs=1e-5)
    alone = found(tmp_path / "alone", BY_CLUSTER.replace("unit: authority, ", ""), frame)
    assert "nobody is measured in more than one period" in alone.find("effect.score.b - a").not_estimable


def test_two_arms_in_two_periods_leave_the_washout_out_and_have_their_closed_form(tmp_path) -> None:
    rng = np.random.default_rng(8)
    n = 40
    frame = pd.DataFrame({"ref": [f"P{i:02}" for i in range(n)], "authority": "A1", "nation": "east"})
    frame["arm"] = np.where(np.arange(n) % 2, "ab", "ba")
    level = rng.normal(0, 2, n)
    for wave, has_a in (
        ("w1", frame["arm"] == "ab"),
        ("early", frame["arm"] == "ba"),
        ("w2", frame["arm"] == "ba"),
    ):
        frame[f"score_{wave}"] = level + 1.0 * has_a + rng.normal(0, 1, n)
    results = found(tmp_path, TWO_BY_TWO, frame)
    effect, closed = results.find("effect.score.a - b"), results.find("effect.score.a - b.closed-form")
    half = (frame["score_w1"] - frame["score_w2"]) / 2
    by_hand = half[frame["arm"] == "ab"].mean() - half[frame["arm"] == "ba"].mean()
    assert closed.estimate == pytest.approx(by_hand, rel=1e-10)
    assert (effect.estimate, effect.std_error) == pytest.approx((by_hand, closed.std_error), rel=1e-6)
    assert any("early is left out: it lies within the washout of 2 weeks" in one for one in effect.warnings)
    assert "carry-over cannot be told" in results.find("effect.score.a - b.carry-over").warnings[0]


def test_a_score_before_the_first_period_is_adjusted_for(tmp_path) -> None:
    protocol = COHORT.replace(
        "waves:\n", "waves:\n  before: {survey: nothing, opens: launch - 3 weeks, closes: launch}\n"
    )
    frame = of_cohort()
    frame["score_before"] = frame["score_w1"].fillna(5.0) + np.arange(len(frame)) % 5
    effect = found(tmp_path, protocol, frame).find("effect.score.usual - model")
    assert "adjusted for the score before" in effect.model
    assert effect.std_error < LMER["cohort"]["kenward_roger"]["std_error"]


def test_data_that_do_not_say_the_period_give_no_estimate(tmp_path) -> None:
    frame = of_wedge()
    lacking = found(tmp_path / "one", WEDGE, frame.drop(columns="period"))
    assert 'no column "period"' in lacking.find("effect.score.model - usual").not_estimable
    frame.loc[3, "period"] = "p9"
    strange = found(tmp_path / "two", WEDGE, frame).find("effect.score.model - usual")
    assert 'period "p9" is not one of the schedule: p1, p2, p3, p4, p5' in strange.not_estimable


@pytest.mark.parametrize(
    ("protocol", "old", "new", "message"),
    [
        (WEDGE, "model - usual}", "model - usual, model: linear}", "over their periods by `mixed`"),
        (WEDGE, "model - usual}", "model - usual, by: nation}", "`by` does not go with sequences"),
        (WEDGE, "model - usual}", "model - usual, missing: bounds}", "`missing` does not go with sequences"),
        (TWO_BY_TWO, "washout: 2 weeks", "washout: some time", "is not a length of time"),
        (TWO_BY_TWO, "washout: 2 weeks", "effect: constant", "these sequences go back"),
    ],
)
def test_what_does_not_go_with_sequences_is_refused_before_any_data(
    protocol, old, new, message, tmp_path
) -> None:
    with pytest.raises(ProtocolError, match=message):
        load_study(folder(tmp_path, protocol.replace(old, new)))


def written(tmp_path: Path, frame: pd.DataFrame, exclusions: pd.DataFrame | None = None, **said) -> Path:
    place = tmp_path / "frames"
    place.mkdir(parents=True)
    frame.to_csv(place / "participants.csv", index=False)
    if exclusions is not None:
        exclusions.to_csv(place / "exclusions.csv", index=False)
    (place / "dictionary.json").write_text(json.dumps({"source": "collected", **said}), "utf-8")
    return place


def test_masked_sequences_are_counted_and_not_compared(tmp_path) -> None:
    frame = of_cohort()
    frame["arm"] = frame["arm"].map({"s1": "B", "s2": "C", "s3": "A"})
    study = load_study(folder(tmp_path, COHORT))
    results = analyse(study, read_data(study, written(tmp_path, frame, masked=True)))
    effects = results.select(analysis="effect")
    assert [(one.decision, one.estimate) for one in effects] == [("not-tested", None)]
    assert results.find("flow.randomised.B").estimate == (frame["arm"] == "B").sum()


def test_without_those_left_out_the_effect_stands_beside_that_of_everybody(tmp_path) -> None:
    frame = of_crossover()
    left = frame["ref"][:3]
    excluded = pd.DataFrame({"ref": left, "of": "score", "reason": "ineligible after all"})
    study = load_study(folder(tmp_path, CROSSOVER))
    results = analyse(study, read_data(study, written(tmp_path, frame, excluded)))
    again = results.find("effect.score.c - a.without-excluded")
    fewer = found(tmp_path / "fewer", CROSSOVER, frame[~frame["ref"].isin(left)]).find("effect.score.c - a")
    assert (again.estimate, again.std_error) == pytest.approx((fewer.estimate, fewer.std_error), rel=1e-9)
    assert again.model.endswith("without those whom the blinded data review left out (3 people)")


def test_people_may_be_chosen_by_what_was_known_before(tmp_path) -> None:
    frame = of_wedge()
    frame["nation"] = np.where(frame["authority"].str[1:].astype(int) <= 8, "east", "west")
    protocol = WEDGE.replace("model - usual}", "model - usual, among: nation == 'east'}")
    chosen = found(tmp_path / "one", protocol, frame).find("effect.score.model - usual")
    east = found(tmp_path / "two", WEDGE, frame[frame["nation"] == "east"]).find("effect.score.model - usual")
    assert (chosen.estimate, chosen.dof) == pytest.approx((east.estimate, east.dof), rel=1e-9)
    assert chosen.n == east.n
