"""What goes out was confirmed in the form that it has, and what an amendment changes waits for a person."""

import json
from dataclasses import replace

import pytest

from equipoise.errors import InputError
from equipoise.platform.audit.models import Entry
from equipoise.platform.clock import now
from equipoise.platform.delivery.models import ConfirmedContact, Dispatch
from equipoise.platform.delivery.planning import confirming
from equipoise.platform.delivery.planning import planner as planning
from equipoise.platform.delivery.planning.confirming import confirm, confirmed, unconfirmed
from equipoise.platform.delivery.planning.planner import plan_due
from equipoise.platform.delivery.planning.sweeping import sweep
from equipoise.platform.registry.actions import move_study
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, wave_times
from equipoise.platform.registry.readiness import readiness

pytestmark = pytest.mark.django_db
WEEKLY = "weekly-message"
EXTRA = """\
contacts:
  goodbye:
    to: all
    channel: email
    template: messages/thank.md
    from: launch + 3 weeks
"""


def entries(study, verb):
    found = Entry.objects.filter(chain_id=study.name, verb=verb).order_by("number")
    return [json.loads(details) for details in found.values_list("details", flat=True)]


def names(study):
    return [(each.send.name, each.changed) for each in unconfirmed(study)]


@pytest.fixture
def study(launched):
    return launched()


@pytest.fixture
def sending(study, enrol, draw, on):
    """A study whose second weekly message is planned; the first one is sent."""
    draw(study, enrol(study, 4), ("messages",))
    on(3, 2)
    plan_due()
    Dispatch.objects.filter(contact=WEEKLY, occasion=1).update(state="sent", sent_at=now())
    on(3, 9)
    plan_due()
    return study


def test_a_launch_confirms_all_that_the_study_sends_and_says_so_in_its_record(study):
    assert unconfirmed(study) == []
    (entry,) = entries(study, "messages.confirm")
    assert entry["sends"] == {name: told.digest for name, told in confirmed(study).items()}
    assert len(entry["sends"]) == 7


def test_what_an_earlier_version_launched_waits_until_somebody_confirms_it(study, alice):
    ConfirmedContact.objects.filter(study=study).delete()
    assert len(unconfirmed(study)) == 7
    confirm(alice, study, ["before.invite", "before.invite", WEEKLY])
    assert set(confirmed(study)) == {"before.invite", WEEKLY}
    confirm(alice, study, [WEEKLY])  # again: nothing more is said
    assert len(entries(study, "messages.confirm")) == 2
    with pytest.raises(
        InputError, match=r"after.invit: is not sent by this study. .* Did you mean \"after.invite\"\?"
    ):
        confirm(alice, study, ["after.invit"])
    with pytest.raises(
        InputError, match=r"nothing was named; what waits for somebody: before.remind, before.thank"
    ):
        confirm(alice, study, [])


def test_a_contact_that_an_amendment_adds_is_listed_and_waits(sending, alice, amend, on, rows):
    amend(sending, "contacts:\n", EXTRA)
    assert names(sending) == [("goodbye", False)]
    on(3, 22)
    plan_due()
    assert rows(sending, contact="goodbye") == {}
    confirm(alice, sending, ["goodbye"])
    plan_due()
    assert rows(sending, contact="goodbye") == {("goodbye", 1, "planned"): 4}


def test_what_an_amendment_changes_is_called_off_with_it_and_goes_out_once_it_is_confirmed(
    sending, alice, amend, rows
):
    claimed = Dispatch.objects.filter(contact=WEEKLY, occasion=2).first()
    Dispatch.objects.filter(pk=claimed.pk).update(state="claimed", worker="w", fence=1)
    amend(sending, "at: Tuesday 12:30", "at: Tuesday 13:30")
    assert rows(sending, contact=WEEKLY) == {(WEEKLY, 1, "sent"): 4, (WEEKLY, 2, "cancelled"): 4}
    assert set(Dispatch.objects.filter(state="cancelled").values_list("reason", flat=True)) == {
        "withdrawn-send"
    }
    assert entries(sending, "messages.cancel") == [{"reason": "withdrawn-send", "sends": {WEEKLY: 4}}]
    assert names(sending) == [(WEEKLY, True)]
    plan_due()
    sweep()
    assert rows(sending, contact=WEEKLY, occasion=2) == {(WEEKLY, 2, "cancelled"): 4}
    confirm(alice, sending, [WEEKLY])
    plan_due()
    assert rows(sending, contact=WEEKLY) == {(WEEKLY, 1, "sent"): 4, (WEEKLY, 2, "planned"): 4}
    again = Dispatch.objects.filter(contact=WEEKLY, occasion=2).first()
    assert (again.due_at.hour, again.due_at.minute, again.next_at) == (13, 30, again.due_at)
    assert list(again.events.order_by("pk").values_list("kind", "code")) == [
        ("cancelled", "withdrawn-send"),
        ("planned", ""),
    ]


