"""A reply of STOP stops, in whatever spelling, in each study that sent the text, and nobody else."""

from datetime import timedelta

import pytest

from equipoise.platform.audit.models import Entry
from equipoise.platform.delivery.models import InboundText
from equipoise.platform.delivery.receipts.replies import is_stop, take_reply
from equipoise.platform.people.models import Withdrawal


@pytest.mark.parametrize(
    "words",
    [
        *("STOP", "stop", " Stop. ", "stop please", "STOP!!", "'stop'", "\u200bStop", "ＳＴＯＰ", "Stop\nJo"),
        *("END", "quit", "Unsubscribe", "CANCEL", "StopAll", "ATAL", "Stopiwch", "stopio os gwelwch yn dda"),
    ],
)
def test_stop_is_understood_as_the_first_word_in_english_and_welsh(words):
    assert is_stop(words)


@pytest.mark.parametrize(
    "words",
    ["", "   ", "Thanks", "Please stop", "Stopped by today", "Ending soon", "👍", "non-stop", "12", "\u200b"],
)
def test_anything_else_stops_nothing(words):
    assert not is_stop(words)


@pytest.mark.django_db
@pytest.mark.parametrize("number", ["447700900123", "+447700900123", "07700 900123"])
def test_whoever_shares_the_number_and_was_sent_texts_stops_and_it_stands_in_the_record(sent, people, number):
    sent(people[0])
    sent(people[1])
    sent(people[2])
    assert take_reply("notify", "text-1", number, "Stop")
    stopped = [person.pk for person in people if _stopped(person)]
    assert stopped == [people[0].pk, people[1].pk]
    assert set(Withdrawal.objects.values_list("choice", "channel")) == {("messages", "sms")}
    entries = Entry.objects.filter(verb="people.withdraw")
    assert {entry.actor for entry in entries} == {f"participant:{person.key}" for person in people[:2]}


@pytest.mark.django_db
def test_a_number_that_no_study_sent_a_text_to_within_a_year_stops_nobody(sent, people):
    sent(people[0], ago=timedelta(days=366))
    take_reply("notify", "text-1", "447700900123", "STOP")
    take_reply("notify", "text-2", "447700900999", "STOP")
    take_reply("notify", "text-3", "not a number", "STOP")
    assert set(InboundText.objects.values_list("outcome", flat=True)) == {"unknown-number"}
    assert not any(map(_stopped, people))


@pytest.mark.django_db
def test_a_reply_that_is_told_again_does_not_stop_somebody_who_has_resumed(sent, people):
    from equipoise.platform.people.actions import resume_messages

    sent(people[0])
    assert take_reply("notify", "text-1", "447700900123", "STOP")
    resume_messages(people[0], channel="web", actor=f"participant:{people[0].key}")
    assert not take_reply("notify", "text-1", "447700900123", "STOP")
    assert not _stopped(people[0])


@pytest.mark.django_db
def test_a_reply_without_the_word_is_counted_and_nothing_of_it_kept(sent, people):
    sent(people[0])
    assert take_reply("notify", "text-1", "447700900123", "Thank you, lovely")
    row = InboundText.objects.values("carrier", "provider_id", "outcome").get()
    assert row == {"carrier": "notify", "provider_id": "text-1", "outcome": "no-keyword"}
    assert not _stopped(people[0])


def _stopped(person):
    person.refresh_from_db()
    return person.messages_stopped_at is not None
