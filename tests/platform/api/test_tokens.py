"""Who is let in by a token, to what, and for how long."""

import itertools
import logging
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import override_settings
from django.urls import reverse

from equipoise.errors import InputError
from equipoise.platform.api import limits
from equipoise.platform.api.addresses import TABLE
from equipoise.platform.api.urls import urlpatterns
from equipoise.platform.audit.models import Entry
from equipoise.platform.permissions import PERMISSIONS, NotAllowedError, can
from equipoise.platform.services.actions import MOST_DAYS, end_service, make_service
from equipoise.platform.services.models import Service
from equipoise.platform.services.scopes import ROLE, SCOPES
from equipoise.platform.staff.actions import CommandLine, Place, end_member, grant, revoke

from .conftest import Program
from .rosters import ROOT, ROSTERS, roster

pytestmark = pytest.mark.django_db


def test_the_token_is_long_told_once_and_stored_as_a_hash_only(made):
    first, second = made(), made()
    assert first.token != second.token
    assert len(first.token.removeprefix(first.service.token_begins)) * 5 >= 128
    stored = "".join(str(value) for value in Service.objects.values().get(pk=first.service.pk).values())
    assert first.token not in stored
    assert first.token not in "".join(Entry.objects.values_list("details", flat=True))


def test_a_token_lets_its_program_in_and_the_record_calls_it_by_its_number(made, swing):
    service = made()
    told = Program(service.token).post(ROSTERS, roster(3))
    assert told.status == 200
    assert Entry.objects.filter(chain_id="swing").latest("number").actor == service.service.actor


def test_every_address_opens_to_the_scopes_of_its_verb_alone_and_to_a_partner_where_it_says_so(made, swing):
    partner = swing.partners.get()
    for scope, whose in itertools.product(SCOPES, (None, partner)):
        service = made(scope)
        Service.objects.filter(pk=service.service.pk).update(partner=whose)  # also where making it is refused
        program = Program(service.token)
        for pattern in urlpatterns:
            if pattern.name not in TABLE:
                continue
            places = {"study": "swing", "export": "none", "file": "none"}
            names = pattern.pattern.converters
            path = reverse(pattern.name, kwargs={name: places[name] for name in names})
            told = {program.get(path).status, program.post(path, b"{}", "application/json").status} - {405}
            allowed = TABLE[pattern.name].verb in SCOPES[scope][1]
            allowed &= whose is None or TABLE[pattern.name].by_partner
            assert (403 in told, 401 in told) == (not allowed, False), (scope, whose, path)
            assert allowed or told == {403}


def test_whoever_lacks_a_scope_is_told_which(made):
    told = Program(made("study:read").token).get(f"{ROOT}counts").said
    assert told["detail"] == "This needs the scope counts:read."


def test_a_service_holds_no_verb_but_those_of_its_scopes_and_never_more_than_a_data_manager(made, swing):
    service = made().service
    held = {verb for verb in PERMISSIONS if can(service, verb, swing)}
    assert held == set().union(*(verbs for _, verbs in SCOPES.values()))
    assert not [verb for verb in held if ROLE not in PERMISSIONS[verb]]
    assert not [verb for verb in PERMISSIONS if can(service, verb)]


def test_a_service_cannot_make_services_for_itself(made, swing):
    service = made().service
    with pytest.raises(NotAllowedError):
        make_service(service, swing, "Another", ["study:read"])


def refused_alike(*tokens):
    """Each token gets the same answer, but for the number of the request."""
    told = [Program(token).get(f"{ROOT}counts") for token in tokens]
    assert {one.status for one in told} == {401}
    assert {one.headers["WWW-Authenticate"] for one in told} == {"Bearer"}
    assert len({one.body.replace(one.said["request"].encode(), b"") for one in told}) == 1


def test_unknown_expired_ended_and_waiting_tokens_are_refused_alike(made, members, swing, alice):
    expired, ended, waiting = made(), made(), made()
    Service.objects.filter(pk=expired.service.pk).update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    end_service(alice, ended.service)
    grant(CommandLine(), members["Bob"], "lead", Place(swing))
    Service.objects.filter(pk=waiting.service.pk).update(keeper=members["Bob"])
    assert Program(waiting.token).get(f"{ROOT}counts").status == 200
    revoke(CommandLine(), members["Bob"], "lead", Place(swing))
    refused_alike("none-such", expired.token, ended.token, waiting.token, "")


def test_a_service_stops_with_the_account_of_whoever_keeps_it(made, members):
    token = made().token
    assert Program(token).get(f"{ROOT}counts").status == 200
    end_member(CommandLine(), members["Alice"])
    assert Program(token).get(f"{ROOT}counts").status == 401


