"""What every answer tells a browser, of whatever page and status; and the cookie of a participant."""

import pytest
from django.test import Client
from django.urls import get_resolver

from equipoise.platform.api.addresses import ADDRESSES, OPEN

pytestmark = pytest.mark.django_db

PLACES = (
    "/s/no-such-link-as-this-one",
    "/none-such",
    "/health",
    "/ready",
    "/staff/sign-in",
    "/staff/password/reset",
    "/office/",
    "/office/studies/swing/",
    "/link/swing",
    "/privacy/swing",
    "/survey/none/",
)


def browser(**options):
    return Client(HTTP_ORIGIN="https://testserver", **options)


def check(page, path):
    """Nothing is kept, framed, run or told to others, whatever the page says."""
    policy = page["Content-Security-Policy"]
    assert "default-src 'none'" in policy, path
    assert "frame-ancestors 'none'" in policy, path
    assert "base-uri 'none'" in policy, path
    assert "form-action 'self'" in policy, path
    assert "unsafe" not in policy, path
    assert "http" not in policy, path
    assert page["X-Frame-Options"] == "DENY", path
    assert page["X-Content-Type-Options"] == "nosniff", path
    assert page["Referrer-Policy"] == "same-origin", path
    assert page["Cross-Origin-Opener-Policy"] == "same-origin", path
    assert "no-store" in page["Cache-Control"], path


def test_every_answer_has_the_same_protection_whatever_its_status(swing, link):
    seen = set()
    for path in (*PLACES, *link):
        page = browser().get(path, secure=True)
        check(page, path)
        seen.add(page.status_code)
    assert {200, 302, 403, 404} <= seen


def test_so_have_the_pages_of_a_fault_of_a_wrong_host_and_of_a_form_from_elsewhere(swing, link, monkeypatch):
    client = browser(raise_request_exception=False, enforce_csrf_checks=True)
    check(client.get("/staff/sign-in", secure=True, HTTP_HOST="evil.example"), "host")
    forged = client.post(link[1], {"choice": "everything"}, secure=True)
    assert forged.status_code == 403
    check(forged, "form")
    monkeypatch.setattr("equipoise.platform.fieldwork.views.landing.find_link", _fails)
    fault = client.get(link[0], secure=True)
    assert fault.status_code == 500
    assert b"canary" not in fault.content
    check(fault, "fault")


def _fails(text):
    raise RuntimeError(f"canary {text}")


def test_the_cookie_of_a_survey_is_secure_hidden_from_scripts_and_of_this_host_alone(link):
    client = browser()
    page = client.post(link[0], secure=True)
    cookie = client.cookies["__Host-survey"]
    assert page.status_code == 303
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
    assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert cookie["max-age"] == 12 * 3600


def test_the_token_is_in_no_address_after_the_button_and_on_no_page(link):
    token = link[0].rpartition("/")[2]
    client = browser()
    landing = client.get(link[0], secure=True)
    page = client.post(link[0], follow=True, secure=True)
    assert token not in landing.content.decode().replace(f'action="{link[0]}"', "")
    assert page.redirect_chain
    assert not any(token in address for address, _ in page.redirect_chain)
    assert token not in page.content.decode()


# Whoever takes a form without its token, and why no browser can be made to send it for somebody.
WITHOUT_TOKEN = {
    "stop-link unsubscribe": "the button of a mail program (RFC 8058): the link's own token is the key",
    "notify-receipt notify-text": "GOV.UK Notify: a bearer token of its own, which no browser adds; no cookie counts",
}


def test_only_the_views_that_are_listed_with_a_reason_take_forms_without_their_token():
    """The interface for programs takes none from a browser: it knows nobody by a cookie."""
    taking = {name for name, view in views() if getattr(view, "csrf_exempt", False)}
    assert taking - ADDRESSES.keys() - OPEN == {name for names in WITHOUT_TOKEN for name in names.split()}


def views(patterns=None):
    for each in get_resolver().url_patterns if patterns is None else patterns:
        if hasattr(each, "url_patterns"):
            yield from views(each.url_patterns)
        else:
            yield each.name, each.callback


@pytest.mark.parametrize("body", [{}, {"List-Unsubscribe": "Other"}, {"choice": "erase", "sure": "yes"}])
def test_that_view_does_nothing_else_without_a_token(link, body):
    page = Client(enforce_csrf_checks=True).post(link[1], body, secure=True)
    assert page.status_code == 403
