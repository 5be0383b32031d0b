"""Asking, approving, refusing, taking back: who may, what is done, what the record says."""

import json

import pytest

from equipoise.errors import InputError
from equipoise.platform.approvals.actions import Rehearsal, ask, decide, expire_requests, take_back
from equipoise.platform.approvals.acts import ERASE, IDENTIFY, UNMASK
from equipoise.platform.approvals.models import ApprovalRequest
from equipoise.platform.approvals.queries import state_of, waiting_count, waiting_for
from equipoise.platform.audit.models import Chain
from equipoise.platform.audit.queries import chain_faults
from equipoise.platform.people.actions import withdraw
from equipoise.platform.people.models import ContactDetails, Participant
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.actions import move_results
from equipoise.platform.registry.models import Study
from equipoise.platform.staff.actions import CommandLine, Place, System, end_member, grant, revoke

pytestmark = pytest.mark.django_db
WHY = "The seal is published"


@pytest.fixture
def asked(sealed, cast):
    """Alice's request to unmask `swing`."""
    return ask(cast["Alice"], sealed, UNMASK, reason=WHY)


def results():
    return Study.objects.get(name="swing").results


def test_unmasking_is_done_as_soon_as_somebody_else_approves_and_both_are_in_the_record(asked, cast, entered):
    assert results() == "sealed"
    decided = decide(cast["Dora"], asked, "approve", "I have seen the seal")
    assert (decided.state, decided.decided_by, results()) == ("approved", cast["Dora"].actor, "unmasked")
    (done,), (approved,) = entered("results.unmask"), entered("approvals.approve")
    assert (done.actor, approved.actor) == (cast["Alice"].actor, cast["Dora"].actor)
    assert json.loads(done.details) == {"approved_by": cast["Dora"].actor, "reason": WHY}
    assert json.loads(approved.details) == {
        "act": UNMASK, "asked_by": cast["Alice"].actor, "comment": "I have seen the seal", "request": 1,
    }  # fmt: skip
    assert not list(chain_faults(Chain.objects.get(name="swing")))


def test_an_erasure_is_done_as_soon_as_somebody_else_approves_it(swing, people, cast, erasing, entered):
    request = ask(cast["Dora"], swing, ERASE, reason="Rang and asked", subject=erasing())
    assert Participant.objects.get(pk=people[0].pk).state == "enrolled"
    decide(cast["Alice"], request, "approve", "Dora noted the call")
    assert Participant.objects.get(pk=people[0].pk).state == "erased"
    assert not ContactDetails.objects.filter(participant=people[0]).exists()
    (done,) = entered("people.erase")
    assert done.actor == cast["Dora"].actor
    assert json.loads(done.details)["approved_by"] == cast["Alice"].actor


def test_what_is_refused_is_not_done_and_can_be_asked_for_again(asked, sealed, cast, entered):
    decide(cast["Erin"], asked, "refuse", "The seal is not published yet")
    assert results() == "sealed"
    assert "not published yet" in entered("approvals.refuse")[0].details
    assert ask(cast["Alice"], sealed, UNMASK, reason=WHY).number == 2


def test_neither_who_asked_nor_who_has_no_such_role_decides_and_no_program_does(asked, cast):
    for who in (*(cast[name] for name in ("Alice", "Bob", "Carol", "Frank")), CommandLine(), System()):
        with pytest.raises(NotAllowedError):
            decide(who, asked, "approve", "It is fine")
    assert (results(), state_of(ApprovalRequest.objects.get())) == ("sealed", "waiting")


def test_the_command_line_asks_and_does_not_decide_of_its_own(sealed, cast):
    request = ask(CommandLine(), sealed, UNMASK, reason=WHY)
    with pytest.raises(NotAllowedError, match="own request"):
        decide(CommandLine(), request, "approve", "It is fine")
    decide(cast["Dora"], request, "approve", "It is fine")
    assert results() == "unmasked"


