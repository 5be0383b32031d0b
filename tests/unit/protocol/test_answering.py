"""A posted page read kindly: what was answered, why not, and what is wrong in words that help."""

from collections.abc import Mapping, Sequence

import pytest

from equipoise.errors import InputError
from equipoise.protocol import Study
from equipoise.protocol.answering import Reading, form_fields, read_answers
from equipoise.protocol.asked import Asked, Block, Choice
from equipoise.protocol.journey import Rules, rules
from equipoise.protocol.questionnaire import Questionnaire, QuestionPage, questionnaire

ABC = (Choice("a", "Apples"), Choice("b", "Bread"), Choice("c", "Cheese"))


@pytest.fixture(scope="module")
def work(kinds: Study) -> Questionnaire:
    return questionnaire(kinds, "work")


@pytest.fixture(scope="module")
def conditions(kinds: Study) -> Rules:
    return rules(kinds, "work")


def page_of(*asked: Asked) -> QuestionPage:
    return QuestionPage("p", tuple(Block(one.key, (one,)) for one in asked))


def sent(asked: Asked, form: Mapping[str, Sequence[str]]) -> Reading:
    return read_answers(page_of(asked), form)


def problem(asked: Asked, form: Mapping[str, Sequence[str]]) -> str:
    (fault,) = sent(asked, form).problems.values()
    return str(fault)


DAYS = Asked("days", "number", "How many days?", low=0, high=20, unit="days")
SHARE = Asked("share", "number", "What share?", decimals=1)


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("3", 3),
        ("  3 ", 3),
        ("3 days", 3),
        ("3days", 3),
        ("1 day", 1),
        ("3.0", 3),
        ("+3", 3),
        ("٣", 3),
        ("１２", 12),
        ("0", 0),
    ],
)
def test_a_number_is_read_as_people_write_it(typed: str, answer: int) -> None:
    reading = sent(DAYS, {"days": [typed]})
    assert reading.complete
    assert reading.answers == {"days": answer}
    assert isinstance(reading.answers["days"], int)


@pytest.mark.parametrize(
    ("typed", "answer"), [("1,200", 1200), ("12 345.5", 12345.5), ("−2.5", -2.5), (".5", 0.5)]
)
def test_thousands_minus_signs_and_decimals(typed: str, answer: float) -> None:
    assert sent(SHARE, {"share": [typed]}).answers == {"share": answer}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("three", "Enter the number of days as a whole number, like 3"),
        ("3.5", "Enter the number of days as a whole number, like 3"),
        ("2 weeks", "Enter the number of days as a whole number, like 3"),
        ("21", "Days must be 20 or fewer"),
        ("-1", "Days must be 0 or more"),
        ("2,5", "Days needs a full stop in place of the comma, like 2.5"),
        ("9" * 41, "Days is too large"),
        ("x" * 50, "That is too long for a number"),
        ("1e3", "Enter the number of days as a whole number, like 3"),
        ("nan", "Enter the number of days as a whole number, like 3"),
    ],
)
def test_a_number_that_cannot_be_kept_says_what_is_wrong(typed: str, said: str) -> None:
    reading = sent(DAYS, {"days": [typed]})
    assert {name: str(fault) for name, fault in reading.problems.items()} == {"days": said}
    assert reading.typed == {"days": (typed,)}
    assert not reading.answers


def test_the_example_lies_within_the_range() -> None:
    age = Asked("age", "number", "How old are you?", low=16, high=99)
    assert problem(age, {"age": ["old"]}) == "Enter the answer as a whole number, like 16"


def test_more_figures_than_asked_are_told() -> None:
    assert (
        problem(SHARE, {"share": ["0.25"]}) == "The number can have one figure behind the full stop at most"
    )


