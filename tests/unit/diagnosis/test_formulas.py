"""The formula gives the figures that were worked out for trials of these sizes."""

import pytest

from equipoise.diagnosis.formulas import detectable_difference
from equipoise.errors import DesignError


@pytest.mark.parametrize(
    ("people", "sds"), [(1969, 0.126), (428, 0.271), (1148, 0.165), (267, 0.343), (276, 0.337), (98, 0.566)]
)
def test_two_equal_arms_at_80_per_cent_power_and_5_per_cent(people: int, sds: float) -> None:
    # 2.80 x sqrt(4 / N), worked by hand with the rounded multiplier
    half = (people // 2, people - people // 2)
    assert detectable_difference(half, 1.0) == pytest.approx(sds, abs=6e-4)


def test_a_score_before_makes_smaller_differences_detectable() -> None:
    plain = detectable_difference((100, 100), 4.0)
    assert detectable_difference((100, 100), 4.0, correlation=0.6, share_before=1.0) == pytest.approx(
        plain * 0.8
    )


def test_an_arm_without_people_is_refused() -> None:
    with pytest.raises(DesignError, match="an arm has nobody"):
        detectable_difference((0, 10), 1.0)
