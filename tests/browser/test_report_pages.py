"""The reports in a browser: axe finds nothing, nothing scrolls sideways, the keyboard reaches all."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.platform.markup import assert_fit_at_every_width, assert_nothing_scrolls_sideways

from equipoise.report import write_programme_report

pytestmark = pytest.mark.browser

REPORTS = (
    "index.html",
    "awards/index.html",
    "hiring/index.html",
    "dictation/index.html",
    "flexitime/index.html",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    assert program, (
        "Chromium is missing. Install it (apt install chromium), or set NO_BROWSER=1 to leave these tests out"
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports") / "written"


@pytest.fixture
def folder(trial, experiment, pilot, interviews, programme, place: Path) -> Path:
    """The reports, written once and only looked at."""
    if not place.exists():
        studies = [trial, experiment, pilot, interviews]
        write_programme_report(programme, {"background": "Staff carry much."}, studies, place)
    return place


def opened(browser: Browser, path: Path, width: int) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("report", REPORTS)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(browser: Browser, folder: Path, report: str) -> None:
    page = opened(browser, folder / report, 320)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert_nothing_scrolls_sideways(page)
    assert_fit_at_every_width(page, [360, 1280])
    page.close()


def test_the_keyboard_reaches_every_table_that_scrolls(browser: Browser, folder: Path) -> None:
    page = opened(browser, folder / "awards/index.html", 360)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    wanted = page.evaluate("document.querySelectorAll('.scroll').length")
    reached = set()
    for _ in range(page.evaluate("document.querySelectorAll('a, summary, .scroll').length") + 5):
        page.keyboard.press("Tab")
        at = page.evaluate("[...document.querySelectorAll('.scroll')].indexOf(document.activeElement)")
        reached.add(at)
    page.close()
    assert len(reached - {-1}) == wanted > 5


@pytest.mark.parametrize(
    ("width", "shown", "hidden"), [(360, ".narrow", ".wide"), (1280, ".wide", ".narrow")]
)
def test_phones_get_a_drawing_of_their_own(
    browser: Browser, folder: Path, width: int, shown: str, hidden: str
) -> None:
    page = opened(browser, folder / "awards/index.html", width)
    assert page.locator(f"figure {shown} svg").first.is_visible()
    assert not page.locator(f"figure {hidden} svg").first.is_visible()
    page.close()


def test_no_text_of_a_drawing_leaves_it(browser: Browser, folder: Path) -> None:
    cut = []
    for report in REPORTS:
        page = opened(browser, folder / report, 360)
        cut += page.evaluate(OUTSIDE)
        page.set_viewport_size({"width": 1280, "height": 900})
        cut += page.evaluate(OUTSIDE)
        page.close()
    assert cut == [], "\n".join(cut)


OUTSIDE = """
[...document.querySelectorAll('svg')].filter(svg => svg.getBoundingClientRect().width > 0).flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter(text => {
    const box = text.getBoundingClientRect();
    return box.left < frame.left - 2 || box.right > frame.right + 2 || box.bottom > frame.bottom + 2;
  }).map(text => svg.querySelector('title').textContent + ': ' + text.textContent);
})
"""
