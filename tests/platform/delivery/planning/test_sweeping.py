"""What is planned and shall not go out is called off, with its reason."""

import pytest

from equipoise.platform.clock import now
from equipoise.platform.delivery.models import Dispatch, DispatchEvent
from equipoise.platform.delivery.planning.planner import plan_due
from equipoise.platform.delivery.planning.sweeping import sweep
from equipoise.platform.people.models import Consent, Participant
from equipoise.platform.registry.actions import move_study

pytestmark = pytest.mark.django_db


def test_who_left_stopped_declined_or_answered_is_called_off_with_the_reason_and_whoever_is_left_is_not(
    launched, enrol, answer, on, alice, rows
):
    study = launched()
    people = enrol(study, 6)
    on(2, 14)
    plan_due()
    left, stopped, answered, began, other, declined = people
    Participant.objects.filter(pk=left.pk).update(state="withdrawn", messages_stopped_at=now())
    Participant.objects.filter(pk=stopped.pk).update(messages_stopped_at=now())
    answer(study, [answered], "before")
    answer(study, [began], "before", state="started")
    for given in (True, False):
        Consent.objects.create(
            participant=declined, activity="survey", given=given, version="v", channel="web", at=now()
        )
    assert sweep() == 8
    assert sweep() == 0
    told = {
        (row.participant_id, row.contact): (row.state, row.reason)
        for row in Dispatch.objects.filter(contact__in=["before.invite", "before.remind"])
    }
    for contact in ("before.invite", "before.remind"):
        assert told[left.pk, contact] == ("cancelled", "left")
        assert told[stopped.pk, contact] == ("cancelled", "stopped")
        assert told[answered.pk, contact] == ("cancelled", "answered")
        assert told[declined.pk, contact] == ("cancelled", "not-consented")
        assert told[began.pk, contact] == told[other.pk, contact] == ("planned", "")
    assert DispatchEvent.objects.filter(kind="cancelled", source="worker").count() == 8
    on(2, 23)  # the first reminder has had its time
    assert sweep() == 2
    assert rows(study, state="missed") == {("before.remind", 1, "missed"): 2}

    move_study(alice, study, "closed", reason="It is over")
    assert not Dispatch.objects.filter(state="planned").exists()
    ended = Dispatch.objects.filter(reason="data-collection-ended")
    assert {row.contact for row in ended} == {"before.invite"}