@pytest.mark.parametrize(
    "typed",
    [
        ("3", "3", "2021"),
        ("03", "03", "2021"),
        ("3", "March", "2021"),
        ("3", "mar", "2021"),
        ("3", "Mawrth", "2021"),
        ("3 March 2021", "", ""),
        ("3rd of March, 2021", "", ""),
        ("2021-03-03", "", ""),
        ("3/3/2021", "", ""),
        ("3", "march 2021", ""),
    ],
)
def test_a_date_is_read_with_the_month_as_number_or_name(typed: tuple[str, str, str]) -> None:
    asked = Asked("began", "date", "When?")
    form = {f"began__{part}": [text] for part, text in zip(("day", "month", "year"), typed, strict=True)}
    assert sent(asked, form).answers == {"began": "2021-03-03"}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("31", "2", "2021"), '"31 2 2021" is not a day of the calendar. Check the day and the month'),
        (("3", "Mrach", "2021"), '"Mrach" is not a month. Write it as a number or a name, like 3 or March'),
        (("3", "3", "21"), "Write the year with four figures, like 2021"),
        (("3", "3", "3021"), "Check the year: 3021 is too far from today"),
        (("3", "", "2021"), "The date needs a month"),
        (("3", "", ""), "The date needs a month and a year"),
        (("a", "b", "c"), "Enter the date with day, month and year, like 3 March 2021"),
    ],
)
def test_a_date_that_is_none_says_why(typed: tuple[str, str, str], said: str) -> None:
    asked = Asked("began", "date", "When?")
    form = {f"began__{part}": [text] for part, text in zip(("day", "month", "year"), typed, strict=True)}
    assert problem(asked, form) == said


def test_a_choice_is_kept_by_its_code_and_a_likert_item_as_its_number() -> None:
    assert sent(Asked("food", "choice", "What?", choices=ABC), {"food": ["b"]}).answers == {"food": "b"}
    scale = (Choice("1", "No"), Choice("2", "Yes"))
    assert sent(Asked("calm", "choice", "I am.", choices=scale, numeric=True), {"calm": ["2"]}).answers == {
        "calm": 2
    }


def test_something_else_keeps_its_words_and_need_not_be_ticked_to_count() -> None:
    asked = Asked(
        "food", "choice", "What?", choices=(*ABC, Choice("something_else", "Something else", other=True))
    )
    answers = {"food": "something_else", "food.other": "Soup"}
    assert sent(asked, {"food": ["something_else"], "food.other": [" Soup "]}).answers == answers
    assert sent(asked, {"food.other": ["Soup"]}).answers == answers
    assert sent(asked, {"food": ["a"], "food.other": ["Soup"]}).answers == {"food": "a"}
    assert sent(asked, {"food": ["something_else"]}).answers == {"food": "something_else"}


def test_several_choices_say_yes_or_no_to_each() -> None:
    asked = Asked("food", "choices", "What?", choices=ABC)
    assert sent(asked, {"food": ["a", "c"]}).answers == {"food.a": "yes", "food.b": "no", "food.c": "yes"}
    assert sent(asked, {}).answers == {}


REQUIRED = {
    "choice": "Choose one answer",
    "choices": "Choose one answer or more",
    "number": "Enter an answer",
    "text": "Enter an answer",
    "date": "Enter an answer",
    "ranking": "Enter an answer",
}


@pytest.mark.parametrize("kind", REQUIRED)
def test_what_is_required_names_the_way_round_it(kind: str) -> None:
    asked = Asked("q", kind, "Well?", choices=ABC, required=True, prefer_not_to_say=True)  # type: ignore[arg-type]
    assert problem(asked, {}) == f"{REQUIRED[kind]}, or choose Prefer not to say"
    both = Asked("q", kind, "Well?", choices=ABC, required=True, prefer_not_to_say=True, dont_know=True)  # type: ignore[arg-type]
    assert problem(both, {}) == f"{REQUIRED[kind]}, or choose Don't know or Prefer not to say"


@pytest.mark.parametrize("kind", REQUIRED)
@pytest.mark.parametrize(("way", "reason"), [("__refused", "refused"), ("__dont_know", "dont_know")])
def test_a_way_of_not_answering_is_a_reason_and_no_answer(kind: str, way: str, reason: str) -> None:
    asked = Asked("q", kind, "Well?", choices=ABC, required=True, prefer_not_to_say=True, dont_know=True)  # type: ignore[arg-type]
    reading = sent(asked, {"q": ["", way]})
    assert reading.complete
    assert (reading.answers, reading.reasons) == ({}, {"q_why": reason})