def test_whoever_holds_a_masked_role_neither_unmasks_nor_decides_of_it_and_may_decide_of_the_rest(
    asked, swing, cast, people, erasing
):
    grant(CommandLine(), cast["Dora"], "analyst", Place(swing))
    with pytest.raises(NotAllowedError, match=r"approvals\.reveal"):
        decide(cast["Dora"], asked, "approve", "It is fine")
    grant(CommandLine(), cast["Alice"], "coder", Place(swing))
    with pytest.raises(InputError, match="may not do this any more"):
        decide(cast["Erin"], asked, "approve", "It is fine")
    revoke(CommandLine(), cast["Alice"], "coder", Place(swing))
    request = ask(cast["Alice"], swing, ERASE, reason="Rang and asked", subject=erasing())
    decide(cast["Dora"], request, "approve", "It is fine")
    assert results() == "sealed"


def test_what_somebody_asked_for_who_may_not_do_it_any_more_is_not_done(asked, swing, cast):
    grant(CommandLine(), cast["Bob"], "lead", Place(swing))  # a study keeps a lead
    revoke(CommandLine(), cast["Alice"], "lead", Place(swing))
    with pytest.raises(InputError, match="refuse the request"):
        decide(cast["Dora"], asked, "approve", "It is fine")
    grant(CommandLine(), cast["Alice"], "lead", Place(swing))
    end_member(CommandLine(), cast["Alice"])
    with pytest.raises(InputError, match="refuse the request"):
        decide(cast["Dora"], asked, "approve", "It is fine")
    assert (results(), state_of(ApprovalRequest.objects.get())) == ("sealed", "waiting")


def test_what_is_no_longer_possible_is_told_and_stays_undecided(swing, people, cast, erasing, entered):
    request = ask(cast["Alice"], swing, ERASE, reason="Rang and asked", subject=erasing())
    withdraw(people[0], "erase", channel="web", actor=f"participant:{people[0].key}")
    with pytest.raises(InputError, match="is erased already"):
        decide(cast["Dora"], request, "approve", "It is fine")
    assert state_of(ApprovalRequest.objects.get()) == "waiting"
    assert not entered("approvals.approve")


