"""Every page of an extract in every state: valid, nothing that axe finds, nothing that scrolls sideways."""

import pytest
from tests.platform.extracts.test_pages import ROOT, ROWS, confirm, looked, upload
from tests.platform.markup import (
    assert_fit_at_every_width,
    assert_valid_html,
    chromium,
    show_each,
)
from tests.platform.office.conftest import Desk

pytestmark = [pytest.mark.django_db, pytest.mark.browser]


@pytest.fixture
def pages(study, alice):
    """The HTML of each page by its name."""
    desk = Desk().sign_in(alice)
    upload(desk, what="")
    found = {"no file": desk.html}
    address = looked(desk, ROWS.replace("61", "some"))
    found["problems"] = desk.html
    for name, place in (("columns", "columns"), ("lines", "lines/unmatched")):
        desk.get(address.replace("preview", place))
        found[name] = desk.html
    desk.act(address.replace("preview", "columns"), {"column-days_off": "Surname", "header": "two"})
    found["wrong columns"] = desk.html
    confirm(desk, looked(desk))
    desk.get(ROOT)
    found["came and waiting"] = desk.html
    confirm(desk, looked(desk, ROWS.replace("61", "63")))
    found["a reason is asked for"] = desk.html
    study.state, study.results = "closed", "sealed"
    study.save()
    desk.get(ROOT)
    found["sealed"] = desk.html
    return found


def test_every_page_of_an_extract_is_valid_and_fit_for_everybody(pages):
    assert_valid_html(pages)
    for name, html in pages.items():
        assert html.count("<h1") == 1, name
        assert "<script" not in html, name
    with chromium() as browser:
        for _, page in show_each(browser.new_context(), pages):
            assert_fit_at_every_width(page)
