"""The Python that a guide shows is run as it stands."""

import doctest
from pathlib import Path

import pytest

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
PAGES = sorted(page.name for page in HOW_TO.glob("*.md") if ">>> " in page.read_text("utf-8"))


@pytest.mark.parametrize("page", PAGES)
def test_the_python_on_a_page_gives_what_the_page_shows(page):
    text = (HOW_TO / page).read_text("utf-8")
    test = doctest.DocTestParser().get_doctest(text, {}, page, page, 0)
    printed = []
    doctest.DocTestRunner(verbose=False).run(test, out=printed.append)
    assert printed == []


def test_there_is_a_page_with_python_on_it():
    assert "work-in-a-notebook.md" in PAGES
