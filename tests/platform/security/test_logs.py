"""The log: events of signing in and refusals are there, and neither a token nor a person nor a forged line."""

import logging

import pytest
from tests.platform.staff.conftest import Desk

TOKEN = "abcdefghijklmnopqrstuvwxyz234567"  # noqa: S105


@pytest.mark.parametrize("kind", ["s", "open", "stop", "mine", "password/set"])
def test_the_token_of_a_link_never_reaches_the_log(log, kind):
    logging.getLogger("django.request").error("Internal Server Error: %s", f"/{kind}/{TOKEN}")
    assert len(log.lines) == 1
    assert TOKEN not in log.lines[0]
    assert f"/{kind}/-" in log.lines[0]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\x0b", "\x1b[2K", "\u2028", "\u0085", "\0"])
def test_what_somebody_typed_makes_no_line_of_its_own(log, end):
    logging.getLogger("equipoise").warning("a page: %s", f"x{end}2027-01-01 ERROR equipoise forged")
    assert len(log.lines[0].splitlines()) == 1
    assert "\x1b" not in log.lines[0]


def test_a_fault_is_logged_by_its_place_and_not_by_what_it_says(log):
    try:
        raise ValueError("canary@example.org has 07700 900123")
    except ValueError:
        logging.getLogger("equipoise").exception("a page failed")
    assert "ValueError at test_logs.py:" in log.lines[0]
    assert "canary" not in log.lines[0]
    assert "07700" not in log.lines[0]


@pytest.mark.django_db
def test_signing_in_and_out_and_what_is_refused_are_logged_by_number_and_never_by_address(desk, alice, log):
    desk.post("/staff/sign-out")
    desk.enter_password(password="not the password")  # noqa: S106
    desk.enter_password()
    desk.enter_code("000000")
    desk.enter_code(desk.app.code())
    told = [line.partition("equipoise.staff ")[2] for line in log.lines if "equipoise.staff" in line]
    who = alice.actor
    assert told == [
        f"{who} signed out",
        "a sign-in was refused",
        "a sign-in was refused",
        f"{who} signed in",
    ]
    assert "alice" not in " ".join(log.lines).lower()


@pytest.mark.django_db
def test_a_page_that_somebody_may_not_see_is_refused_and_logged_by_number_and_verb(
    desk, swing, members, alice, log
):
    from equipoise.platform.staff.models import Role

    Role.objects.filter(member=alice).delete()
    assert desk.get(f"/office/studies/{swing.name}/people/").status_code == 404
    assert desk.get("/office/add-study").status_code == 403
    told = [line.partition("equipoise.office ")[2] for line in log.lines if "equipoise.office" in line]
    assert told == [f"{alice.actor} was refused people.see", f"{alice.actor} was refused study.add"]
    assert swing.name not in " ".join(log.lines)


def test_whoever_is_not_signed_in_leaves_no_refusal(swing, log):
    Desk().get("/office/add-study")
    assert not [line for line in log.lines if "was refused" in line]


def test_a_line_that_cannot_be_written_is_lost_without_a_word(monkeypatch):
    class Full:
        said = ""

        def write(self, text):
            if "quagga" in text:
                raise OSError(28, "No space left on device")
            self.said += text

        def flush(self):
            pass

    full = Full()
    monkeypatch.setattr("sys.stderr", full)
    logging.getLogger("equipoise.staff").warning("quagga")
    logging.getLogger("equipoise.staff").warning("and on it goes")
    assert "quagga" not in full.said
    assert "and on it goes" in full.said