def test_a_token_is_taken_from_its_header_only(made):
    token = made().token
    for path in (f"{ROOT}counts?token={token}", f"{ROOT}counts?access_token={token}"):
        assert Program().get(path).status == 401
    program = Program()
    program.client.cookies["token"] = token
    assert program.get(f"{ROOT}counts").status == 401
    assert Program().get(f"{ROOT}counts", HTTP_AUTHORIZATION=f"Basic {token}").status == 401


def test_whoever_is_signed_in_as_staff_is_nobody_to_the_interface(made, alice):
    program = Program()
    program.client.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert program.get(f"{ROOT}counts").status == 401


def test_a_study_of_others_answers_as_one_that_does_not_exist(made, program, add_example):
    add_example("diversity-in-hiring")
    for place in ("", "/counts"):
        there = program.get(f"/api/1/studies/diversity-in-hiring{place}")
        nowhere = program.get(f"/api/1/studies/none-such{place}")
        assert (there.status, nowhere.status) == (404, 404)
        assert there.body.replace(there.said["request"].encode(), b"") == nowhere.body.replace(
            nowhere.said["request"].encode(), b""
        )


def test_wrong_tokens_are_slowed_down_and_right_ones_from_the_same_place_are_not(program):
    told = [Program(f"guess-{number}").get(f"{ROOT}counts") for number in range(70)]
    assert told[0].status == 401
    assert told[-1].status == 429
    assert 0 < int(told[-1].headers["Retry-After"]) <= 300
    assert program.get(f"{ROOT}counts").status == 200


def test_a_service_that_asks_too_often_is_told_when_to_ask_again(made, monkeypatch):
    monkeypatch.setattr(limits._requests, "most", 3)
    program, other = Program(made("study:read").token), Program(made("study:read").token)
    place = ROOT.rstrip("/")
    told = [program.get(place).status for _ in range(4)]
    assert (told[0], told[-1]) == (200, 429)
    assert "Retry-After" in program.get(place).headers
    assert other.get(place).status == 200


def test_a_token_that_came_without_tls_is_refused_with_what_to_do(made):
    token = made().token
    with override_settings(SECURE_SSL_REDIRECT=True):
        told = Program(token, secure=False).get(f"{ROOT}counts")
    assert told.status == 403
    assert "end it and make another" in told.said["detail"]


def test_the_day_of_the_last_use_is_kept_and_no_more(made):
    service = made()
    assert service.service.used_on is None
    Program(service.token).get(f"{ROOT}counts")
    service.service.refresh_from_db()
    assert service.service.used_on == datetime.now(UTC).date()


def test_no_token_stands_in_a_log_whatever_comes_of_it(made, caplog, alice):
    right, ended = made("study:read"), made()
    end_service(alice, ended.service)
    with caplog.at_level(logging.DEBUG):
        for token in (right.token, ended.token, "wrong-token-0123456789"):
            Program(token).get(f"{ROOT}counts")
            Program(token).post(ROSTERS, roster(1))
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "was refused" in said
    assert not [token for token in (right.token, ended.token, "wrong-token-0123456789") if token in said]


CANNOT_BE = [
    ({"scopes": []}, "choose one or more of study:read"),
    ({"scopes": ["roster:write"]}, 'Did you mean "rosters:write"?'),
    ({"name": "  "}, "is empty; say what the service is for"),
    ({"name": "x" * 81}, "at most 80 are kept"),
    ({"days": 0}, "a token works for 1 to 365 days"),
    ({"days": MOST_DAYS + 1}, "a token works for 1 to 365 days"),
]


def test_what_a_service_cannot_be_is_told_with_what_it_can(swing, alice):
    for given, told in CANNOT_BE:
        wanted = {"name": "Payroll", "scopes": ["study:read"], **given}
        with pytest.raises(InputError, match=re.escape(told)):
            make_service(alice, swing, **wanted)
    assert not Service.objects.exists()


def test_whoever_owns_the_files_names_somebody_who_answers_for_the_service(swing, alice, members):
    with pytest.raises(InputError, match="name the member of staff"):
        make_service(CommandLine(), swing, "Payroll", ["study:read"])
    with pytest.raises(InputError, match="choose one of its leads or data managers"):
        make_service(CommandLine(), swing, "Payroll", ["study:read"], keeper=members["Bob"])
    assert make_service(CommandLine(), swing, "Payroll", ["study:read"], keeper=alice).service.keeper == alice


def test_a_service_that_was_ended_is_not_ended_again(made, alice):
    service = made().service
    end_service(alice, service)
    with pytest.raises(InputError, match="has been ended already"):
        end_service(alice, service)
