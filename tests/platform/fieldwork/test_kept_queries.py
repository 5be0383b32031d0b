"""A kept query gives what the query itself gives, for every value, thread and connection."""

import threading

import pytest
from django.db import connections
from tests.platform.fieldwork.conftest import items
from tests.platform.fieldwork.test_answering_a_wave import agreed

from equipoise.platform.fieldwork.models import Link, Session
from equipoise.platform.fieldwork.sessions import PAGES_OF_SESSION, SESSION_BY_CODE, SESSION_OF_WAVE
from equipoise.platform.kept import KeptQuery


def fields(one):
    return {name: value for name, value in vars(one).items() if not name.startswith("_")}


@pytest.fixture
def session(swing, link, browser):
    agreed(browser, link()).send(items(swing, "wellbeing", "wellbeing"))
    return Session.objects.select_related("participant__study").get()


def test_an_object_comes_with_all_its_fields_and_those_it_is_joined_with(session):
    found = SESSION_BY_CODE.first(session.code)
    assert found == session
    assert fields(found) == fields(session)
    assert fields(found.participant) == fields(session.participant)
    assert fields(found.participant.study) == fields(session.participant.study)


def test_it_asks_once_and_nothing_more_when_what_is_joined_is_read(session, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert SESSION_BY_CODE.first(session.code).participant.study.name == "swing"


def test_another_value_gives_another_row_or_none(session):
    assert SESSION_OF_WAVE.first(session.participant_id, "before") == session
    assert SESSION_OF_WAVE.first(session.participant_id, "after") is None
    assert SESSION_BY_CODE.first("' OR 1=1 --") is None


def test_values_come_as_the_tuples_that_the_query_gives(session):
    asked = session.submissions.order_by("pk").values_list("page", "answers", "shown")
    assert PAGES_OF_SESSION.all(session.pk) == list(asked)


def test_a_literal_of_the_query_is_not_taken_for_a_value(session):
    only = KeptQuery(lambda wave: Session.objects.filter(wave=wave, state="started"), "wave")
    assert only.all("before") == [session]
    assert only.all("started") == []


@pytest.mark.django_db(transaction=True)
def test_each_thread_has_a_connection_of_its_own(swing, link):
    link()
    found = []

    def ask():
        found.append([one.wave for one in EVERY.all("before")])
        connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [["before"]] * 4


EVERY = KeptQuery(lambda wave: Link.objects.filter(wave=wave), "wave")
