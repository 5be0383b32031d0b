"""The sentence follows the decision and the margin, as the table of words says."""

from itertools import product

import pytest

from equipoise.findings.results import Finding
from equipoise.protocol.models.protocol import Protocol
from equipoise.report import words
from equipoise.report.names import Names
from equipoise.report.numbers import decimals, number, p_value

NAMES = Names(
    Protocol.model_validate(
        {
            "equipoise": 1,
            "study": {"id": "x", "title": "X", "kind": "trial", "question": "Does it help?"},
            "arms": {"control": {"label": "Usual"}, "texts": {"label": "Weekly texts"}},
            "outcomes": {
                "burnout": {"instrument": "cbi", "score": "work", "good": "low", "label": "Burnout"},
                "got": {"column": "got", "scale": "yes-no", "good": "high", "label": "Got the result"},
            },
        }
    )
)


def effect(low: float, high: float, **given: object) -> Finding:
    base = {
        "id": "effect.burnout.after.texts - control",
        "analysis": "effect",
        "kind": "effect",
        "outcome": "burnout",
        "contrast": "texts - control",
        "tier": "primary",
        "decision": "rejected" if low > 0 or high < 0 else "not-rejected",
        "estimate": (low + high) / 2,
        "std_error": (high - low) / 3.92,
        "interval": {"level": 0.95, "low": low, "high": high},
        "margin": 5.0,
        "good": "low",
    }
    return Finding.model_validate({**base, **given})


CASES = [
    (-9.0, -6.0, "lower (better) with Weekly texts than with Usual"),
    (-9.0, -6.0, "large enough to matter"),
    (-4.0, -1.0, "a difference, smaller than what was said to matter"),
    (-7.0, -3.0, "may or may not be large enough to matter"),
    (-3.0, 2.0, "among those who answered, not compatible with a difference large enough to matter"),
    (-8.0, 2.0, "rule out a worsening of 5 points or more and cannot rule out an improvement that large"),
    (-2.0, 8.0, "rule out an improvement of 5 points or more and cannot rule out a worsening that large"),
    (-8.0, 9.0, "the data cannot tell; they are most compatible with values from −8.0 to 9.0 points"),
]


@pytest.mark.parametrize(("low", "high", "said"), CASES)
def test_the_sentence_is_chosen_by_decision_and_margin(low: float, high: float, said: str) -> None:
    assert said in words.sentence(effect(low, high), NAMES)


def test_words_follow_the_adjusted_decision_and_not_the_interval() -> None:
    said = words.sentence(effect(-9, -1, decision="not-rejected", tested_together=3), NAMES)
    assert "unclear after allowing for 3 results tested together; the interval is not adjusted" in said
    assert "not tested" in words.sentence(effect(-9, -1, decision="not-tested"), NAMES)


def test_a_decision_that_allows_for_looks_says_so() -> None:
    held = effect(-9, -1, decision="not-rejected", tested_together=1, p_adjusted=0.06)
    assert "unclear after allowing for the declared looks" in words.sentence(held, NAMES)
    drawn = effect(-9, -1, decision="not-rejected", tested_together=1)
    assert "unclear by the planned test, which the interval does not follow" in words.sentence(drawn, NAMES)


def test_without_a_margin_what_the_interval_rules_out_is_said() -> None:
    said = words.sentence(effect(-3, 4, margin=None), NAMES)
    assert "they rule out values below −3.0 and above 4.0, and no smallest effect of interest was set" in said


def test_an_interaction_is_told_by_its_own_interval() -> None:
    given = {"id": "effect.burnout.after.texts - control.interaction", "by": "region", "margin": None}
    assert "the effect differs with region by 4.5" in words.sentence(effect(2, 7, **given), NAMES)
    said = words.sentence(effect(-2, 7, **given), NAMES)
    assert (
        "the data do not settle whether the effect differs with region (difference of the effects 2.5" in said
    )


def test_the_test_is_printed_with_the_share_of_the_interval_inside_the_margin() -> None:
    found = effect(-9, -6, p_value=0.012, p_adjusted=0.036, second_generation=0.0)
    assert words.test_text(found) == "p = 0.012; adjusted p = 0.036; second-generation p 0.00"


@pytest.mark.parametrize(
    ("share", "printed"), [(0.0, "0.00"), (1.0, "1.00"), (0.99997, "0.99"), (0.0004, "0.01")]
)
def test_a_share_of_the_interval_is_rounded_to_no_end(share: float, printed: str) -> None:
    assert words.test_text(effect(-3, 2, second_generation=share)).endswith(f"second-generation p {printed}")


def test_what_was_not_planned_says_so_first() -> None:
    assert words.sentence(effect(-9, -6, planned=False), NAMES).startswith("Not planned: burnout was")
    assert words.label_of(effect(-9, -6, planned=False)) == "Not planned"
    assert words.label_of(effect(-9, -6, tier="exploratory")) == "Exploratory, planned"


@pytest.mark.parametrize(
    ("low", "high", "decision", "margin"),
    list(
        product((-9, -3, -0.5), (0.4, 3, 9), ("rejected", "not-rejected", "not-tested", "none"), (None, 5.0))
    ),
)
def test_no_sentence_ever_says_more_than_the_data(low, high, decision, margin) -> None:
    said = words.sentence(effect(low, high, decision=decision, margin=margin), NAMES).lower()
    for never in ("no effect", "proved", "trend", "significant", "*", "works"):
        assert never not in said


def test_a_yes_no_outcome_is_told_in_percentage_points() -> None:
    found = effect(0.40, 0.50, outcome="got", good="high", margin=0.1)
    assert "45.0 percentage points higher (better)" in words.sentence(found, NAMES)
    assert words.short(found, NAMES) == "45.0 (95% interval 40.0 to 50.0)"


def test_what_cannot_be_estimated_says_why() -> None:
    found = effect(-1, 1, estimate=None, interval=None, not_estimable="an arm has nobody")
    assert "could not be estimated: an arm has nobody" in words.sentence(found, NAMES)


@pytest.mark.parametrize(
    ("error", "places"), [(0.234, 2), (3.4, 1), (0.034, 3), (12.0, 0), (0.0998, 3), (None, 2)]
)
def test_two_significant_figures_of_the_standard_error(error: float | None, places: int) -> None:
    assert decimals(error) == places


@pytest.mark.parametrize(
    ("p", "printed"), [(0.0004, "p < 0.001"), (0.034, "p = 0.034"), (0.9999, "p > 0.999"), (None, "–")]
)
def test_p_values_are_never_nought(p: float | None, printed: str) -> None:
    assert p_value(p) == printed


def test_numbers_have_a_true_minus_and_nought_has_no_sign() -> None:
    assert number(-1234.5, 1) == "−1,234.5"
    assert number(-0.001, 2) == "0.00"


def test_a_bound_is_told_with_what_it_assumes_in_the_same_sentence() -> None:
    model = "bounds for people to whom it would happen in neither arm, assuming one way only; 3% trimmed"
    bound = effect(-2, 6, kind="bound", estimate=None, std_error=None, model=model, tier="supplementary")
    assert words.sentence(bound, NAMES) == (
        "Burnout, Weekly texts against Usual: −2.0 to 6.0 (bounds for people to whom it would happen in neither "
        "arm, assuming one way only)."
    )
