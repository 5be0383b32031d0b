"""The pages by which a roster comes in, from the file to the undo, in a browser that runs no script."""

import re
import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.test import Client
from tests.platform.people.browsing import ROOT, Browser, columns_of, confirm, look, text_of

from equipoise.platform.clock import now
from equipoise.platform.people import pending
from equipoise.platform.people.actions import withdraw
from equipoise.platform.people.models import Participant, PendingImport, RosterImport

pytestmark = pytest.mark.django_db
BOUNDARY = "a-line-that-stands-in-no-file"


def test_from_the_file_to_the_people_and_back(browser, swing, content):
    assert "Nothing was imported yet" in text_of(browser.get(ROOT))
    sent = browser.upload(content(*range(12)))
    columns = browser.get(sent.url)
    assert "12 rows and 5 columns" in text_of(columns)
    assert '<option value="Trainee ID" selected>' in columns.content.decode()
    preview_address, page = look(browser, content(*range(12)))
    assert "Would be enrolled 12" in text_of(page)
    assert "Enrol 12 people" in text_of(page)
    assert not Participant.objects.exists()
    done = browser.get(confirm(browser, preview_address, page).url)
    assert "12 people are enrolled" in text_of(done)
    assert Participant.objects.filter(study=swing).count() == 12
    imported = RosterImport.objects.get()
    undo = f"/office/studies/swing/people/imports/{imported.pk}/undo"
    assert "12 people are removed" in text_of(browser.get(undo))
    assert browser.post(undo, {"name": "swng"}).status_code == 422
    after = browser.get(browser.post(undo, {"name": "swing"}).url)
    assert "The import is undone" in text_of(after)
    assert not Participant.objects.exists()


def test_the_file_is_kept_encrypted_and_gone_once_it_is_confirmed(browser, content):
    address, page = look(browser, content(1, 2))
    kept = PendingImport.objects.get()
    assert b"person.1@" not in bytes(kept.sealed)
    assert confirm(browser, address, page).status_code == 303
    assert not PendingImport.objects.exists()
    assert browser.get(address).status_code == 404


def test_a_discarded_file_is_gone_at_once_and_a_forgotten_one_after_a_day(browser, content, at, swing, alice):
    address, _ = look(browser, content(1, 2))
    browser.post(address.replace("preview", "discard"))
    assert not PendingImport.objects.exists()
    address, _ = look(browser, content(1, 2))
    at(now() + timedelta(hours=25))
    assert browser.get(address).status_code == 404
    assert "cohort-2020.csv" not in text_of(browser.get(ROOT))
    assert pending.drop_expired() == 1
    assert not PendingImport.objects.exists()


def test_problems_are_told_by_line_paged_and_downloaded_with_formulas_as_text(browser, line):
    bad = [line(number, region="=1+1") for number in range(130)]
    content = "\n".join(["Trainee ID,Email,Mobile,Region,Start date", *bad, line(200)])
    address, page = look(browser, content)
    assert "Problems: 130" in text_of(page)
    assert "cohort-2020.csv:2" in text_of(page)
    assert "130 rows are refused" in text_of(page)
    assert "expected" not in page.content.decode()
    lines = address.replace("preview", "lines/problems")
    assert "Page 1 of 2" in text_of(browser.get(lines))
    assert "cohort-2020.csv:131" in text_of(browser.get(f"{lines}?page=2"))
    file = b"".join(browser.get(f"{lines}?format=csv").streaming_content).decode("utf-8-sig").splitlines()
    assert file[0] == "Line,Column,Problem"
    assert len(file) == 131
    assert browser.get(address.replace("preview", "lines/everything")).status_code == 404


def test_the_good_rows_are_taken_when_asked_for(browser, line):
    header = "Trainee ID,Email,Mobile,Region,Start date"
    address, page = look(browser, "\n".join([header, line(1), line(2, region="Narnia"), line(3)]))
    assert "1 row is refused" in text_of(page)
    assert browser.post(address, {"rows": "good"}).status_code == 303
    page = browser.get(address)
    assert "Enrol 2 people" in text_of(page)
    confirm(browser, address, page)
    assert Participant.objects.count() == 2


def test_a_column_that_is_missing_or_chosen_twice_is_said_beside_it_and_choices_are_kept(browser, content):
    number = _uploaded(browser, content(1))
    page = browser.post(
        f"{ROOT}{number}/columns",
        columns_of(**{"column-started_on": "", "column-mobile": "Email", "same-cohort": "2019"}),
    )
    assert page.status_code == 422
    html = page.content.decode()
    assert 'href="#column-started_on"' in html
    assert "Choose the column that holds “Start of training”" in text_of(page)
    assert "“Email” is chosen for another column as well" in text_of(page)
    assert "“2019” is no level. Levels: 2020, 2021" in text_of(page)
    assert "<title>Error:" in html
    assert re.search(r'name="column-region">.*?<option value="Region" selected>', html, re.DOTALL)


