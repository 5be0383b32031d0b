"""The columns of a survey's answers: one definition for the platform, exports, simulation and analysis."""

import pytest

from equipoise.protocol import Study
from equipoise.protocol.columns import REASONS, AnswerColumn, answer_columns, expression_name


@pytest.fixture(scope="module")
def columns(kinds: Study) -> dict[str, AnswerColumn]:
    return {column.name: column for column in answer_columns(kinds, "work")}


def test_every_answer_has_its_column_and_its_reason_behind_it(columns: dict[str, AnswerColumn]) -> None:
    names = list(columns)
    assert names[:6] == ["agree", "agree_why", "employed", "employed_why", "role", "role.other"]
    assert names[6:12] == [
        "role_why",
        "uses.phone",
        "uses.car",
        "uses.something_else",
        "uses.other",
        "uses_why",
    ]
    assert {"views.fair", "views.fair_why", "aim.appeal", "first.pay", "first_why", "money.tea"} <= set(names)
    assert "news" not in names
    assert "film_why" not in names


@pytest.mark.parametrize(
    ("name", "kind", "low", "high"),
    [
        ("agree", "yes-no", None, None),
        ("uses.car", "yes-no", None, None),
        ("role", "category", None, None),
        ("role.other", "text", None, None),
        ("hours", "number", 0, 168),
        ("calm", "integer", 1, 3),
        ("views.clear", "integer", 1, 3),
        ("aim.liking", "integer", 1, 5),
        ("warmth", "number", 0, 100),
        ("first.time", "integer", 1, 3),
        ("money.cake", "number", 0, 100),
        ("began", "date", None, None),
        ("more", "text", None, None),
    ],
)
def test_a_column_says_what_it_can_hold(
    columns: dict[str, AnswerColumn], name: str, kind: str, low: float | None, high: float | None
) -> None:
    column = columns[name]
    assert (column.type, column.low, column.high) == (kind, low, high)


def test_a_reason_is_one_of_four_with_its_words(columns: dict[str, AnswerColumn]) -> None:
    column = columns["hours_why"]
    assert column.type == "reason"
    assert column.levels == REASONS
    assert column.key == "hours"


def test_items_are_labelled_without_the_published_wording(columns: dict[str, AnswerColumn]) -> None:
    label = columns["aim.appeal"].label
    assert label.endswith(": appeal")
    assert columns["aim.appeal"].instrument == "aim"


def test_a_name_in_an_expression_has_underscores() -> None:
    assert expression_name("prosocial-motivation.i_care") == "prosocial_motivation_i_care"
