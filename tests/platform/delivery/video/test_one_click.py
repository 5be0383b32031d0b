"""The button of a mail program: a post of its own that stops messages, at once, and nothing else."""

import pytest
from django.test import Client
from tests.platform.delivery.video.conftest import enrolled, stop_token
from tests.platform.fieldwork.conftest import Browser

from equipoise.platform.fieldwork.actions import leave_study
from equipoise.platform.people.models import Participant, Withdrawal

BODY = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def person(swing):
    return enrolled(swing)


@pytest.fixture
def place(person):
    return f"/stop/one-click/{stop_token(person)}"


def post(place, body=None):
    """As a mail program does: no cookie, no page before it, no word of where it comes from."""
    return Client(enforce_csrf_checks=True).post(place, body if body is not None else BODY, secure=True)


def test_one_post_stops_messages_and_every_further_one_is_answered_alike(person, place):
    first, second = post(place), post(place)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.content == second.content == b""
    assert not first.cookies
    person.refresh_from_db()
    assert person.messages_stopped_at is not None
    assert person.state == "enrolled"
    assert list(Withdrawal.objects.values_list("choice", "channel")) == [("messages", "web")]


def test_opening_the_address_stops_nothing_and_shows_the_choices(person, place):
    page = Browser().open(place)
    assert page.heading == "Your choices"
    assert Client().head(place, secure=True).status_code == 200
    assert Participant.objects.get().messages_stopped_at is None
    page.send({"choice": "messages"})
    assert Participant.objects.get().messages_stopped_at is not None


def test_another_post_or_another_token_does_nothing(place):
    assert post(place, {}).status_code == 403
    assert post(place, {"choice": "erase", "sure": "yes"}).status_code == 403
    assert post("/stop/one-click/abcdefghijklmnopqrstuvwxyz234567").status_code == 404
    assert Participant.objects.get().messages_stopped_at is None


def test_whoever_left_or_erased_before_is_answered_alike(person, place):
    leave_study(person, "everything", channel="web", actor=f"participant:{person.key}")
    assert post(place).status_code == 200
    leave_study(person, "erase", channel="web", actor=f"participant:{person.key}")
    assert post(place).status_code in (200, 404)
    assert Participant.objects.get().state == "erased"
