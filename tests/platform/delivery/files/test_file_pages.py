"""The pages by which files leave and receipts come in: nothing of a person on any of them, and only for two roles."""

import os
import re
import shutil
import time
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.platform.office.conftest import Desk

from equipoise.platform.clock import set_clock
from equipoise.platform.delivery.models import Dispatch, PartnerFile
from equipoise.platform.people.models import Participant, PendingImport
from equipoise.platform.people.pending import drop_left_behind
from equipoise.platform.staff.actions import CommandLine, Place, grant

from .conftest import AFTER, DUE, set_out

pytestmark = pytest.mark.django_db
ROOT = "/office/studies/mod-ing/messages/files/"
FILE = f"{ROOT}weekly-email/1/defence/"
RECEIPTS = "/office/studies/mod-ing/messages/receipts/"
ROWS = "staff_ref,week,sent_on\nP1,1,2021-04-14\nP2,1,2021-04-14\n"


@pytest.fixture
def desk(modding, alice):
    set_out(modding)
    return Desk().sign_in(alice)


def make(desk, form="csv", **fields):
    """Make the file; what is in it."""
    desk.get(FILE)
    page = desk.post(FILE, form=form, **fields)
    assert page.status_code == 200, desk.text
    return page.getvalue()


def upload(desk, text=ROWS, send="weekly-email", name="receipts.csv"):
    """Choose a file; the address that comes next."""
    desk.get(RECEIPTS)
    sent = {"send": send, "file": SimpleUploadedFile(name, text.encode()), "end": "yes"}
    page = desk.post(RECEIPTS, sent)
    return page["Location"] if page.status_code == 303 else None


def looked(desk, text=ROWS):
    """Choose a file, leave the columns as proposed; the address of the look."""
    columns = upload(desk, text)
    desk.get(columns)
    found = re.findall(
        r'<select[^>]* name="(column-\w+)".*?<option value="([^"]*)" selected', desk.html, re.S
    )
    desk.post(columns, {**dict(found), "header": "", "encoding": ""})
    assert desk.page.status_code == 303, desk.text
    desk.follow()
    return columns.replace("columns", "preview")


def test_from_the_planned_messages_to_the_partner_and_back(desk, modding, settings):
    assert "A defence organisation (synthetic)" in desk.get(ROOT).content.decode()
    assert desk.get(FILE).status_code == 200
    assert "To be put into a file 6" in desk.text
    assert make(desk).decode().count("Why this work matters") == 6
    page = desk.page
    assert page["Content-Disposition"] == 'attachment; filename="mod-ing-weekly-email-1-defence.csv"'
    assert "no-store" in page["Cache-Control"]
    assert not [each for each in (settings.WORKSPACE.folder / "uploads").rglob("*") if each.is_file()]
    desk.get(FILE)
    assert "In a file, nothing came back 6" in desk.text
    assert desk.post(FILE, form="csv").status_code == 422
    assert "everybody is in a file already" in desk.text.lower()
    assert make(desk, again="yes", form="xlsx").startswith(b"PK")

    set_clock(AFTER)
    address = looked(desk)
    assert "Would be noted as sent 2" in desk.text
    assert Dispatch.objects.filter(state="sent").count() == 0
    expected = re.search(r'name="expected" value="([^"]*)"', desk.html)[1]
    seen = desk.html
    desk.post(address, expected=expected)
    desk.follow()
    assert "2 noted as sent, 0 as not sent" in desk.text
    assert Dispatch.objects.filter(state="sent").count() == 2
    assert not PendingImport.objects.exists()
    for html in (seen, desk.html, desk.get(ROOT, format="csv").getvalue().decode()):
        assert not re.search(r"\bP[1-6]\b", re.sub(r"<[^>]*>", " ", html))


def test_unknown_references_are_told_by_line_and_as_a_file_and_nothing_can_be_confirmed(desk):
    make(desk)
    set_clock(AFTER)
    address = looked(desk, ROWS + "X7,1,2021-04-14\n")
    assert "1 row is refused" in desk.text
    assert "receipts.csv:4 reference nobody in this study has this reference" in desk.text
    assert 'name="expected"' not in desk.html
    desk.get(address, format="csv")
    assert desk.html.splitlines()[1] == "receipts.csv:4,reference,nobody in this study has this reference"
    assert desk.post(address, expected="").status_code == 422
    assert "Go on with receipts.csv" in desk.get(ROOT).content.decode()
    desk.post(address.replace("preview", "discard"))
    assert not PendingImport.objects.exists()
    assert desk.get(address).status_code == 404


