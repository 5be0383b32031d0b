"""A survey as participants meet it: every kind of question, in its own language and in another."""

from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise.errors import InputError
from equipoise.protocol import Study, load_study
from equipoise.protocol.asked import Asked
from equipoise.protocol.canonical import study_parts
from equipoise.protocol.questionnaire import Questionnaire, questionnaire, vignette_blocks


@pytest.fixture(scope="module")
def english(kinds: Study) -> Questionnaire:
    return questionnaire(kinds, "work")


@pytest.fixture(scope="module")
def welsh(kinds: Study) -> Questionnaire:
    return questionnaire(kinds, "work", "cy")


def codes(asked: Asked) -> list[str]:
    return [choice.code for choice in asked.choices]


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("agree", "consent"),
        ("employed", "choice"),
        ("role", "choice"),
        ("uses", "choices"),
        ("hours", "number"),
        ("calm", "choice"),
        ("views.fair", "choice"),
        ("aim.appeal", "choice"),
        ("warmth", "slider"),
        ("first", "ranking"),
        ("money", "allocation"),
        ("news", "information"),
        ("film", "video"),
        ("began", "date"),
        ("short", "text"),
        ("more", "long-text"),
    ],
)
def test_every_type_of_question_has_its_kind(english: Questionnaire, key: str, kind: str) -> None:
    assert english.asked(key).kind == kind


def test_what_cannot_be_answered_has_no_key_among_the_answers(english: Questionnaire) -> None:
    assert "news" not in english.keys
    assert "film" not in english.keys
    assert english.keys[:4] == ("agree", "employed", "role", "uses")


def test_yes_and_no_and_consent_have_their_words(english: Questionnaire) -> None:
    assert [choice.label for choice in english.asked("employed").choices] == ["Yes", "No"]
    assert [choice.label for choice in english.asked("agree").choices] == ["Yes, I agree", "No"]
    assert english.asked("agree").required
    assert not english.asked("agree").prefer_not_to_say


def test_something_else_is_the_last_choice_and_asks_for_words(english: Questionnaire) -> None:
    role = english.asked("role")
    assert codes(role) == ["nurse", "clerk", "something_else"]
    assert [choice.other for choice in role.choices] == [False, False, True]
    assert role.columns == ("role", "role.other")


def test_likert_items_are_choices_of_numbers(english: Questionnaire) -> None:
    assert codes(english.asked("calm")) == ["1", "2", "3"]
    assert codes(english.asked("aim.appeal")) == ["1", "2", "3", "4", "5"]
    assert english.asked("views.clear").numeric


def test_a_block_and_an_instrument_are_one_scale_with_their_introduction(english: Questionnaire) -> None:
    aim, calm, views, warmth = english.page("feelings").blocks
    assert (views.likert, views.intro, views.random_order) == (True, "How far do you agree?", True)
    assert (aim.likert, aim.instrument, aim.demonstration) == (True, "aim", True)
    assert not calm.likert
    assert warmth.asked[0].end_labels == ("Cold", "Hot")
    assert english.demonstration


def test_an_instrument_takes_the_ways_of_not_answering_from_its_question(english: Questionnaire) -> None:
    assert english.asked("aim.liking").dont_know
    assert english.asked("aim.liking").prefer_not_to_say


def test_the_languages_of_a_survey_are_its_own_and_those_of_its_translations(kinds: Study) -> None:
    assert questionnaire(kinds, "work").languages == ("en-GB", "cy")
    assert questionnaire(kinds, "work", "en").language == "en-GB"
    assert questionnaire(kinds, "work", "cy-GB").language == "cy"


def test_a_language_or_survey_that_is_not_there_is_refused_with_what_is(kinds: Study) -> None:
    with pytest.raises(InputError, match="Languages: en-GB, cy"):
        questionnaire(kinds, "work", "fr")
    with pytest.raises(InputError, match='Did you mean "work"'):
        questionnaire(kinds, "wrok")


def test_what_is_translated_is_in_welsh_and_what_is_not_is_marked(welsh: Questionnaire) -> None:
    assert welsh.asked("role").text == "Beth yw eich gwaith?"
    assert welsh.asked("role").label("something_else") == "Rhywbeth arall"
    assert welsh.asked("role").lang is None
    assert welsh.asked("uses").text == "What do you use?"
    assert welsh.asked("uses").lang == "en-GB"
    assert welsh.asked("aim.appeal").lang == "en-GB"
    assert welsh.page("work").title == "Eich gwaith yn y tîm {team}"
    assert welsh.page("work").lang is None
    assert welsh.page("start").screen_out[0].message.startswith("Diolch")
    assert welsh.quotas[0].message.startswith("Rydym")
    assert welsh.asked("overtime").message == "Ni all fod mwy o oriau ychwanegol nag oriau."


def test_yes_and_no_are_the_words_that_the_translation_has_for_this_question(welsh: Questionnaire) -> None:
    assert [choice.label for choice in welsh.asked("employed").choices] == ["Ydw", "Nac ydw"]


def test_a_wording_pack_of_the_language_is_taken_where_there_is_one(
    kinds_changed: Callable[..., Study],
) -> None:
    pack = (
        "instrument: aim\ndemonstration: true\nlanguage: cy\nintro: Meddyliwch am y cynllun.\n"
        "items: {approval: Rwy'n cytuno., appeal: Mae'n apelio., liking: Rwy'n ei hoffi., "
        "welcome: Rwy'n ei groesawu.}\nanchors: {agreement: [un, dau, tri, pedwar, pump]}\n"
    )
    study = kinds_changed(("wording/aim-cy.yaml", "", pack))
    welsh, english = questionnaire(study, "work", "cy"), questionnaire(study, "work")
    assert welsh.asked("aim.appeal").text == "Mae'n apelio."
    assert welsh.asked("aim.appeal").lang is None
    assert english.asked("aim.appeal").text != "Mae'n apelio."


def test_the_version_follows_every_word_and_the_language(
    kinds: Study, kinds_changed: Callable[..., Study]
) -> None:
    before = questionnaire(kinds, "work").wording_version
    assert questionnaire(kinds, "work").wording_version == before
    assert questionnaire(kinds, "work", "cy").wording_version != before
    study = kinds_changed(("surveys/work.yaml", "Anything else?", "Anything more?"))
    assert questionnaire(study, "work").wording_version != before


def test_pages_and_questions_are_found_by_name_or_refused_with_the_nearest(english: Questionnaire) -> None:
    with pytest.raises(InputError, match='Did you mean "hours"'):
        english.asked("hous")
    with pytest.raises(InputError, match='Did you mean "start"'):
        english.page("strat")


def test_a_translation_is_part_of_what_is_locked(kinds: Study, kinds_changed: Callable[..., Study]) -> None:
    changed = kinds_changed(("surveys/work.cy.yaml", "Byth", "Erioed"))
    before, after = study_parts(kinds), study_parts(changed)
    assert [part for part in before if before[part] != after[part]] == ["surveys/work.cy.yaml"]


def test_the_questions_of_a_vignette_are_asked_in_the_same_way() -> None:
    study = load_study(Path(__file__).parents[3] / "examples" / "hhp2" / "diversity-in-hiring")
    (block,) = vignette_blocks(study, "vignettes/cv.yaml")
    assert block.asked[0].kind in ("choice", "number", "slider")
    assert block.asked[0].key == block.id
