"""All waves of the examples on the real server, in Chromium: by keyboard alone, without script, at 320 px."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.platform.durability.living import ONE, served
from tests.platform.markup import (
    assert_fit_at_every_width,
    assert_no_axe_violations,
    assert_nothing_scrolls_sideways,
    assert_valid_html,
    chromium,
)

pytestmark = pytest.mark.browser
HERE = Path(__file__).parent
PHONE = {"width": 320, "height": 640}
WAVES = {
    "swing.before": "2021-02-10T12:00",
    "swing.after": "2021-05-12T12:00",
    "diversity-in-hiring.session": "2021-05-12T12:00",
    "kinds.before": "2026-02-20T12:00",
}
CHOSEN = {"attention": 3, "read_this": 2, "agree": 1, "employed": 1}
TYPED = {"overtime": "1", "warmth": "55", "car_age": "2", "money.cake": "60", "money.tea": "40", "began__month": "March",
         "began__day": "3", "began__year": "2019"}  # fmt: skip
FOCUS = """() => { const one = document.activeElement; return {
    tag: one.tagName, type: one.type || '', name: one.name || '', value: one.value || '',
    options: one.tagName === 'SELECT' ? one.options.length : 0 } }"""


def say(workspace, *arguments):
    """Run the script that fills the workspace."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, HERE / "participants.py", workspace, *arguments],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The server on a port of its own, and the links by wave."""
    folder = tmp_path_factory.mktemp("site")
    workspace = folder / "workspace"
    links = json.loads(say(workspace, folder / "studies"))
    with served(workspace, "--quiet", *ONE) as server:
        yield (
            workspace,
            {
                wave: [link.replace(":8000", f":{server.port}") for link in some]
                for wave, some in links.items()
            },
        )


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


def fill_by_keyboard(page):
    """Go through the page with Tab, choose with Space and arrows, type, and send it with Enter."""
    ranks = iter("123")
    for _ in range(250):
        page.keyboard.press("Tab")
        one = page.evaluate(FOCUS)
        if one["type"] == "radio":
            page.keyboard.press("Space")
            for _ in range(CHOSEN.get(one["name"], 1) - 1):
                page.keyboard.press("ArrowDown")
        elif one["tag"] == "SELECT":
            page.keyboard.type(f"Place {next(ranks)}" if one["options"] == 4 else next(ranks))
        elif one["type"] in ("text", "number", "email") and not one["value"]:
            page.keyboard.type(TYPED.get(one["name"], "3"))
        elif one["tag"] == "TEXTAREA":
            page.keyboard.type("Nothing more")
        elif one["tag"] == "BUTTON" and one["type"] == "submit" and one["name"] != "later":
            with page.expect_navigation():
                page.keyboard.press("Enter")
            return
    raise AssertionError(f"the keyboard does not reach the button of {page.url}")


class Sources:
    """The pages as the server sent them, by a name: what the browser makes of them is written differently."""

    def __init__(self, page):
        self.kept, self.last = {}, ""
        page.on("response", self._note)

    def _note(self, response):
        if response.request.resource_type == "document" and response.status not in (302, 303):
            self.last = response.text()

    def keep(self, name):
        self.kept[name] = self.last


def walk(page, link, seen):
    """From the link to the thanks; `seen` is called with every page."""
    page.goto(link)
    for _ in range(14):
        seen(page)
        if page.url.endswith("/thanks"):
            return
        fill_by_keyboard(page)
    raise AssertionError(f"the survey does not end; the last page was {page.url}: {page.title()}")


@pytest.mark.parametrize("wave", list(WAVES))
def test_a_wave_is_answered_by_keyboard_alone_without_script_on_a_small_phone(site, browser, wave):
    workspace, links = site
    say(workspace, "clock", WAVES[wave])
    context = browser.new_context(java_script_enabled=False, viewport=PHONE)
    page = context.new_page()
    sources = Sources(page)

    def seen(page):
        assert_nothing_scrolls_sideways(page)
        assert page.evaluate("document.querySelectorAll('h1').length") == 1
        assert page.evaluate("document.querySelectorAll('table').length") == 0
        assert page.evaluate("document.documentElement.lang") != ""
        sources.keep(f"{len(sources.kept)}-{page.url.rpartition('/')[2]}")

    walk(page, links[wave][0], seen)
    assert re.search("Thank you", page.content())
    context.close()
    assert_valid_html(sources.kept)


@pytest.mark.parametrize("wave", list(WAVES))
def test_axe_finds_nothing_on_any_page_of_a_wave(site, browser, wave):
    workspace, links = site
    say(workspace, "clock", WAVES[wave])
    context = browser.new_context(bypass_csp=True)
    walk(context.new_page(), links[wave][-1], assert_fit_at_every_width)
    context.close()


