"""Which file a message shows to whom, and which files belong to it."""

from dataclasses import replace
from pathlib import Path

import pytest

from equipoise.protocol import load_study
from equipoise.protocol.assets import Asset, asset_name, asset_of, missing_assets
from equipoise.protocol.doses import dose_columns, sent_columns

EXAMPLES = Path(__file__).parents[3] / "examples" / "hhp2"


@pytest.fixture(scope="module")
def awards():
    return load_study(EXAMPLES / "symbolic-awards")


def test_each_participant_is_shown_the_file_that_the_roster_says(awards) -> None:
    contact = awards.protocol.contacts["thank-you-video"]
    assert asset_name(contact, {"authority": "millmere"}) == "media/millmere.mp4"
    assert asset_name(contact, {"authority": None}) is None
    assert asset_name(contact, {}) is None
    assert asset_name(contact.model_copy(update={"asset": None}), {"authority": "millmere"}) is None
    two = contact.model_copy(update={"asset": "media/{ authority }/{team}.pdf"})
    assert asset_name(two, {"authority": "millmere", "team": "Fostering"}) == "media/millmere/Fostering.pdf"


def test_files_of_one_stem_belong_together(awards) -> None:
    stem = "media/millmere"
    assert asset_of(awards, f"{stem}.mp4") == Asset(
        f"{stem}.mp4", "video", f"{stem}.vtt", f"{stem}.txt", f"{stem}.jpg"
    )
    assert asset_of(awards, f"{stem}.MP3").poster is None
    paper = asset_of(awards, f"{stem}.pdf")
    assert (paper.captions, paper.transcript, paper.poster) == (None, None, None)
    assert paper.has(f"{stem}.pdf")
    assert asset_of(awards, f"{stem}.mp4").has(f"{stem}.cy.vtt")
    assert not asset_of(awards, f"{stem}.mp4").has("media/millmeregate.mp4")


def test_captions_and_words_come_in_the_language_wanted_where_they_are_there(awards) -> None:
    media = {**awards.media, "media/millmere.cy.vtt": "0" * 64}
    welsh = asset_of(replace(awards, media=media), "media/millmere.mp4", "cy-GB")
    assert (welsh.captions, welsh.captions_language) == ("media/millmere.cy.vtt", "cy")
    assert welsh.transcript == "media/millmere.txt"
    assert asset_of(replace(awards, media=media), "media/millmere.mp4", "pl").captions == "media/millmere.vtt"


def test_every_film_of_the_example_is_there(awards) -> None:
    assert list(missing_assets(awards)) == []


def test_a_study_has_the_dose_of_what_it_sends(awards) -> None:
    def names(study):
        return [column.name for column in dose_columns(study.protocol)]

    assert "dose_share_watched" in names(awards)
    assert names(load_study(EXAMPLES / "swing")) == [
        "dose_sent", "dose_delivered", "dose_weeks_received", "dose_opted_out_at"
    ]  # fmt: skip
    assert names(load_study(EXAMPLES / "diversity-in-hiring")) == []
    assert list(sent_columns(awards.protocol))[:3] == [
        "sent_thank_you_video", "sent_video_for_the_waiting_list", "sent_before_invite"
    ]  # fmt: skip
