"""Nobody is led to another host: by what an address says comes next, or by what a request says of its own host."""

import re
from urllib.parse import quote, urljoin, urlsplit

import pytest
from django.test import Client
from tests.platform.security.planted.addresses import addresses
from tests.platform.security.planted.forms import undone
from tests.platform.staff.conftest import PASSWORD

pytestmark = pytest.mark.django_db

ELSEWHERE = (
    *(
        "//evil.example",
        "https://evil.example/",
        "http:evil.example",
        "https:evil.example",
        "///evil.example",
    ),
    *(
        "/\\evil.example",
        "\\\\evil.example",
        "\\/evil.example",
        "http:///evil.example",
        "https:///evil.example",
    ),
    *(
        "javascript:alert(1)",
        "data:text/html,evil",
        "%2f%2fevil.example",
        "/%09/evil.example",
        "\t//evil.example",
    ),
    *("//testserver@evil.example", "https://testserver.evil.example", "https://testserver:pass@evil.example"),
    *(
        "//evil。example",
        "/\n/evil.example",
        "/ /evil.example",
        "https://evil.example\\@testserver",
        "////evil.example/%2e",
    ),
)
NAMES = ("next", "url", "return", "return_to", "redirect", "redirect_to", "continue", "back", "to")
OF_MACHINES = (
    "/health",
    "/health/messages",
    "/ready",
    "/metrics",
)  # they say the same to whatever name they are called by
FORGED = {
    "HTTP_X_FORWARDED_HOST": "evil.example",
    "HTTP_X_FORWARDED_SERVER": "evil.example",
    "HTTP_X_FORWARDED_PORT": "666",
    "HTTP_FORWARDED": "host=evil.example;proto=http",
    "HTTP_X_HOST": "evil.example",
    "HTTP_X_ORIGINAL_URL": "/evil",
    "HTTP_X_REWRITE_URL": "/evil",
}


def host(page, path):
    """The host to which a browser would go on from here, as browsers read addresses."""
    location = re.sub(r"[\t\r\n]", "", page.get("Location", "")).strip().replace("\\", "/")
    return urlsplit(urljoin(f"https://testserver{path}", location)).netloc


def test_no_address_leads_on_to_what_its_question_names(world):
    lead, stranger = world.desk("lead").client, Client(raise_request_exception=False)
    for path in addresses(world).values():
        for client, there in (
            (lead, ELSEWHERE[:8] if path.startswith("/staff/") else ELSEWHERE[:1]),
            (stranger, ELSEWHERE[:1]),
        ):
            for address in there:
                asked = "&".join(f"{name}={quote(address)}" for name in NAMES)
                assert host(client.get(f"{path}?{asked}", secure=True), path) == "testserver", (path, address)


def test_no_address_that_is_made_to_look_like_ours_is_gone_to_after_a_password(world):
    """Signing in itself is tried in the tests of staff; this is the other page that goes on to what it was told."""
    desk, led = world.desk("lead"), set()
    for address in (*ELSEWHERE[::3], "/office/"):
        with undone(desk):
            desk.get("/staff/again")
            page = desk.post("/staff/again", password=PASSWORD, next=address)
        assert host(page, "/staff/again") == "testserver", address
        led.add((page.status_code, page.get("Location")))
    assert (302, "/office/") in led


def test_what_a_request_says_of_its_host_is_refused_or_not_believed_at_every_address(world):
    client = world.desk("lead").client
    for path in addresses(world).values():
        wrong = client.get(path, secure=True, HTTP_HOST="evil.example")
        assert wrong.status_code == 400 or path in OF_MACHINES, path
        told = client.get(path, secure=True, **FORGED)
        for page in (wrong, told):
            assert host(page, path) == "testserver", path
            assert "evil" not in page.get("Location", ""), path
            assert page.streaming or b"evil.example" not in page.content, path