def test_what_is_missing_is_said_beside_its_field(desk):
    assert "No file was made yet, so nothing can come back" in desk.get(RECEIPTS).content.decode()
    make(desk)
    assert upload(desk, send="") is None
    assert "Choose what was sent" in desk.text
    columns = upload(desk, "Who,When\nP1,2021-04-14\n")
    desk.get(columns)
    desk.post(columns, {"column-sent_on": "When", "header": "", "encoding": ""})
    assert desk.page.status_code == 422
    assert (
        desk.text.count("hoose the column that holds") == 4
    )  # the reference and the number: in the list and beside
    assert desk.act(FILE, form="docx").status_code == 422
    assert desk.get(FILE.replace("defence", "none")).status_code == 404
    assert desk.get(FILE.replace("/1/", "/7/")).status_code == 404


def test_letters_are_noted_as_posted_on_a_day_that_can_be(modding, alice, desk):
    Dispatch.objects.update(carrier="post", channel="letter", state="sending")
    PartnerFile.objects.create(
        study=modding, carrier="post", kind="made", contact="weekly-email", occasion=1, counts={}, at=DUE
    )
    address = FILE.replace("defence", "none")
    set_clock(DUE + timedelta(days=1))
    assert "Were they posted?" in desk.get(address).content.decode()
    for day, said in (
        ("", "Write a day"),
        ("2021-04-16", "is in the future"),
        ("2021-04-13", "is before 2021-04-14"),
    ):
        assert desk.post(f"{ROOT}weekly-email/1/posted", day=day).status_code == 422
        assert said in desk.text
    desk.post(f"{ROOT}weekly-email/1/posted", day="2021-04-15")
    desk.follow()
    assert "6 letters are noted as posted" in desk.text
    assert set(Dispatch.objects.values_list("state", "sent_at__day")) == {("sent", 15)}
    assert PartnerFile.objects.filter(kind="posted", counts={"sent": 6}).exists()


def test_a_restored_copy_makes_no_file(desk, settings):
    from equipoise.platform.operations.marker import HELD

    marker = settings.WORKSPACE.folder / HELD
    marker.touch()
    try:
        assert desk.act(FILE, form="csv").status_code == 422
        assert "restored copy" in desk.text
    finally:
        marker.unlink()
    assert set(Dispatch.objects.values_list("state", flat=True)) == {"planned"}


def test_what_a_killed_process_left_of_a_file_goes_within_the_hour(desk, settings):
    uploads = settings.WORKSPACE.folder / "uploads"
    for name, age in (("old", 3700), ("new", 60)):
        (uploads / name).mkdir(parents=True)
        (uploads / name / "links.csv").write_text("reference,link\n", "utf-8")
        os.utime(uploads / name, (time.time() - age, time.time() - age))
    assert drop_left_behind() == 1
    assert not (uploads / "old").exists()
    assert (uploads / "new" / "links.csv").exists()
    shutil.rmtree(uploads / "new")


def test_only_the_lead_and_data_managers_have_these_pages_and_none_who_must_not_know_the_arms(
    desk, modding, members
):
    for role in ("coordinator", "interviewer", "auditor"):
        grant(CommandLine(), members["Bob"], role, Place(modding))
    bob = Desk().sign_in(members["Bob"])
    assert {bob.get(place).status_code for place in (ROOT, FILE, RECEIPTS)} == {403}
    grant(CommandLine(), members["Bob"], "data-manager", Place(modding))
    assert {bob.get(place).status_code for place in (ROOT, FILE, RECEIPTS)} == {200}
    grant(CommandLine(), members["Bob"], "analyst", Place(modding))
    assert {bob.get(place).status_code for place in (ROOT, FILE, RECEIPTS)} == {403}


def test_pages_ask_no_more_of_the_database_when_there_are_more_people(
    desk, modding, django_assert_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def asked():
        found = []
        for place in (ROOT, FILE):
            with CaptureQueriesContext(connection) as queries:
                assert desk.get(place).status_code == 200
            found.append(len(queries))
        return found

    desk.get(ROOT)  # the first page of a session notes that it has begun
    few = asked()
    partner = modding.partners.get()
    Participant.objects.bulk_create(
        Participant(study=modding, partner=partner, enrolled_at=DUE) for _ in range(60)
    )
    Dispatch.objects.all().delete()
    set_out(modding)
    assert asked() == few
