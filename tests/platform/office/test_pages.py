"""Every page of the office: who is let in, what a look at it changes, how many questions it asks."""

import hashlib

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from equipoise.platform.fieldwork.links import make_links
from equipoise.platform.office.urls import urlpatterns
from equipoise.platform.people.actions import confirm_import
from equipoise.platform.staff.actions import CommandLine, Place, grant

from .conftest import Desk

pytestmark = pytest.mark.django_db

ROOT = "/office/studies/swing/"
# Addresses that need something further: a file being looked at, an import, an export, an open link, a draw.
ELSEWHERE = {
    "import-columns",
    "import-preview",
    "import-lines",
    "import-discard",
    "import-done",
    "import-undo",
    "extract-columns",
    "extract-preview",
    "extract-lines",
    "extract-discard",
    "certificate",
    "export-file",
    "data-review-take-back",
    "incident",
    "incident-correct",
    "incident-close",
    "approval",
    "approval-decide",
    "open-link-close",
    "allocation-round",
    "allocation-record",
    "survey-preview-media",
    "service-end",
    "study-staff-take",
    "messages-settle",
    "messages-let",
    "message-file",
    "receipt-columns",
    "receipt-preview",
    "receipt-discard",
}
SENT_ONLY = {"approval-take-back", "approval-file", "message-test", "message-posted"}
# The pages of the workspace's staff are in test_members.
MEMBERS = {
    "members",
    "member-new",
    "member",
    "member-take",
    "member-link",
    "member-factor",
    "member-sign-out",
    "member-end",
}
OF_THE_WORKSPACE = {"office-home", "study-add", *MEMBERS}


def pages_of(person):
    """Every page of a study that can be opened, by its place below the study."""
    one = f"people/{person.key}/"
    return [
        "",
        "move/paused",
        "protocol/",
        "protocol/amend",
        "protocol/versions/1.zip",
        "people/",
        "people/find",
        "people/import/",
        one,
        f"{one}leave",
        f"{one}link",
        f"{one}report",
        f"{one}enter/before",
        "allocation/",
        "allocation/main/strata",
        "allocation/main/secret",
        "allocation/main/commit",
        "allocation/main/draw",
        "allocation/main/verify",
        "surveys/",
        "surveys/open-links",
        "surveys/before/days",
        "surveys/before/links",
        "surveys/before/preview/1",
        "messages/",
        "messages/in-doubt/",
        "messages/not-sent/",
        "messages/closed/",
        "messages/waiting/",
        "messages/waiting/everything",
        "messages/files/",
        "messages/receipts/",
        "messages/sends/weekly-message/1/",
        "messages/sends/weekly-message/1/now",
        "messages/sends/weekly-message/1/retry",
        "incidents/",
        "incidents/add",
        "extracts/",
        "data/",
        "services/",
        "data/review/",
        "data/review/add",
        "data/review/upload",
        "data/review/look",
        "data/seal",
        "data/unmask",
        "data/identified",
        "approvals/",
        "record/",
        "record/?check",
        "staff/",
        "record/kept/",
    ]


def everything_stored():
    """A hash of every table but those of sessions."""
    said = hashlib.sha256()
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            if table != "staff_staffsession":
                name = connection.ops.quote_name(table)
                cursor.execute(f"SELECT * FROM {name} ORDER BY 1")  # noqa: S608 - a name of our own
                said.update(repr((table, cursor.fetchall())).encode())
    return said.hexdigest()


def test_every_address_is_tried_here_or_said_to_be_elsewhere(people):
    tried = {resolve((ROOT + place).partition("?")[0]).url_name for place in pages_of(people[0])}
    assert {pattern.name for pattern in urlpatterns} == tried | ELSEWHERE | SENT_ONLY | OF_THE_WORKSPACE


def test_every_page_opens_for_the_lead(desk, people):
    for place in pages_of(people[0]):
        assert desk.get(ROOT + place).status_code == 200, place


def test_whoever_is_not_signed_in_is_sent_to_do_so_and_back(people):
    desk = Desk()
    for path in ("/office/", "/office/add-study", *(ROOT + place for place in pages_of(people[0]))):
        page = desk.get(path)
        assert (page.status_code, page["Location"].partition("?")[0]) == (302, "/staff/sign-in"), path
        assert "next=" in page["Location"]


