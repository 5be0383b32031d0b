"""How often intervals hold the truth where not everybody takes up or answers, as the page says."""

import os
import re
from pathlib import Path

import pytest
from tests.reference.coverage.drawn_partly import CASES, EFFECTS, LEE, RESPONSE, STRONG, WEAK, held

PAGE = Path(__file__).parents[3] / "docs/explanation/coverage.md"
DRAWS = 20_000 if os.environ.get("EQUIPOISE_STATED") else 100
ROW = re.compile(r"^\| ([^|]+?) \| (0\.\d{3}) \| (0\.\d{3}) \| ([\d,]+) \|$", re.MULTILINE)
SHOWN = {name: (dict(zip(EFFECTS, map(float, shares), strict=True)), int(counted.replace(",", "")))
         for name, *shares, counted in ROW.findall(PAGE.read_text("utf-8"))}  # fmt: skip


@pytest.mark.parametrize("effects", EFFECTS)
@pytest.mark.parametrize("name", CASES)
def test_drawn_trials_agree_with_what_the_page_says(name: str, effects: str) -> None:
    shares, counted = SHOWN[name]
    printed = shares[effects]
    error = (printed * (1 - printed) * (1 / DRAWS + 1 / counted)) ** 0.5
    assert abs(held(name, effects, DRAWS) - printed) < 4 * error + 5e-4


@pytest.mark.parametrize("effects", EFFECTS)
def test_what_is_offered_holds_or_falls_short_by_little(effects: str) -> None:
    for name in (*STRONG, WEAK[1], LEE["any"], RESPONSE[0]):
        assert SHOWN[name][0][effects] >= 0.93
    assert SHOWN[LEE["lowest"]][0][effects] >= 0.91


@pytest.mark.parametrize("effects", EFFECTS)
def test_the_page_shows_what_leaving_out_who_does_not_answer_costs(effects: str) -> None:
    weighted, plain = (SHOWN[name][0][effects] for name in RESPONSE)
    assert plain < weighted - 0.05
