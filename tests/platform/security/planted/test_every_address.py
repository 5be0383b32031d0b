"""Every address there is, as everybody: a look changes nothing, a form without its token neither, and a check of
permission that fails shows nothing."""

from collections import Counter

import pytest
from django.test import Client
from tests.platform.security.planted.addresses import NOTED, addresses, everything_stored
from tests.platform.security.planted.world import planted_words

from equipoise.platform import permissions
from equipoise.platform.permissions import ROLES

pytestmark = pytest.mark.django_db

ACTING = ("POST", "DELETE")
# Addresses that nobody finds anything at in this workspace, because what they show is not there.
NOTHING_THERE = {
    "export-file": "no data were exported",
    "import-lines": "the file that waits cannot be read, so it has no lines",
    "survey-media": "the survey plays nothing",
    "message-page": "the study's messages lead to no page",
    "message": "the study's messages lead to no page",
    "message-media": "the study's messages lead to no page",
    "survey-preview-media": "the survey plays nothing",
    "account_reset_password_from_key": "no password was asked for",
    "mfa_view_recovery_codes": "the codes of these accounts were never made",
    "mfa_download_recovery_codes": "the codes of these accounts were never made",
    "totp-picture": "no app is being set up",
    "sign-on-done": "the workspace has no single sign-on",
    "api-nowhere": "it is the answer to what is not there",
}
# Pages that ask for no role: of signing in, of participants, of machines; and those of services, which bring a token.
WITHOUT_A_ROLE = (
    "/staff/",
    "/s/",
    "/open/",
    "/m/",
    "/message/",
    "/stop/",
    "/survey/",
    "/link/",
    "/privacy/",
    "/health",
    "/ready",
    "/metrics",
    "/api/",
)


@pytest.fixture(scope="module")
def everybody(world):
    """A browser for each role, for whoever has none, for a participant, and for whoever is not signed in."""
    made = {role: world.desk(role).client for role in (*ROLES, "Nobody")}
    made["participant"] = Client(raise_request_exception=False, HTTP_ORIGIN="https://testserver")
    made["participant"].cookies = world.links["cookies"]
    made["stranger"] = Client(raise_request_exception=False, HTTP_ORIGIN="https://testserver")
    return made


def test_a_look_changes_nothing_whoever_looks_at_whatever(world, everybody, pages):
    named, before, shown = set(addresses(world).values()), everything_stored(), Counter()
    for who, client in everybody.items():
        for path in named | ({path for path in pages if " " not in path} if who == "lead" else set()):
            page = client.get(path, secure=True)
            shown[who] += page.status_code == 200
            _read(page)
            if who in ("lead", "participant", "stranger"):
                client.head(path, secure=True)
        assert _changed(before) == set(), who
    assert shown["lead"] > 80
    assert min(shown[who] for who in everybody) >= 3


def test_every_address_is_there_for_somebody_or_it_is_said_why_not(world, everybody, pages):
    met = {path.partition("?")[0] for path in pages}
    named = addresses(world)
    lost = {
        name
        for name, path in named.items()
        if path not in met
        and all(
            everybody[who].get(path, secure=True).status_code == 404
            for who in ("lead", "administrator", "participant")
        )
    }
    assert lost - {name for name in lost if _met_elsewhere(name, pages)} <= set(NOTHING_THERE)
    assert len(named) > 60


def test_a_form_without_its_token_or_from_elsewhere_is_refused_at_every_address(world):
    client, token = world.desk("lead").client, world.desk("lead").client.cookies["__Host-csrf"].value
    said = {"name": "swing", "reason": "x", "choice": "erase", "sure": "yes", "email": "somebody@example.org"}
    before = everything_stored()
    for path in addresses(world).values():
        for method in ACTING:
            page = client.generic(method, path, secure=True)
            assert page.status_code in (401, 403, 404, 405), (method, path)
        assert client.post(path, said, secure=True).status_code in (401, 403, 404, 405), path
        told = {"csrfmiddlewaretoken": token, **said}
        page = client.post(path, told, secure=True, HTTP_ORIGIN="https://evil.example")
        assert page.status_code in (401, 403, 404, 405), path
    assert _changed(before) == set()


class Broken(dict):
    """A table that cannot be read."""

    def __getitem__(self, verb):
        raise RuntimeError(f"canary {verb}")


@pytest.mark.parametrize("what", ["the table", "the roles"])
def test_a_check_that_fails_lets_nobody_see_or_do_anything(world, monkeypatch, what):
    if what == "the table":
        monkeypatch.setattr(permissions, "PERMISSIONS", Broken(permissions.PERMISSIONS))
    else:
        monkeypatch.setattr("equipoise.platform.staff.models.StaffMember.grants_in", _fails)
    desk, before, asked = world.desk("lead"), everything_stored(), 0
    for path in addresses(world).values():
        if path.startswith(WITHOUT_A_ROLE):
            continue
        for page in (desk.get(path), desk.post(path, name="swing", reason="x")):
            asked += page.status_code == 500
            assert page.status_code not in (200, 201, 202, 303, 422), path
            assert not planted_words(page.content.decode()), path
            assert b"canary" not in page.content, path
    assert asked > 50
    assert _changed(before) == set()


def test_no_table_is_left_out_that_is_not_there_and_none_that_holds_people(world):
    assert all("session" in table for table in NOTED)


def _read(page):
    if page.streaming:
        b"".join(page.streaming_content)


def _changed(before):
    after = everything_stored()
    return {table for table in after if after[table] != before[table]}


def _met_elsewhere(name, pages):
    return any(
        page.resolver_match and page.resolver_match.url_name == name
        for page in pages.values()
        if page.status_code < 400
    )


def _fails(*_):
    raise RuntimeError("canary roles")
