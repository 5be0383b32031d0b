"""Earlier answers and roster facts inside the words of a page."""

from datetime import date

import pytest

from equipoise.protocol import Study
from equipoise.protocol.piping import pipeable_columns, piped, piped_page, words_known
from equipoise.protocol.questionnaire import Questionnaire, questionnaire


@pytest.fixture(scope="module")
def work(kinds: Study) -> Questionnaire:
    return questionnaire(kinds, "work")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("You said {days} days.", "You said 3 days."),
        ("{ days }{days}", "33"),
        ("You said {hours} hours.", "You said … hours."),
        ("{{days}} is a name", "{days} is a name"),
        ("{{{days}}}", "{3}"),
        ("Plain", "Plain"),
    ],
)
def test_names_in_braces_are_replaced_and_doubled_braces_stay(text: str, said: str) -> None:
    assert piped(text, {"days": "3"}) == said


def test_answers_are_put_in_by_their_words(work: Questionnaire) -> None:
    answers = {
        "role": "nurse", "employed": "yes", "uses.phone": "yes", "uses.car": "yes", "uses.something_else": "no",
        "hours": 1200, "car_age": 2.5, "began": "2021-03-03", "calm": 3, "first.pay": 3, "first.time": 1,
        "first.team": 2,
    }  # fmt: skip
    words = words_known(work, answers, {"team": "red", "started_on": date(2020, 1, 31)})
    assert words["role"] == "Nurse"
    assert words["employed"] == "Yes"
    assert words["uses"] == "A phone, A car"
    assert words["hours"] == "1,200"
    assert words["car_age"] == "2.5"
    assert words["began"] == "3 March 2021"
    assert words["calm"] == "Always"
    assert words["first"] == "Time, Team, Pay"
    assert words["team"] == "red"
    assert words["started_on"] == "31 January 2020"


def test_something_else_is_put_in_by_what_was_written(work: Questionnaire) -> None:
    assert words_known(work, {"role": "something_else", "role.other": "Porter"}, {})["role"] == "Porter"


def test_the_words_are_those_of_the_language(kinds: Study) -> None:
    welsh = questionnaire(kinds, "work", "cy")
    words = words_known(welsh, {"role": "nurse", "began": "2021-03-03"}, {})
    assert words["role"] == "Nyrs"
    assert words["began"] == "3/3/2021"


def test_a_page_is_filled_in_everywhere(work: Questionnaire) -> None:
    words = words_known(work, {"role": "clerk", "hours": 37}, {"team": "red"})
    assert piped_page(work.page("work"), words).title == "Your work in the red team"
    assert piped_page(work.page("work"), words).blocks[2].asked[0].hint == "{About} is enough."
    assert piped_page(work.page("close"), words).asked[0].text == "When did you begin as Clerk?"


def test_what_people_wrote_is_no_markdown(work: Questionnaire) -> None:
    page = piped_page(work.page("ideas"), {"hours": "[x](http://example.org) *y*"})
    news = next(asked for asked in page.asked if asked.key == "news")
    assert news.text == r"You said **\[x\]\(http://example\.org\) \*y\*** hours."


def test_contact_details_and_identifiers_are_never_put_on_a_page(kinds: Study) -> None:
    assert pipeable_columns(kinds.protocol) == ("team", "years", "started_on")
