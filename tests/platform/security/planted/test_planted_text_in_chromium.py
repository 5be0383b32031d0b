"""The same pages in Chromium: no dialog opens, the policy has nothing to stop, nothing is asked of another address."""

import pytest
from django.http import HttpResponse
from django.urls import is_valid_path, resolve
from tests.platform.markup import chromium
from tests.platform.security.planted.test_planted_text import html_of
from tests.platform.security.planted.world import HARM

pytestmark = pytest.mark.browser
ORIGIN = "https://testserver"
# What a page's policy stops is told to the page itself; it is noted where the test can ask for it.
NOTING = """
window.stopped = [];
document.addEventListener('securitypolicyviolation', one => window.stopped.push(one.violatedDirective));
window.alert = () => window.stopped.push('alert');
"""
ELEMENTS = "() => document.querySelectorAll('script:not([src]), iframe, object, embed, img[src=x], svg[onload]').length"


class Stage:
    """A browser to which pages are given as the server sent them, their policy included."""

    def __init__(self, browser):
        context = browser.new_context()
        context.add_init_script(NOTING)
        self.page, self.given, self.faults = context.new_page(), None, []
        self.page.route("**/*", self._answer)
        self.page.on("dialog", lambda dialog: (self.faults.append("a dialog"), dialog.dismiss()))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    def show(self, page):
        """What was wrong with a page."""
        self.given, self.faults = page, []
        self.page.goto(f"{ORIGIN}/shown", wait_until="domcontentloaded")
        if found := self.page.evaluate(ELEMENTS):
            self.faults.append(f"{found} elements")
        return self.faults + self.page.evaluate("window.stopped")

    def _answer(self, route):
        address = route.request.url
        if address == f"{ORIGIN}/shown":
            given = self.given
            headers = {"Content-Type": given["Content-Type"]}
            headers |= {name: given[name] for name in ("Content-Security-Policy",) if name in given}
            return route.fulfill(status=200, headers=headers, body=given.content)
        if not address.startswith(f"{ORIGIN}/static/") and not address.endswith("/staff/device/picture.svg"):
            self.faults.append(f"asked for {address[:80]}")
        return route.fulfill(status=404, body="")


@pytest.fixture
def stage(db):
    """After the database, because that is not to be asked while the browser is there."""
    with chromium() as browser:
        yield Stage(browser)


def test_nothing_that_was_planted_runs_opens_or_loads_in_a_browser_that_would_notice(pages, stage):
    shown = one_of_each(path for path in html_of(pages) if not 300 <= pages[path].status_code < 400)
    assert len(shown) > 40
    assert {path: faults for path in shown if (faults := stage.show(pages[path]))} == {}
    faults = stage.show(_unescaped(pages["/office/"]))
    assert {"script-src-elem", "script-src-attr"} <= set(faults)
    assert any("elements" in fault for fault in faults)
    assert "alert" in stage.show(_unescaped(pages["/office/"], policy=False))


def one_of_each(paths):
    """The addresses without those whose page another one has shown."""
    kept = {}
    for path in paths:
        place = path.partition(" ")[0].partition("?")[0]
        kept.setdefault(resolve(place).url_name if is_valid_path(place) else place, path)
    return list(kept.values())


def _unescaped(page, *, policy=True):
    """A page on which the same texts stand as they are."""
    made = HttpResponse(page.content.replace(b"</h1>", f"</h1>{HARM}".encode(), 1))
    if policy:
        made["Content-Security-Policy"] = page["Content-Security-Policy"]
    return made
