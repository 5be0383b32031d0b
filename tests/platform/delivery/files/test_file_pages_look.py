"""Every page of files and receipts in every state: valid, nothing that axe finds, nothing that scrolls sideways."""

import pytest
from tests.platform.markup import (
    assert_fit_at_every_width,
    assert_valid_html,
    chromium,
    show_each,
)
from tests.platform.office.conftest import Desk

from equipoise.platform.clock import set_clock
from equipoise.platform.delivery.models import Dispatch

from .conftest import AFTER, set_out
from .test_file_pages import FILE, ROOT, ROWS, looked, make, upload

pytestmark = [pytest.mark.django_db, pytest.mark.browser]


@pytest.fixture
def pages(modding, alice):
    """The HTML of each page by its name."""
    set_out(modding)
    desk = Desk().sign_in(alice)
    found = {}

    def note(name, place=None):
        if place is not None:
            desk.get(place)
        found[name] = desk.html

    note("to be made", FILE)
    make(desk)
    desk.post(FILE, form="csv")
    note("everybody is in it")
    set_clock(AFTER)
    upload(desk, send="")
    note("no send")
    address = looked(desk, ROWS + "X7,1,2021-04-14\n")
    note("refused")
    desk.act(address.replace("preview", "columns"), {"column-sent_on": "week", "header": "two"})
    note("wrong columns")
    looked(desk)
    note("to be confirmed")
    note("made and waiting", ROOT)
    Dispatch.objects.update(carrier="post", channel="letter")
    note("letters", FILE.replace("defence", "none"))
    return found


def test_every_page_of_files_is_valid_and_fit_for_everybody(pages):
    assert_valid_html(pages)
    for name, html in pages.items():
        assert html.count("<h1") == 1, name
        assert "<script" not in html, name
    with chromium() as browser:
        for _, page in show_each(browser.new_context(), pages):
            assert_fit_at_every_width(page, [320])
