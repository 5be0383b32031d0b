"""Stepped wedges and crossovers tested by giving out the sequences anew."""

from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from equipoise.findings import analyse, read_data
from equipoise.protocol import load_study

HEAD = """\
equipoise: 1
study: {id: design, title: A design, kind: trial, question: Does it work?, launch: 2021-03-01}
participants:
  roster:
    ref: {type: text, role: identifier}
    authority: {type: category}
"""
WEDGE = """\
arms: {usual: {}, model: {}}
schedule:
  periods: {p1: 2021-03-01, p2: p1 + 6 months, p3: p2 + 6 months, p4: p3 + 6 months}
  sequences:
    s1: [usual, model, model, model]
    s2: [usual, usual, model, model]
    s3: [usual, usual, usual, model]
allocation: {unit: authority, to: sequences, method: complete}
outcomes: {score: {column: score, role: primary, good: high, range: [-100, 100]}}
analyses: {effect: {contrast: model - usual, test: randomisation}}
"""
LATIN = """\
arms: {a: {}, b: {}, c: {}}
schedule: {periods: [1, 2, 3], sequences: {s0: [a, b, c], s1: [b, c, a], s2: [c, a, b]}}
allocation: {to: sequences, method: complete}
waves:
  w1: {survey: nothing, opens: launch + 1 week, closes: launch + 2 weeks}
  w2: {survey: nothing, opens: launch + 5 weeks, closes: launch + 6 weeks}
  w3: {survey: nothing, opens: launch + 9 weeks, closes: launch + 10 weeks}
outcomes: {score: {column: score, waves: [w1, w2, w3], role: primary, good: high}}
analyses: {effect: {contrast: c - a, test: randomisation}}
"""
SEQUENCES = {"s1": [0, 1, 1, 1], "s2": [0, 0, 1, 1], "s3": [0, 0, 0, 1]}


def found(folder: Path, protocol: str, frame: pd.DataFrame):
    (folder / "surveys").mkdir()
    (folder / "surveys" / "nothing.yaml").write_text(
        "title: Nothing\npages:\n  - {id: a, questions: [{id: said, ask: What?, type: text}]}\n"
    )
    (folder / "protocol.yaml").write_text(HEAD + protocol)
    frame.to_csv(folder / "data.csv", index=False)
    study = load_study(folder)
    return analyse(study, read_data(study, folder / "data.csv"))


@pytest.fixture
def wedge() -> pd.DataFrame:
    """Six authorities, two a sequence, with other people in each period, some of them without an answer."""
    rng = np.random.default_rng(5)
    rows = [(g, p) for g in range(6) for p in range(4) for _ in range(rng.integers(2, 6))]
    cluster, period = np.array(rows).T
    frame = pd.DataFrame(
        {"ref": [f"P{i:03}" for i in range(len(rows))], "authority": [f"A{g}" for g in cluster]}
    )
    frame["arm"] = np.array(["s1", "s3", "s2", "s2", "s1", "s3"])[cluster]
    frame["period"] = [f"p{p + 1}" for p in period]
    on = np.array([SEQUENCES[arm][p] for arm, p in zip(frame["arm"], period, strict=True)])
    frame["score"] = rng.normal(size=len(rows)) + rng.normal(size=6)[cluster] + 0.3 * period + 1.5 * on
    frame.loc[3, "score"] = np.nan
    return frame


def test_a_stepped_wedge_gives_out_its_sequences_anew(tmp_path, wedge) -> None:
    effect = found(tmp_path, WEDGE, wedge).find("effect.score.model - usual")
    there = wedge.dropna().assign(number=lambda f: f["period"].str[1:].astype(int) - 1)

    def size(sequences: tuple[str, ...]) -> float:
        given = dict(zip([f"A{g}" for g in range(6)], sequences, strict=True))
        rows = zip(there["authority"], there["number"], strict=True)
        data = there.assign(on=[float(SEQUENCES[given[a]][p]) for a, p in rows])
        fit = smf.ols("score ~ on + C(authority) + C(period)", data).fit(
            cov_type="cluster",
            cov_kwds={"groups": pd.factorize(data["authority"])[0], "use_correction": False},
        )
        return abs(fit.tvalues["on"])

    every = sorted(set(permutations(["s1", "s1", "s2", "s2", "s3", "s3"])))
    sizes = np.array([size(sequences) for sequences in every])
    observed = size(("s1", "s3", "s2", "s2", "s1", "s3"))
    assert len(every) == effect.draws == 90
    assert effect.p_value == pytest.approx((sizes >= observed * (1 - 1e-9)).mean(), abs=1e-12)
    assert abs(effect.statistic) == pytest.approx(observed, rel=1e-8)
    assert "giving out the sequences anew (all 90 allocations)" in effect.model
    assert effect.interval is not None


def test_sequences_of_three_arms_are_not_given_out_anew_for_two_of_them(tmp_path) -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"ref": [f"P{i:02}" for i in range(18)], "authority": "A1"})
    frame["arm"] = [f"s{i % 3}" for i in range(18)]
    for wave in ("w1", "w2", "w3"):
        frame[f"score_{wave}"] = rng.normal(size=18)
    effect = found(tmp_path, LATIN, frame).find("effect.score.c - a")
    assert "for one arm less another where there are two" in effect.not_estimable
