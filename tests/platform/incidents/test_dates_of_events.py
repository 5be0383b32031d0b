"""When something happened, as columns of the frame: for events whose strategy asks for it, and for no others."""

from datetime import UTC, date, datetime

import pytest

from equipoise.platform.people.models import Allocation, Participant, Withdrawal
from equipoise.platform.registry.actions import move_study
from equipoise.platform.review.frame import participants_frame

pytestmark = pytest.mark.django_db

LEFT = datetime(2021, 4, 6, 10, tzinfo=UTC)
DRAWN = datetime(2021, 2, 7, 9, tzinfo=UTC)


@pytest.fixture
def swing(add_example, alice):
    """The example with an estimand that asks when three of its events happened."""

    def change(folder):
        path = folder / "protocol.yaml"
        text = path.read_text("utf-8")
        head, _, rest = text.partition("\nevents:\n")
        rest = rest.partition("harms:")[2]
        events = ", ".join(
            f"{name}: while-on-treatment" for name in ("left_employer", "withdrew", "saw_other_arm")
        )
        path.write_text(f"{head}\nevents: {{{events}, opted_out: treatment-policy}}\nharms:{rest}", "utf-8")

    return move_study(alice, add_example("swing", change), "live")


def test_the_frame_says_when_where_the_estimand_asks(swing, people, log):
    first, second, third, *_ = people
    Participant.objects.filter(pk=first.pk).update(left_at=LEFT, messages_stopped_at=LEFT)
    Participant.objects.filter(pk=second.pk).update(state="withdrawn")
    Withdrawal.objects.create(participant=second, choice="everything", at=LEFT, channel="web")
    drawn = {"stage": swing.stages.get(), "stratum": "x", "arm": "control", "at": DRAWN}
    Allocation.objects.bulk_create(Allocation(participant=person, **drawn) for person in people)
    for day in (date(2021, 2, 8), date(2021, 2, 7), date(2021, 2, 6)):
        log(named=third.key, kind="saw_other_arm", happened_on=day)
    frame = participants_frame(swing, masked=False)
    rows = {row["staff_ref"]: row for row in frame.rows(named=True)}
    assert rows[first.key]["left_employer_at"] == rows[second.key]["withdrew_at"] == LEFT
    end_of_day = datetime(
        2021, 2, 7, 23, 59, 59, 999_999, tzinfo=UTC
    )  # the day before it was not allocated yet
    assert rows[third.key]["saw_other_arm_at"] == end_of_day
    assert rows[third.key]["left_employer_at"] is None
    assert not {"opted_out_at", "complaint_at"} & set(frame.columns)
    assert not {"left_employer_at", "withdrew_at", "saw_other_arm_at"} & set(
        participants_frame(swing, masked=True).columns
    )
