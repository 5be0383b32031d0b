"""How a p-value that was drawn is printed."""

import pytest

from equipoise.findings.results import Finding
from equipoise.report.words import test_text as text_of_test


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        ({"draws": 10_000, "mc_error": 0.00273}, "p = 0.081 (Monte-Carlo error 0.003)"),
        ({"draws": 252}, "p = 0.081"),
        ({}, "p = 0.081"),
    ],
)
def test_a_drawn_p_value_is_printed_with_its_error(given, printed) -> None:
    assert text_of_test(Finding(id="a", analysis="a", kind="effect", p_value=0.081, **given)) == printed
