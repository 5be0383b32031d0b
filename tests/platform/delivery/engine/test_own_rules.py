"""What goes out keeps to the clock of whoever gets it, and only in a form that a person has confirmed."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.platform.delivery.engine.conftest import INVITE, WEEKLY, by_mail, send
from tests.platform.delivery.engine.test_rechecking import after_composing, settled

from equipoise.platform.delivery.channels.contract import Outcome
from equipoise.platform.delivery.engine.claims import claim
from equipoise.platform.delivery.engine.rules import _rules
from equipoise.platform.delivery.engine.settling import settle
from equipoise.platform.delivery.models import ConfirmedContact, Dispatch
from equipoise.platform.people.models import RosterFacts
from equipoise.platform.registry.models import Study

pytestmark = pytest.mark.django_db
HOME, ABROAD = "Europe/London", "America/New_York"


def zoned(folder):
    """By mail, with a column of time zones."""
    by_mail(folder)
    protocol = folder / "protocol.yaml"
    text = protocol.read_text("utf-8").replace("  cap: 3 per week\n", "  cap: 3 per week\n  zone: place\n")
    before = "    started_on: {type"
    text = text.replace(before, "    place: {type: text, required: false}\n" + before)
    protocol.write_text(text, "utf-8")


everywhere = pytest.mark.parametrize("study", [zoned], indirect=True)


@pytest.fixture
def living(people):
    """A function that enrols somebody in a time zone."""

    def enrol(place):
        (person,) = people(1)
        RosterFacts.objects.filter(participant=person).update(values={"cohort": "2021", "place": place})
        return person

    return enrol


@everywhere
def test_what_is_late_goes_out_by_the_clock_of_whoever_gets_it(living, planned, mail, at):
    home, abroad = living(HOME), living(ABROAD)
    planned([home, abroad], due=datetime(2021, 2, 10, 15, tzinfo=UTC))  # ten in the morning in New York
    at(datetime(2021, 2, 10, 22, tzinfo=UTC))  # five in the afternoon in New York

    assert send() == 1
    assert Dispatch.objects.get(participant=abroad).state == "sent"
    assert Dispatch.objects.get(participant=home).next_at == datetime(2021, 2, 11, 8, tzinfo=UTC)

    at(datetime(2021, 2, 11, 8, tzinfo=UTC))  # three in the night in New York
    Dispatch.objects.filter(participant=abroad).update(state="planned", sent_at=None)
    assert send() == 1
    assert Dispatch.objects.get(participant=abroad).next_at == datetime(2021, 2, 11, 13, tzinfo=UTC)


@everywhere
def test_what_is_tried_again_keeps_to_the_quiet_hours_of_whoever_gets_it(living, planned, at):
    evening = datetime(2021, 2, 10, 19, 59, 55, tzinfo=UTC)
    at(evening)
    planned([living(HOME), living(ABROAD)])
    for held in claim("smtp", 2).dispatches:
        Dispatch.objects.filter(pk=held.pk).update(state="sending", sent_at=evening)
        settle(held.pk, held.fence, Outcome("later", "busy"))

    home, abroad = Dispatch.objects.order_by("participant").values_list("next_at", flat=True)
    assert home == datetime(2021, 2, 11, 8, tzinfo=UTC)
    assert abroad - evening < timedelta(minutes=5)


@everywhere
def test_what_is_over_the_cap_waits_for_the_next_morning_of_whoever_gets_it(living, planned, mail):
    people = [living(HOME), living(ABROAD)]
    for occasion in range(1, 5):
        planned(people, occasion=occasion, within=timedelta(days=8))

    assert send() == 6
    waiting = Dispatch.objects.filter(state="planned").order_by("participant").values_list("next_at")
    assert [moment.hour for (moment,) in waiting] == [8, 13]


def test_what_nobody_has_confirmed_does_not_go_out_though_it_is_planned(people, planned, mail):
    planned(people(2))
    planned(people(1), INVITE)
    ConfirmedContact.objects.filter(contact=WEEKLY).update(digest="0" * 64)

    assert send() == 1
    assert settled() == {("cancelled", "withdrawn-send"), ("sent", "")}


def test_what_was_confirmed_before_data_collection_ended_does_not_go_out(
    people, planned, mail, monkeypatch, study
):
    planned(people(1))
    ended = ConfirmedContact.objects.get(contact=WEEKLY).at + timedelta(seconds=1)
    monkeypatch.setattr("equipoise.platform.delivery.engine.rules.stopped_at", lambda study: ended)
    _rules.cache_clear()

    assert send() == 0
    assert settled() == {("cancelled", "withdrawn-send")}


def test_what_was_written_before_an_amendment_waits_to_be_written_anew(
    people, planned, mail, monkeypatch, study
):
    planned(people(1))
    with monkeypatch.context() as amended:
        after_composing(amended, lambda: Study.objects.update(version=2))
        claimed = iter([claim("smtp", 1)])
        amended.setattr("equipoise.platform.delivery.engine.sending.claim", lambda *_: next(claimed, None))
        assert send() == 0

    assert mail.taken == []
    assert settled() == {("planned", "")}
    Study.objects.update(version=1)
    assert send() == 1
