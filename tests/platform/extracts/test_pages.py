"""The pages by which an extract comes in: no value and no identifier on any of them, and only for two roles."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.platform.extracts.conftest import OVER
from tests.platform.office.conftest import Desk

from equipoise.platform.extracts.models import Extract, ExtractValue
from equipoise.platform.people.models import PendingImport
from equipoise.platform.staff.actions import CommandLine, Place, grant

pytestmark = pytest.mark.django_db
ROOT = "/office/studies/thanks/extracts/"
ROWS = "Staff reference,Surname,Days off\nN1,Example,61\nX9,Example,7\nN2,Example,62\nX8,Example,7\n"


@pytest.fixture
def desk(study, alice):
    return Desk().sign_in(alice)


def upload(desk, text=ROWS, what="absence after", name="absence.csv", **fields):
    """Choose a file; the address that comes next."""
    desk.get(ROOT)
    content = text if isinstance(text, bytes) else text.encode()
    sent = {"what": what, **fields, "file": SimpleUploadedFile(name, content), "end": "yes"}
    page = desk.post(ROOT, sent)
    return page["Location"] if page.status_code == 303 else None


def looked(desk, text=ROWS, **fields):
    """Choose a file, leave the columns as proposed; the address of the look."""
    columns = upload(desk, text, **fields)
    desk.get(columns)
    chosen = dict(
        re.findall(r'<select[^>]* name="(column-\w+)".*?<option value="([^"]*)" selected', desk.html, re.S)
    )
    desk.post(columns, {**chosen, "header": "", "encoding": ""})
    assert desk.page.status_code == 303, desk.text
    desk.follow()
    return columns.replace("columns", "preview")


def confirm(desk, address, **fields):
    expected = re.search(r'name="expected" value="([^"]*)"', desk.html)[1]
    return desk.post(address, {"expected": expected, **fields})


def test_from_the_file_to_the_values_without_one_of_them_on_a_page(desk, study):
    assert "No extract has come yet" in desk.get(ROOT).content.decode()
    address = looked(desk)
    assert "Are participants and would be linked 2" in desk.text
    assert "Not in the study: 2" in desk.text
    assert "absence.csv:3" in desk.text
    assert not Extract.objects.exists()
    seen = desk.html
    confirm(desk, address)
    desk.follow()
    assert "The values of 2 participants are kept" in desk.text
    assert "Yes" in desk.text
    for html in (seen, desk.html, *(desk.get(ROOT, format="csv").streaming_content,)):
        text = html if isinstance(html, str) else b"".join(html).decode()
        assert not re.search(r"\b(6[12]|N1|N2|X8|X9|Example)\b", re.sub(r"<[^>]*>", " ", text))
    assert sorted(row.values["days_off"] for row in ExtractValue.objects.all()) == [61.0, 62.0]


def test_unmatched_rows_are_a_file_while_they_are_looked_at_and_never_after(desk):
    address = looked(desk)
    lines = address.replace("preview", "lines/unmatched")
    desk.get(lines, format="csv")
    assert desk.html.splitlines() == ["\ufeffLine", "absence.csv:3", "absence.csv:5"]
    assert "Page" not in desk.get(lines).content.decode()
    desk.get(address)
    confirm(desk, address)
    assert desk.get(lines).status_code == 404
    assert not PendingImport.objects.exists()


def test_a_later_file_asks_for_the_reason_and_both_are_listed(desk):
    confirm(desk, looked(desk))
    address = looked(desk, ROWS.replace("61", "63"))
    assert "An earlier file counts now (version 1)" in desk.text
    assert confirm(desk, address).status_code == 422
    assert "say why this file takes the place" in desk.text.lower()
    assert confirm(desk, address, reason="Late certificates").status_code == 303
    desk.follow()
    assert re.search(r"No, a later one does", desk.text)
    assert Extract.objects.count() == 2


def test_a_file_with_a_problem_is_told_by_line_and_cannot_be_confirmed(desk):
    looked(desk, ROWS.replace("61", "some"))
    assert "1 row is refused" in desk.text
    assert "absence.csv:2 days_off is text, where a number is expected" in desk.text
    assert 'name="expected"' not in desk.html


def test_titles_above_the_columns_are_found_or_said(desk):
    columns = upload(desk, "Absence\nStaff reference;Days off\nN1;3\n")
    desk.get(columns)
    assert re.search(r'name="header"[^>]* value="2"', desk.html)
    assert '<option value="Days off" selected' in desk.html
    other = upload(desk, "Report,Of\nP,D\nN1,3\n")
    desk.get(other)
    assert 'value="P"' not in desk.html
    desk.post(other, {"header": "2", "encoding": "", "look": "yes"})
    desk.follow()
    assert 'value="P"' in desk.html
    desk.post(other, {"header": "2", "column-staff_ref": "P", "column-days_off": "D"})
    desk.follow()
    assert "would be linked 1" in desk.text
    assert (
        desk.act(other, {"header": "2", "column-staff_ref": "P", "column-days_off": "P"}).status_code == 422
    )
    assert "is chosen for another column as well" in desk.text
    assert desk.act(other, {"header": "two"}).status_code == 422
    assert "Write the number of a line" in desk.text
    assert re.search(r'id="header"[^>]* value="two"', desk.html), "what was typed is there to be mended"
    assert desk.act(other, {"header": "400", "look": "yes"}).status_code == 422
    assert re.search(r'id="header"[^>]* value="400"', desk.html)


def test_what_is_no_extract_is_refused_beside_its_field(desk, study, at):
    assert upload(desk, what="") is None
    assert "Choose what the file is" in desk.text
    assert upload(desk, b"\x00\x01\x02\x03 no table") is None
    assert "no table of people" in desk.text
    assert upload(desk, partner="nowhere") is None
    assert upload(desk, what="absence never") is None
    at(OVER.replace(month=4))
    assert upload(desk) is None
    assert "would be cut short" in desk.text
    assert not PendingImport.objects.exists()


def test_a_file_that_is_not_confirmed_is_its_uploaders_alone_and_apart_from_rosters(desk, study, members):
    address = looked(desk)
    assert b"N1" not in bytes(PendingImport.objects.get().sealed)
    assert desk.get(address.replace("extracts", "people/import")).status_code == 404
    assert "absence.csv" not in desk.get(ROOT.replace("extracts", "people/import")).content.decode()
    assert "Go on with absence.csv" in desk.get(ROOT).content.decode()
    grant(CommandLine(), members["Bob"], "data-manager", Place(study))
    assert Desk().sign_in(members["Bob"]).get(address).status_code == 404
    desk.get(ROOT)
    desk.post(address.replace("preview", "discard"))
    assert not PendingImport.objects.exists()


def test_once_sealed_the_page_says_so_and_takes_nothing(desk, study):
    study.state, study.results = "closed", "sealed"
    study.save()
    assert "The results are sealed" in desk.get(ROOT).content.decode()
    assert upload(desk) is None


def test_only_the_lead_and_data_managers_have_these_pages(desk, study, members):
    address = looked(desk)
    for role in ("coordinator", "analyst", "interviewer", "auditor"):
        grant(CommandLine(), members["Bob"], role, Place(study))
    bob = Desk().sign_in(type(members["Bob"]).objects.get(pk=members["Bob"].pk))
    for place in (
        ROOT,
        address,
        address.replace("preview", "columns"),
        address.replace("preview", "lines/unmatched"),
    ):
        assert bob.get(place).status_code == 403, place
    assert "HR extracts" not in bob.get(ROOT.replace("extracts/", "")).content.decode()


def test_a_study_that_asks_for_none_has_no_such_place(swing, alice):
    desk = Desk().sign_in(alice)
    assert "HR extracts" not in desk.get("/office/studies/swing/").content.decode()
    assert "asks for no HR extract" in desk.get("/office/studies/swing/extracts/").content.decode()
