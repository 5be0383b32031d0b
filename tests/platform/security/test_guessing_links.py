"""Guessing: whatever is wrong about a link looks the same, costs the database the same, and is soon slowed down.

That the time of an answer tells nothing either is measured by `bench/guessing.py`, with ten thousand of them.
"""

import secrets

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from tests.platform.fieldwork.conftest import ORIGIN, enrolled

from equipoise.platform.crypto import token
from equipoise.platform.fieldwork.actions import leave_study
from equipoise.platform.fieldwork.links import make_links
from equipoise.platform.fieldwork.models import Session
from equipoise.platform.fieldwork.throttle import refused_tokens
from equipoise.platform.fieldwork.views.landing import personal_link
from equipoise.platform.staff.actions import CommandLine

pytestmark = pytest.mark.django_db
TRIES, LET_THROUGH = 2_000, 60


def told(page):
    """All that a guesser is told: the status, the headers and the page."""
    return page.status_code, sorted(page.headers.items()), page.content


def wrong(link):
    """Links that are not there, each in a way of its own."""
    real = link[0].rpartition("/")[2]
    other = "a" if real[-1] != "a" else "b"
    return {
        "never was": f"/s/{token()}",
        "one letter off": f"/s/{real[:-1]}{other}",
        "the hash of one": f"/s/{'0' * 64}",
        "of the stop link": link[1].replace("/stop/", "/s/"),
        "as an open link": f"/open/{real}",
        "to stop": f"/stop/{secrets.token_hex(20)}",
        "to a message": f"/m/{token()}",
        "to stop by one click": f"/stop/one-click/{token()}",
        "a survey's, to a message": f"/m/{real}",
        "empty of sense": "/s/' OR 1=1--",
        "very long": f"/s/{'a' * 4000}",
    }


def test_whatever_is_wrong_about_a_link_is_answered_the_same_and_asked_of_the_database_the_same_way(link):
    answers, asked = {}, {}
    for name, path in wrong(link).items():
        with CaptureQueriesContext(connection) as queries:
            answers[name] = told(Client().get(path, secure=True))
        asked[name] = len(queries)
    assert {name for name, answer in answers.items() if answer != answers["never was"]} == set()
    assert set(asked.values()) == {1}


def test_a_link_of_whoever_was_erased_tells_no_more_than_that_it_was_one(swing):
    one, other = enrolled(swing, 2)
    gone, left = (make_links(CommandLine(), swing, "before", [person])[0].link for person in (one, other))
    leave_study(one, "erase", channel="web", actor=f"participant:{one.key}")
    leave_study(other, "everything", channel="web", actor=f"participant:{other.key}")
    pages = [Client().get(link.removeprefix(ORIGIN), secure=True) for link in (gone, left)]
    assert {page.status_code for page in pages} <= {404, 410}
    assert pages[0].content == pages[1].content or pages[0].status_code == 404


def test_thousands_of_tries_find_nothing_and_all_but_the_first_have_to_wait(link):
    refused_tokens.forget()
    ask, statuses = RequestFactory(), []
    for _ in range(TRIES):
        guess = token()
        statuses.append(personal_link(ask.get(f"/s/{guess}"), guess).status_code)
    assert statuses == [404] * LET_THROUGH + [429] * (TRIES - LET_THROUGH)
    assert Client().get(link[0], secure=True).status_code == 200


def test_the_address_of_a_session_without_its_cookie_looks_like_one_that_never_was(link):
    client = Client()
    client.post(link[0], secure=True)
    code = Session.objects.get().code
    for place in ("", "taking-part", "page/wellbeing", "thanks", "choices", "media/x"):
        there = Client().get(f"/survey/{code}/{place}", secure=True)
        nowhere = Client().get(f"/survey/{'a' * 10}/{place}", secure=True)
        assert told(there) == told(nowhere), place
        assert there.status_code in (403, 404), place


def test_who_asks_for_a_link_again_is_told_the_same_whether_or_not_the_address_takes_part(
    swing, alice, tmp_path
):
    from equipoise.platform.people.actions import confirm_import

    roster = tmp_path / "cohort-2020.csv"
    person = "T20-0001,person.1@trainees.example.org,07700 900001,north,2020-07-13\n"
    roster.write_text(f"Trainee ID,Email,Mobile,Region,Start date\n{person}", "utf-8")
    confirm_import(alice, swing, roster)
    pages = [
        Client().post("/link/swing", {"email": address}, secure=True)
        for address in ("person.1@trainees.example.org", "nobody@trainees.example.org")
    ]
    assert told(pages[0]) == told(pages[1])
