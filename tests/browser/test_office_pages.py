"""Pages for staff on the real server, in Chromium: signing in and the office, for everybody and by keyboard."""

import base64
import hmac
import json
import os
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from tests.platform.durability.living import ONE, served
from tests.platform.markup import (
    assert_no_axe_violations,
    assert_nothing_scrolls_sideways,
    assert_valid_html,
    chromium,
)

pytestmark = pytest.mark.browser
HERE = Path(__file__).parent
PHONE = {"width": 320, "height": 640}
DESK = {"width": 1280, "height": 900}
PASSWORD = "green kettle on the moor"  # noqa: S105
SWING = (
    "",
    "protocol/",
    "protocol/amend",
    "move/paused",
    "move/closed",
    "people/",
    "people/find",
    "people/import/",
    "people/KEY/",
    "people/KEY/leave",
    "people/KEY/link",
    "people/KEY/report",
    "people/KEY/enter/after",
    "allocation/",
    "allocation/main/strata",
    "allocation/main/verify",
    "surveys/",
    "surveys/after/days",
    "surveys/after/links",
    "surveys/after/preview/1",
    "messages/",
    "messages/in-doubt/",
    "messages/in-doubt/61/",
    "messages/not-sent/",
    "messages/closed/",
    "messages/waiting/",
    "messages/waiting/everything",
    "messages/files/",
    "messages/files/after.invite/1/none/",
    "messages/receipts/",
    "messages/sends/weekly-message/3/",
    "messages/sends/weekly-message/3/now",
    "messages/sends/weekly-message/3/retry",
    "incidents/",
    "incidents/add",
    "incidents/harmhappen/",
    "incidents/harmhappen/correct",
    "incidents/harmhappen/close",
    "extracts/",
    "data/",
    "data/review/",
    "data/review/add",
    "data/review/upload",
    "data/review/look",
    "data/identified",
    "services/",
    "approvals/",
    "approvals/1/",
    "approvals/1/decide",
    "approvals/2/",
    "record/",
    "record/kept/",
)
PLACES = (
    "/office/",
    *(f"/office/studies/swing/{place}" for place in SWING),
    "/office/studies/diversity-in-hiring/",
    "/office/studies/diversity-in-hiring/surveys/open-links",
    "/office/studies/diversity-in-hiring/allocation/",
    "/office/studies/symbolic-awards/",
    "/office/studies/symbolic-awards/move/live",
    "/office/studies/symbolic-awards/allocation/",
    "/office/studies/nowhere/",
    "/staff/",
    "/staff/password",
    "/staff/device/remove",
    "/staff/recovery-codes",
    "/staff/recovery-codes/new",
    "/staff/sessions",
    "/staff/passkeys",
    "/staff/passkeys/new",
    "/staff/sign-out",
)
# What only whoever keeps the workspace sees; Alice is the first member of staff.
KEEPING = (
    "/office/staff/",
    "/office/staff/new",
    *(f"/office/staff/1/{one}" for one in ("", "link", "factor", "end")),
)
OUTSIDE = (
    "/staff/sign-in",
    "/staff/password/reset",
    "/staff/password/reset/sent",
    "/staff/password/set/1-none-none",
    "/staff/inactive",
)
# A device that has a passkey for whoever touches it.
FINGER = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
# What a keyboard must be able to reach; what it reaches is noted on the page itself. Arrows lead from one radio
# button of a question to the next.
WANTED = """() => {
  const reached = window.reached = new Set()
  addEventListener('focusin', event => {
    for (const one of document.querySelectorAll('input[type=radio]'))
      if (one.name === event.target.name) reached.add(one.dataset.place)
    reached.add(event.target.dataset.place)
  })
  return [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
  .filter(one => one.checkVisibility() && !one.disabled && one.closest('details:not([open]) > :not(summary)') === null)
  .map((one, place) => { one.dataset.place = place; return place })
}"""
REACHED = "() => [...window.reached]"


class App:
    """An authenticator app: RFC 6238, with the codes of this half-minute and its neighbours."""

    def __init__(self, key):
        self.key = key

    def code(self, later=0):
        if (spent := time.time() % 30) > 25:  # by the time it is typed in, it could be one half-minute older
            time.sleep(30 - spent)
        counter = int(time.time()) // 30 + later
        made = hmac.digest(base64.b32decode(self.key), counter.to_bytes(8, "big"), "sha1")
        start = made[-1] & 15
        return f"{(int.from_bytes(made[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


class Site:
    """The server, what the script made in its workspace, and who is signed in."""

    def __init__(self, origin, made):
        self.origin, self.keys = origin, made["people"]
        self.links = {name: re.sub(r"^http://[^/]+", origin, link) for name, link in made["links"].items()}
        self.signed_in = {}

    def address(self, place):
        return self.origin + place.replace("KEY", self.keys[0])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("office")
    (folder / "studies").mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    script = [sys.executable, HERE / "office.py", folder / "workspace", folder / "studies"]
    done = subprocess.run(script, capture_output=True, text=True, check=True, env=environment)
    with served(folder / "workspace", "--quiet", *ONE) as server:
        yield Site(f"http://localhost:{server.port}", json.loads(done.stdout))


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


