"""Sessions: seen by whoever they belong to, ended one by one or all at once, and forgotten when they are over."""

import re
import time

import pytest

from equipoise.platform.staff.actions import CommandLine, end_sessions
from equipoise.platform.staff.models import StaffSession
from equipoise.platform.staff.open_sessions import browser_words, open_sessions
from equipoise.platform.staff.store import SessionStore

from .conftest import Desk

pytestmark = pytest.mark.django_db
PLACE = "/staff/sessions"
ON_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
ON_A_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 Version/18.0 Safari/605.1"


@pytest.fixture
def elsewhere(app, alice):
    """A function that signs Alice in in another browser."""

    def enter(agent=ON_A_MAC):
        desk = Desk("10.0.0.7")
        desk.client.defaults["HTTP_USER_AGENT"] = agent
        return entered(desk, alice)

    return enter


def entered(desk, member):
    """Signed in as by the sign-in page; how that comes about is tried with it."""
    desk.client.force_login(member, backend="allauth.account.auth_backends.AuthenticationBackend")
    desk.get("/staff/")
    return desk


def handles(desk):
    return re.findall(r'name="session" value="(\w+)"', desk.get(PLACE).content.decode())


def test_somebody_sees_their_own_browsers_in_words_and_nothing_that_opens_one(signed_in, elsewhere, members):
    other = elsewhere(ON_WINDOWS)
    bobs = entered(Desk("10.0.0.9"), members["Bob"])
    signed_in.get(PLACE)
    assert "Firefox on Windows" in signed_in.text
    assert "(this one)" in signed_in.text
    assert len(handles(signed_in)) == 1
    page = signed_in.page.content.decode()
    for desk in (signed_in, other, bobs):
        assert desk.client.cookies["__Host-staff"].value not in page
    kept = " ".join(
        str(vars(row)) + str(SessionStore().decode(row.session_data)) for row in StaffSession.objects.all()
    )
    for never in ("10.0.0.", "Gecko", "Windows NT"):
        assert never not in kept


def test_one_session_is_ended_and_the_others_go_on(signed_in, elsewhere):
    first, second = elsewhere(), elsewhere(ON_WINDOWS)
    ended = re.search(
        r'value="(\w+)">\s*<button[^>]*>End<span[^>]*> the session in Firefox',
        signed_in.get(PLACE).content.decode(),
    )[1]
    signed_in.post(PLACE, session=ended)
    assert "The session has been ended." in signed_in.text
    second.get("/staff/")
    assert second.path == "/staff/sign-in"
    first.get("/staff/")
    assert first.path == "/staff/"
    signed_in.post(PLACE, session=ended)
    assert "It was over already." in signed_in.text


def test_all_other_sessions_are_ended_at_once(signed_in, elsewhere):
    others = [elsewhere(), elsewhere(ON_WINDOWS)]
    signed_in.get(PLACE)
    signed_in.post(PLACE)
    assert "2 sessions have been ended." in signed_in.text
    for other in others:
        other.get("/staff/")
        assert other.path == "/staff/sign-in"
    signed_in.get("/office/")
    assert signed_in.path == "/office/"


def test_the_session_that_asks_is_ended_by_signing_out_alone(signed_in, alice):
    own = open_sessions(alice, signed_in.client.session.session_key)[0]
    assert own.current
    signed_in.get(PLACE)
    signed_in.post(PLACE, session=own.handle)
    assert signed_in.path == PLACE


def test_nobody_ends_the_session_of_somebody_else(signed_in, members):
    bobs = entered(Desk("10.0.0.9"), members["Bob"])
    his = open_sessions(members["Bob"])[0].handle
    signed_in.get(PLACE)
    signed_in.post(PLACE, session=his)
    bobs.get("/staff/")
    assert bobs.path == "/staff/"


def test_what_is_over_is_not_listed_and_goes_with_the_next_sign_in(signed_in, elsewhere, alice, monkeypatch):
    elsewhere()
    assert len(open_sessions(alice)) == 2
    later = time.time() + 3601
    monkeypatch.setattr("equipoise.platform.staff.open_sessions.time.time", lambda: later)
    assert open_sessions(alice) == []
    monkeypatch.undo()
    StaffSession.objects.update(expire_date="2021-01-01T00:00:00Z")
    entered(Desk(), alice)
    assert not StaffSession.objects.filter(expire_date__lt="2022-01-01T00:00:00Z").exists()


def test_whoever_keeps_the_workspace_ends_every_session_of_somebody(signed_in, elsewhere, alice):
    other = elsewhere()
    assert end_sessions(CommandLine(), alice) == 2
    for desk in (signed_in, other):
        desk.get("/office/")
        assert desk.path == "/staff/sign-in"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (ON_WINDOWS, "Firefox on Windows"),
        (ON_A_MAC, "Safari on a Mac"),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) CriOS/140.0 Safari/604.1",
            "Chrome on an iPhone",
        ),
        ("curl/8.0", "A browser"),
        ("", "A browser"),
    ],
)
def test_a_browser_is_called_what_people_call_it(said, words):
    assert browser_words(said) == words
