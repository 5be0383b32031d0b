"""Single sign-on: whom a provider knows gets in where they have an account, and by no other way."""

import re
import time
from html import unescape

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialToken
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

from equipoise.errors import InputError
from equipoise.platform.audit.models import Entry
from equipoise.platform.operations.checks.sign_on import provider as doctors_look
from equipoise.platform.staff.actions import CommandLine, end_member, forget_factor
from equipoise.platform.staff.models import StaffMember
from equipoise.platform.startup import unsafe
from equipoise.platform.workspace import SignOn, StaffSignIn, open_workspace

from .conftest import Desk
from .providing import CLIENT, SECRET, Provider

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def running():
    """One provider for all tests of this file."""
    made = Provider()
    yield made
    made.close()


@pytest.fixture
def set_up(running, monkeypatch, tmp_path):
    """A function that names the provider in the workspace's settings."""
    running.forget()
    trusted = tmp_path / "authority.pem"
    running.authority.cert_pem.write_to_path(trusted)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    monkeypatch.setenv("OIDC_SECRET", SECRET)

    def name(**further):
        oidc = SignOn(
            name="Example College",
            server=running.origin,
            client_id=CLIENT,
            secret_from="OIDC_SECRET",  # noqa: S106 - the name of a variable
            **further,
        )
        told = settings.WORKSPACE.settings.model_copy(update={"sign_in": StaffSignIn(oidc=oidc)})
        monkeypatch.setattr(settings.WORKSPACE, "settings", told)
        return running

    return name


@pytest.fixture
def provider(set_up):
    """The provider, named; the second factor is ours."""
    return set_up()


def begin(desk, **fields):
    """From the page of signing in to the address at the provider."""
    desk.get("/staff/sign-in")
    desk.post("/staff/sign-on", **fields)
    return unescape(
        re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', desk.page.content.decode())[1]
    )


def sign_on(desk, provider, **fields):
    """All the way round; the page on which somebody ends up."""
    return desk.get(provider.sign_in(begin(desk, **fields)))


def test_whoever_is_known_signs_on_and_is_still_asked_for_our_second_factor(app, provider, alice):
    desk = Desk()
    sign_on(desk, provider, next="/office/add-study")
    assert desk.path == "/staff/code"
    assert desk.get("/office/").redirect_chain
    assert desk.path != "/office/"
    desk.enter_code(app.code())
    assert desk.page.status_code in (200, 403)
    assert desk.path == "/office/add-study"
    kept = SocialAccount.objects.get()
    assert (kept.user, kept.uid, kept.extra_data) == (alice, "person-1", {})
    assert not SocialToken.objects.exists()
    assert Entry.objects.filter(verb="staff.sign-on", actor=alice.actor).count() == 1
    alice.refresh_from_db()
    assert alice.has_usable_password()


def test_whoever_has_no_factor_yet_sets_one_up_before_anything_else(alice, provider):
    desk = Desk()
    sign_on(desk, provider)
    assert desk.path == "/staff/device"


def test_where_the_providers_factor_is_taken_ours_is_not_asked_on_that_way_alone(set_up, app, alice):
    provider = set_up(second_factor="provider")
    desk = Desk()
    sign_on(desk, provider)
    assert desk.path == "/office/"
    other = Desk()
    other.enter_password()
    assert other.path == "/staff/code"
    Authenticator.objects.all().delete()
    third = Desk()
    sign_on(third, provider)
    assert third.path == "/office/"
    fourth = Desk()
    fourth.enter_password()
    fourth.get("/office/")
    assert fourth.path == "/staff/device"


def test_whoever_has_no_password_is_told_so_and_signs_on_anew_before_a_factor(set_up, alice, monkeypatch):
    provider = set_up(second_factor="provider")
    alice.set_unusable_password()
    alice.save()
    desk = Desk()
    sign_on(desk, provider)
    desk.get("/staff/password")
    assert desk.path == "/staff/"
    assert "make a link by which you set one" in desk.text
    desk.get("/staff/device")
    assert desk.path == "/staff/device"
    later = time.time() + 301
    monkeypatch.setattr("equipoise.platform.staff.adapter.time.time", lambda: later)
    desk.get("/staff/device")
    assert desk.path == "/staff/sign-in"
    monkeypatch.undo()
    desk.get("/office/")
    assert desk.path == "/staff/sign-in"


