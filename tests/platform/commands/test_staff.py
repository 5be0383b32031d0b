"""`equipoise staff`: accounts, links, roles."""

import re
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import mail
from django.test import Client

from equipoise.platform.audit.models import Entry
from equipoise.platform.permissions import Grant
from equipoise.platform.staff.models import StaffMember
from equipoise.platform.workspace import Mail

pytestmark = pytest.mark.django_db
PASSWORD = "green kettle on the moor"  # noqa: S105
ERIN = ("erin@example.org", "--name", "Erin (synthetic)", "--role")


def browser():
    return Client(HTTP_ORIGIN="https://testserver")


def opened(client, link):
    path = urlsplit(link).path
    return client.get(path, follow=True, secure=True)


def set_password(link, password=PASSWORD):
    client = browser()
    page = opened(client, link)
    assert page.status_code == 200
    form = page.request["PATH_INFO"]
    return client.post(form, {"password1": password, "password2": password}, follow=True, secure=True)


def signs_in(email, password=PASSWORD):
    fields = {"login": email, "password": password}
    page = browser().post("/staff/sign-in", fields, follow=True, secure=True)
    return page.request["PATH_INFO"] != "/staff/sign-in"


def test_a_new_account_gets_a_link_by_which_its_owner_sets_a_password(run, at):
    done = run("staff", "add", *ERIN, "administrator", "--json")
    assert done.code == 0
    assert done.said["link"].startswith(settings.WORKSPACE.settings.origin + "/staff/password/set/")
    assert not signs_in("erin@example.org")
    assert b"Your password is set" in set_password(done.said["link"]).content
    assert signs_in("erin@example.org")


def test_the_link_works_once(run, at):
    link = run("staff", "add", *ERIN, "administrator", "--json").said["link"]
    set_password(link)
    page = opened(browser(), link)
    assert b"This link does not work" in page.content


def test_the_token_is_not_in_the_address_of_the_form(run, at):
    link = run("staff", "add", *ERIN, "administrator", "--json").said["link"]
    page = opened(browser(), link)
    token = link.rpartition("-")[2]
    assert token not in page.request["PATH_INFO"]
    assert token not in page.content.decode()


@pytest.mark.parametrize("password", ["short", "qwerty123456", "erin@example.org", "111111111111"])
def test_a_password_that_others_guess_is_refused_with_the_reason(run, at, password):
    link = run("staff", "add", *ERIN, "administrator", "--json").said["link"]
    page = set_password(link, password)
    assert b"govuk-error-summary" in page.content
    assert not signs_in("erin@example.org", password)


def test_the_account_and_its_role_are_in_the_record_without_name_or_address(run, add_example):
    study = add_example()
    run("staff", "add", *ERIN, "lead", "--study", "swing")
    member = StaffMember.objects.get(email="erin@example.org")
    assert member.grants_in(study) == {Grant("lead")}
    assert member.grants_in(None) == frozenset()
    written = list(Entry.objects.values_list("verb", "details"))
    assert {"staff.add", "staff.grant", "staff.link"} <= {verb for verb, _ in written}
    assert not [details for _, details in written if "erin" in details.lower()]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("erin@example", "--name", "E", "--role", "lead"), "this is not an e-mail address"),
        (("erin@example.org", "--name", " ", "--role", "lead"), "colleagues need to know who this is"),
        (("erin@example.org", "--name", "E", "--role", "leed"), 'Did you mean "lead"?'),
        (("erin@example.org", "--name", "E", "--role", "lead", "--study", "x"), "is not a study"),
        (("ALICE@example.org", "--name", "E", "--role", "lead"), "has an account already"),
    ],
)
def test_a_refusal_says_why_and_makes_nothing(run, members, words, told):
    before = StaffMember.objects.count()
    done = run("staff", "add", *words)
    assert done.code == 2
    assert told in done.err
    assert StaffMember.objects.count() == before


def test_roles_are_given_and_taken_and_listed(run, add_example, members):
    study = add_example()
    assert run("staff", "grant", "bob@example.org", "--role", "lead", "--study", "swing").code == 0
    assert members["Bob"].grants_in(study) == {Grant("lead")}
    listed = {each["email"]: each for each in run("staff", "list", "--json").said["staff"]}
    assert listed["bob@example.org"]["roles"] == ["lead of swing"]
    assert listed["carol@example.org"]["roles"] == ["administrator of the workspace"]
    assert run("staff", "revoke", "bob@example.org", "--role", "lead", "--study", "swing").code == 0
    assert members["Bob"].grants_in(study) == frozenset()
    assert "bob@example.org" in run("staff", "list").out


