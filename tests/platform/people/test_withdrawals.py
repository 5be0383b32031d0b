"""Stopping messages, leaving, erasing: what each does, once, and what it leaves."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from equipoise.errors import InputError
from equipoise.platform.audit.models import Entry
from equipoise.platform.people.actions import (
    check_withdrawal,
    confirm_import,
    record_consents,
    resume_messages,
    undo_import,
    update_roster,
    withdraw,
)
from equipoise.platform.people.facts import facts_of
from equipoise.platform.people.models import (
    Allocation,
    Consent,
    ContactDetails,
    Lookup,
    Participant,
    RosterFacts,
    Withdrawal,
)
from equipoise.platform.people.queries import reconcile
from equipoise.platform.permissions import NotAllowedError

pytestmark = pytest.mark.django_db


def leave(person, choice, **said):
    withdraw(person, choice, **{"channel": "web", "actor": f"participant:{person.key}", **said})


def test_stopping_messages_leaves_everything_else_and_can_be_taken_back(people):
    leave(people[0], "messages")
    person = Participant.objects.get(pk=people[0].pk)
    assert person.state == "enrolled"
    assert person.messages_stopped_at is not None
    assert ContactDetails.objects.filter(participant=person).exists()
    resume_messages(people[0], channel="web", actor="participant:x")
    assert Participant.objects.get(pk=person.pk).messages_stopped_at is None


def test_leaving_deletes_contact_details_with_their_key_and_keeps_what_keeps_the_person_out(people):
    leave(people[0], "everything")
    assert Participant.objects.get(pk=people[0].pk).state == people[0].state == "withdrawn"
    assert not ContactDetails.objects.filter(participant=people[0]).exists()
    assert [each.column for each in Lookup.objects.filter(participant=people[0])] == ["staff_ref"]
    assert facts_of(people[0])["region"] == "north"


def test_erasing_leaves_a_tombstone_with_the_arm_and_nothing_that_was_said(swing, people, consent):
    record_consents(people[0], {"survey": True}, **consent)
    stage = swing.stages.get()
    Allocation.objects.create(
        stage=stage, participant=people[0], stratum="2020 | north", arm="control", at=people[0].enrolled_at
    )
    leave(people[0], "erase")
    person = Participant.objects.get(pk=people[0].pk)
    assert person.state == "erased"
    for model in (ContactDetails, RosterFacts, Consent):
        assert not model.objects.filter(participant=person).exists()
    assert [each.column for each in Lookup.objects.filter(participant=person)] == ["staff_ref"]
    assert Allocation.objects.get(participant=person).arm == "control"
    assert Withdrawal.objects.get(participant=person).choice == "erase"
    assert facts_of(person) == {"cohort": None, "region": None, "started_on": None}


@pytest.mark.parametrize("choice", Withdrawal.CHOICES)
def test_chosen_twice_it_is_done_once(people, choice):
    for _ in range(2):
        leave(people[0], choice)
    assert Withdrawal.objects.count() == 1
    assert Entry.objects.filter(verb__in=["people.withdraw", "people.erase"]).count() == 1


def test_whoever_left_can_still_have_everything_erased_and_never_comes_back(people):
    leave(people[0], "everything")
    leave(people[0], "messages")
    leave(people[0], "erase")
    leave(people[0], "everything")
    assert Participant.objects.get(pk=people[0].pk).state == "erased"
    assert [each.choice for each in Withdrawal.objects.order_by("pk")] == ["everything", "erase"]
    with pytest.raises(InputError, match="leaving cannot be undone"):
        resume_messages(people[0], channel="web", actor="participant:x")


def test_a_choice_that_there_is_not_is_refused(people):
    with pytest.raises(InputError, match=r'"evrything" is no choice.*Did you mean "everything"'):
        leave(people[0], "evrything")
    assert not Withdrawal.objects.exists()


def test_staff_need_the_permission_and_a_reason_which_is_kept(alice, members, people):
    with pytest.raises(NotAllowedError):
        check_withdrawal(members["Bob"], people[0], "erase", "asked on the telephone")
    with pytest.raises(InputError, match="say why"):
        check_withdrawal(alice, people[0], "erase", "  ")
    check_withdrawal(alice, people[0], "erase", "asked on the telephone")
    said = {"actor": alice.actor, "reason": "asked on the telephone", "channel": "telephone"}
    for alone in ({}, {"approved_by": alice.actor}):
        with pytest.raises(InputError, match="takes two people"):
            leave(people[0], "erase", **said, **alone)
    leave(people[0], "erase", **said, approved_by=members["Bob"].actor)
    entry = Entry.objects.get(verb="people.erase")
    assert entry.actor == alice.actor
    assert members["Bob"].actor in entry.details
    assert "asked on the telephone" in entry.details


def test_a_withdrawal_that_fails_half_way_has_not_happened(people, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no record, no act")

    monkeypatch.setattr("equipoise.platform.people.actions.withdrawals.record", fail)
    with pytest.raises(RuntimeError):
        leave(people[0], "erase")
    assert Participant.objects.get(pk=people[0].pk).state == "enrolled"
    assert ContactDetails.objects.filter(participant=people[0]).exists()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["import", "update", "whole", "undo", "messages", "everything", "erase"]),
        st.sets(st.integers(0, 11), min_size=1, max_size=8),
    ),
    max_size=9,
)


@given(steps=STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_everybody_is_accounted_for(swing, alice, roster, line, steps):
    from django.db import transaction

    with transaction.atomic():
        for number, (step, who) in enumerate(steps):
            _take(swing, alice, roster, line, step, who, number)
            counts = reconcile(swing)
            assert counts.adds_up, counts
            known = Lookup.objects.filter(study=swing, identifies=True).count()
            assert known == counts.imported == Participant.objects.filter(study=swing).count()
            assert counts.withdrawn + counts.erased <= known
            assert ContactDetails.objects.count() == counts.enrolled
            assert RosterFacts.objects.count() == counts.enrolled + counts.withdrawn
        transaction.set_rollback(True)


def _take(study, alice, roster, line, step, who, number):
    # The email tells the files apart: the same file twice would be recognised.
    file = roster(*(line(each, email=f"p{each}.{number}@example.org") for each in sorted(who)))
    try:
        if step == "import":
            confirm_import(alice, study, file)
        elif step in ("update", "whole"):
            update_roster(alice, study, file, whole=step == "whole")
        elif step == "undo":
            for imported in study.imports.filter(kind="import", undone_at=None)[:1]:
                undo_import(alice, imported)
        else:
            people = Participant.objects.filter(study=study).select_related("study").order_by("pk")
            for person in [each for at, each in enumerate(people) if at in who][:2]:
                leave(person, step)
    except InputError:
        pass  # nobody new, nothing new, or a choice that must not be lost: told, and nothing has changed


def test_counting_takes_as_many_statements_for_ten_as_for_four_hundred(
    swing, alice, imported, roster, line, queries
):
    with queries() as few:
        reconcile(swing)
    confirm_import(alice, swing, roster(*(line(number) for number in range(20, 420))))
    with queries() as many:
        assert reconcile(swing).enrolled == 410
    assert few.count == many.count == 5


def test_leavers_of_the_employer_and_stopped_messages_are_counted_among_those_enrolled(
    swing, alice, people, roster, line
):
    update_roster(alice, swing, roster(*(line(number) for number in range(8))), whole=True)
    leave(people[0], "messages")
    leave(people[9], "everything")
    counts = reconcile(swing)
    assert (counts.enrolled, counts.left, counts.messages_stopped, counts.withdrawn) == (9, 1, 1, 1)