def test_an_answer_and_a_refusal_together_are_asked_about() -> None:
    asked = Asked("days", "number", "How many?", prefer_not_to_say=True)
    said = "You gave an answer and chose Prefer not to say: keep one of them"
    assert problem(asked, {"days": ["3", "__refused"]}) == said


def test_what_is_left_empty_has_neither_answer_nor_reason() -> None:
    reading = sent(DAYS, {"days": [" "]})
    assert reading.complete
    assert (reading.answers, reading.reasons) == ({}, {})


RANKING = Asked("first", "ranking", "What first?", choices=ABC)


@pytest.mark.parametrize(
    ("ranks", "said"),
    [
        (("1", "2", ""), "Give each a number from 1 to 3. Still without: Cheese"),
        (("1", "2", "4"), "The number for Cheese must be one from 1 to 3"),
        (("1", "2", "two"), "The number for Cheese must be one from 1 to 3"),
        (("1", "2", "2"), "Use each number once. 2 is given to: Bread, Cheese"),
    ],
)
def test_a_ranking_needs_each_number_once(ranks: tuple[str, ...], said: str) -> None:
    form = {f"first.{code}": [rank] for code, rank in zip("abc", ranks, strict=True)}
    assert problem(RANKING, form) == said


def test_a_ranking_gives_each_option_its_rank() -> None:
    form = {"first.a": ["3"], "first.b": [" 1"], "first.c": ["2"]}
    assert sent(RANKING, form).answers == {"first.a": 3, "first.b": 1, "first.c": 2}
    assert sent(RANKING, {"first.a": [""], "first.b": [""], "first.c": [""]}).complete


MONEY = Asked("money", "allocation", "Share it.", choices=ABC, total=100, unit="pounds")


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        (("50", "40", ""), "The numbers add up to 90 and should add up to 100: 10 too few"),
        (("50", "40", "20"), "The numbers add up to 110 and should add up to 100: 10 too many"),
        (("50", "x", ""), "Enter the number for Bread as a whole number, like 3"),
        (("150", "-50", "0"), "Bread must be 0 or more"),
    ],
)
def test_an_allocation_adds_up(shares: tuple[str, ...], said: str) -> None:
    assert (
        problem(MONEY, {f"money.{code}": [share] for code, share in zip("abc", shares, strict=True)}) == said
    )


def test_an_allocation_takes_what_is_empty_for_nothing() -> None:
    reading = sent(MONEY, {"money.a": ["60 pounds"], "money.b": ["40"], "money.c": [""]})
    assert reading.answers == {"money.a": 60, "money.b": 40, "money.c": 0}


def test_a_slider_keeps_to_its_steps() -> None:
    asked = Asked("warmth", "slider", "How warm?", low=0, high=100, step=5)
    assert sent(asked, {"warmth": ["35"]}).answers == {"warmth": 35}
    assert problem(asked, {"warmth": ["33"]}) == "The number goes in steps of 5"


def test_text_keeps_its_lines_where_it_may_have_them() -> None:
    long, short = Asked("more", "long-text", "More?"), Asked("word", "text", "One word?")
    assert sent(long, {"more": [" one\r\ntwo\x0bthree "]}).answers == {"more": "one\ntwo\nthree"}
    assert sent(short, {"word": ["one\r\ntwo"]}).answers == {"word": "one two"}
    assert sent(long, {"more": ["caffe\u0301 😀 = 1+1"]}).answers == {"more": "caffé 😀 = 1+1"}


@pytest.mark.parametrize("letter", ["\x00", "\x07", "\x1b", "\ud800"])
def test_characters_that_cannot_be_kept_are_taken_out_and_told(letter: str) -> None:
    asked = Asked("more", "long-text", "More?")
    reading = sent(asked, {"more": [f"one{letter}two"]})
    assert "characters that cannot be kept" in str(reading.problems["more"])
    assert reading.typed == {"more": ("onetwo",)}
    assert not reading.answers


