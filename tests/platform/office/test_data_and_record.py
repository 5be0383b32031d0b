"""Data and record in the office: made, listed, taken along, and computed anew."""

import io
import json
import re
import shutil
import zipfile
from itertools import pairwise

import pytest

from equipoise.platform.audit.models import Entry
from equipoise.platform.review.jobs import make_export
from equipoise.platform.review.models import Export

pytestmark = pytest.mark.django_db

DATA = "/office/studies/swing/data/"
RECORD = "/office/studies/swing/record/"


@pytest.fixture(autouse=True)
def _no_exports_left(settings):
    yield
    shutil.rmtree(settings.WORKSPACE.folder / "exports", ignore_errors=True)


def test_nothing_made_yet_says_what_to_do(desk, people):
    desk.get(DATA)
    assert "Nothing was made yet" in desk.text
    assert "Arms go by letters" in desk.text
    assert "codebook and dictionary" in desk.text


@pytest.mark.django_db(transaction=True)
def test_data_are_asked_for_made_by_the_worker_and_taken_along_without_anybodys_details(desk, people):
    desk.act(DATA, formats=["csv", "spreadsheet"])
    desk.follow()
    assert "Waiting for the worker" in desk.text
    assert "ou can leave this page" in desk.text
    assert make_export() == 1
    desk.get(DATA)
    assert "Ready" in desk.text
    assert "Masked" in desk.text
    page = desk.get(re.search(rf'href="({DATA}[^"]+[.]zip)"', desk.html)[1])
    with zipfile.ZipFile(io.BytesIO(b"".join(page.streaming_content))) as archive:
        names = archive.namelist()
        everything = b"".join(archive.read(name) for name in names)
    assert "swing/participants.csv" in names
    assert people[0].key.encode() in everything
    for hidden in (b"person.0@", b"T20-0000", b"7700900"):
        assert hidden not in everything


def test_a_format_that_there_is_not_is_left_out(desk, people):
    desk.act(DATA, formats=["csv", "exe"])
    assert desk.page.status_code == 303
    assert Export.objects.get().formats == ["csv"]


@pytest.mark.parametrize("name", ["..", "20210210T120000000000Z", "x", "%2e%2e%2fswing"])
def test_only_what_was_made_can_be_taken_along(desk, people, name):
    assert desk.get(f"{DATA}{name}.zip").status_code == 404


def test_the_record_tells_every_act_by_name_and_its_head(desk, people):
    desk.get(RECORD)
    assert "people.import" in desk.text
    assert "Alice (synthetic)" in desk.text
    assert Entry.objects.filter(chain_id="swing").order_by("-number").first().hash in desk.text
    assert "Computed anew" not in desk.text


def test_the_record_is_computed_anew_on_request(desk, people):
    desk.get(RECORD, check="")
    assert "none was changed" in desk.text
    Entry.objects.filter(chain_id="swing", verb="people.import").update(details="{}")
    desk.get(RECORD, check="")
    assert "was changed after it was written" in desk.text


def test_the_record_can_be_taken_along_as_it_is_hashed(desk, people):
    desk.get(RECORD, format="jsonl")
    lines = [json.loads(line) for line in desk.html.splitlines()]
    assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))
    assert all(later["previous"] == before["hash"] for before, later in pairwise(lines))
    desk.get(RECORD, format="csv")
    assert desk.html.lstrip("\ufeff").startswith("number,at,actor,verb,details,previous,hash")


def test_nobodys_details_are_in_the_record(desk, people):
    desk.act(f"/office/studies/swing/people/{people[0].key}/")
    desk.get(RECORD, format="jsonl")
    assert people[0].key in desk.html
    assert "person.0" not in desk.html


def test_a_text_that_begins_like_a_formula_is_text_in_every_file(desk, swing):
    desk.act(
        "/office/studies/swing/move/paused", name="swing", reason='=HYPERLINK("https://example.org";"x")'
    )
    swing.title = "=1+1"
    desk.get(RECORD, format="csv")
    assert not [line for line in desk.html.splitlines() if line.startswith(("=", "+", "@"))]
