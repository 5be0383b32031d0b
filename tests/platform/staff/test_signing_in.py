"""Signing in: a password, then a code that works once; who guesses has to wait; nobody gets round it."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection

from equipoise.platform.staff.actions import CommandLine, end_member
from equipoise.platform.staff.factors import spend_code
from equipoise.platform.staff.models import StaffMember
from equipoise.platform.staff.passwords import password_link

from .conftest import PASSWORD, App, Desk

pytestmark = pytest.mark.django_db
WRONG = "not the password"


def test_the_first_sign_in_leads_to_a_second_factor_and_then_to_the_recovery_codes(desk, app):
    assert desk.heading == "Recovery codes"
    assert len(re.findall(r"<li><code>", desk.page.content.decode())) == 10
    desk.get("/office/")
    assert desk.path == "/office/"


def test_a_password_alone_reaches_no_page_of_the_office(desk):
    desk.enter_password()
    for path in ("/office/", "/office/studies/swing/"):
        desk.get(path)
        assert desk.path == "/staff/device"


def test_after_that_the_password_leads_to_the_code_and_the_code_to_the_office(app):
    desk = Desk()
    desk.enter_password()
    assert desk.heading == "Enter a code"
    desk.get("/office/")
    assert desk.path == "/staff/code"
    desk.enter_code(app.code())
    assert desk.path == "/office/"


def test_a_code_is_taken_once_even_by_another_browser(app):
    first, second = Desk(), Desk("10.0.0.2")
    first.enter_password()
    second.enter_password()
    code = app.code()
    first.enter_code(code)
    second.enter_code(code)
    assert first.path == "/office/"
    assert second.path == "/staff/code"
    assert "has been used" in second.text


def test_the_code_that_set_the_app_up_does_not_sign_in(app):
    desk = Desk()
    desk.enter_password()
    desk.enter_code(app.code(-1))
    assert desk.path == "/staff/code"


def test_a_code_older_than_the_last_one_taken_is_refused(app):
    desk = Desk()
    desk.enter_password()
    desk.enter_code(app.code(1))
    assert desk.path == "/office/"
    other = Desk()
    other.enter_password()
    other.enter_code(app.code(0))
    assert other.path == "/staff/code"


@pytest.mark.django_db(transaction=True)
def test_two_threads_with_the_same_code_enter_once(alice, app):
    code = app.code()

    def enter(_):
        try:
            return spend_code(StaffMember.objects.get(pk=alice.pk), code) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(enter, range(4))) == [False, False, False, True]


def test_a_recovery_code_signs_in_once(desk, app):
    codes = re.findall(r"<li><code>(\w+)</code>", desk.page.content.decode())
    for expected in ("/office/", "/staff/code"):
        other = Desk()
        other.enter_password()
        other.enter_code(codes[0])
        assert other.path == expected


def test_neither_the_apps_secret_nor_a_recovery_code_is_in_the_database(desk, app):
    codes = re.findall(r"<li><code>(\w+)</code>", desk.page.content.decode())
    stored = " ".join(str(each.data) for each in Authenticator.objects.all())
    assert app.secret not in stored
    assert not any(code in stored for code in codes)


def test_ten_failures_lock_this_account_from_this_address_and_nothing_else(members):
    bob = members["Bob"]
    bob.set_password(PASSWORD)
    bob.save()
    guesser = Desk()
    for _ in range(9):
        guesser.enter_password(password=WRONG)
        assert guesser.page.status_code == 200
    guesser.enter_password(password=WRONG)
    assert guesser.page.status_code == 429
    guesser.enter_password()
    assert guesser.page.status_code == 429
    assert "Wait 15 minutes" in guesser.text
    guesser.enter_password("bob@example.org")
    assert guesser.path == "/staff/device"
    elsewhere = Desk("10.0.0.2")
    elsewhere.enter_password()
    assert elsewhere.path == "/staff/device"


def test_capitals_and_spaces_do_not_get_round_the_lock(alice):
    guesser = Desk()
    for number in range(10):
        guesser.enter_password("ALICE@example.org" if number % 2 else " alice@example.org ", password=WRONG)
    guesser.enter_password()
    assert guesser.page.status_code == 429


def test_wrong_codes_are_counted_like_wrong_passwords(app):
    guesser = Desk()
    guesser.enter_password()
    for _ in range(10):
        guesser.enter_code("000000")
    assert guesser.page.status_code == 429
    guesser.enter_code(app.code())
    assert guesser.page.status_code == 429


def test_an_unknown_address_and_a_wrong_password_are_told_the_same(alice):
    desk = Desk()
    desk.enter_password(password=WRONG)
    known = desk.text.replace("alice@example.org", "")
    desk.enter_password("nobody@example.org", password=WRONG)
    assert desk.text.replace("nobody@example.org", "") == known
    assert desk.page.content.decode().count("govuk-error-summary") > 0


def test_a_session_gets_a_new_key_when_somebody_signs_in(alice, app):
    desk = Desk()
    desk.enter_password()
    before = desk.client.cookies["__Host-staff"].value
    desk.enter_code(app.code())
    assert desk.client.cookies["__Host-staff"].value != before


def test_a_session_that_somebody_planted_before_does_not_get_signed_in(app):
    planter, desk = Desk("10.0.0.66"), Desk()
    planter.enter_password(password=WRONG)
    planter.client.cookies["__Host-staff"] = planted = "a" * 32
    desk.client.cookies["__Host-staff"] = planted
    desk.enter_password()
    desk.enter_code(app.code())
    assert desk.path == "/office/"
    assert desk.client.cookies["__Host-staff"].value != planted
    planter.get("/office/")
    assert planter.path == "/staff/sign-in"


def test_a_link_for_a_new_password_signs_nobody_in(alice):
    link = password_link(CommandLine(), alice).partition("/staff")[2]
    desk = Desk()
    desk.get(f"/staff{link}")
    desk.post(desk.path, password1="seven lanterns by the weir", password2="seven lanterns by the weir")
    assert "Your password is set" in desk.text
    desk.get("/office/")
    assert desk.path == "/staff/sign-in"


def test_cookies_are_secure_and_belong_to_this_host_alone(signed_in):
    assert {"__Host-staff", "__Host-csrf"} <= set(signed_in.client.cookies)
    for name, cookie in signed_in.client.cookies.items():
        assert name.startswith("__Host-")
        assert cookie["secure"]
        assert cookie["path"] == "/"
        assert not cookie["domain"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"


@pytest.mark.parametrize(("seconds", "over"), [(3599, False), (3601, True)])
def test_an_hour_without_a_page_ends_a_session(signed_in, monkeypatch, seconds, over):
    signed_in.get("/office/")
    later = time.time() + seconds
    monkeypatch.setattr("equipoise.platform.staff.sessions.time.time", lambda: later)
    signed_in.get("/office/")
    assert signed_in.path == ("/staff/sign-in" if over else "/office/")


def test_twelve_hours_end_a_session_however_busy(signed_in, monkeypatch):
    begin = time.time()
    for minutes in range(50, 12 * 60 + 50, 50):
        moment = begin + 60 * minutes
        monkeypatch.setattr("equipoise.platform.staff.sessions.time.time", lambda moment=moment: moment)
        signed_in.get("/office/")
        assert signed_in.path == ("/office/" if minutes < 12 * 60 else "/staff/sign-in")
    assert "signed out" in signed_in.text


def test_an_ended_account_is_out_with_its_next_page(signed_in, alice):
    end_member(CommandLine(), alice)
    signed_in.get("/office/")
    assert signed_in.path == "/staff/sign-in"
    signed_in.enter_password()
    assert signed_in.heading == "This account has been ended"


def test_signing_out_takes_a_post_and_kills_the_cookie(signed_in):
    cookie = signed_in.client.cookies["__Host-staff"].value
    signed_in.get("/staff/sign-out")
    assert signed_in.heading == "Sign out"
    signed_in.get("/office/")
    assert signed_in.path == "/office/"
    signed_in.post("/staff/sign-out")
    assert signed_in.path == "/staff/sign-in"
    signed_in.client.cookies["__Host-staff"] = cookie
    signed_in.get("/office/")
    assert signed_in.path == "/staff/sign-in"


def test_forms_without_their_token_are_refused(alice):
    desk = Desk()
    desk.get("/staff/sign-in")
    desk.client.post("/staff/sign-in", {"login": "alice@example.org", "password": PASSWORD}, secure=True)
    desk.get("/office/")
    assert desk.path == "/staff/sign-in"


def test_a_session_opened_by_a_password_needs_a_code_once_the_account_has_a_factor(alice):
    old, new = Desk(), Desk("10.0.0.2")
    old.enter_password()
    new.enter_password()
    secret = re.search(r"<code[^>]*>([A-Z2-7]+)</code>", new.page.content.decode())[1]
    app = App()
    app.secret = secret
    new.post("/staff/device", code=app.code(-1))
    old.get("/office/")
    assert old.path == "/staff/code/again"
    old.post("/staff/code/again?next=/office/", code=app.code(), next="/office/")
    assert old.path == "/office/"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "///evil.example",
        "http:///evil.example",
        "\\\\evil.example",
        "/office/@evil.example/..//\\evil",
    ],
)
def test_signing_in_never_leads_to_another_host(app, elsewhere):
    desk = Desk()
    desk.enter_password(next=elsewhere)
    page = desk.post("/staff/code", follow=False, code=app.code())
    assert page.status_code == 302
    assert page["Location"].startswith("/office/")


@pytest.mark.parametrize(
    "path",
    [
        "/staff/signup/",
        "/staff/signup",
        "/staff/email/",
        "/staff/confirm-email/",
        "/staff/password/set/",
        "/staff/login/code/",
        "/staff/login/",
        "/staff/2fa/webauthn/",
        "/staff/3rdparty/",
        "/staff/3rdparty/signup/",
        "/staff/social/connections/",
        "/staff/sessions/",
        "/staff/passkeys/login",
        "/accounts/",
        "/admin/",
        "/staff/trust",
    ],
)
def test_no_other_page_of_the_sign_in_library_can_be_reached(signed_in, path):
    for desk in (signed_in, Desk()):
        assert desk.get(path).status_code == 404
