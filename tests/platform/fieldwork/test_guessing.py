"""Guessing links: every wrong one looks the same, many are slowed down, and nobody with a good one is."""

import secrets

import pytest
from tests.platform.fieldwork.conftest import Browser

from equipoise.platform.fieldwork.throttle import refused_tokens


@pytest.fixture(autouse=True)
def _nobody_has_guessed():
    refused_tokens.forget()
    yield
    refused_tokens.forget()


def test_whoever_tries_many_wrong_links_has_to_wait_and_valid_people_do_not(swing, link):
    address = link()
    statuses = [
        Browser().open(f"/{kind}/{secrets.token_hex(16)}").response.status_code
        for kind in ("s", "open", "stop")
        for _ in range(25)
    ]
    assert statuses.count(404) == 60
    assert statuses[-15:] == [429] * 15
    assert Browser().open(address).response.status_code == 200
    assert Browser().open(address).send().path.endswith("/taking-part")


def test_a_language_that_nobody_speaks_is_not_put_on_the_page(swing):
    page = Browser().open(f"/link/{swing.name}?lang=%22%3E%3Cscript%3E").html
    assert '<html lang="en-GB"' in page
    assert "script" not in page