def test_errors_choices_and_ends_are_as_accessible_as_the_rest(site, browser):
    workspace, links = site
    say(workspace, "clock", WAVES["kinds.before"])
    context = browser.new_context(viewport=PHONE, bypass_csp=True)
    page = context.new_page()
    sources = Sources(page)

    def look(name):
        assert_no_axe_violations(page)
        assert_nothing_scrolls_sideways(page)
        sources.keep(name)

    page.goto(links["kinds.before"][1])
    page.click("button[type=submit]")
    page.click("button[type=submit]")
    assert page.title().startswith("Error:")
    look("consent-missing")
    fill_by_keyboard(page)
    fill_by_keyboard(page)
    page.fill("#hours", "many")
    page.click("text=Continue")
    page.wait_for_function("document.activeElement.className.startsWith('govuk-error-summary')")
    look("wrong-number")
    page.click(".govuk-error-summary a")
    assert page.evaluate("document.activeElement.id") in ("role", "hours")
    page.click("text=Save and come back later")
    look("saved")
    page.click("text=Stop or leave the study")
    look("choices")
    page.click("button[type=submit]")
    look("choice-missing")
    page.check("[value=everything]")
    page.click("button[type=submit]")
    look("sure")
    page.click("button[type=submit]")
    look("left")
    page.goto(links["kinds.before"][1])
    look("already-left")
    page.goto(links["swing.before"][2])
    look("closed")
    page.goto(links["swing.stop"][2])
    look("stop")
    page.goto(links["swing.stop"][2].replace("/stop/", "/s/a"))
    look("wrong-link")
    page.goto(re.sub("/s/.*", "/link/swing", links["swing.before"][0]))
    look("again")
    page.goto(re.sub("/s/.*", "/privacy/swing", links["swing.before"][0]))
    look("privacy")
    context.close()
    assert_valid_html(sources.kept)


def test_a_film_is_as_accessible_as_the_rest_and_needs_no_script(site, browser):
    link = site[1]["symbolic-awards.video"][0]
    for script in (False, True):
        context = browser.new_context(viewport=PHONE, bypass_csp=script, java_script_enabled=script)
        page = context.new_page()
        sources = Sources(page)
        page.goto(link)
        for name in ("button", "player"):
            assert_nothing_scrolls_sideways(page)
            sources.keep(name)
            if script:
                assert_no_axe_violations(page)
            if name == "button":
                page.click("button[type=submit]")
        assert page.locator("video[controls] track[kind=captions][default]").count() == 1
        assert "I am speaking for four of us" in page.inner_text("main")
        context.close()
        assert_valid_html(sources.kept)


def test_what_is_played_is_told_when_the_page_is_left_and_each_second_once(site, browser):
    workspace, links = site
    context = browser.new_context(viewport=PHONE)
    page, refused = context.new_page(), []
    page.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
    page.goto(links["symbolic-awards.video"][1])
    page.click("button[type=submit]")
    page.evaluate(
        "() => { const film = document.querySelector('video'); film.muted = true; return film.play() }"
    )
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")
    for at in (0, 40):
        page.evaluate("at => { document.querySelector('video').currentTime = at }", at)
        page.wait_for_function(
            "at => { const now = document.querySelector('video').currentTime; return now > at + 0.3 && now < at + 9 }",
            arg=at,
        )
    assert page.evaluate("document.querySelector('video').textTracks[0].cues.length") == 10
    page.goto("about:blank")
    for _ in range(15):
        told = json.loads(say(workspace, "watched"))
        if told:
            break
    context.close()
    ((ranges, seconds, length),) = told
    assert [round(start) for start, _ in ranges] == [0, 40]
    assert seconds == pytest.approx(sum(end - start for start, end in ranges), abs=0.05)
    assert length == 77.0
    assert refused == []


def test_the_first_page_weighs_less_than_60_kilobytes_and_asks_nobody_else(site, browser):
    workspace, links = site
    say(workspace, "clock", WAVES["swing.before"])
    context = browser.new_context(viewport=PHONE)
    page, asked = context.new_page(), []
    page.on("requestfinished", lambda request: asked.append((request.url, request.sizes())))
    page.goto(links["swing.before"][3], wait_until="networkidle")
    origin = re.match("http://[^/]+", page.url)[0]
    assert {url for url, _ in asked if not url.startswith(origin)} == set()
    whole = sum(len(page.request.get(url).body()) for url, _ in asked)
    assert whole < 60_000
    context.close()


def test_twice_the_text_and_chosen_colours_lose_nothing(site, browser):
    workspace, links = site
    say(workspace, "clock", WAVES["swing.before"])
    context = browser.new_context(viewport=PHONE, forced_colors="active", java_script_enabled=False)
    page = context.new_page()
    page.goto(links["swing.before"][3])
    fill_by_keyboard(page)
    fill_by_keyboard(page)
    assert_nothing_scrolls_sideways(page)
    assert page.evaluate(
        """() => [...document.querySelectorAll('input[type=radio] + label')]
             .every(one => getComputedStyle(one, '::before').borderTopWidth !== '0px')"""
    )
    context.close()