def test_text_that_is_too_long_says_how_long_it_is() -> None:
    asked = Asked("more", "long-text", "More?")
    assert problem(asked, {"more": ["x" * 5001]}) == "Write at most 5,000 characters; you have written 5,001"
    assert sent(asked, {"more": ["x" * 5000]}).complete


@pytest.mark.parametrize(
    "form",
    [
        {"food": ["z"]},
        {"food": ["a", "b"]},
        {"food": ["__refused"]},
        {"food": ["a"], "elsewhere": ["1"]},
        {"food.other": ["Soup"]},
        {"swemwbs.optimism": ["1"]},
    ],
)
def test_a_form_that_no_page_of_ours_sends_is_refused(form: dict[str, list[str]]) -> None:
    with pytest.raises(InputError, match="answer it as"):
        sent(Asked("food", "choice", "What?", choices=ABC), form)


def test_the_forms_own_fields_are_no_answers() -> None:
    form = {"csrfmiddlewaretoken": ["x"], "__went": ["1"], "days": ["2"]}
    assert sent(DAYS, form).answers == {"days": 2}


def test_a_question_that_the_page_itself_leads_to_is_still_to_ask(
    work: Questionnaire, conditions: Rules
) -> None:
    page, facts = work.page("work"), {"team": "red"}
    first = {"role": ["nurse"], "uses": ["car"], "hours": ["37"], "overtime": ["2"]}
    reading = read_answers(page, first, rules=conditions, facts=facts)
    assert reading.still_to_ask == ("car_age",)
    assert not reading.complete
    second = read_answers(page, {**first, "car_age": ["2.5 years"]}, rules=conditions, facts=facts)
    assert second.complete
    assert second.answers["car_age"] == 2.5


def test_a_question_that_the_answers_lead_past_is_not_kept(work: Questionnaire, conditions: Rules) -> None:
    form = {"role": ["nurse"], "uses": ["phone"], "car_age": ["2"], "hours": ["37"]}
    reading = read_answers(work.page("work"), form, rules=conditions)
    assert reading.complete
    assert "car_age" not in reading.answers


def test_the_page_says_which_questions_it_showed(work: Questionnaire, conditions: Rules) -> None:
    form = {"role": ["nurse"], "uses": ["car"]}
    shown = ["role", "uses", "car_age", "hours", "overtime"]
    assert read_answers(work.page("work"), form, rules=conditions, displayed=shown).complete


def test_a_rule_over_answers_has_the_fields_own_message(work: Questionnaire, conditions: Rules) -> None:
    form = {"role": ["nurse"], "hours": ["10"], "overtime": ["12"]}
    reading = read_answers(work.page("work"), form, rules=conditions)
    assert str(reading.problems["overtime"]) == "Overtime cannot be more than all your hours."
    assert reading.answers["overtime"] == 12
    fine = read_answers(work.page("work"), {**form, "overtime": ["10"]}, rules=conditions)
    assert fine.complete
    unknown = read_answers(work.page("work"), {"role": ["nurse"], "overtime": ["10"]}, rules=conditions)
    assert unknown.complete


def test_answers_come_back_into_the_fields_that_gave_them(work: Questionnaire, conditions: Rules) -> None:
    forms = {
        "work": {"role": ["something_else"], "role.other": ["Porter"], "uses": ["phone", "car"], "car_age": ["2.5"],
                 "hours": ["__refused"]},
        "ideas": {"first.pay": ["2"], "first.time": ["1"], "first.team": ["3"], "money.cake": ["60"],
                  "money.tea": ["40"], "read_this": ["blue"]},
        "close": {"began__day": ["3"], "began__month": ["3"], "began__year": ["2021"], "more": ["Bye"]},
        "feelings": {"calm": ["2"], "views.fair": ["__refused"], "aim.appeal": ["__dont_know"], "warmth": ["35"]},
    }  # fmt: skip
    for name, form in forms.items():
        page = work.page(name)
        reading = read_answers(page, form, rules=conditions)
        assert reading.complete
        again = form_fields(page, reading.answers, reading.reasons)
        assert {name: list(values) for name, values in again.items() if values} == form
