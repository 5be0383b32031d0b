"""Who calls, and by which name and way: believed of the proxies that the workspace names, and of nobody else."""

import secrets

import pytest
from django.test import Client, RequestFactory

from equipoise.platform.middleware import TrustedProxies

pytestmark = pytest.mark.django_db
OURS, THEIRS = "192.0.2.1", "198.51.100.7"


@pytest.fixture
def through(monkeypatch):
    """A function that gives a request as views meet it, behind a workspace that names `OURS` as its proxy."""
    from django.conf import settings

    told = settings.WORKSPACE.settings.model_copy(update={"proxies": (OURS,)})
    monkeypatch.setattr(settings.WORKSPACE, "settings", told)

    def ask(peer, **headers):
        request = RequestFactory().get("/", REMOTE_ADDR=peer, **headers)
        TrustedProxies(lambda request: None)(request)
        return request

    return ask


def test_a_claim_of_a_stranger_is_thrown_away(through):
    request = through(
        THEIRS,
        HTTP_X_FORWARDED_FOR="127.0.0.1",
        HTTP_X_FORWARDED_PROTO="https",
        HTTP_X_FORWARDED_HOST="evil.example",
        HTTP_FORWARDED="for=127.0.0.1",
    )
    assert request.META["REMOTE_ADDR"] == THEIRS
    assert not [name for name in request.META if "FORWARDED" in name]


@pytest.mark.parametrize("claimed", [THEIRS, f"127.0.0.1, {THEIRS}", f"10.0.0.1,{THEIRS}, {OURS}"])
def test_of_our_proxys_word_the_last_address_that_is_not_ours_counts(through, claimed):
    assert through(OURS, HTTP_X_FORWARDED_FOR=claimed).META["REMOTE_ADDR"] == THEIRS


def test_claiming_another_address_each_time_gets_nobody_round_the_limit(swing, nobody_has_guessed):
    statuses = [
        Client()
        .get(f"/s/{secrets.token_hex(16)}", secure=True, HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")
        .status_code
        for number in range(70)
    ]
    assert statuses == [404] * 60 + [429] * 10


@pytest.mark.parametrize(
    "path", ["/staff/sign-in", "/link/swing", "/privacy/swing", "/s/x", "/office/", "/nowhere"]
)
def test_a_host_that_is_not_the_workspaces_is_refused(path):
    page = Client().get(path, secure=True, HTTP_HOST="evil.example")
    assert page.status_code == 400
    assert b"evil.example" not in page.content
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