def test_a_planner_that_read_the_study_before_an_amendment_plans_nothing_of_what_it_read(
    sending, amend, on, rows, monkeypatch
):
    on(3, 16)
    confirmed_before = confirmed(sending)
    old = Study.objects.get(pk=sending.pk)
    amend(sending, "at: Tuesday 12:30", "at: Tuesday 13:30")
    before = rows(sending)
    monkeypatch.setattr(planning, "confirmed", lambda _: confirmed_before)
    assert planning._plan(old) == 0
    assert rows(sending) == before


def test_an_amendment_that_leaves_a_send_as_it_is_leaves_what_is_planned(sending, amend, rows):
    before = rows(sending)
    amend(sending, "label: After the texts", "label: Two months later")
    assert names(sending) == []
    assert rows(sending) == before


def test_what_was_over_before_it_was_confirmed_is_not_said_to_be_missed(study, alice, enrol, draw, on, rows):
    ConfirmedContact.objects.filter(study=study).delete()
    draw(study, enrol(study, 2), ("messages",))
    on(3, 20)
    confirm(alice, study, [WEEKLY])
    plan_due()
    assert rows(study) == {(WEEKLY, 3, "planned"): 2}


def test_an_end_of_data_collection_calls_everything_off_closes_the_waves_and_is_in_the_record(
    sending, alice, amend, on, rows
):
    assert Dispatch.objects.filter(state="planned").exists()
    amend(sending, stops=True)
    assert not Dispatch.objects.filter(state="planned").exists()
    assert set(Dispatch.objects.filter(state="cancelled").values_list("reason", flat=True)) == {
        "data-collection-ended"
    }
    (entry,) = entries(sending, "messages.cancel")
    assert entry == {"reason": "data-collection-ended", "sends": {WEEKLY: 4}}
    assert {each.state for each in wave_times(sending).values()} == {"closed"}
    assert folder_of(sending).amendments[-1].reason == "It has to be"
    on(3, 24)
    assert plan_due() == 0
    # Something can still be owed to people, such as what the others had; nobody is asked anything.
    assert names(sending) == [(WEEKLY, True)]
    with pytest.raises(InputError, match="data collection has ended"):
        confirm(alice, sending, ["after.invite"])
    confirm(alice, sending, [WEEKLY])
    assert plan_due() == 4
    amend(sending, "label: After the texts", "label: Two months later")
    assert rows(sending, state="planned") == {(WEEKLY, 4, "planned"): 4}


def test_a_launch_after_its_own_date_is_refused_with_what_would_come_too_late(add_example, alice, on):
    study = add_example("swing")
    on(3, 1, 9, 1)
    with pytest.raises(
        InputError, match=r"2021-03-01 09:00 has passed, .* before.invite \(2021-02-08 09:00\)"
    ):
        move_study(alice, study, "live")


def test_a_launch_waits_for_somebody_who_carries_the_messages_of_real_people(
    add_example, carried, settings, monkeypatch
):
    study = add_example("swing")
    carried(email=None, sms=None)
    assert readiness(study) == []  # in a rehearsal
    real = settings.WORKSPACE.settings.model_copy(update={"mode": "live"})
    monkeypatch.setattr(settings.WORKSPACE, "settings", real)
    told = [str(problem) for problem in readiness(study)]
    assert any("nobody carries e-mails" in each for each in told)
    assert any("nobody carries text messages" in each for each in told)


def test_an_old_lock_whose_rules_cannot_be_read_is_told_before_anything_goes_out(study, alice, monkeypatch):
    loaded = folder_of(study)
    sending = loaded.protocol.sending.model_copy(update={"cap": "now and then"})
    read = replace(loaded, protocol=loaded.protocol.model_copy(update={"sending": sending}))
    monkeypatch.setattr(confirming, "folder_of", lambda _: read)
    with pytest.raises(InputError, match=r"sending.cap: \"now and then\" is not a cap"):
        confirm(alice, study, [WEEKLY])


def test_an_amendment_that_cannot_be_put_in_place_calls_nothing_off(sending, alice, amend, monkeypatch, rows):
    from equipoise.platform.registry import actions

    def full(*_):
        raise OSError(28, "no space left")

    before = rows(sending)
    monkeypatch.setattr(actions, "put_in_place", full)
    with pytest.raises(OSError, match="no space left"):
        amend(sending, "at: Tuesday 12:30", "at: Tuesday 13:30")
    assert rows(sending) == before
