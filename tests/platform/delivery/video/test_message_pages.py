"""The page of a message: opened by a person alone, played in parts, and what was watched held to what can be."""

import json
import logging
import re
from datetime import timedelta

import pytest
from django.test import Client
from tests.platform.delivery.test_composing import dispatch as to_send
from tests.platform.delivery.test_composing import person as reachable
from tests.platform.delivery.video.conftest import enrolled, page_link, sent
from tests.platform.fieldwork.conftest import Browser

from equipoise.errors import InputError, ProtocolError
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.models import MessageLink, Watch
from equipoise.platform.delivery.writing.composing import Composer
from equipoise.platform.fieldwork.actions import leave_study
from equipoise.platform.logs import NoSecrets
from equipoise.platform.registry.actions import move_study
from equipoise.platform.registry.models import Study


@pytest.fixture
def link(person):
    return page_link(sent(person))


@pytest.fixture
def page(link, browser):
    """The browser on the player's page."""
    return browser.open(link).send()


def tell(page, ranges, length=77.0, **more):
    """What the script of the page sends."""
    found = dict(re.findall(r'data-(key|token)="([^"]+)"', page.html))
    body = {
        "csrfmiddlewaretoken": found["token"],
        "key": found["key"],
        "ranges": ranges if isinstance(ranges, str) else json.dumps(ranges),
    }
    return page.client.post("/m/watched", {**body, "length": length, **more}, secure=True)


def test_fetching_the_link_any_number_of_times_changes_nothing(link):
    before = list(MessageLink.objects.values())
    for method in ("get", "head", "get"):
        assert getattr(Browser().client, method)(link, secure=True).status_code == 200
    assert list(MessageLink.objects.values()) == before
    assert not Watch.objects.exists()


def test_the_button_opens_the_page_once_and_its_address_holds_no_token(link, browser, at):
    browser.open(link)
    assert browser.heading == "A video for you"
    assert "It lasts 1 min 17 s." in browser.text
    assert "The study records that you opened it" in browser.text
    browser.send()
    first = MessageLink.objects.get().opened_at
    assert first == now()
    assert link.rpartition("/")[2] not in browser.html + browser.path
    assert re.fullmatch("/message/[0-9a-f]{16}/", browser.path)
    cookie = browser.client.cookies["__Host-message"]
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
    assert (cookie["path"], cookie["domain"]) == ("/", "")
    at(first + timedelta(days=1))
    browser.open(link).send()
    assert MessageLink.objects.get().opened_at == first


def test_a_form_from_elsewhere_opens_nothing(link):
    assert Browser().client.post(link, {}, secure=True).status_code == 403
    assert MessageLink.objects.get().opened_at is None


def test_the_player_has_captions_the_words_a_picture_and_a_way_for_later(page):
    html = page.html
    assert re.search(r"<video [^>]*controls[^>]*poster=\"[^\"]*northmoor\.jpg\"", html)
    assert re.search(r'<track kind="captions" src="[^"]*northmoor\.vtt" srclang="en-GB"', html)
    assert "I cannot watch or listen now" in page.text
    spoken = "Hello. I am speaking for four of us who grew up in care in Northmoor."
    assert page.text.index("What is said in it") < page.text.index(spoken)
    assert " download" not in html
    assert "onclick" not in html
    assert html.count("<script") == html.count("<script src=") == 1


def test_the_film_comes_in_parts_and_no_other_file_does(page):
    source = re.search(r'<source src="([^"]+)"', page.html)[1]
    part = page.client.get(source, headers={"Range": "bytes=4-7"}, secure=True)
    assert (part.status_code, b"".join(part.streaming_content)) == (206, b"ftyp")
    for file in ("northmoor.jpg", "northmoor.txt", "northmoor.vtt"):
        assert page.client.get(source.replace("northmoor.mp4", file), secure=True).status_code == 200
    for file in ("eastvale.mp4", "../protocol.yaml", "none.mp4"):
        assert page.client.get(source.replace("northmoor.mp4", file), secure=True).status_code == 404
    assert Browser().client.get(source, secure=True).status_code == 403


def test_a_code_without_the_cookie_shows_nothing(page):
    assert Browser().open(page.path).heading == "Please open your link again"


