"""What is wrong with an answer is said in Welsh on Welsh pages, whatever it is."""

import ast
from itertools import product
from pathlib import Path
from string import Formatter

import pytest

from equipoise.platform.fieldwork.views.questions import fault_words
from equipoise.platform.pages.questions import question_html
from equipoise.platform.pages.words import words_for
from equipoise.protocol import answering, entries, faults, replies
from equipoise.protocol.answering import read_answers
from equipoise.protocol.asked import Asked, Block, Choice
from equipoise.protocol.faults import an_answer_is_needed
from equipoise.protocol.questionnaire import QuestionPage

CHOICES = (Choice("pay", "Cyflog"), Choice("time", "Amser"))
SHARES = Asked("money", "allocation", "Rhannwch", choices=CHOICES, total=100.0)


def literals(node):
    """The texts that an expression can be, where it says them itself."""
    if isinstance(node, ast.IfExp):
        return literals(node.body) + literals(node.orelse)
    return [node.value] if isinstance(node, ast.Constant) else []


def written_out():
    """Every template that stands in the protocol as it is."""
    found = set()
    for module in (faults, entries, replies, answering):
        for node in ast.walk(ast.parse(Path(module.__file__).read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Fault":
                found.update(literals(node.args[0]))
    return found


def put_together():
    """Every template that the protocol makes of parts."""
    ways = product((False, True), repeat=2)
    empty = [
        an_answer_is_needed(Asked("a", "text", "A", dont_know=one, prefer_not_to_say=other), what)
        for one, other in ways
        for what in ("Choose one answer", "Choose one answer or more", "Enter an answer")
    ]
    sums = [
        replies.reply(SHARES, {"money.pay": [share], "money.time": ["1"]}).problems["money"]
        for share in ("1", "200")
    ]
    return {fault.template for fault in (*empty, *sums)}


def fields(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_everything_that_can_be_wrong_is_said_in_welsh_and_nothing_else_is():
    assert len(written_out()) > 20
    assert set(words_for("cy")["faults"]) == written_out() | put_together()


@pytest.mark.parametrize(("english", "welsh"), words_for("cy")["faults"].items())
def test_a_welsh_sentence_holds_only_values_that_the_english_one_has(english, welsh):
    assert fields(welsh) <= fields(english)


@pytest.mark.parametrize(
    ("asked", "form", "said"),
    [
        (Asked("age", "number", "Oed", low=0.0, high=99.0), {"age": ["100"]}, "Y rhif: dim mwy na 99"),
        (Asked("age", "number", "Oed", unit="awr", high=9.0), {"age": ["10"]}, "Awr: dim mwy na 9"),
        (
            Asked("on", "date", "Pryd"),
            {"on__day": ["3"], "on__month": [""], "on__year": [""]},
            "Mae angen mis a blwyddyn ar y dyddiad",
        ),
        (
            Asked("age", "number", "Oed", dont_know=True),
            {"age": ["4", "__dont_know"]},
            "Rhoesoch ateb a dewis “Dydw i ddim yn gwybod” hefyd: cadwch un ohonynt",
        ),
        (
            Asked("first", "ranking", "Trefn", choices=CHOICES),
            {"first.pay": ["1"], "first.time": ["1"]},
            "Defnyddiwch bob rhif unwaith. Mae 1 gan: Cyflog, Amser",
        ),
    ],
)
def test_a_welsh_page_says_it_in_whole_with_its_values(asked, form, said):
    page = QuestionPage("one", (Block("one", (asked,)),))
    found = fault_words(page, read_answers(page, form), "cy")
    assert found.by_key == {asked.key: said}
    assert found.summary == ({"id": asked.key, "text": said},)


def test_an_english_page_says_it_in_english():
    page = QuestionPage("one", (Block("one", (SHARES,)),))
    reading = read_answers(page, {"money.pay": ["1"], "money.time": ["1"]})
    assert fault_words(page, reading, "en-GB").by_key == {
        "money": "The numbers add up to 2 and should add up to 100: 98 too few"
    }


def test_what_is_wrong_is_marked_as_welsh_in_a_question_that_stayed_english():
    asked = Asked("word", "text", "One word?", lang="en-GB")
    html = question_html(asked, {}, "Rhowch ateb", language="cy")
    assert '<p id="word-error" class="govuk-error-message" lang="cy">' in html
    assert "Gwall:" in html
    assert "Error:" not in html
