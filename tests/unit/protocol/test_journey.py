"""Where answers lead: pages shown, ways back, screening, quotas, attention, and the row that is kept."""

import subprocess
import sys
from pathlib import Path

import pytest

from equipoise.protocol import Study
from equipoise.protocol.journey import (
    Rules,
    answered_row,
    failed_attention,
    page_after,
    page_before,
    quotas_of,
    rules,
    screened_out,
    shown,
)
from equipoise.protocol.presentation import arranged, presentation
from equipoise.protocol.questionnaire import Questionnaire, questionnaire

RED = {"team": "red"}


@pytest.fixture(scope="module")
def work(kinds: Study) -> Questionnaire:
    return questionnaire(kinds, "work")


@pytest.fixture(scope="module")
def conditions(kinds: Study) -> Rules:
    return rules(kinds, "work")


def keys(work: Questionnaire, conditions: Rules, answers: dict[str, str | int | float]) -> set[str]:
    return {asked.key for page in shown(work, conditions, answers, RED) for asked in page.asked}


def test_a_condition_on_a_missing_answer_is_unknown_and_hides(work: Questionnaire, conditions: Rules) -> None:
    assert not {"car_age", "short"} & keys(work, conditions, {})
    assert "car_age" not in keys(work, conditions, {"uses.car": "no"})
    assert "car_age" in keys(work, conditions, {"uses.car": "yes"})
    assert "short" in keys(work, conditions, {"hours": 11})
    assert "short" not in keys(work, conditions, {"hours": 10})


def test_an_answer_counts_only_while_its_question_is_shown(kinds_changed) -> None:  # type: ignore[no-untyped-def]
    study = kinds_changed(("surveys/work.yaml", 'show-if: "hours > 10"', 'show-if: "car_age > 10"'))
    met, conditions = questionnaire(study, "work"), rules(study, "work")
    assert "short" in keys(met, conditions, {"uses.car": "yes", "car_age": 12.0})
    assert "short" not in keys(met, conditions, {"uses.car": "no", "car_age": 12.0})


def test_the_pages_follow_each_other_in_the_participants_own_order(
    work: Questionnaire, conditions: Rules
) -> None:
    for person in ("a", "b", "c", "d", "e"):
        met = arranged(work, presentation(work, bytes(32), person))
        pages = shown(met, conditions, {"hours": 40}, RED)
        order = [page.id for page in pages]
        assert order == [page.id for page in met.pages]
        walked = [page_after(met, pages, None)]
        while (onward := page_after(met, pages, walked[-1].id)) is not None:  # type: ignore[union-attr]
            assert page_before(met, pages, onward.id) == walked[-1]
            walked.append(onward)
        assert [page.id for page in walked if page] == order
        assert page_before(met, pages, "start") is None


def test_a_page_that_is_no_longer_shown_still_has_neighbours(work: Questionnaire, conditions: Rules) -> None:
    pages = shown(work, conditions, {"hours": 3}, RED)
    assert page_after(work, pages, "close") is None
    before = page_before(work, pages, "close")
    assert before is not None
    assert before.id == "ideas"


def test_who_is_screened_out_is_told_the_first_message_that_holds(
    work: Questionnaire, conditions: Rules
) -> None:
    page = work.page("start")
    assert screened_out(page, conditions, {"agree": "yes", "employed": "yes"}, RED) is None
    assert screened_out(page, conditions, {}, RED) is None
    refused = screened_out(page, conditions, {"agree": "no", "employed": "no"}, RED)
    assert refused is not None
    assert refused.message == "Thank you. Nothing is kept of what you said."
    left = screened_out(page, conditions, {"agree": "yes", "employed": "no"}, RED)
    assert left is not None
    assert left.message.endswith("people who work here now.")


def test_a_quota_counts_those_for_whom_it_holds(work: Questionnaire, conditions: Rules) -> None:
    assert [(quota.name, quota.at_most) for quota in quotas_of(work, conditions, {}, RED)] == [
        ("red_team", 2)
    ]
    assert quotas_of(work, conditions, {}, {"team": "blue"}) == ()
    assert quotas_of(work, conditions, {}, {}) == ()


def test_an_attention_check_fails_by_another_answer_only(work: Questionnaire) -> None:
    assert failed_attention(work.pages, {"read_this": "red"}) == ("read_this",)
    assert failed_attention(work.pages, {"read_this": "blue"}) == ()
    assert failed_attention(work.pages, {}) == ()


def test_the_row_that_is_kept_tells_why_each_answer_is_missing(
    work: Questionnaire, conditions: Rules
) -> None:
    answers: dict[str, str | int | float] = {
        "agree": "yes", "employed": "yes", "role": "something_else", "role.other": "Porter", "uses.phone": "yes",
        "uses.car": "no", "uses.something_else": "no", "car_age": 3.0,
    }  # fmt: skip
    pages = shown(work, conditions, answers, RED)
    row = answered_row(work, pages, answers, {"hours_why": "refused"}, {"start", "work"})
    assert row["role"] == "something_else"
    assert row["role.other"] == "Porter"
    assert row["hours_why"] == "refused"
    assert row["car_age_why"] == "not_asked"
    assert "car_age" not in row
    assert row["calm_why"] == "not_reached"
    assert row["short_why"] == "not_reached"
    assert not {"overtime", "overtime_why"} & set(row)
    assert "news_why" not in row


def test_what_is_routed_past_on_the_way_to_the_end_was_not_asked(
    kinds_changed,  # type: ignore[no-untyped-def]
) -> None:
    study = kinds_changed(
        ("surveys/work.yaml", "  - id: ideas\n", '  - id: ideas\n    show-if: "hours > 10"\n')
    )
    met, conditions = questionnaire(study, "work"), rules(study, "work")
    answers: dict[str, str | int | float] = {"hours": 5, "calm": 2}
    pages = shown(met, conditions, answers, RED)
    row = answered_row(met, pages, answers, {}, {"start", "work", "feelings"})
    assert row["first_why"] == "not_reached"
    everything = answered_row(met, pages, answers, {}, {"start", "work", "feelings", "close"})
    assert everything["first_why"] == "not_asked"


def test_a_survey_without_conditions_needs_no_library_for_them() -> None:
    example = Path(__file__).parents[3] / "examples" / "hhp2" / "swing"
    program = (
        "import sys\n"
        "from equipoise.protocol import load_study\n"
        "from equipoise.protocol.journey import rules, shown\n"
        "from equipoise.protocol.questionnaire import questionnaire\n"
        f"study = load_study({str(example)!r})\n"
        "met = questionnaire(study, 'wellbeing')\n"
        "assert len(shown(met, rules(study, 'wellbeing'), {}, {})) == len(met.pages)\n"
        "assert 'cel' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
