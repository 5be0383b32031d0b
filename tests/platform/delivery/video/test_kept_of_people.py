"""What messages leave of somebody: in their record, after they erased, and without telling an arm too early."""

import pytest
from tests.platform.delivery.video.conftest import enrolled, everything_kept, sent

from equipoise.platform.delivery.engine.sealing import event_faults
from equipoise.platform.delivery.models import (
    ClosedAddress,
    Dispatch,
    DispatchEvent,
    MessageLink,
    Receipt,
    SealedDispatchEvent,
    Watch,
)
from equipoise.platform.fieldwork.actions import leave_study
from equipoise.platform.people.records import person_record
from equipoise.platform.registry.models import Study

KEPT = (Dispatch, DispatchEvent, MessageLink, Watch, Receipt, ClosedAddress)


@pytest.fixture
def two(awards):
    """Two people of whom everything is kept that can be."""
    people = enrolled(awards), enrolled(awards)
    for person in people:
        everything_kept(person, "thank-you-video")
        sent(person, "before.invite")
    return people


def told(person):
    person = type(person).objects.select_related("study", "partner").get(pk=person.pk)
    return {section.heading: dict(section.rows) for section in person_record(person)}


def test_erasing_leaves_nothing_of_their_messages_and_the_seals_still_add_up(awards, two):
    one, other = two
    before = {model: model.objects.count() for model in KEPT}
    assert all(number >= 2 for number in before.values())
    leave_study(one, "erase", channel="web", actor=f"participant:{one.key}")
    assert {model: model.objects.count() for model in KEPT} == {
        model: number // 2 for model, number in before.items()
    }
    assert set(Dispatch.objects.values_list("participant", flat=True)) == {other.pk}
    assert set(Receipt.objects.values_list("reference", flat=True)) == {"", f"r{other.pk}"}
    assert SealedDispatchEvent.objects.filter(erased=True).count() == 3
    assert list(event_faults(awards)) == []
    assert "Messages" not in told(one)


def test_a_record_tells_of_a_message_that_only_one_arm_gets_once_the_arms_are_known(awards, two):
    nobody = enrolled(awards)
    for person in (two[0], nobody):
        assert (
            told(person)["Messages"]["The video"]
            == "Whether it was sent to you is told when the study has ended"
        )
    shown = told(two[0])
    assert shown["Messages"]["Invitation: Before the video"].startswith("Sent, e-mail, 2021-02-10")
    assert not any("played" in label for label in shown["Messages"])
    Study.objects.update(results="unmasked")
    shown = told(two[0])
    assert shown["Messages"]["The video"].startswith("Delivered, e-mail, 2021-02-10 12:00 UTC")
    assert shown["Messages"]["The video: seconds of the video played"] == 30.0
    assert "The video: page opened" in shown["Messages"]
    assert shown["Addresses that nothing is sent to"] == {"Work e-mail": "bounced, 2021-02-10 12:00 UTC"}
    assert "Messages" not in told(nobody)
