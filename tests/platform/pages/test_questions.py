"""A question as HTML: its names, ids and messages, what was typed, and what is kept."""

import re
from dataclasses import replace

import pytest
from tests.platform.pages.gallery import ANSWERED, KINDS, LIKERT

from equipoise.platform.fieldwork.views.questions import fault_words
from equipoise.platform.pages import questions
from equipoise.platform.pages.fields import id_of, target_of
from equipoise.platform.pages.questions import question_html
from equipoise.protocol.answering import read_answers
from equipoise.protocol.asked import Asked, Block, Choice
from equipoise.protocol.questionnaire import QuestionPage
from equipoise.protocol.replies import field_names

ANSWERABLE = [asked for asked in KINDS if asked.answered]
BY_KEY = {asked.key: asked for asked in KINDS}


def names(html: str) -> set[str]:
    return set(re.findall(r'name="([^"]+)"', html))


def ids(html: str) -> list[str]:
    return re.findall(r' id="([^"]+)"', html)


@pytest.mark.parametrize("asked", KINDS, ids=lambda asked: asked.key)
def test_a_form_has_no_field_but_those_that_its_answer_is_read_from(asked):
    assert names(question_html(asked)) <= set(field_names(asked))


@pytest.mark.parametrize("asked", ANSWERABLE, ids=lambda asked: asked.key)
def test_a_form_has_every_field_that_its_answer_is_read_from(asked):
    html = question_html(replace(asked, prefer_not_to_say=True))
    assert names(html) == set(field_names(asked))


@pytest.mark.parametrize("asked", ANSWERABLE, ids=lambda asked: asked.key)
def test_an_error_summary_finds_each_field_by_its_name(asked):
    found = ids(question_html(asked))
    assert all(target_of(asked, name) in found for name in field_names(asked))
    assert id_of(asked.key) in found
    assert len(found) == len(set(found))


@pytest.mark.parametrize("asked", ANSWERABLE, ids=lambda asked: asked.key)
def test_nothing_is_chosen_or_filled_in_before_the_participant_does(asked):
    html = question_html(asked)
    assert "checked" not in html
    assert " selected" not in html
    assert not re.search(r'type="text"[^>]* value="[^"]', html)


@pytest.mark.parametrize("asked", ANSWERABLE, ids=lambda asked: asked.key)
def test_a_message_stands_beside_the_field_and_is_announced_with_it(asked):
    html = question_html(asked, ANSWERED, "Enter it again")
    described = re.search(r'aria-describedby="([^"]+)"', html)
    assert described is not None
    assert f"{id_of(asked.key)}-error" in described[1].split()
    assert re.search(rf'id="{id_of(asked.key)}-error"[^>]*>.*?Error:</span> Enter it again<', html)


@pytest.mark.parametrize("asked", ANSWERABLE, ids=lambda asked: asked.key)
def test_every_hint_and_message_that_a_field_names_is_there(asked):
    html = question_html(asked, ANSWERED, "Enter it again")
    named = {one for found in re.findall(r'aria-describedby="([^"]+)"', html) for one in found.split()}
    assert named <= set(ids(html))


def test_what_was_typed_is_shown_again_as_text():
    assert 'value="Letters &amp; &#34;cards&#34; &lt;b&gt;"' in question_html(BY_KEY["role"], ANSWERED)
    assert "<script>" not in question_html(BY_KEY["more"], ANSWERED)


def test_the_first_empty_line_of_a_text_is_not_lost():
    html = question_html(BY_KEY["more"], {"more": ("\nsecond line",)})
    assert ">\n\nsecond line</textarea>" in html


def test_a_choice_that_was_taken_is_checked_and_no_other():
    html = question_html(BY_KEY["scale.calm"], {"scale.calm": ("2",)})
    assert re.findall(r'value="([^"]+)" checked', html) == ["2"]


def test_a_way_of_not_answering_is_no_entry_of_the_field():
    html = question_html(BY_KEY["hours"], {"hours": ("", "__refused")})
    assert re.findall(r'value="([^"]+)" checked', html) == ["__refused"]
    assert re.search(r'id="hours" name="hours" type="text"[^>]* value=""', html)