def test_an_act_that_fails_half_way_leaves_the_request_as_it_was(asked, cast, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no record, no act")

    monkeypatch.setattr("equipoise.platform.registry.actions.record", fail)
    with pytest.raises(RuntimeError):
        decide(cast["Dora"], asked, "approve", "It is fine")
    assert (results(), state_of(ApprovalRequest.objects.get())) == ("sealed", "waiting")


def test_nothing_is_asked_for_that_cannot_be_done(swing, people, cast, erasing):
    for act, subject, told in (
        (UNMASK, {}, "after masked comes sealed"),
        (ERASE, {"participant": "nobody", "channel": "paper"}, "no participant nobody"),
        (ERASE, erasing() | {"channel": "owl"}, "say how the participant asked"),
        (IDENTIFY, {"columns": ["emial"]}, 'Did you mean "email"'),
        (IDENTIFY, {"columns": ["region"]}, '"region" is not a contact detail'),
    ):
        with pytest.raises(InputError, match=told):
            ask(cast["Alice"], swing, act, reason="Because", subject=subject)
    assert not ApprovalRequest.objects.exists()


def test_a_request_needs_a_reason_and_a_decision_a_comment(sealed, people, cast, erasing):
    for act, subject in ((UNMASK, {}), (ERASE, erasing()), (IDENTIFY, {"columns": []})):
        with pytest.raises(InputError, match="reason: is empty"):
            ask(cast["Alice"], sealed, act, reason="  ", subject=subject)
        request = ask(cast["Alice"], sealed, act, reason="Because", subject=subject)
        with pytest.raises(InputError, match="is empty; say what you looked at"):
            decide(cast["Dora"], request, "approve", " ")
        with pytest.raises(InputError, match="choose whether"):
            decide(cast["Dora"], request, "perhaps", "Hm")


def test_nobody_asks_for_what_their_role_does_not_allow(sealed, cast):
    for name in ("Dora", "Erin", "Frank", "Carol", "Bob"):
        with pytest.raises(NotAllowedError, match=r"results\.unmask needs the role of lead"):
            ask(cast[name], sealed, UNMASK, reason=WHY)


def test_of_one_thing_one_request_waits(asked, sealed, people, cast, erasing):
    with pytest.raises(InputError, match="request 1 waits for a decision"):
        ask(CommandLine(), sealed, UNMASK, reason=WHY)
    ask(cast["Alice"], sealed, ERASE, reason="Rang", subject=erasing(0))
    ask(cast["Alice"], sealed, ERASE, reason="Rang", subject=erasing(1))
    with pytest.raises(InputError, match="request 2 waits"):
        ask(cast["Dora"], sealed, ERASE, reason="Wrote", subject=erasing(0))


def test_only_who_asked_takes_a_request_back(asked, cast, entered):
    with pytest.raises(NotAllowedError):
        take_back(cast["Dora"], asked)
    assert take_back(cast["Alice"], asked).state == "taken-back"
    assert len(entered("approvals.take-back")) == 1
    for closed in (
        lambda: take_back(cast["Alice"], asked),
        lambda: decide(cast["Dora"], asked, "approve", "x"),
    ):
        with pytest.raises(InputError, match="is taken back; nothing can be decided"):
            closed()


def test_a_request_expires_after_fourteen_days_and_can_be_made_again(asked, sealed, cast, later, entered):
    later(days=13, hours=23)
    assert expire_requests() == 0
    later(hours=2)
    assert (state_of(asked), waiting_count(sealed)) == ("expired", 0)
    with pytest.raises(InputError, match="is expired"):
        decide(cast["Dora"], asked, "approve", "It is fine")
    assert expire_requests() == 1
    assert expire_requests() == 0
    assert [each.actor for each in entered("approvals.expire")] == ["system"]
    assert ask(cast["Alice"], sealed, UNMASK, reason=WHY).number == 2


def test_an_expired_request_that_nobody_has_closed_does_not_stop_a_new_one(
    asked, sealed, cast, later, entered
):
    later(days=15)
    assert ask(cast["Alice"], sealed, UNMASK, reason=WHY).number == 2
    assert ApprovalRequest.objects.get(number=1).state == "expired"
    assert len(entered("approvals.expire")) == 1


def test_what_waits_is_counted_for_those_who_may_decide_it(asked, sealed, cast):
    told = {name: waiting_for(cast[name], [sealed])[sealed.pk] for name in cast}
    assert told == {"Alice": 0, "Bob": 0, "Carol": 0, "Dora": 1, "Erin": 1, "Frank": 0}


def test_the_platform_unmasks_nothing_for_one_person_whoever_calls(sealed, cast):
    for approved_by in ("", cast["Alice"].actor):
        with pytest.raises(InputError, match="takes two people"):
            move_results(cast["Alice"], sealed, "unmasked", reason=WHY, approved_by=approved_by)
    assert results() == "sealed"


def test_a_live_workspace_has_no_stand_in(settings, monkeypatch):
    assert Rehearsal().actor == "rehearsal"
    monkeypatch.setattr(type(settings.WORKSPACE), "live", property(lambda _: True))
    with pytest.raises(InputError, match="a second person approves"):
        Rehearsal()


def test_nobodys_details_are_in_the_record_of_requests(swing, people, cast, erasing, entered):
    decide(
        cast["Alice"],
        ask(cast["Dora"], swing, ERASE, reason="Rang and asked", subject=erasing()),
        "approve",
        "It is fine",
    )
    said = "".join(each.details for verb in ("ask", "approve") for each in entered(f"approvals.{verb}"))
    assert people[0].key in said
    for personal in ("person.0", "07700", "T20-0000", "Dora"):
        assert personal not in said
