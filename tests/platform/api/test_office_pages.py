"""The page of a study's services: made, listed, taken along as a file, ended."""

import csv
import io
import re
from html import unescape

import pytest
from tests.platform.office.conftest import Desk

from equipoise.errors import InputError
from equipoise.platform.registry.models import Partner
from equipoise.platform.services.actions import end_service, make_service
from equipoise.platform.services.models import Service
from equipoise.platform.services.queries import service_of_token
from equipoise.platform.staff.actions import CommandLine, Place, grant, revoke

from .conftest import Program
from .rosters import ROSTERS, roster

pytestmark = pytest.mark.django_db
PAGE = "/office/studies/swing/services/"
FIELDS = {
    "name": "Payroll (synthetic)",
    "scopes": ["rosters:write", "study:read"],
    "partner": "",
    "days": "90",
}


@pytest.fixture
def desk(swing, alice):
    """Alice, who leads `swing`, at her desk."""
    return Desk().sign_in(alice)


def token_on(desk):
    return unescape(re.search(r'aria-label="Token"><code>(.*?)</code>', desk.html)[1])


def test_a_token_is_shown_once_and_works(desk, swing, alice):
    desk.act(PAGE, FIELDS)
    assert desk.page.status_code == 200
    token = token_on(desk)
    service = service_of_token(token)
    assert (service.study, service.keeper) == (swing, alice)
    assert service.scopes == ["study:read", "rosters:write"]
    assert token not in desk.get(PAGE).content.decode()
    assert "Payroll (synthetic)" in desk.text
    assert "rosters:write" in desk.text


def test_what_is_missing_stands_beside_its_field_and_nothing_is_made(desk):
    desk.act(PAGE, {**FIELDS, "name": " ", "scopes": []})
    assert desk.page.status_code == 422
    assert "choose one or more of study:read" in desk.html.lower()
    for changed in ({"name": ""}, {"days": "9999"}, {"days": "x"}, {"partner": "nowhere"}):
        assert desk.act(PAGE, {**FIELDS, **changed}).status_code == 422, changed
    assert not Service.objects.exists()


def test_a_service_for_a_partner_says_so_and_cannot_have_frames(desk, swing):
    Partner.objects.create(study=swing, name="northmoor", title="Northmoor (synthetic)")
    desk.act(PAGE, {**FIELDS, "partner": "northmoor", "scopes": ["frames:read"]})
    assert desk.page.status_code == 422
    assert "reaches everybody of the study" in desk.text
    desk.act(PAGE, {**FIELDS, "partner": "northmoor"})
    assert Service.objects.get().partner.name == "northmoor"


def test_a_service_is_ended_once_its_name_was_typed(desk):
    desk.act(PAGE, FIELDS)
    token, service = token_on(desk), Service.objects.get()
    place = f"{PAGE}{service.pk}/end"
    assert desk.act(place, name="yes").status_code == 422
    assert service_of_token(token) is not None
    assert desk.act(place, name=service.name).status_code == 303
    assert service_of_token(token) is None
    assert "has been ended" in (desk.follow() and desk.text)
    assert desk.get(place).status_code == 404


def test_a_service_of_another_study_is_not_found(desk, made, add_example, members, alice):
    other = add_example("diversity-in-hiring")
    number = made(study=other).service.pk
    assert desk.get(f"{PAGE}{number}/end").status_code == 404


def test_the_table_sorts_by_its_address_and_comes_as_a_file(desk, made):
    for days in (10, 300, 100):
        made("study:read", days=days)
    desk.get(PAGE, sort="until")
    until = [one.pk for one in Service.objects.order_by("expires_at")]
    at = [desk.html.index(f"/services/{number}/end") for number in until]
    assert at == sorted(at)
    desk.get(PAGE, format="csv")
    rows = list(csv.DictReader(io.StringIO(desk.html.removeprefix("\ufeff"))))
    assert [row["State"] for row in rows] == ["Works"] * 3
    assert {row["May"] for row in rows} == {"study:read"}


def test_a_service_whose_keeper_lost_the_role_says_that_it_waits(desk, made, swing, members):
    service = made().service
    grant(CommandLine(), members["Bob"], "data-manager", Place(swing))
    Service.objects.filter(pk=service.pk).update(keeper=members["Bob"])
    revoke(CommandLine(), members["Bob"], "data-manager", Place(swing))
    assert "Waits: whoever keeps it may no longer" in (desk.get(PAGE) and desk.text)


def test_only_leads_and_data_managers_open_it(swing, members):
    desk = Desk().sign_in(members["Bob"])
    for role, status in (("analyst", 403), ("auditor", 403), ("data-manager", 200)):
        grant(CommandLine(), members["Bob"], role, Place(swing))
        assert desk.get(PAGE).status_code == status, role
        revoke(CommandLine(), members["Bob"], role, Place(swing))


def test_the_record_calls_a_service_by_what_it_is_for(desk, made):
    service = made()
    Program(service.token).post(ROSTERS, roster(2))
    desk.get("/office/studies/swing/record/")
    assert "Service: Payroll 1 (synthetic)" in desk.text


def test_a_name_is_had_by_one_service_at_a_time(made, alice, swing):
    first = make_service(alice, swing, "The same (synthetic)", ["study:read"])
    with pytest.raises(InputError, match="works in this study already"):
        make_service(alice, swing, "The  same (synthetic)", ["study:read"])
    end_service(alice, first.service)
    assert make_service(alice, swing, "The same (synthetic)", ["study:read"]).token != first.token