def test_a_password_alone_opens_nothing(people, alice):
    desk = Desk().sign_in(alice, factor=False)
    for path in ("/office/", *(ROOT + place for place in pages_of(people[0]))):
        page = desk.get(path)
        assert (page.status_code, page["Location"].partition("?")[0]) == (302, "/staff/device"), path


def test_the_lead_of_another_study_finds_nothing_and_cannot_tell_it_from_what_is_not_there(bobs_desk, people):
    for place in pages_of(people[0]):
        there = bobs_desk.get(ROOT + place)
        nowhere = bobs_desk.get(f"/office/studies/none-such/{place}")
        assert (there.status_code, nowhere.status_code) == (404, 404), place
        assert there.content == nowhere.content, place


def test_whoever_keeps_the_workspace_sees_studies_and_no_participant(carols_desk, people):
    for place in pages_of(people[0]):
        seen = place in (
            "",
            "protocol/",
            "protocol/versions/1.zip",
            "record/",
            "record/?check",
            "record/kept/",
            "staff/",
        )
        assert carols_desk.get(ROOT + place).status_code == (200 if seen else 403), place


def test_a_person_of_another_study_is_not_found(desk, people, add_example):
    add_example("diversity-in-hiring")
    for place in ("", "leave", "link", "report", "enter/session"):
        path = f"/office/studies/diversity-in-hiring/people/{people[0].key}/{place}"
        assert desk.get(path).status_code == 404, place


def test_a_look_changes_nothing(desk, people):
    before = everything_stored()
    for place in pages_of(people[0]):
        desk.get(ROOT + place)
        desk.client.head(ROOT + place, secure=True)
        desk.get(f"{ROOT}{place}", format="csv")
    assert everything_stored() == before


def test_forms_without_their_token_are_refused(desk, people):
    before = everything_stored()
    for place in (
        "move/paused",
        "people/find",
        f"people/{people[0].key}/leave",
        "allocation/main/commit",
        "data/",
    ):
        desk.client.cookies.pop("__Host-csrf", None)
        page = desk.client.post(ROOT + place, {"name": "swing", "reason": "x"}, secure=True)
        assert page.status_code == 403, place
    assert everything_stored() == before


def test_no_page_lets_a_browser_keep_it_or_run_a_script_of_its_own(desk, people):
    for place in pages_of(people[0]):
        page = desk.get(ROOT + place)
        assert "no-store" in page["Cache-Control"], place
        assert "unsafe-inline" not in page["Content-Security-Policy"], place
        assert page.streaming or b"<script" not in page.content.replace(b"<script src=", b""), place


LISTS = (
    "",
    "data/",
    "data/review/",
    "people/",
    "people/?format=csv",
    "surveys/",
    "messages/",
    "messages/sends/before.invite/1/",
    "messages/in-doubt/",
    "messages/not-sent/",
    "messages/files/",
    "allocation/",
    "record/",
    "allocation/main/strata",
)


def test_no_page_asks_more_of_the_database_when_there_are_more_people(desk, people, swing, alice, roster):
    def asked(place):
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert desk.get(ROOT + place).status_code == 200
            assert desk.html
        return len(found)

    desk.get(ROOT)  # the first page of a session notes that it has begun
    few = {place: asked(place) for place in LISTS}
    confirm_import(alice, swing, roster(60, first=100))
    make_links(alice, swing, "before")
    assert {place: asked(place) for place in LISTS} == few


def test_the_list_of_studies_asks_no_more_when_there_are_more_studies(desk, swing, add_example):
    desk.get("/office/")  # the first page of a session notes that it has begun
    with CaptureQueriesContext(connection) as one:
        desk.get("/office/")
    add_example("diversity-in-hiring")
    with CaptureQueriesContext(connection) as two:
        desk.get("/office/")
    assert len(one) == len(two)


def test_a_role_given_is_there_with_the_next_page(bobs_desk, swing, members):
    assert bobs_desk.get(ROOT).status_code == 404
    grant(CommandLine(), members["Bob"], "lead", Place(swing))
    assert bobs_desk.get(ROOT).status_code == 200