class Look:
    """Holds each page to what every page is held to; the HTML as it was sent is validated at the end."""

    def __init__(self, page):
        self.page, self.sources, self.last = page, {}, ""
        page.on("response", self._note)

    def _note(self, response):
        if response.request.resource_type == "document" and response.status not in (302, 303):
            self.last = response.text()

    def at(self, name):
        assert self.page.evaluate("document.querySelectorAll('h1').length") == 1, name
        assert_nothing_scrolls_sideways(self.page)
        assert_no_axe_violations(self.page)
        self.sources[name] = self.last

    def at_every_size(self, name):
        for size in (PHONE, DESK):
            self.page.set_viewport_size(size)
            self.at(name)


def sign_in(site, browser, name):
    """From the link for a password to the office, once for each member of staff; what the browser then keeps."""
    if name not in site.signed_in:
        context = browser.new_context(viewport=PHONE, bypass_csp=True)
        page = context.new_page()
        look = Look(page)
        page.goto(site.links[name])
        look.at("choose a password")
        page.fill("#password1", "short")
        page.fill("#password2", "short")
        page.click("text=Set password")
        look.at("too short")
        page.fill("#password1", PASSWORD)
        page.fill("#password2", PASSWORD)
        page.click("text=Set password")
        look.at("password set")
        page.click("main >> text=Sign in")
        page.fill("#login", f"{name.lower()}@example.org")
        page.fill("#password", "not the password")
        page.click("main >> button")
        look.at("wrong password")
        page.fill("#password", PASSWORD)
        page.click("main >> button")
        look.at("second factor")
        app = App(page.text_content("code.eq-key"))
        assert page.evaluate("document.querySelector('img').naturalWidth") > 0
        page.fill("#code", "000000")
        page.click("main >> button")
        look.at("wrong first code")
        assert page.text_content("code.eq-key") == app.key
        page.fill("#code", app.code(-1))
        page.click("main >> button")
        look.at("recovery codes")
        page.click("text=Go on")
        look.at("home")
        site.signed_in[name] = context.storage_state(), app
        context.close()
        assert_valid_html(look.sources)
    return site.signed_in[name]


@pytest.fixture
def desk(site, browser):
    """A function that opens a browser in which somebody is signed in."""
    opened = []

    def make(name="Alice", size=DESK, **options):
        state, _ = sign_in(site, browser, name)
        context = browser.new_context(viewport=size, storage_state=state, **options)
        opened.append(context)
        return context.new_page()

    yield make
    for context in opened:
        context.close()


def test_every_page_is_valid_and_fit_for_everybody(site, desk):
    page = desk(bypass_csp=True)
    look = Look(page)
    for place in PLACES:
        page.goto(site.address(place))
        assert "Sign in" not in page.title(), place
        look.at_every_size(place)
    assert_valid_html(look.sources)


def test_the_pages_before_signing_in_are_as_good(site, browser):
    context = browser.new_context(bypass_csp=True)
    look = Look(context.new_page())
    for place in OUTSIDE:
        look.page.goto(site.address(place))
        look.at_every_size(place)
    context.close()
    assert_valid_html(look.sources)


def test_somebody_signs_in_again_by_keyboard_alone_and_without_script(site, browser):
    _, app = sign_in(site, browser, "Alice")
    context = browser.new_context(viewport=DESK, java_script_enabled=False)
    page = context.new_page()
    page.goto(site.address("/office/studies/swing/people/"))
    for word in ("alice@example.org", PASSWORD):
        until(page, "INPUT")
        page.keyboard.type(word)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.text_content("h1") == "Enter a code"
    until(page, "INPUT")
    page.keyboard.type(app.code(1))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url == site.address("/office/studies/swing/people/")
    context.close()


