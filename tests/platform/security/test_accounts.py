"""Accounts of staff once they are signed in: what is asked again, what ends, and how a password is kept."""

import time

import pytest
from allauth.mfa.models import Authenticator
from argon2 import extract_parameters
from argon2.low_level import Type
from tests.platform.staff.conftest import PASSWORD, Desk

pytestmark = pytest.mark.django_db
NEW = "seven lanterns by the weir"


def later(monkeypatch, seconds):
    moment = time.time() + seconds
    for module in ("staff.adapter", "staff.sessions"):
        monkeypatch.setattr(f"equipoise.platform.{module}.time.time", lambda: moment)


def test_a_password_is_kept_by_argon2id_with_memory_and_passes_of_today(alice, desk):
    alice.refresh_from_db()
    kept = extract_parameters(alice.password.partition("$")[2].join(["$", ""]))
    assert alice.password.startswith("argon2$argon2id$")
    assert kept.type is Type.ID
    assert kept.memory_cost >= 19 * 1024  # KiB, the least that OWASP names for two passes
    assert kept.time_cost >= 2


def test_before_a_factor_is_changed_somebody_who_signed_in_a_while_ago_is_asked_again(desk, monkeypatch):
    assert desk.get("/staff/device/remove").status_code == 200
    assert desk.path == "/staff/device/remove"
    later(monkeypatch, 301)
    for path in ("/staff/device/remove", "/staff/recovery-codes/new", "/staff/passkeys/new"):
        desk.get(path)
        assert desk.path in ("/staff/again", "/staff/code/again"), path
    desk.post("/staff/device/remove")
    assert Authenticator.objects.filter(type=Authenticator.Type.TOTP).exists()


def test_a_new_password_needs_the_old_one_and_ends_every_other_session(desk, alice):
    elsewhere = Desk("10.0.0.2")
    elsewhere.enter_password()
    elsewhere.enter_code(desk.app.code())
    elsewhere.get("/office/")
    assert elsewhere.path == "/office/"
    desk.post("/staff/password", oldpassword="a guess at it", password1=NEW, password2=NEW)
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)
    desk.post("/staff/password", oldpassword=PASSWORD, password1=NEW, password2=NEW)
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    elsewhere.get("/office/")
    assert elsewhere.path == "/staff/sign-in"
    desk.get("/office/")
    assert desk.path == "/office/"


def test_a_check_of_permission_that_fails_lets_nobody_in(desk, swing, monkeypatch):
    assert desk.get(f"/office/studies/{swing.name}/people/").status_code == 200
    monkeypatch.setattr("equipoise.platform.office.access.reach", _fails)
    desk.client.raise_request_exception = False
    for place in ("", "people/", "allocation/", "data/", "record/"):
        page = desk.get(f"/office/studies/{swing.name}/{place}")
        assert page.status_code == 500, place
        assert swing.title not in page.content.decode(), place


def _fails(*_):
    raise RuntimeError("the table cannot be read")