def test_no_study_is_left_without_a_lead_and_whoever_is_signed_out_is_told_of(run, add_example, members):
    add_example()
    for words in (
        ("revoke", "alice@example.org", "--role", "lead", "--study", "swing"),
        ("end", "alice@example.org"),
    ):
        done = run("staff", *words)
        assert done.code == 2
        assert "leads swing alone; give somebody else the role of lead there first" in done.err
    assert run("staff", "end", "carol@example.org").code == 2  # the only administrator
    assert run("staff", "grant", "bob@example.org", "--role", "lead", "--study", "swing").code == 0
    assert run("staff", "end", "alice@example.org").code == 0
    listed = {each["email"]: each for each in run("staff", "list", "--json").said["staff"]}
    assert listed["alice@example.org"]["roles"] == []
    browser().force_login(members["Bob"], backend="allauth.account.auth_backends.AuthenticationBackend")
    assert run("staff", "sign-out", "bob@example.org", "--json").said["sessions"] == 1
    assert not members["Bob"].sessions.exists()


def test_an_ended_account_gets_no_link_and_is_listed_as_ended(run, members):
    assert run("staff", "end", "bob@example.org").code == 0
    done = run("staff", "link", "bob@example.org")
    assert done.code == 2
    assert "has been ended" in done.err
    assert re.search(r"bob@example.org.*ended", run("staff", "list").out)


def test_whoever_has_lost_their_telephone_gets_a_link_and_sets_up_another_app(run, members):
    Authenticator.objects.create(user=members["Bob"], type=Authenticator.Type.TOTP, data={"secret": "x"})
    kept = run("staff", "link", "bob@example.org", "--json").said["link"]
    set_password(kept)
    assert Authenticator.objects.filter(user=members["Bob"]).exists()
    link = run("staff", "link", "bob@example.org", "--new-factor", "--json").said["link"]
    set_password(link)
    assert not Authenticator.objects.filter(user=members["Bob"]).exists()


def test_nobody_is_found_under_an_address_without_account(run, members):
    done = run("staff", "end", "nobody@example.org")
    assert done.code == 2
    assert "has no account here" in done.err


@pytest.fixture
def with_mail(monkeypatch):
    """The workspace can send mail; it goes to the tests' outbox."""
    sender = Mail(host="smtp.example.org", sender="study@example.org")
    told = settings.WORKSPACE.settings.model_copy(update={"mail": sender})
    monkeypatch.setattr(settings.WORKSPACE, "settings", told)
    return told.origin


def test_a_forgotten_password_is_reset_by_a_link_to_the_workspaces_own_address(members, with_mail):
    client = browser()
    page = client.post(
        "/staff/password/reset",
        {"email": "bob@example.org"},
        follow=True,
        secure=True,
        HTTP_X_FORWARDED_HOST="evil.example",
    )
    assert b"Look at your mail" in page.content
    assert [message.to for message in mail.outbox] == [["bob@example.org"]]
    assert "evil.example" not in mail.outbox[0].body
    link = re.search(r"http\S+", mail.outbox[0].body)[0]
    assert link.startswith(with_mail)
    assert b"Your password is set" in set_password(link).content


def test_a_reset_for_nobody_says_the_same_and_sends_nothing(members, with_mail):
    page = browser().post("/staff/password/reset", {"email": "nobody@example.org"}, follow=True, secure=True)
    assert b"Look at your mail" in page.content
    assert mail.outbox == []


def test_a_reset_keeps_the_second_factor(run, members):
    Authenticator.objects.create(user=members["Bob"], type=Authenticator.Type.TOTP, data={"secret": "x"})
    set_password(run("staff", "link", "bob@example.org", "--json").said["link"])
    fields = {"login": "bob@example.org", "password": PASSWORD}
    page = browser().post("/staff/sign-in", fields, follow=True, secure=True)
    assert page.request["PATH_INFO"] == "/staff/code"
