"""Every page of an import in every state: valid, nothing that axe finds, nothing that scrolls sideways."""

import pytest
from tests.platform.markup import (
    assert_fit_at_every_width,
    assert_valid_html,
    chromium,
    show_each,
)
from tests.platform.people.browsing import ROOT, columns_of, confirm, look

from equipoise.platform.people.models import PendingImport, RosterImport

pytestmark = [pytest.mark.django_db, pytest.mark.browser]


@pytest.fixture
def pages(browser, content, line):
    """The HTML of each page by its name."""
    found = {"first": browser.get(ROOT), "no file": browser.post(ROOT)}
    header = "Trainee ID,Email,Mobile,Region,Start date"
    faulty = [header, line(1), line(2, region="Narnia" * 9), line(3, email="person.1@trainees.example.org")]
    address, found["problems"] = look(browser, "\n".join(faulty))
    found["columns"] = browser.get(address.replace("preview", "columns"))
    found["wrong columns"] = browser.post(address.replace("preview", "columns"), {"column-email": "Mobile"})
    found["lines"] = browser.get(address.replace("preview", "lines/problems"))
    found["waiting"] = browser.get(ROOT)
    address, found["preview"] = look(browser, content(*range(30)))
    found["done"] = browser.get(confirm(browser, address, found["preview"]).url)
    imported = RosterImport.objects.get()
    found["undo"] = browser.get(f"/office/studies/swing/people/imports/{imported.pk}/undo")
    address, found["update"] = look(browser, content(*range(25), region="south"), kind="update")
    found["update columns"] = browser.get(address.replace("preview", "columns"))
    found["changes"] = browser.get(address.replace("preview", "lines/changes"))
    browser.upload("a;b\n1;2\n", kind="import")
    number = PendingImport.objects.latest("pk").pk
    browser.post(f"{ROOT}{number}/columns", columns_of())
    found["unreadable"] = browser.get(f"{ROOT}{number}/preview")
    found["known"] = browser.get(ROOT)
    return {name: page.content.decode() for name, page in found.items()}


def test_every_page_of_an_import_is_valid_fit_for_everybody_and_says_where_one_is(pages):
    assert_valid_html(pages)
    for name, html in pages.items():
        assert html.count("<h1") == 1, name
        assert "Import a roster" in html, name
        assert "<script" not in html, name
    with chromium() as browser:
        for _, page in show_each(browser.new_context(), pages):
            assert_fit_at_every_width(page)
