"""What studentising is for: effects that differ between people and are nil on average (Wu & Ding 2021).

Fixed outcomes of 60 people, 12 of whom get the arm; with it outcomes spread three times as much about the same
mean. The page on tests by re-drawing prints how often each statistic rejects at 5% over such draws.
"""

import os
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from equipoise.allocation import design, simulate
from equipoise.estimation.randomisation.p_values import randomisation_test
from equipoise.estimation.randomisation.redraws import drawn
from equipoise.estimation.randomisation.statistics import statistic_of

PAGE = Path(__file__).parents[3] / "docs/explanation/tests-by-redrawing.md"
STATED = 20_000
DRAWS = STATED if os.environ.get("EQUIPOISE_STATED") else 100
PEOPLE, WITH = 60, 12


def rejected(statistic: str, spread: float, draws: int) -> float:
    """How often 5% is reached when the arm multiplies everybody's distance from the mean."""
    rng = np.random.default_rng(31)
    without = rng.normal(size=PEOPLE)
    without -= without.mean()
    plan = design(PEOPLE, {"control": PEOPLE // WITH - 1, "texts": 1}, method="complete")
    small = []
    for number, arm in enumerate(simulate(plan, draws, rng)):
        y = without * np.where(arm == 1, spread, 1.0)
        redraws = drawn(
            lambda size, stream: simulate(plan, size, stream),
            arm,
            399,
            partial(_stream, number),
        )
        contrast = statistic_of("linear", y, np.arange(PEOPLE), (-1.0, 1.0))
        found = randomisation_test(contrast, redraws, studentised=statistic == "studentised")
        small.append(found.p_value <= 0.05)
    return float(np.mean(small))


def _stream(number: int, piece: int) -> np.random.Generator:
    return np.random.default_rng([number, piece])


CASES = [("studentised", 1.0), ("difference", 1.0), ("studentised", 3.0), ("difference", 3.0)]


@pytest.mark.parametrize(("statistic", "spread"), CASES)
def test_each_statistic_rejects_as_often_as_the_page_says(statistic: str, spread: float) -> None:
    rows = dict(
        re.findall(r"^\| (studentised|difference) \| (0\.\d{3} \| 0\.\d{3}) \|", PAGE.read_text(), re.M)
    )
    printed = float(rows[statistic].split(" | ")[0 if spread == 1.0 else 1])
    error = (printed * (1 - printed) * (1 / DRAWS + 1 / STATED)) ** 0.5
    assert abs(rejected(statistic, spread, DRAWS) - printed) < 4 * error
