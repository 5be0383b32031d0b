"""What people do about messages: send now, try again, settle what nobody knows."""

from datetime import timedelta

import pytest

from equipoise.errors import InputError
from equipoise.platform.audit.models import Entry
from equipoise.platform.clock import now
from equipoise.platform.delivery.actions import retry, send_now, settle_unknown
from equipoise.platform.delivery.models import Dispatch, DispatchEvent
from equipoise.platform.people.actions import confirm_import
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.actions import move_study
from equipoise.platform.staff.actions import CommandLine, Place, grant
from equipoise.platform.workspace import Carriers

pytestmark = pytest.mark.django_db


def states(**wanted):
    return sorted(Dispatch.objects.filter(**wanted).values_list("state", flat=True))


def test_what_waits_for_its_time_goes_at_once_and_nothing_else_is_touched(swing, alice, people, dispatches):
    dispatches(people[:5], since=-timedelta(days=2))
    dispatches(people[5:8], since=timedelta(hours=1), state="sent")
    dispatches(people[8:10], occasion=2, since=-timedelta(days=9))
    assert send_now(alice, swing, "weekly-message", 1) == 5
    due = Dispatch.objects.filter(state="planned", next_at__lte=now())
    assert {each.occasion for each in due} == {1}
    assert due.count() == 5
    assert states(occasion=1) == ["planned"] * 5 + ["sent"] * 3
    assert Entry.objects.latest("pk").verb == "messages.send"


def test_what_was_missed_can_still_be_sent_for_a_day(swing, alice, people, dispatches):
    dispatches(people[:3], since=timedelta(days=9), state="missed", reason="late")
    dispatches(people[3:4], since=timedelta(days=9), state="missed", reason="left")
    assert send_now(alice, swing, "weekly-message", 1) == 3
    again = Dispatch.objects.filter(state="planned")
    assert {(each.reason, each.last_at) for each in again} == {("", now() + timedelta(days=1))}
    assert DispatchEvent.objects.filter(kind="later", code="by-person", source="person").count() == 3


def test_where_nothing_waits_the_refusal_says_so(swing, alice, people, dispatches):
    dispatches(people[:3], state="sent")
    with pytest.raises(InputError, match="nothing of occasion 1 waits to be sent"):
        send_now(alice, swing, "weekly-message", 1)


def test_what_is_planned_only_in_weeks_can_go_out_at_once_once_somebody_let_it_go(
    swing, alice, roster, settings, monkeypatch
):
    carriers = Carriers(email="smtp", sms="notify")
    changed = settings.WORKSPACE.settings.model_copy(update={"carriers": carriers})
    monkeypatch.setattr(settings.WORKSPACE, "settings", changed)
    confirm_import(alice, swing, roster(12))
    with pytest.raises(InputError, match="nothing of occasion 1 waits"):
        send_now(alice, swing, "weekly-message", 1)  # whose arms are not drawn
    assert send_now(alice, swing, "after.invite", 1) == 12
    due = Dispatch.objects.get(participant=swing.participants.first())
    assert (due.next_at, due.carrier) == (now(), "smtp")
    assert due.due_at > now() + timedelta(days=60)
    with pytest.raises(InputError, match="nothing of occasion 1 waits"):
        send_now(alice, swing, "after.invite", 1)


def test_a_paused_study_sends_nothing_now(swing, alice, people, dispatches):
    dispatches(people[:3], since=-timedelta(days=1))
    paused = move_study(alice, swing, "paused", reason="An error in a text")
    with pytest.raises(InputError, match="is paused"):
        send_now(alice, paused, "weekly-message", 1)


def test_what_failed_for_a_reason_that_can_pass_is_tried_again(swing, alice, people, dispatches):
    dispatches(people[:2], state="failed", reason="field-missing", attempts=3)
    dispatches(people[2:3], state="failed", reason="no-answer", attempts=8)
    dispatches(people[3:4], state="failed", reason="data-collection-ended")
    assert retry(alice, swing, "weekly-message", 1) == 3
    assert set(Dispatch.objects.filter(state="planned").values_list("attempts", "reason")) == {(0, "")}
    with pytest.raises(InputError, match="failed for a reason that can pass"):
        retry(alice, swing, "weekly-message", 1)


def test_somebody_says_that_a_message_went_out_and_it_counts_from_when_it_was_tried(
    swing, alice, people, dispatches
):
    (one,) = dispatches(people[:1], state="unknown", reason="no-answer", since=timedelta(hours=3))
    tried = now() - timedelta(hours=2)
    DispatchEvent.objects.create(dispatch=one, kind="sending", source="worker", at=tried)
    settle_unknown(alice, one, True, reason="The provider has it in its list")
    one.refresh_from_db()
    assert (one.state, one.reason, one.sent_at) == ("sent", "by-person", tried)
    assert [each.kind for each in one.events.order_by("pk")] == ["sending", "sent"]
    with pytest.raises(InputError, match="settled meanwhile"):
        settle_unknown(alice, one, False, reason="Changed my mind")


def test_what_did_not_go_out_is_sent_again_unless_its_time_is_over(swing, alice, people, dispatches):
    (early,) = dispatches(people[:1], state="unknown", since=timedelta(hours=3))
    (late,) = dispatches(people[1:2], state="unknown", since=timedelta(days=8))
    for one in (early, late):
        settle_unknown(alice, one, False, reason="The provider never had it")
        one.refresh_from_db()
    assert (early.state, early.next_at) == ("planned", now())
    assert (late.state, late.reason) == ("missed", "late")


def test_settling_needs_a_reason_and_every_act_its_role(swing, alice, members, people, dispatches):
    (one,) = dispatches(people[:1], state="unknown")
    with pytest.raises(InputError, match="say how you know"):
        settle_unknown(alice, one, True, reason=" ")
    grant(CommandLine(), members["Bob"], "auditor", Place(swing))
    for act in (
        lambda who: send_now(who, swing, "weekly-message", 1),
        lambda who: retry(who, swing, "weekly-message", 1),
        lambda who: settle_unknown(who, one, True, reason="I know"),
    ):
        with pytest.raises(NotAllowedError):
            act(members["Bob"])
    assert states() == ["unknown"]


def test_no_entry_of_the_record_names_a_person(swing, alice, people, dispatches):
    (one,) = dispatches(people[:1], state="unknown")
    settle_unknown(alice, one, True, reason="It is in the list")
    details = Entry.objects.latest("pk").details
    assert people[0].key not in details
    assert "It is in the list" in details