def test_stretches_are_merged_and_telling_them_again_changes_nothing(page, at):
    opened = now()
    at(opened + timedelta(seconds=60))
    assert tell(page, [[0, 10], [5, 12.5], [40, 50]]).status_code == 204
    kept = Watch.objects.get()
    assert (kept.ranges, kept.seconds, kept.length) == ([[0, 12.5], [40, 50]], 22.5, 77.0)
    assert MessageLink.objects.get().started_at == now()
    at(opened + timedelta(seconds=90))
    tell(page, [[0, 10], [5, 12.5], [40, 50]])
    assert Watch.objects.get().last_at == opened + timedelta(seconds=60)
    tell(page, [[12, 41]])
    assert Watch.objects.get().ranges == [[0, 50]]
    assert Watch.objects.get().seconds == 50


def test_nobody_has_watched_longer_than_the_page_was_open_or_the_film_lasts(page, at):
    opened = now()
    at(opened + timedelta(seconds=20))
    tell(page, [[0, 70]], length=4000)
    assert Watch.objects.get().seconds == 20
    at(opened + timedelta(hours=2))
    tell(page, [[0, 3000]], length=4000)
    assert (Watch.objects.get().seconds, Watch.objects.get().length) == (77.0, 77.0)


def test_what_no_player_tells_is_kept_nowhere(page, at):
    at(now() + timedelta(seconds=60))
    texts = ("", "{", "[[1]]", '[["a", 2]]', "[[NaN, 3]]", "[[-5, 3]]", "[[9, 3]]", "7", "null", '{"a": 1}')
    for text in (*texts, "[" * 5000):
        assert tell(page, text).status_code in (204, 400), text
    assert tell(page, [[0, 9]], length="none").status_code == 400
    assert not Watch.objects.exists()
    assert tell(page, [[0, 9]], length="nan").status_code == 204
    assert Watch.objects.get().length == 77.0


def test_what_was_watched_is_told_by_the_page_alone(page, at):
    at(now() + timedelta(seconds=60))
    assert tell(page, [[0, 9]], key="forged").status_code == 400
    assert tell(page, [[0, 9]], csrfmiddlewaretoken="").status_code == 403
    assert page.client.get("/m/watched", secure=True).status_code == 405
    assert not Watch.objects.exists()


def test_after_the_study_is_closed_the_film_plays_and_nothing_is_recorded(awards, link, browser, at):
    Study.objects.filter(pk=awards.pk).update(state="closed")
    page = browser.open(link).send()
    at(now() + timedelta(seconds=60))
    assert "<video" in page.html
    assert tell(page, [[0, 9]]).status_code == 204
    assert MessageLink.objects.get().opened_at is None
    assert not Watch.objects.exists()


def test_whoever_left_is_shown_nothing_more_and_whoever_stopped_messages_is(person, link, browser):
    leave_study(person, "messages", channel="web", actor=f"participant:{person.key}")
    page = browser.open(link).send()
    assert "<video" in page.html
    leave_study(person, "everything", channel="web", actor=f"participant:{person.key}")
    assert tell(page, [[0, 0.01]]).status_code == 204
    assert not Watch.objects.exists()
    assert browser.open(browser.path).heading == "You have left this study"
    assert Browser().open(link).heading == "You have left this study"


def test_a_link_that_leads_to_no_file_says_what_every_wrong_link_says(awards, link):
    nobody = page_link(sent(enrolled(awards, authority=None)))
    other = page_link(sent(enrolled(awards), contact="before.invite"))
    pages = [Browser().open(each) for each in (nobody, other, "/m/abcdefghijklmnopqrstuvwxyz234567")]
    assert {page.response.status_code for page in pages} == {404}
    assert len({page.html for page in pages}) == 1


@pytest.fixture
def changed(add_example, alice):
    """A function that launches the example with other files shown by its first contact."""

    def launch(name, content=b"made up", **others):
        def change(folder):
            (folder / "media" / name).write_bytes(content)
            for path, text in others.items():
                (folder / "media" / path.replace("__", ".")).write_text(text, "utf-8")
            place = folder / "protocol.yaml"
            place.write_text(
                place.read_text("utf-8").replace("media/{authority}.mp4", f"media/{name}", 1), "utf-8"
            )

        return move_study(alice, add_example("symbolic-awards", change), "live")

    return launch