def until(page, tag):
    """Press Tab until a field of this kind has the focus."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == tag:
            return
    raise AssertionError(f"the keyboard reaches no {tag}")


def test_the_keyboard_reaches_everything_on_every_page(site, desk):
    page = desk()
    for place in PLACES:
        page.goto(site.address(place))
        wanted = {str(each) for each in page.evaluate(WANTED)}
        for _ in range(len(wanted) + 5):
            page.keyboard.down("Tab")  # held down, it goes on and on
        page.keyboard.up("Tab")
        reached = set(page.evaluate(REACHED))
        assert wanted - reached == set(), place


def test_a_person_is_found_a_link_made_the_data_exported_and_all_of_it_recorded(site, desk):
    page = desk(bypass_csp=True)
    look = Look(page)
    page.goto(site.address("/office/studies/swing/people/"))
    page.fill("#sought", "person.2020.3@trainees.example.org")
    page.click("text=Find >> nth=-1")
    assert page.text_content("h1").split()[-1] == site.keys[3]
    look.at("found")
    assert "trainees.example.org" not in page.content()
    page.click("text=Show contact details")
    look.at("contact details")
    assert "person.2020.3@trainees.example.org" in page.content()
    page.click("text=Make a new personal link")
    page.click("main >> button")
    look.at("no wave chosen")
    page.check("[value=after]")
    page.click("main >> button")
    look.at("link")
    assert "/s/" in page.content()
    page.goto(site.address("/office/studies/swing/data/"))
    page.click("text=Make the data")
    look.at("asked for")
    until = time.monotonic() + 60
    while not page.locator("table a").count():
        assert time.monotonic() < until, "the worker made nothing"
        page.wait_for_timeout(300)
        page.reload()
    look.at("exported")
    with page.expect_download() as download:
        page.click("table a")
    assert download.value.suggested_filename.endswith(".zip")
    page.goto(site.address("/office/studies/swing/record/"))
    look.at("record")
    for verb in ("people.contact", "surveys.links", "data.export"):
        assert verb in page.content()
    assert "trainees.example.org" not in page.content()
    assert_valid_html(look.sources)


def test_a_study_is_paused_by_its_name_and_a_reason_and_resumed(site, desk):
    page = desk(bypass_csp=True)
    look = Look(page)
    page.goto(site.address("/office/studies/swing/move/paused"))
    page.click("main >> button")
    look.at("name and reason missing")
    assert page.title().startswith("Error:")
    for problem in page.query_selector_all(".govuk-error-summary a"):
        assert page.query_selector(problem.get_attribute("href")) is not None
    page.fill("#reason", "An error in the survey")
    page.fill("#name", "swing")
    page.click("main >> button")
    look.at("paused")
    assert "Paused" in page.text_content("main")
    page.goto(site.address("/office/studies/swing/move/live"))
    page.fill("#name", "swing")
    page.click("main >> button")
    assert "Live" in page.text_content("main")
    assert_valid_html(look.sources)


def test_whoever_keeps_the_workspace_invites_staff_adds_a_study_and_is_told_what_is_wrong_with_a_file(
    site, desk, tmp_path
):
    page = desk("Carol", bypass_csp=True)
    look = Look(page)
    page.goto(site.address("/office/"))
    look.at("home")
    for place in KEEPING:
        page.goto(site.address(place))
        look.at_every_size(place)
    page.goto(site.address("/office/staff/new"))
    page.fill("#name", "Dora (synthetic)")
    page.fill("#email", "dora@example.org")
    page.click("main >> button")
    look.at("link of an invitation")
    page.goto(site.address("/office/"))
    page.click("text=Add a study")
    look.at("add")
    page.click("main button[type=submit]")
    look.at("no file")
    archive = tmp_path / "notes.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("notes/../../elsewhere.txt", "Notes")
    page.set_input_files("input[type=file]", archive)
    page.check("[name=lead] >> nth=0")
    page.click("main button[type=submit]")
    look.at("wrong file")
    assert page.title().startswith("Error:")
    assert "leads out of the study" in page.text_content("main")
    page.goto(site.address("/office/studies/swing/"))
    look.at("overview")
    for place in ("people/", "surveys/", "data/", "allocation/"):
        assert page.goto(site.address(f"/office/studies/swing/{place}")).status == 403
    assert_valid_html(look.sources)


def test_somebody_without_a_role_sees_an_empty_home_and_no_study(site, desk):
    page = desk("Bob", bypass_csp=True)
    look = Look(page)
    page.goto(site.address("/office/"))
    look.at("home")
    assert "swing" not in page.content()
    for place in ("swing", "nowhere"):
        assert page.goto(site.address(f"/office/studies/{place}/")).status == 404
        look.at(place)
    assert look.sources["swing"] == look.sources["nowhere"]


def test_a_passkey_is_set_up_in_a_browser_and_takes_the_place_of_a_code(site, browser):
    state, _ = sign_in(site, browser, "Bob")
    context = browser.new_context(viewport=DESK, storage_state=state)
    page = context.new_page()
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": FINGER})
    page.goto(site.address("/staff/passkeys/new"))
    if page.query_selector("#password"):  # asked again, where the tests before took long
        page.fill("#password", PASSWORD)
        page.click("main >> button")
    page.fill("#name", "my laptop")
    page.click("main >> button")
    page.wait_for_url("**/staff/")
    context.clear_cookies()
    page.goto(site.address("/staff/sign-in"))
    page.fill("#login", "bob@example.org")
    page.fill("#password", PASSWORD)
    page.click("main >> button")
    page.click("text=Use a passkey")
    page.wait_for_url("**/office/")
    devices.send("WebAuthn.disable")
    page.goto(site.address("/staff/passkeys"))
    assert "my laptop" in page.text_content("main")
    context.close()


def test_too_many_attempts_lead_to_a_page_that_says_what_to_do(site, browser):
    context = browser.new_context(viewport=PHONE, bypass_csp=True)
    look = Look(context.new_page())
    page = look.page
    page.goto(site.address("/staff/sign-in"))
    for _ in range(10):
        page.fill("#login", "nobody@example.org")
        page.fill("#password", "not the password")
        page.click("main >> button")
    look.at("locked")
    assert page.text_content("h1") == "Too many attempts"
    context.close()
    assert_valid_html(look.sources)
