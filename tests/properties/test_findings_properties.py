"""What an analysis must not notice, and what it must mirror."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.findings import Finding, Findings, StudyData, analyse
from equipoise.protocol import Study, load_study

PROTOCOL = """\
equipoise: 1
study: {id: any, title: Any, kind: trial, question: Does it work?, launch: 2021-03-01 09:00}
participants:
  roster:
    ref: {type: text, role: identifier}
    site: {type: category, levels: [north, south]}
arms: {control: {}, letters: {}, texts: {}}
allocation: {strata: [site], ratio: {control: 1, letters: 1, texts: 1}}
outcomes: {score: {column: score, role: primary, good: high}}
analyses:
  additive: {contrast: all pairs, model: linear, adjust: [strata], missing: tipping-point}
  lin: {contrast: all pairs, model: lin-interacted, adjust: [strata], missing: none, sensitivity-of: additive}
  means: {contrast: all pairs, model: difference-in-means, missing: none, sensitivity-of: additive}
"""
quick = settings(max_examples=25, deadline=None)


@pytest.fixture(scope="module")
def study() -> Study:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "any"
        folder.mkdir()
        (folder / "protocol.yaml").write_text(PROTOCOL, "utf-8")
        return load_study(folder)


@st.composite
def trials(draw: st.DrawFn) -> StudyData:
    """Four people or more in each arm of each stratum, some answers missing."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cells = [(site, arm) for site in ("north", "south") for arm in ("control", "letters", "texts")]
    rows = [cell for cell in cells for _ in range(draw(st.integers(4, 9)))]
    scores = rng.normal(
        draw(st.sampled_from([0.0, 40.0, -3.0])), draw(st.sampled_from([0.5, 8.0])), len(rows)
    )
    known: list[float | None] = [float(score) for score in scores]
    for place in range(0, len(rows), 4):
        if draw(st.booleans()) and rows[place - 1] == rows[place]:
            known[place] = None
    frame = pl.DataFrame(
        {
            "ref": [f"P{place:03}" for place in range(len(rows))],
            "site": [site for site, _ in rows],
            "arm": [arm for _, arm in rows],
            "score": pl.Series(known, dtype=pl.Float64),
        }
    )
    return StudyData(identifier="ref", participants=frame)


def with_people(data: StudyData, *columns: pl.Expr) -> StudyData:
    return replace(data, participants=data.participants.with_columns(*columns))


def effects(results: Findings) -> list[Finding]:
    return results.select(kind="effect", outcome="score")


@quick
@given(data=trials(), shift=st.floats(-1e3, 1e3))
def test_a_constant_added_to_everybody_leaves_effects(study: Study, data: StudyData, shift: float) -> None:
    moved = analyse(study, with_people(data, pl.col("score") + shift))
    for before, after in zip(effects(analyse(study, data)), effects(moved), strict=True):
        assert after.estimate == pytest.approx(before.estimate, abs=1e-8)
        assert after.std_error == pytest.approx(before.std_error, rel=1e-7)


@quick
@given(data=trials(), factor=st.floats(0.01, 100))
def test_another_unit_scales_effects_and_their_errors_alone(
    study: Study, data: StudyData, factor: float
) -> None:
    scaled = analyse(study, with_people(data, pl.col("score") * factor))
    for before, after in zip(effects(analyse(study, data)), effects(scaled), strict=True):
        assert after.estimate == pytest.approx(before.estimate * factor, rel=1e-7, abs=1e-9)
        assert after.std_error == pytest.approx(before.std_error * factor, rel=1e-7)
        assert after.p_value == pytest.approx(before.p_value, rel=1e-6)
        assert after.standardised.estimate == pytest.approx(before.standardised.estimate, rel=1e-6, abs=1e-9)


@quick
@given(data=trials(), seed=st.integers(0, 2**32 - 1))
def test_other_identifiers_and_another_order_leave_every_number(
    study: Study, data: StudyData, seed: int
) -> None:
    frame = data.participants.sample(fraction=1.0, shuffle=True, seed=seed)
    names = pl.Series("ref", [f"Q{place:03}" for place in range(frame.height)])
    other = analyse(study, replace(data, participants=frame.with_columns(names)))
    for before, after in zip(analyse(study, data), other, strict=True):
        assert (before.id, before.n, before.n_missing) == (after.id, after.n, after.n_missing)
        assert (after.estimate is None) == (before.estimate is None)
        if before.estimate is not None:
            assert after.estimate == pytest.approx(before.estimate, rel=1e-9, abs=1e-10)


@quick
@given(data=trials())
def test_arms_that_change_places_mirror_the_contrast_between_them(study: Study, data: StudyData) -> None:
    swapped = analyse(
        study, with_people(data, pl.col("arm").replace({"control": "texts", "texts": "control"}))
    )
    before = {finding.id: finding for finding in effects(analyse(study, data))}
    for after in effects(swapped):
        if after.contrast == "texts - control":
            mirrored = before[after.id]
            assert after.estimate == pytest.approx(-mirrored.estimate, rel=1e-8, abs=1e-9)
            assert after.interval.low == pytest.approx(-mirrored.interval.high, rel=1e-7, abs=1e-8)
            assert after.p_value == pytest.approx(mirrored.p_value, rel=1e-7)


@quick
@given(data=trials())
def test_pairs_of_contrasts_add_up_to_the_third(study: Study, data: StudyData) -> None:
    results = analyse(study, data)
    for name in ("additive", "lin"):
        found = {one.contrast: one.estimate for one in effects(results) if one.id.startswith(f"{name}.")}
        way = found["letters - control"] + found["texts - letters"]
        assert found["texts - control"] == pytest.approx(way, rel=1e-8, abs=1e-9)


@quick
@given(data=trials())
def test_everybody_randomised_is_counted_once(study: Study, data: StudyData) -> None:
    people = dict(data.participants.group_by("arm").len().iter_rows())
    for finding in effects(analyse(study, data)):
        assert finding.n_randomised == people
        assert {arm: finding.n[arm] + finding.n_missing[arm] for arm in people} == people
