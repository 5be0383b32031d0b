"""The order in which a participant meets a survey: drawn by key, repeatable by anybody, fair."""

import hashlib
import hmac
from collections import Counter
from dataclasses import replace

import pytest

from equipoise.errors import InputError
from equipoise.protocol import Study
from equipoise.protocol.presentation import Presentation, arranged, presentation
from equipoise.protocol.questionnaire import Questionnaire, questionnaire

KEY = bytes(range(32))


@pytest.fixture(scope="module")
def work(kinds: Study) -> Questionnaire:
    return questionnaire(kinds, "work")


def test_the_order_can_be_repeated_from_its_description(work: Questionnaire) -> None:
    def number(part: str, place: str, name: str) -> bytes:
        message = f"order\0work\0{part}\0{place}\0p-7\0{name}".encode()
        return hmac.new(KEY, message, hashlib.sha256).digest()

    drawn = presentation(work, KEY, "p-7")
    ranking = sorted(["pay", "time", "team"], key=lambda code: number("choices", "first", code))
    blocks = sorted(["aim", "calm", "views", "warmth"], key=lambda block: number("blocks", "feelings", block))
    pages = sorted(["feelings", "ideas"], key=lambda page: number("pages", "", page))
    assert drawn.choices["first"] == tuple(ranking)
    assert drawn.blocks["feelings"] == tuple(blocks)
    assert drawn.pages == ("start", "work", *pages, "close")


def test_it_depends_on_the_participant_and_the_key_and_on_nothing_else(work: Questionnaire) -> None:
    people = [f"p-{number}" for number in range(40)]
    drawn = [presentation(work, KEY, person) for person in people]
    assert drawn == [presentation(work, KEY, person) for person in people]
    assert len({one.blocks["feelings"] for one in drawn}) > 10
    assert [presentation(work, bytes(32), person) for person in people] != drawn


def test_the_language_does_not_change_the_order(kinds: Study, work: Questionnaire) -> None:
    assert presentation(questionnaire(kinds, "work", "cy"), KEY, "p-7") == presentation(work, KEY, "p-7")


def test_every_order_of_three_is_about_equally_common(work: Questionnaire) -> None:
    orders = Counter(presentation(work, KEY, f"p-{number}").choices["first"] for number in range(3000))
    assert len(orders) == 6
    assert all(400 < count < 600 for count in orders.values())


def test_something_else_stays_last_and_what_is_not_random_stays_put(work: Questionnaire) -> None:
    for number in range(20):
        drawn = presentation(work, KEY, f"p-{number}")
        met = arranged(work, drawn)
        assert met.asked("role").choices[-1].other
        assert [choice.code for choice in met.asked("uses").choices] == ["phone", "car", "something_else"]
        assert [page.id for page in met.pages][::4] == ["start", "close"]
        assert sorted(met.keys) == sorted(work.keys)


def test_a_stored_order_comes_back_as_it_was(work: Questionnaire) -> None:
    drawn = presentation(work, KEY, "p-7")
    assert Presentation.from_json(drawn.as_json()) == drawn
    assert drawn.as_json()["choices"]["role"][-1] == "something_else"


@pytest.mark.parametrize("stored", [{}, {"survey": "work"}, {"survey": "w", "pages": 3, "blocks": [1]}])
def test_what_is_not_a_stored_order_is_refused(stored: dict[str, object]) -> None:
    with pytest.raises(InputError, match="not a stored order"):
        Presentation.from_json(stored)


def test_a_page_added_since_the_order_was_drawn_comes_last(work: Questionnaire) -> None:
    drawn = presentation(work, KEY, "p-7")
    older = replace(drawn, pages=tuple(page for page in drawn.pages if page != "work"))
    assert [page.id for page in arranged(work, older).pages][-1] == "work"


def test_a_key_of_another_length_is_refused(work: Questionnaire) -> None:
    with pytest.raises(InputError, match="found 5 bytes, expected 32"):
        presentation(work, b"short", "p-7")
