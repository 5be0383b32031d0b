"""What somebody wrote to do harm is text on every page, and in every file that a spreadsheet opens."""

import csv
import io
import re
from html import escape
from html.parser import HTMLParser

import pandas
import polars as pl
import pytest
from tests.platform.security.planted.world import HARM, planted_words

pytestmark = pytest.mark.django_db

ADDRESSES = {
    "href",
    "src",
    "action",
    "formaction",
    "xlink:href",
    "data",
    "poster",
    "srcset",
    "ping",
    "background",
}
NEVER = {"iframe", "object", "embed", "base", "frame", "applet", "foreignobject"}
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Texts that no page shows.
NOT_SHOWN = {
    "zqfile": "a name is kept without signs",
}


class Sight(HTMLParser):
    """What a browser would run or fetch, and the planted words that it would show."""

    def __init__(self, html):
        super().__init__()
        self.faults, self.words = [], set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        if tag in NEVER or (tag == "script" and not (said.get("src") or "").startswith("/static/")):
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            self.words |= planted_words(value or "")
            away = name in ADDRESSES and _away(value or "")
            if name.startswith("on") or name in ("srcdoc", "style") or away:
                self.faults.append(f"<{tag} {name}={value!r}>")

    def handle_data(self, data):
        self.words |= planted_words(data)
        if "1337" in data:
            self.faults.append(f"computed: {data!r}")


def _away(address):
    """Whether an address leads into a script, to a file of its own, or out without being asked."""
    told = "".join(address.split()).lower()
    return told.startswith(("javascript:", "data:", "vbscript:", "//", "\\")) or told == "x"


def html_of(found):
    return {path: page.content.decode() for path, page in found.items() if _is(page, "text/html")}


def csv_of(found):
    return {path: b"".join(page.streaming_content) for path, page in found.items() if _is(page, "text/csv")}


def _is(page, kind):
    return page.get("Content-Type", "").startswith(kind)


def test_no_page_runs_or_fetches_or_computes_what_was_planted(pages, answers):
    shown = html_of({**pages, **answers})
    assert len(shown) > 150
    assert {path: sight.faults for path, html in shown.items() if (sight := Sight(html)).faults} == {}


def test_every_planted_text_was_met_on_a_page_so_the_pages_before_have_shown_it(world, pages, answers):
    met = set().union(*(Sight(html).words for html in html_of({**pages, **answers}).values()))
    planted = {word for text in world.texts.values() for word in planted_words(text)}
    assert planted - met == set(NOT_SHOWN)


def test_nothing_fails_on_it(pages, answers):
    """But what begins a snapshot of its own, which a test that is taken back as a whole cannot."""
    failed = {path for path, page in {**pages, **answers}.items() if page.status_code >= 500}
    failed -= {path for path in failed if re.search(r"/data/ sent to [^ ]+/data/ ", path)}
    assert failed == set()


def test_whatever_is_no_page_is_a_file_to_keep_and_no_browser_guesses_its_kind(pages, answers):
    for path, page in {**pages, **answers}.items():
        if page.status_code == 200 and not _is(page, "text/html"):
            assert page["X-Content-Type-Options"] == "nosniff", path
            assert page["Content-Disposition"].startswith("attachment"), path


def test_no_cell_of_any_table_that_is_taken_along_is_a_formula(pages, answers):
    files, words = csv_of({**pages, **answers}), set()
    assert len(files) > 10
    for path, content in files.items():
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
        for cell in [cell for row in rows for cell in row]:
            words |= planted_words(cell)
            assert not cell.startswith(FORMULA) or _number(cell), (path, cell)
        _read_back(path, content, rows)
    assert len(words) >= 4


def _number(cell):
    return cell.lstrip("+-").replace(".", "", 1).isdecimal()


def _read_back(path, content, rows):
    """Other programs read the same rows."""
    table = pandas.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8-sig")
    assert [list(table.columns), *table.values.tolist()] == rows, path
    frame = pl.read_csv(content, infer_schema_length=0, has_header=False).fill_null("")
    assert [list(row) for row in frame.rows()] == rows, path


def test_what_is_looked_for_would_be_found():
    assert Sight(f"<p>{HARM}</p>").faults == ["<script>", "<img src='x'>", "<img onerror='alert(1)'>"]
    assert Sight('<a href=" JaVa\tscript:alert(1)">x</a>').faults
    assert Sight("<svg/onload=alert(1)>").faults
    assert Sight("<p>1337</p>").faults
    assert not Sight(f"<p title='{escape(HARM)}'>{escape(HARM)}</p><a href='/office/?a=//x'>x</a>").faults