def test_a_paper_has_a_page_with_a_link_and_no_player(changed, browser):
    browser.open(page_link(sent(enrolled(changed("leaflet.pdf")))))
    assert (browser.heading, "how much" in browser.text) == ("Something for you to read", False)
    browser.send()
    assert "<video" not in browser.html
    assert "<script" not in browser.html
    place = re.search(r'<a class="govuk-link" href="(/message/[^"]+\.pdf)"', browser.html)[1]
    page = browser.client.get(place, secure=True)
    assert (page["Content-Type"], b"".join(page.streaming_content)) == ("application/pdf", b"made up")


def test_a_recording_whose_length_nobody_knows_is_played_with_its_words(changed, browser, at):
    study = changed("talk.mp3", talk__md="## Words\n\nA *made-up* talk.")
    browser.open(page_link(sent(enrolled(study)))).send()
    assert re.search(r"<audio [^>]*controls", browser.html)
    assert "<em>made-up</em> talk" in browser.html
    assert "It lasts" not in browser.text
    at(now() + timedelta(minutes=5))
    assert tell(browser, [[0, 30]], length=120).status_code == 204
    assert (Watch.objects.get().seconds, Watch.objects.get().length) == (30.0, 120.0)


def in_welsh_too(folder):
    """A column that says in which language somebody is written to, and captions in Welsh."""
    place = folder / "protocol.yaml"
    text = place.read_text("utf-8").replace(
        "    team:\n", "    spoken: {type: category, levels: [en, cy, pl], required: false}\n    team:\n", 1
    )
    place.write_text(text.replace("sending:\n", "sending:\n  language: spoken\n"), "utf-8")
    (folder / "media" / "northmoor.cy.vtt").write_text("WEBVTT\n", "utf-8")


def test_the_page_and_the_captions_are_in_the_language_that_somebody_is_written_to_in(add_example, alice):
    study = move_study(alice, add_example("symbolic-awards", in_welsh_too), "live")
    pages = {
        tag: Browser().open(page_link(sent(enrolled(study, spoken=tag)))).send() for tag in ("cy", "pl", None)
    }
    assert [page.heading for page in pages.values()] == ["Fideo i chi", "A video for you", "A video for you"]
    track = re.search(r'<track kind="captions" src="([^"]+)" srclang="cy"', pages["cy"].html)[1]
    assert track.endswith("/northmoor.cy.vtt")
    assert b"".join(pages["cy"].client.get(track, secure=True).streaming_content) == b"WEBVTT\n"
    assert 'srclang="en-GB"' in pages["pl"].html


def test_a_composed_message_leads_to_its_page_and_its_button_stops_messages(awards):
    person = reachable(awards, facts={"authority": "northmoor"})
    dispatch = to_send(person, "thank-you-video")
    with writing():
        composed = Composer(awards).compose([dispatch])[dispatch.pk]
    assert Browser().open(composed.fields["link"]).send().heading == "A video for you"
    button = composed.unsubscribe.removeprefix("http://localhost:8000")
    assert button.startswith("/stop/one-click/")
    told = {"List-Unsubscribe": "One-Click"}
    assert Client(enforce_csrf_checks=True).post(button, told, secure=True).status_code == 200
    person.refresh_from_db()
    assert person.messages_stopped_at is not None


def test_a_film_that_is_missing_keeps_a_study_from_its_launch(add_example, alice):
    study = add_example("symbolic-awards", lambda folder: (folder / "media" / "eastvale.mp4").unlink())
    with pytest.raises(
        InputError, match=r"media/eastvale\.mp4 is to be shown to participants and is not there"
    ):
        move_study(alice, study, "live")


def test_a_film_without_captions_cannot_be_locked(add_example):
    with pytest.raises(ProtocolError, match=r"eastvale\.mp4 has no captions.*refused for publication"):
        add_example("symbolic-awards", lambda folder: (folder / "media" / "eastvale.vtt").unlink())


def test_no_token_of_a_message_is_written_to_a_log(link):
    text = link.rpartition("/")[2]
    for path in (link, f"/stop/one-click/{text}"):
        record = logging.LogRecord("django.request", logging.WARNING, "", 0, "Not Found: %s", (path,), None)
        assert NoSecrets().filter(record)
        assert record.getMessage() == f"Not Found: {path.removesuffix(text)}-"
