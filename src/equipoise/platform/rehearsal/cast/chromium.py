"""Some of the people use Chromium: the same pages by a real engine, with its scripts and its own forms.

It runs in a thread of its own, because it brings an event loop beside which Django asks no database.
"""

import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import Any

from equipoise.errors import InputError, Problem
from equipoise.platform.rehearsal.cast.browser import PageError, Sitting

__all__ = ["Chromium", "refuse_missing"]

_MILLISECONDS = 30_000


def refuse_missing() -> None:
    """Stop where Chromium cannot be had.

    Raises:
        InputError: what drives it is not installed.
    """
    if find_spec("playwright") is None:
        message = "needs Playwright and its Chromium; install them, or leave the option out"
        raise InputError(Problem("", "--browser", message))


class Chromium:
    """One person's Chromium; answers as `Browser` does."""

    def __init__(self) -> None:
        """A fresh one, opened when it is needed."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chromium")

    def answer(
        self, link: str, answers: Mapping[str, str], *, pages: int | None = None, twice: bool = False
    ) -> Sitting:
        """From the link of a message through the survey; as `Browser.answer`, `twice` by a double click.

        Raises:
            PageError: a page that leads nowhere.
        """
        return self._thread.submit(_answered, link, answers, pages, twice).result()

    def close(self) -> None:
        """Close it."""
        self._thread.shutdown()


def _answered(link: str, answers: Mapping[str, str], pages: int | None, twice: bool) -> Sitting:
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        own = shutil.which("chromium")
        program = playwright.chromium.launch(executable_path=own, args=["--no-sandbox", "--disable-gpu"])
        try:
            page = program.new_context(ignore_https_errors=True, locale="en-GB").new_page()
            page.set_default_timeout(_MILLISECONDS)
            page.goto(link)
            return _through(page, answers, pages, twice)
        except Error as error:
            raise PageError(f"Chromium: {error.message.splitlines()[0]}") from None
        finally:
            program.close()


def _through(page: Any, answers: Mapping[str, str], pages: int | None, twice: bool) -> Sitting:
    sitting = Sitting()
    while not page.url.endswith("/thanks"):
        button = page.locator("main form[method=post] button.govuk-button")
        if not button.count():
            sitting.shut = True
            return sitting
        asked, before = "/page/" in page.url, (page.url, _names(page))
        said = _fill(page, answers)
        with page.expect_navigation():
            button.first.dblclick() if twice else button.first.click()
        page.wait_for_load_state()
        if (page.url, _names(page)) == before:
            raise PageError("a page came again after it was answered in Chromium")
        if asked:
            sitting.answers |= said
            sitting.pages += 1
            if sitting.pages == pages and not page.url.endswith("/thanks"):
                return sitting
    sitting.finished = True
    return sitting


def _names(page: Any) -> set[str]:
    """The names of its fields; an answer may bring a page again with more to ask."""
    fields = page.locator("main form [name]").all()
    return {str(each.get_attribute("name")) for each in fields}


def _fill(page: Any, answers: Mapping[str, str]) -> dict[str, str]:
    """Fill in what this page asks, field by field; consent is given."""
    said: dict[str, str] = {}
    boxes: dict[str, dict[str, bool]] = {}
    for each in page.locator("main form [name]:not([type=hidden]):not(button)").all():
        name, kind = each.get_attribute("name"), each.get_attribute("type") or "area"
        value, wanted = each.get_attribute("value"), answers.get(name)
        if kind == "checkbox":
            chosen = answers.get(f"{name}.{value}") == "yes"
            boxes.setdefault(name, {})[str(value)] = chosen
            each.set_checked(chosen)
        elif kind == "radio":
            if value == ("yes" if name.startswith("consent.") else wanted):
                each.check()
                said |= {} if name.startswith("consent.") else {name: str(value)}
        elif wanted is not None:
            tag = each.evaluate("element => element.tagName")
            said[name] = " ".join(wanted.splitlines()) if tag == "INPUT" else wanted
            each.select_option(wanted) if tag == "SELECT" else each.fill(said[name])
    for name, values in boxes.items():
        if any(values.values()):
            said |= {f"{name}.{value}": "yes" if chosen else "no" for value, chosen in values.items()}
    return said