def test_a_number_and_a_way_of_not_answering_are_both_shown_again():
    html = question_html(BY_KEY["hours"], {"hours": ("12", "__refused")}, "Keep one of them")
    assert re.search(r'id="hours" [^>]* value="12"', html)
    assert "checked" in html


def test_every_item_of_a_scale_is_a_fieldset_with_its_statement_as_legend():
    html = "".join(question_html(asked) for asked in LIKERT)
    assert html.count("<fieldset") == len(LIKERT) == 19
    assert re.findall(r"<legend[^>]*>([^<]*)</legend>", html) == [asked.text for asked in LIKERT]
    assert "<table" not in html


def test_a_question_alone_on_its_page_is_its_heading():
    assert "<h1" in question_html(BY_KEY["role"], heading=True)
    assert "<h1" in question_html(BY_KEY["word"], heading=True)
    assert "<h1" not in question_html(BY_KEY["role"])


def test_the_platforms_words_are_in_the_language_of_the_question():
    asked = BY_KEY["scale.calm"]
    assert "Mae’n well gen i beidio â dweud" in question_html(asked, language="cy")
    english = question_html(replace(asked, lang="en-GB"), language="cy")
    assert 'lang="en-GB"' in english
    assert "Prefer not to say" in english


def test_words_in_a_third_language_say_which_it_is():
    html = question_html(replace(BY_KEY["scale.calm"], lang="fr"), language="cy")
    assert re.search(r'<div class="govuk-form-group[^>]* lang="fr"', html)
    assert re.search(r'<label [^>]*lang="en-GB">Prefer not to say', html)


def test_short_answers_stand_in_a_row_and_long_ones_do_not():
    assert "eq-scale" in question_html(BY_KEY["scale.calm"])
    assert "eq-scale" not in question_html(BY_KEY["scale.team"])  # seven answers, one of them long
    two = Asked("yes", "choice", "Is it so?", choices=(Choice("yes", "Yes"), Choice("no", "No")))
    assert "eq-scale" not in question_html(two)


def test_telephones_offer_a_minus_where_a_number_may_be_negative():
    assert 'inputmode="numeric"' in question_html(BY_KEY["hours"])
    assert "inputmode" not in question_html(BY_KEY["gain"])
    assert 'inputmode="decimal"' in question_html(replace(BY_KEY["hours"], decimals=1))


def test_a_video_has_captions_a_transcript_and_a_way_to_go_on():
    html = question_html(BY_KEY["film"])
    assert '<track kind="captions" src="/media/plan.vtt"' in html
    assert 'href="/media/plan.txt"' in html
    assert "If you cannot watch this now" in html
    assert "<p class=\"govuk-body\">What is <em>said</em></p>" in question_html(BY_KEY["film"], transcript="What is *said*")  # fmt: skip


def test_a_page_of_blank_items_is_written_once(monkeypatch):
    for asked in LIKERT:
        question_html(asked)
    monkeypatch.setattr(questions, "_written", None)
    blank = [question_html(asked, {"another": ("1",), asked.key: ("",)}) for asked in LIKERT]
    assert len(set(blank)) == 19


def test_what_a_person_wrote_is_not_kept():
    before = questions._kept.cache_info().currsize
    for asked in KINDS:
        question_html(asked, {**ANSWERED, "role.other": ("A secret of mine",)}, "Enter it again")
    question_html(BY_KEY["more"], {"more": ("A secret of mine",)})
    question_html(BY_KEY["role"], {"role": ("something_else",), "role.other": ("A secret of mine",)})
    question_html(BY_KEY["agree"], {"agree": ("a code that is not on offer",)})
    assert questions._kept.cache_info().currsize == before


@pytest.mark.parametrize(
    ("key", "sent", "target"),
    [
        ("money", {"money.pay": ["50"], "money.time": ["plenty"]}, "money"),
        ("began", {"began__day": ["31"], "began__month": ["2"], "began__year": ["2020"]}, "began"),
        ("role", {"role": ["something_else"]}, "role-other"),
    ],
)
def test_what_is_wrong_leads_to_a_field_of_its_question(key, sent, target):
    asked = replace(BY_KEY[key], required=True)
    page = QuestionPage("page", (Block(key, (asked,)),))
    summary = fault_words(page, read_answers(page, sent), "en-GB").summary
    assert [problem["id"] for problem in summary] == [target]
    assert target in ids(question_html(asked, sent))
