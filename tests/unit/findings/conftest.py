"""A trial whose data came from elsewhere, with everything that an analysis can adjust for, and data for it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

PROTOCOL = """\
equipoise: 1
study: {id: outside, title: A trial, kind: trial, question: Does it work?, launch: 2021-03-01}
participants:
  roster:
    ref: {type: text, role: identifier}
    email: {type: email, role: contact, required: false}
    site: {type: category, levels: [north, south, west]}
    team: {type: category}
    age: {type: number, low: 16, high: 99}
arms: {control: {}, texts: {}, calls: {}}
allocation: {strata: [site], ratio: {control: 1, texts: 1, calls: 1}, when: launch}
waves:
  before: {survey: nothing, opens: launch - 3 weeks, closes: launch}
  after: {survey: nothing, opens: launch + 8 weeks, closes: launch + 12 weeks}
outcomes:
  score: {column: score, waves: [after], role: primary, good: high, margin: 2, range: [0, 100]}
  days: {column: days, waves: [after], role: secondary, good: low, scale: count}
  passed: {column: passed, waves: [after], role: secondary, good: high, scale: yes-no}
analyses:
ANALYSES
testing:
  - {claims: [score]}
  - {then: [days, passed], method: holm}
"""
EFFECT = "  effect: {contrast: texts - control, adjust: [before, strata], model: linear, at: after}"


@pytest.fixture
def folder(tmp_path: Path):
    """Makes the study's folder with these analyses."""

    def make(analyses: str = EFFECT, **files: str) -> Path:
        study = tmp_path / "outside"
        (study / "surveys").mkdir(parents=True, exist_ok=True)
        (study / "surveys" / "nothing.yaml").write_text(
            "title: Nothing\npages:\n  - {id: a, questions: [{id: said, ask: What?, type: text}]}\n"
        )
        (study / "protocol.yaml").write_text(PROTOCOL.replace("ANALYSES", analyses))
        for name, text in files.items():
            (study / f"{name}.yaml").write_text(text)
        return study

    return make


@pytest.fixture
def people() -> pd.DataFrame:
    """Three arms, three strata, forty teams, some answers and some scores before missing."""
    rng = np.random.default_rng(11)
    n = 420
    frame = pd.DataFrame({"ref": [f"P{i:04}" for i in range(n)]})
    frame["site"] = np.array(["north", "south", "west"])[rng.integers(0, 3, n)]
    frame["team"] = [f"t{i}" for i in rng.integers(0, 40, n)]
    frame["age"] = rng.integers(20, 65, n).astype(float)
    frame["arm"] = np.array(["control", "texts", "calls"])[rng.integers(0, 3, n)]
    latent = rng.normal(50, 10, n)
    frame["score_before"] = np.where(
        rng.random(n) < 0.7, np.clip(latent + rng.normal(0, 5, n), 0, 100), np.nan
    )
    effect = frame["arm"].map({"control": 0.0, "texts": 3.0, "calls": 1.0})
    frame["score"] = np.clip(latent + effect + rng.normal(0, 6, n), 0, 100)
    frame.loc[rng.random(n) < 0.25, "score"] = np.nan
    frame["days"] = rng.poisson(2, n).astype(float)
    frame["passed"] = (rng.random(n) < 0.5).astype(int)
    return frame
