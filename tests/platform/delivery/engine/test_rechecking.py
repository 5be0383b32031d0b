"""What is looked at again when a message goes out: who left, answered or was sent enough, the hour, the clock."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.platform.conftest import BEFORE_LAUNCH
from tests.platform.delivery.engine.conftest import INVITE, WEEKLY, often, send, states

from equipoise.platform.database import writing
from equipoise.platform.delivery.engine.claims import next_due
from equipoise.platform.delivery.engine.pausing import pause
from equipoise.platform.delivery.models import CarrierPause, Dispatch, DispatchEvent
from equipoise.platform.delivery.receipts.addresses import close_address
from equipoise.platform.fieldwork.models import Session
from equipoise.platform.people.models import Consent, Participant
from equipoise.platform.registry.models import Study
from equipoise.platform.workspace import Carriers, Limits

pytestmark = pytest.mark.django_db


def after_composing(monkeypatch, do):
    """Something happens when the messages are written already, and not yet handed over."""
    from equipoise.platform.delivery.writing.composing import Composer

    compose = Composer.compose

    def composed(self, dispatches, **more):
        found = compose(self, dispatches, **more)
        do()
        return found

    monkeypatch.setattr(Composer, "compose", composed)


def settled():
    """State and reason of every dispatch."""
    return set(Dispatch.objects.values_list("state", "reason"))


def answered(people, wave="before", state="complete"):
    for number, person in enumerate(people):
        Session.objects.create(
            participant=person, study=person.study, wave=wave, code=f"code{number}", state=state,
            language="en-GB", version=1, wording="", order={}, started_at=BEFORE_LAUNCH,
        )  # fmt: skip


def declined(activity):
    """Everybody says no on the page of consents."""
    Consent.objects.bulk_create(
        Consent(participant=one, activity=activity, given=given, version="v", channel="web", at=BEFORE_LAUNCH)
        for one in Participant.objects.all()
        for given in (True, False)
    )


CHANGES = {
    "left": lambda: Participant.objects.update(state="withdrawn"),
    "stopped": lambda: Participant.objects.update(messages_stopped_at=BEFORE_LAUNCH),
    "not-consented": lambda: [declined(activity) for activity in ("messages", "survey")],
    "closed-address": lambda: [close_address(one, "email", "refused") for one in Participant.objects.all()],
}


@pytest.mark.parametrize("contact", [WEEKLY, "before.thank"])
@pytest.mark.parametrize("reason", CHANGES)
def test_whoever_changes_their_mind_after_a_message_was_written_is_not_sent_it(
    people, planned, mail, monkeypatch, reason, contact
):
    planned(people(2), contact)
    after_composing(monkeypatch, CHANGES[reason])

    assert send() == 0
    assert mail.taken == []
    assert settled() == {("cancelled", reason)}
    assert set(DispatchEvent.objects.values_list("kind", "code")) == {("cancelled", reason)}


@pytest.mark.parametrize("contact", [INVITE, "before.remind"])
def test_whoever_has_answered_after_it_was_written_gets_no_reminder(
    people, planned, mail, monkeypatch, contact
):
    some = people(2)
    planned(some, contact)
    after_composing(monkeypatch, lambda: answered(some[:1]))

    assert send() == 1
    assert settled() == {("cancelled", "answered"), ("sent", "")}


def test_whoever_has_only_begun_to_answer_is_reminded(people, planned, mail):
    some = people(1)
    answered(some, state="started")
    planned(some, "before.remind")

    assert send() == 1


def test_a_study_that_is_paused_meanwhile_sends_nothing_and_its_messages_wait(
    study, people, planned, mail, monkeypatch
):
    planned(people(2))
    with monkeypatch.context() as paused:
        after_composing(paused, lambda: Study.objects.update(state="paused"))
        assert send() == 0
    assert settled() == {("planned", "")}
    assert next_due("smtp") is None
    assert send() == 0

    Study.objects.update(state="live")
    assert send() == 2


def test_at_most_so_many_messages_go_to_one_person_in_a_week_and_the_next_waits_its_turn(
    people, planned, mail, at
):
    some = people(1)
    for occasion in range(1, 5):  # the cap is 3 a week
        planned(some, occasion=occasion, within=timedelta(days=8))
    assert send() == 3
    waiting = Dispatch.objects.get(state="planned")
    assert waiting.next_at == datetime(2021, 2, 11, 8, tzinfo=UTC)  # the next morning, after the quiet hours

    at(BEFORE_LAUNCH + timedelta(days=1))
    assert send() == 0
    at(BEFORE_LAUNCH + timedelta(days=7))
    assert send() == 1


def test_a_message_over_the_cap_that_cannot_wait_is_missed(people, planned, mail):
    some = people(1)
    for occasion in range(1, 5):
        planned(some, occasion=occasion, within=timedelta(hours=3))
    send()

    assert states() == {"sent": 3, "missed": 1}
    assert Dispatch.objects.get(state="missed").reason == "cap"


def test_when_the_clock_jumps_ahead_what_is_late_is_missed_and_nothing_floods(people, planned, mail, at):
    planned(people(3), within=timedelta(hours=24))
    planned(people(2), INVITE, within=timedelta(days=14))
    at(BEFORE_LAUNCH + timedelta(days=5))  # a Monday

    assert send() == 2
    assert settled() == {("missed", "late"), ("sent", "")}


def test_when_the_clock_goes_back_nothing_is_sent_again(people, planned, mail, at):
    rows = planned(people(3))
    send()
    at(BEFORE_LAUNCH - timedelta(hours=2))
    assert send() == 0
    at(BEFORE_LAUNCH + timedelta(hours=1))
    assert send() == 0
    assert often(mail) == {Dispatch.objects.get(pk=row.pk).reference: 1 for row in rows}


def test_after_an_outage_nothing_comes_in_the_night(people, planned, mail, at):
    planned(people(2))
    at(BEFORE_LAUNCH.replace(hour=22))
    assert send() == 0
    assert set(Dispatch.objects.values_list("state", "next_at")) == {
        ("planned", datetime(2021, 2, 11, 8, tzinfo=UTC))
    }
    at(datetime(2021, 2, 11, 8, tzinfo=UTC))
    assert send() == 2


def test_what_a_person_has_sent_at_night_goes_out(people, planned, mail, at):
    night = BEFORE_LAUNCH.replace(hour=22)
    at(night)
    planned(people(1), due=night)

    assert send() == 1


def test_a_carrier_that_asked_for_peace_is_left_in_it(people, planned, mail, at):
    planned(people(1))
    with writing():
        pause("smtp", 600, "busy")
        pause("smtp", 60, "shorter")
    assert CarrierPause.objects.get().reason == "busy"
    assert next_due("smtp") == BEFORE_LAUNCH + timedelta(minutes=10)
    assert send() == 0

    at(BEFORE_LAUNCH + timedelta(minutes=10))
    assert send() == 1


def test_a_limit_a_day_holds_over_all_workers(people, planned, mail, monkeypatch):
    from django.conf import settings

    from equipoise.platform.delivery.engine import claims

    said = Carriers(email="smtp", limits={"smtp": Limits(per_day=3)})
    changed = settings.WORKSPACE.settings.model_copy(update={"carriers": said, "mode": "live"})
    planned(people(5), due=datetime(2021, 2, 1, 12, tzinfo=UTC), within=timedelta(days=20 * 365))
    monkeypatch.setattr(settings.WORKSPACE, "settings", changed)

    held = claims.claim("smtp", 50).dispatches
    assert len(held) == 3
    assert not claims.claim("smtp", 50)  # they are about to be sent
    claims.release(held)
    assert len(claims.claim("smtp", 2).dispatches) == 2


def test_a_message_that_lacks_something_fails_for_that_person_alone(people, planned, mail):
    whole, without = people(1), people(1)
    without[0].contact.delete()
    planned(whole + without)

    assert send() == 1
    assert settled() == {("sent", ""), ("failed", "no-address")}


def test_stopping_ends_after_the_message_that_is_under_way_and_gives_back_the_rest(people, planned, mail):
    from equipoise.platform.delivery.engine.sending import send_due

    planned(people(5))
    asked = iter([False, False, False])
    assert send_due("smtp", stop=lambda: next(asked, True)) in (2, 3)
    assert set(states()) == {"sent", "planned"}


def test_a_channel_that_breaks_leaves_a_message_in_doubt_and_the_next_one_goes_out(
    people, planned, mail, monkeypatch
):
    from equipoise.platform.delivery.channels.smtp.channel import Smtp

    sending, broken = Smtp.send, iter([True])

    def breaks(self, message):
        if next(broken, False):
            raise ValueError("somebody@example.org")
        return sending(self, message)

    monkeypatch.setattr(Smtp, "send", breaks)
    planned(people(2))
    assert send() == 1
    assert settled() == {("unknown", "no-answer"), ("sent", "")}


def test_what_was_marked_with_one_after_which_the_carrier_rests_is_not_tried_and_waits(
    people, planned, mail, monkeypatch
):
    from equipoise.platform.delivery.channels.contract import Outcome
    from equipoise.platform.delivery.channels.smtp.channel import Smtp

    said = iter([Outcome("sent"), Outcome("later", "429", burnt=False, pause_seconds=60)])
    monkeypatch.setattr(Smtp, "send", lambda self, message: next(said))
    monkeypatch.setattr("equipoise.platform.delivery.engine.sending._next_size", lambda size, seconds: 3)
    planned(people(5))
    assert send() == 1

    assert states() == {"sent": 1, "planned": 4}
    assert set(Dispatch.objects.filter(state="planned").values_list("attempts", "sent_at")) == {(0, None)}
    assert DispatchEvent.objects.filter(code="not-tried").count() == 2
