"""Results that trials published, made again from their open data; the page beside shows the same figures."""

import re
from pathlib import Path

import numpy as np
import pytest
from causaldata import black_politicians, nsw_mixtape

from equipoise.estimation.effects.adjusted import linear_effect
from equipoise.estimation.effects.neyman import difference_in_means
from equipoise.estimation.inference import Estimate
from equipoise.estimation.least_squares.linear import fit_linear

PAGE = (Path(__file__).parents[3] / "docs/explanation/published-results.md").read_text("utf-8")
SECOND_LESS_FIRST = (-1.0, 1.0)


def shown(*figures: str) -> None:
    """Every figure stands on the page."""
    for figure in figures:
        assert re.search(rf"(?<![\d.]){re.escape(figure)}(?!\d)", PAGE), figure


def test_the_training_trial_raised_earnings_by_1794_dollars_as_dehejia_and_wahba_print() -> None:
    people = nsw_mixtape.load_pandas().data
    columns = people["re78"].to_numpy(), people["treat"].to_numpy(dtype=int), SECOND_LESS_FIRST
    published_form = linear_effect(*columns, variance="classical", dof="residual")
    assert round(published_form.estimate) == 1794
    assert round(published_form.std_error) == 633
    own = linear_effect(*columns)
    shown("1,794", "633", f"{own.std_error:,.0f}", f"{own.interval.low:,.0f}", f"{own.interval.high:,.0f}")


def test_legislators_answered_as_broockman_prints() -> None:
    people = black_politicians.load_pandas().data
    black, far = people["leg_black"].to_numpy(), people["treat_out"].to_numpy()
    design = np.stack((np.ones(len(people)), black, far, black * far), axis=1)
    fit = fit_linear(people["responded"].to_numpy(dtype=float), design)
    assert np.round(fit.coefficients, 3).tolist() == [0.561, -0.097, -0.275, 0.128]
    effect = fit.contrast([0, 0, 0, 1])
    shown("0.561", "\N{MINUS SIGN}0.097", "\N{MINUS SIGN}0.275", "0.128", f"{effect.std_error:.3f}")
    shown(f"{effect.interval.low:.3f}", f"{effect.interval.high:.3f}")


def test_indomethacin_halved_pancreatitis_as_elmunzer_and_others_print() -> None:
    effect = risk((27, 295), (52, 307), ("9.2%", "16.9%"))
    assert round(-100 * effect.estimate - 0.05, 1) == 7.7, "the paper subtracts the rounded shares"
    shown("7.7", "0.005", f"{effect.p_value:.3f}", *interval(effect))


def test_streptomycin_improved_the_lungs_as_the_medical_research_council_prints() -> None:
    improved = risk((28, 55), (4, 52), ("51%", "8%"))
    assert improved.p_value < 1e-6
    died = risk((4, 55), (14, 52), ("7%", "27%"))
    shown(*interval(improved), *interval(died), f"{died.p_value:.3f}")


def risk(treated: tuple[int, int], control: tuple[int, int], shares: tuple[str, str]) -> Estimate:
    """The difference in risks, from events and people of each arm, after a look at the shares printed."""
    arms = []
    for (events, people), share in zip((control, treated), reversed(shares), strict=True):
        digits = 1 if "." in share else 0
        assert f"{100 * events / people:.{digits}f}%" == share
        arms.append(np.repeat([1.0, 0.0], [events, people - events]))
    shown(*shares)
    arm = np.repeat([0, 1], [len(each) for each in arms])
    return difference_in_means(np.concatenate(arms), arm, SECOND_LESS_FIRST)


def interval(effect: Estimate) -> tuple[str, str, str]:
    """Percentage points, as the page gives them."""
    return tuple(
        f"{100 * value:.1f}".replace("-", "\N{MINUS SIGN}")
        for value in (effect.estimate, effect.interval.low, effect.interval.high)
    )  # type: ignore[return-value]


def test_a_figure_that_the_page_lacks_is_noticed() -> None:
    with pytest.raises(AssertionError, match="123456"):
        shown("123456")
