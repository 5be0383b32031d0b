"""Consents: a row an answer, the newest counts, and the protocol says what holds without one."""

import pytest

from equipoise.errors import InputError
from equipoise.platform.audit.models import Entry
from equipoise.platform.people.actions import record_consents, resume_messages, withdraw
from equipoise.platform.people.models import Consent
from equipoise.platform.people.queries import consents_of

pytestmark = pytest.mark.django_db


def test_without_an_answer_an_opt_out_holds_and_an_opt_in_does_not(people):
    assert consents_of(people[0]) == {
        "messages": True,
        "survey": False,
        "interview": False,
        "recording": False,
        "quotation": False,
    }


def test_what_needs_no_consent_holds_without_an_answer(add_example, alice):
    from pathlib import Path

    from equipoise.platform.people.actions import confirm_import

    rosters = Path(__file__).parents[3] / "examples" / "hhp2" / "dictation" / "rosters"
    study = add_example("dictation")
    person = (
        confirm_import(alice, study, rosters / "wexdale.csv")
        .participants.select_related("study")
        .earliest("pk")
    )
    assert consents_of(person)["messages"] is True
    assert consents_of(person)["linkage"] is False


def test_the_newest_answer_counts_and_all_are_kept(people, consent):
    record_consents(people[0], {"survey": True, "interview": True}, **consent)
    record_consents(people[0], {"interview": False}, **{**consent, "channel": "telephone"})
    assert consents_of(people[0])["survey"] is True
    assert consents_of(people[0])["interview"] is False
    rows = Consent.objects.filter(participant=people[0]).order_by("pk")
    assert [(row.activity, row.given, row.channel) for row in rows] == [
        ("survey", True, "web"),
        ("interview", True, "web"),
        ("interview", False, "telephone"),
    ]
    assert (rows[0].version, rows[0].notice, rows[0].language) == ("w1", "n1", "en-GB")


def test_the_same_answers_sent_again_add_nothing_and_a_newer_wording_does(people, consent):
    for _ in range(3):
        record_consents(people[0], {"survey": True}, **consent)
    assert Consent.objects.count() == Entry.objects.filter(verb="people.consent").count() == 1
    record_consents(people[0], {"survey": True}, **{**consent, "version": "w2"})
    assert Consent.objects.count() == 2


def test_an_activity_that_the_protocol_does_not_ask_for_is_refused_whole(people, consent):
    with pytest.raises(InputError, match=r'"interviw" is not asked for.*Did you mean "interview"'):
        record_consents(people[0], {"survey": True, "interviw": True}, **consent)
    assert not Consent.objects.exists()


@pytest.mark.parametrize("choice", ["everything", "erase"])
def test_with_somebody_who_has_left_nothing_may_be_done(people, consent, choice):
    record_consents(people[0], {"survey": True}, **consent)
    withdraw(people[0], choice, channel="web", actor="participant:x")
    assert not any(consents_of(people[0]).values())
    with pytest.raises(InputError, match="this participant has left the study"):
        record_consents(people[0], {"survey": True}, **consent)


def test_stopping_messages_stops_messages_and_nothing_else(people, consent):
    record_consents(people[0], {"survey": True}, **consent)
    withdraw(people[0], "messages", channel="web", actor="participant:x")
    assert (consents_of(people[0])["messages"], consents_of(people[0])["survey"]) == (False, True)
    resume_messages(people[0], channel="web", actor="participant:x")
    assert consents_of(people[0])["messages"] is True


def test_the_record_says_who_agreed_to_what_by_their_key_only(people, consent, everywhere):
    record_consents(people[0], {"survey": True}, **{**consent, "actor": f"participant:{people[0].key}"})
    entry = Entry.objects.get(verb="people.consent")
    assert entry.actor == f"participant:{people[0].key}"
    assert '"given":{"survey":true}' in entry.details
    assert "trainees.example.org" not in everywhere()