def test_state_nonce_and_a_challenge_go_along_and_the_way_back_is_our_own_origin(alice, provider):
    first, second = Desk(), Desk()
    begun = [provider.sign_in(begin(desk)) and provider.asked for desk in (first, second)]
    for asked in begun:
        assert asked["response_type"] == "code"
        assert set(asked["scope"].split()) == {"openid", "email"}
        assert asked["code_challenge_method"] == "S256"
        assert asked["redirect_uri"] == f"{settings.WORKSPACE.settings.origin}/staff/sign-on/done"
    for name in ("state", "nonce", "code_challenge"):
        assert begun[0][name] != begun[1][name]
        assert len(begun[0][name]) >= 32


def test_the_address_may_change_at_the_provider_once_the_account_is_known(alice, provider):
    sign_on(Desk(), provider)
    provider.claims = {"email": "alice.new@example.org"}
    desk = Desk()
    sign_on(desk, provider)
    assert desk.path == "/staff/device"
    assert StaffMember.objects.get(pk=alice.pk).email == "alice@example.org"


def test_an_address_that_passes_to_somebody_else_opens_nothing(alice, provider):
    sign_on(Desk(), provider)
    provider.claims = {"sub": "person-2"}
    desk = Desk()
    assert sign_on(desk, provider).status_code == 403
    assert "belongs to somebody else" in desk.text
    desk.get("/office/")
    assert desk.path == "/staff/sign-in"
    forget_factor(CommandLine(), alice)
    sign_on(desk, provider)
    assert desk.path == "/staff/device"


UNCERTAIN = (
    ({"email": "nobody@example.org"}, "no account here"),
    ({"email_verified": False}, "verified"),
    ({"email_verified": None}, "verified"),
    ({"email_verified": "yes"}, "verified"),
    ({"email": None}, "verified"),
)


def test_whom_the_workspace_does_not_know_for_certain_is_turned_away(alice, provider):
    for claims, told in UNCERTAIN:
        provider.claims = claims
        desk = Desk()
        assert sign_on(desk, provider).status_code == 403, claims
        assert told in desk.text, claims
        desk.get("/office/")
        assert desk.path == "/staff/sign-in", claims
    assert not SocialAccount.objects.exists()
    assert StaffMember.objects.count() == 3


def test_an_ended_account_does_not_open_by_the_way_round_either(alice, provider):
    sign_on(Desk(), provider)
    end_member(CommandLine(), alice)
    desk = Desk()
    assert sign_on(desk, provider).status_code == 403
    desk.get("/office/")
    assert desk.path == "/staff/sign-in"
    StaffMember.objects.filter(pk=alice.pk).update(is_active=True)
    sign_on(Desk(), provider)
    StaffMember.objects.filter(pk=alice.pk).update(is_active=False)
    sign_on(desk, provider)
    assert desk.heading == "This account has been ended"


def test_the_address_is_asked_for_where_the_token_does_not_have_it_and_of_the_same_person(alice, provider):
    provider.claims = {"email": None, "email_verified": None}
    provider.about = {"email": "ALICE@example.org", "email_verified": True, "sub": "person-2"}
    desk = Desk()
    assert sign_on(desk, provider).status_code == 403
    provider.about["sub"] = "person-1"
    sign_on(desk, provider)
    assert desk.path == "/staff/device"


OTHER_KEY = rsa.generate_private_key(65537, 2048)
LIES = {
    "another nonce": {"claims": {"nonce": "of another attempt"}},
    "no nonce": {"claims": {"nonce": None}},
    "another audience": {"claims": {"aud": "another-client"}},
    "another client of several": {"claims": {"aud": [CLIENT, "another"], "azp": "another"}},
    "another issuer": {"claims": {"iss": "https://evil.example"}},
    "run out": {"claims": {"exp": 1_600_000_000}},
    "no end": {"claims": {"exp": None}},
    "no subject": {"claims": {"sub": None}},
    "another key": {"signing": OTHER_KEY},
    "no signature": {"signing": None, "algorithm": "none"},
    "signed by what is public": {"signing": b"SECRET", "algorithm": "HS256"},
    "another provider": {"configuration": {"issuer": "https://evil.example"}},
    "keys without TLS": {"configuration": {"jwks_uri": "http://localhost/keys"}},
    "no keys": {"configuration": {"jwks_uri": "https://localhost:1/keys"}},
}


