"""What was logged as columns of the frame: of the protocol's kinds, after the allocation, withheld while masked."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from equipoise.errors import InputError
from equipoise.platform.incidents.actions import close_incident
from equipoise.platform.incidents.events import counts_by_arm
from equipoise.platform.incidents.queries import KindCount
from equipoise.platform.people.models import Allocation
from equipoise.platform.review.frame import participants_frame

pytestmark = pytest.mark.django_db

LOGGED = ("complaint", "distress", "saw_other_arm")
DRAWN = datetime(2021, 2, 8, 23, 30, tzinfo=UTC)  # half past eleven in London


@pytest.fixture
def drawn(swing, people):
    """Everybody has an arm since 8 February, every other one that of the messages."""
    stage = swing.stages.get()
    Allocation.objects.bulk_create(
        Allocation(
            stage=stage,
            participant=person,
            stratum="x",
            arm="messages" if number % 2 else "control",
            at=DRAWN,
        )
        for number, person in enumerate(people)
    )
    return stage


def happened(study, kind):
    frame = participants_frame(study, masked=False)
    return set(frame.filter(frame[kind])[frame.columns[0]])


def test_each_kind_of_the_protocol_is_a_column_that_says_to_whom_it_happened(
    swing, drawn, people, log, alice
):
    log(named=people[0].key), log(named=people[0].key), log(named=people[1].key)
    log(named=people[2].key, kind="complaint")
    log(named=people[3].key, kind="saw_other_arm", happened_on=date(2021, 2, 9))
    log(named=people[4].key, kind="other"), log()
    mistaken = log(named=people[5].key)
    close_incident(alice, mistaken, outcome="mistake", done="Somebody else", seen=1)
    keys = [person.key for person in people]
    assert [happened(swing, kind) for kind in LOGGED] == [{keys[2]}, {keys[0], keys[1]}, {keys[3]}]
    assert "other" not in participants_frame(swing, masked=False).columns


def test_what_happened_before_the_day_of_the_draw_is_no_event_of_it(swing, drawn, people, log):
    log(named=people[0].key, happened_on=date(2021, 2, 7))
    log(named=people[1].key, happened_on=date(2021, 2, 8))
    assert happened(swing, "distress") == {people[1].key}


def test_a_harm_that_is_called_as_another_column_leaves_that_column_alone(add_example):
    def change(folder):
        path = folder / "protocol.yaml"
        harms = "harms: [opted_out, complaint, distress, left_employer]"
        text = path.read_text("utf-8").replace(
            harms, "harms: [partner, staff_ref, opted_out, complaint, distress, left_employer]"
        )
        path.write_text(text, "utf-8")

    frame = participants_frame(add_example("swing", change), masked=False)
    assert frame.schema["partner"] == frame.schema["staff_ref"] == pl.String
    assert frame.schema["complaint"] == pl.Boolean


def test_all_of_it_is_withheld_while_results_are_masked(swing, drawn, people, log):
    log(named=people[0].key)
    shown = participants_frame(swing, masked=True).columns
    assert not {*LOGGED, "opted_out", "withdrew"} & set(shown)


def test_incidents_are_counted_by_arm_once_the_results_are_unmasked_and_not_before(swing, drawn, people, log):
    log(named=people[0].key, serious="danger"), log(named=people[0].key), log(named=people[1].key)
    log(named=people[2].key, happened_on=date(2021, 2, 1))
    for results in ("masked", "sealed"):
        drawn.study.results = results
        with pytest.raises(InputError, match="once they are unmasked"):
            counts_by_arm(drawn)
    drawn.study.results = "unmasked"
    found = counts_by_arm(drawn)
    assert found["distress"] == {"control": KindCount(2, 1, 1), "messages": KindCount(1, 1, 0)}
    assert found["complaint"] == {"control": KindCount(), "messages": KindCount()}