def _uploaded(browser, content, **more):
    assert browser.upload(content, **more).status_code == 303
    return PendingImport.objects.latest("pk").pk


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "The file is empty. Choose the file again"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0", "This is no table of people"),
        (b"\x7fELF\x02\x01\x01\0\0", "This is no table of people"),
        (b"PK\x03\x04 cut", "cut short, damaged or protected"),
        (b"PAR1 cut", "The Parquet file is cut short or damaged"),
    ],
)
def test_what_is_no_table_is_refused_beside_the_field_by_its_content(browser, content, told):
    page = browser.upload(content)
    assert page.status_code == 422
    assert told in text_of(page)
    assert 'href="#file"' in page.content.decode()
    assert not PendingImport.objects.exists()


def test_an_upload_that_is_cut_off_at_any_point_stores_nothing_and_the_same_file_works_then(browser, content):
    end = f"--{BOUNDARY}"
    parts = [
        f'{end}\r\nContent-Disposition: form-data; name="file"; filename="cohort-2020.csv"\r\n'
        f"Content-Type: text/csv\r\n\r\n{content(*range(30))}",
        f'{end}\r\nContent-Disposition: form-data; name="end"\r\n\r\nyes',
        f"{end}--\r\n",
    ]
    body = "\r\n".join(parts).encode()
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    for tenth in range(10):
        cut = body[: len(body) * tenth // 10]
        answer = browser.client.generic("POST", ROOT, cut, content_type=kind, secure=True)
        assert answer.status_code in (400, 422), tenth
        assert not PendingImport.objects.exists()
    assert browser.client.generic("POST", ROOT, body, content_type=kind, secure=True).status_code == 303


def test_no_file_and_no_kind_are_told(browser, people):
    assert "Choose a file" in text_of(browser.post(ROOT))
    page = browser.upload("a,b\n1,2\n", kind="everything")
    assert "Choose what the file is for" in text_of(page)


def test_a_file_that_has_no_rows_or_the_wrong_columns_says_what_to_do(browser):
    number = _uploaded(browser, "Trainee ID,Email\n")
    page = browser.get(f"{ROOT}{number}/columns")
    assert page.status_code == 422
    assert "no row of people below it" in text_of(page)


def test_people_who_left_are_counted_and_kept_out(browser, people, content):
    withdraw(people[3], "erase", channel="web", actor="participant:x")
    address, page = look(browser, content(3, 50), kind="import")
    assert "Left the study earlier, and would be kept out 1" in text_of(page)
    confirm(browser, address, page)
    assert Participant.objects.count() == 11


def test_a_second_import_of_the_same_file_is_recognised(browser, content):
    address, page = look(browser, content(1, 2))
    confirm(browser, address, page)
    address, page = look(browser, content(1, 2), kind="import")
    assert "This very file was imported on 2021-02-10" in text_of(page)
    assert 'name="expected"' not in page.content.decode()


def test_an_update_shows_changes_by_line_and_confirms_what_was_shown(browser, people, line):
    header = "Trainee ID,Email,Mobile,Region,Start date"
    content = "\n".join([header, line(1, email="zanzibar@example.org"), line(2, region="south")])
    address, page = look(browser, content, kind="update")
    assert "Update 2 participants" in text_of(page)
    assert "region: north → south" in text_of(page)
    assert "zanzibar" not in text_of(page)
    withdraw(people[2], "everything", channel="web", actor="participant:x")
    again = confirm(browser, address, page)
    assert again.status_code == 422
    assert "people have changed since you looked" in text_of(again)
    assert confirm(browser, address, browser.get(address)).status_code == 303


def test_whoever_is_not_in_a_whole_roster_is_said_to_leave_before_it_is_done(browser, people, content):
    number = _uploaded(browser, content(*range(8)), kind="update")
    browser.post(f"{ROOT}{number}/columns", columns_of(whole="yes"))
    page = browser.get(f"{ROOT}{number}/preview")
    assert "Would be marked as having left their employer 2" in text_of(page)
    confirm(browser, f"{ROOT}{number}/preview", page)
    assert Participant.objects.exclude(left_at=None).count() == 2


def test_once_enrolment_is_over_the_page_says_so(browser, people, commit, content):
    commit()
    address, page = look(browser, content(50), kind="import")
    assert "Are eligible, but enrolment has ended 1" in text_of(page)
    assert browser.post(address, {"expected": "new=1"}).status_code == 422


# --- who may, and what must not happen ---------------------------------------------------------------------------


def test_nobody_else_goes_on_with_a_file(browser, signed_in, members, swing, content):
    from equipoise.platform.staff.actions import CommandLine, Place, grant

    address, _ = look(browser, content(1))
    bob = signed_in("Bob")
    for path in (ROOT, address, address.replace("preview", "columns")):
        assert bob.get(path).status_code == 404
    grant(CommandLine(), members["Bob"], "lead", Place(swing))
    assert bob.get(ROOT).status_code == 200
    assert bob.get(address).status_code == 404
    assert bob.post(address, {"expected": "new=1"}).status_code == 404
    assert not Participant.objects.exists()


def test_whoever_keeps_the_workspace_sees_no_roster(browser, signed_in, content):
    address, _ = look(browser, content(1))
    carol = signed_in("Carol")
    assert carol.get(ROOT).status_code == carol.get(address).status_code == 403


def test_without_signing_in_or_without_a_token_nothing_happens(swing, alice, signed_in, content):
    stranger = Browser(Client(HTTP_HOST="localhost"))
    assert stranger.get(ROOT).status_code == 302
    browser = signed_in()
    forging = Client(
        HTTP_HOST="localhost", HTTP_ORIGIN="https://elsewhere.example.org", enforce_csrf_checks=True
    )
    forging.cookies = browser.client.cookies
    assert Browser(forging).upload(content(1)).status_code == 403
    assert not PendingImport.objects.exists()


def test_a_look_changes_nothing(browser, content):
    address, _ = look(browser, content(1, 2))
    before = (PendingImport.objects.count(), Participant.objects.count(), RosterImport.objects.count())
    for path in (
        address,
        address.replace("preview", "columns"),
        address.replace("preview", "lines/problems"),
    ):
        assert browser.get(path).status_code == 200
        assert browser.client.head(path, secure=True).status_code == 200
    assert before == (
        PendingImport.objects.count(),
        Participant.objects.count(),
        RosterImport.objects.count(),
    )
    assert browser.get(address.replace("preview", "discard")).status_code == 405


def test_what_a_file_says_is_inert_on_every_page(browser, line):
    evil = "<script>alert(1)</script>"
    header = f"Trainee ID,Email,Mobile,Region,Start date,{evil}"
    content = "\n".join([header, line(1) + f",{evil}", line(2, region=evil) + ","])
    sent = browser.upload(content, name="<img src=x onerror=alert(1)>.csv")
    number = PendingImport.objects.latest("pk").pk
    browser.post(f"{ROOT}{number}/columns", columns_of())
    for page in ("columns", "preview", "lines/problems"):
        html = browser.get(f"{ROOT}{number}/{page}").content.decode()
        assert "<script" not in html
        assert "<img" not in html
    assert sent.status_code == 303


def test_no_log_and_no_record_holds_what_stood_in_a_file(browser, line, everywhere, monkeypatch):
    header = "Trainee ID,Email,Mobile,Region,Start date"
    content = "\n".join(
        [header, line(1, email="zanzibar@example.org"), line(2, email="zanzibar2@", region="Narnia")]
    )
    address, page = look(browser, content)
    browser.post(address, {"rows": "good"})
    confirm(browser, address, browser.get(address))
    monkeypatch.setattr("equipoise.platform.office.imports.lines.look_at_import", _fails)
    browser.client.raise_request_exception = False
    address, page = look(browser, content, kind="import")
    assert page.status_code == 500
    told = everywhere()
    assert not any(each in told for each in ("zanzibar", "T20-0001", "07700 900", "4477009"))


def _fails(*_):
    raise RuntimeError("zanzibar@example.org is not what was expected")


@pytest.mark.django_db(transaction=True)
def test_a_double_click_imports_once(browser, signed_in, content):
    address, page = look(browser, content(*range(20)))
    told, start = [], threading.Barrier(4)

    def click():
        mine = Client(HTTP_HOST="localhost", HTTP_ORIGIN="https://localhost")
        mine.cookies = browser.client.cookies
        start.wait()
        try:
            told.append(confirm(Browser(mine), address, page).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told.count(303) == 1
    assert set(told) <= {303, 404, 422}
    assert Participant.objects.count() == 20


def test_the_number_of_statements_of_a_look_does_not_grow_with_rows(browser, content, queries):
    small, _ = look(browser, content(1, 2))
    large, _ = look(browser, content(*range(600)))
    browser.get(small)
    with queries() as few:
        browser.get(small)
    with queries() as many:
        browser.get(large)
    assert few.count == many.count