def test_a_token_that_was_not_made_for_this_attempt_opens_nothing(alice, provider):
    for lie, told in LIES.items():
        provider.forget()
        desk = Desk()
        address = begin(desk)
        for name, value in told.items():
            setattr(provider, name, provider.public_text if value == b"SECRET" else value)
        page = desk.get(provider.sign_in(address))
        assert page.status_code == 403, lie
        assert "did not work" in desk.text, lie
        assert "evil" not in desk.text, lie
        desk.get("/office/")
        assert desk.path == "/staff/sign-in", lie
    assert not SocialAccount.objects.exists()


def test_what_was_begun_in_another_browser_or_has_come_back_already_opens_nothing(alice, provider):
    desk, other = Desk(), Desk("10.0.0.2")
    back = provider.sign_in(begin(desk))
    assert other.get(back).status_code == 403
    desk.get(back)
    assert desk.path == "/staff/device"
    provider.codes["code-0"] = dict(provider.asked)
    assert desk.get(back).status_code == 403
    for path in ("", "?error=access_denied", "?code=code-0&state=guessed"):
        assert Desk().get(f"/staff/sign-on/done{path}").status_code == 403


def test_a_provider_that_cannot_show_who_it_is_is_not_believed(alice, provider, monkeypatch, log_lines):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    desk = Desk()
    desk.get("/staff/sign-in")
    page = desk.post("/staff/sign-on")
    assert page.status_code == 403
    assert "did not work" in desk.text
    assert "a single sign-on was refused: failed (SSLError)" in log_lines()


def test_nobody_is_named_in_the_log(alice, provider, log_lines):
    for claims in ({"email": "nobody@example.org"}, {"email_verified": False}, {"nonce": "x"}, {}):
        provider.claims = claims
        sign_on(Desk(), provider)
    assert "refused: unknown" in log_lines()
    assert "@example.org" not in log_lines()
    assert "person-1" not in log_lines()


def test_the_button_is_there_only_where_a_provider_is_named(alice, set_up):
    desk = Desk()
    desk.get("/staff/sign-in")
    assert "Example College" not in desk.text
    assert desk.post("/staff/sign-on").status_code == 404
    assert desk.get("/staff/sign-on/done?code=x&state=y").status_code == 404
    set_up()
    desk.get("/staff/sign-in")
    assert "Sign in with Example College" in desk.text


def test_the_way_out_is_a_form_with_its_token_and_the_policy_of_the_page_stays_closed(alice, provider):
    desk = Desk()
    assert desk.get("/staff/sign-on").status_code == 405
    desk.get("/staff/sign-in")
    desk.client.cookies.pop("__Host-csrf")
    assert desk.post("/staff/sign-on").status_code == 403
    begin(desk)
    assert "form-action 'self'" in desk.page["Content-Security-Policy"]
    assert provider.origin not in desk.page["Content-Security-Policy"]


def test_coming_back_leads_to_no_other_site(set_up, alice):
    provider = set_up(second_factor="provider")
    for elsewhere in ("//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"):
        desk = Desk()
        page = desk.get(provider.sign_in(begin(desk, next=elsewhere)), follow=False)
        assert (page.status_code, page["Location"]) == (302, "/office/"), elsewhere


def test_the_doctor_asks_the_provider_and_says_where_it_must_send_people_back(provider, monkeypatch):
    def told():
        return [str(finding) for finding in doctors_look(settings.WORKSPACE)]

    assert "good" in told()[0]
    assert "http://localhost:8000/staff/sign-on/done" in told()[0]
    provider.configuration = {"issuer": "https://evil.example"}
    assert "another one than the settings name" in told()[0]
    assert "evil" not in told()[0]
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    assert "cannot be asked (SSLError)" in told()[0]


SETTINGS = """\
equipoise: 1
sign-in:
  oidc: {name: Example, server: SERVER, client-id: study, secret-from: OIDC_SECRET}
"""


def test_settings_without_their_secret_are_refused_at_the_start_by_name(tmp_path, monkeypatch):
    (tmp_path / "workspace.yaml").write_text(SETTINGS.replace("SERVER", "https://login.example.org"), "utf-8")
    workspace = open_workspace(tmp_path)
    assert workspace.settings.sign_in.oidc.second_factor == "ours"
    monkeypatch.delenv("OIDC_SECRET", raising=False)
    found = unsafe(workspace, "127.0.0.1:8000", tls=False)
    assert "OIDC_SECRET is not set" in next(str(one) for one in found if "sign-in" in one.where)
    (tmp_path / "workspace.yaml").write_text(SETTINGS.replace("SERVER", "http://login.example.org"), "utf-8")
    with pytest.raises(InputError, match=r"workspace\.yaml:3"):
        open_workspace(tmp_path)
