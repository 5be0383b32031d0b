"""Rolling enrolment: an arm on arrival, never two, and the same as the whole queue drawn at once."""

import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.db import connections
from tests.platform.allocation.studies import minimising, rolling

from equipoise.allocation import verify_allocation
from equipoise.errors import CheckFailedError, DesignError, InputError
from equipoise.platform.database import writing
from equipoise.platform.people.actions import withdraw
from equipoise.platform.people.allocation import (
    allocate_arrival,
    allocation_ready,
    allocation_record,
    arrivals,
    close_enrolment,
    commit_stage,
    draw_stage,
    hand_in_round,
    hand_in_secret,
    strata_counts,
    verify_stage,
)
from equipoise.platform.people.allocation.arrivals import arrived
from equipoise.platform.people.facts import frozen_columns
from equipoise.platform.people.models import Allocation, Participant
from equipoise.platform.people.records import person_record
from equipoise.platform.registry.models import Stage

pytestmark = pytest.mark.django_db
THREADS, EACH = 8, 25


MINIMISING = pytest.mark.parametrize("ready", [minimising], indirect=True)


def come(enrol, study, count):
    """So many people enrol and are allocated, one after the other."""
    for person in enrol(study, count):
        with writing():
            allocate_arrival(person)


def test_each_arrival_has_the_next_place_of_the_stratum_and_the_arm_that_one_draw_of_all_gives(
    ready, alice, enrol
):
    come(enrol, ready, 64)
    stage = ready.stages.get()
    assert set(strata_counts(stage).values()) == {8}
    places = Allocation.objects.filter(stratum="2020,north").order_by("number")
    assert list(places.values_list("number", flat=True)) == list(range(1, 9))
    assert "all 64 arms given on arrival are as drawn" in verify_stage(stage).checks


def test_later_arrivals_do_not_change_earlier_arms(ready, enrol):
    come(enrol, ready, 16)
    before = dict(Allocation.objects.values_list("participant_id", "arm"))
    come(enrol, ready, 16)
    after = dict(Allocation.objects.values_list("participant_id", "arm"))
    assert {person: after[person] for person in before} == before


def test_nobody_is_allocated_twice(ready, enrol):
    person = enrol(ready, 1)[0]
    with writing():
        first = allocate_arrival(person)
    with writing():
        assert allocate_arrival(person) == first
    assert Allocation.objects.count() == 1


def test_when_enrolment_closes_the_queue_is_recorded_and_anybody_can_verify_it(ready, alice, enrol, secret):
    come(enrol, ready, 24)
    closed = close_enrolment(alice, ready.stages.get())
    units, arms = arrived(closed)
    record = allocation_record(closed)
    assert record.arrival
    assert verify_allocation(record, units.units, units.strata, arms, bytes.fromhex(secret)).units == 24
    assert verify_stage(closed).units == 24
    with pytest.raises(InputError, match="its enrolment has been closed"):
        allocate_arrival(enrol(ready, 1)[0])
    with pytest.raises(InputError, match="lots are drawn once"):
        close_enrolment(alice, closed)


def test_an_arm_or_a_place_that_was_changed_is_found_at_the_closing(ready, alice, enrol):
    come(enrol, ready, 24)
    one = Allocation.objects.order_by("pk").first()
    Allocation.objects.filter(pk=one.pk).update(arm={"control": "messages", "messages": "control"}[one.arm])
    with pytest.raises(CheckFailedError, match=f'"{one.participant.key}" is said to be in arm'):
        close_enrolment(alice, ready.stages.get())
    assert ready.stages.get().state == "committed"


def test_a_place_removed_from_a_queue_is_found(ready, enrol):
    come(enrol, ready, 16)
    Allocation.objects.filter(stratum="2020,north", number=1).delete()
    with pytest.raises(CheckFailedError, match='"2020,north" has 1 places and ends at 2'):
        verify_stage(ready.stages.get())


def enrol_and_fail(person):
    with writing():
        allocate_arrival(person)
        raise RuntimeError


def test_an_enrolment_that_fails_takes_its_place_back(ready, enrol):
    with pytest.raises(RuntimeError):
        enrol_and_fail(enrol(ready, 1)[0])
    assert not Allocation.objects.exists()
    come(enrol, ready, 1)
    assert Allocation.objects.get().number == 1


def test_what_a_launch_still_lacks_is_said_step_by_step(add_example, alice, secret):
    study = add_example("swing", rolling)
    stage = study.stages.get()
    assert "is not committed" in allocation_ready(study).message
    with pytest.raises(InputError, match="is not committed"):
        allocate_arrival(Participant(study=study))
    commit_stage(alice, stage)
    assert "secret has not been handed in" in allocation_ready(study).message
    hand_in_secret(alice, stage, secret)
    assert allocation_ready(study) is None


def test_a_live_workspace_also_needs_the_public_round_that_the_lock_fixed(ready, alice, monkeypatch, at):
    live = SimpleNamespace(WORKSPACE=SimpleNamespace(live=True))
    monkeypatch.setattr(arrivals, "settings", live)
    assert "public round 1 has not been given; it decides this stage" in allocation_ready(ready).message

    at(datetime(2024, 1, 1, tzinfo=UTC))
    with pytest.raises(InputError, match="the rule chose round 1"):
        hand_in_round(alice, ready.stages.get(), f"2:{'ab' * 32}")
    hand_in_round(alice, ready.stages.get(), f"1:{'ab' * 32}")
    assert allocation_ready(ready) is None


def test_the_round_stands_once_somebody_has_an_arm(ready, alice, enrol, at):

    at(datetime(2024, 1, 1, tzinfo=UTC))
    hand_in_round(alice, ready.stages.get(), f"1:{'ab' * 32}")
    come(enrol, ready, 8)
    with pytest.raises(InputError, match="can no longer change"):
        hand_in_round(alice, ready.stages.get(), f"1:{'cd' * 32}")
    record = allocation_record(close_enrolment(alice, ready.stages.get()))
    assert record.public_round.randomness == "ab" * 32
    assert not record.seed_could_have_been_chosen


def test_people_who_come_are_not_drawn_at_once(ready, alice, enrol):
    come(enrol, ready, 8)
    with pytest.raises(InputError, match="close its enrolment"):
        draw_stage(alice, ready.stages.get())


def test_a_study_with_a_roster_allocates_nobody_on_arrival(swing, enrol):
    assert allocate_arrival(enrol(swing, 1)[0]) == {}
    assert allocation_ready(swing) is None


@MINIMISING
def test_each_arrival_is_minimised_by_everybody_who_came_before(ready, alice, enrol, secret):
    come(enrol, ready, 64)
    stage = ready.stages.get()
    assert strata_counts(stage) == {"2020": 32, "2021": 32}
    rows = Allocation.objects.filter(stratum="2020").order_by("number")
    assert {tuple(beside) for beside in rows.values_list("beside", flat=True)} == {
        ("north", "true"), ("midlands", "false"), ("east", "false"), ("south", "false")
    }  # fmt: skip
    for region in ("north", "midlands", "east", "south"):
        arms = [row.arm for row in rows if row.beside[0] == region]
        assert abs(arms.count("control") - arms.count("messages")) <= 4
    assert "all 64 arms given on arrival are as drawn" in verify_stage(stage).checks
    closed = close_enrolment(alice, stage)
    units, arms = arrived(closed)
    record = allocation_record(closed)
    assert (record.beside, record.weights, record.measure) == (("region", "northern"), (2, 1), "range")
    assert verify_allocation(record, units.units, units.columns, arms, bytes.fromhex(secret)).units == 64
    assert verify_stage(closed).units == 64


@MINIMISING
def test_a_level_that_was_changed_in_the_queue_is_found(ready, enrol):
    come(enrol, ready, 40)
    for row in Allocation.objects.filter(stratum="2020", number__lte=8):
        Allocation.objects.filter(pk=row.pk).update(beside=["south", "false"])
    with pytest.raises(CheckFailedError, match="is said to be in arm"):
        verify_stage(ready.stages.get())


@MINIMISING
def test_nobody_is_enrolled_whose_level_is_missing_or_unknown(ready, enrol):
    for region, said in ((None, 'has no "region", which the draw balances'), ("west", '"west" is no level')):
        facts = {"cohort": "2020", "region": region, "started_on": "2020-01-04"}
        person = enrol(ready, 1, lambda _, facts=facts: facts)[0]
        with pytest.raises(DesignError) as refusal, writing():
            allocate_arrival(person)
        assert said in str(refusal.value)
        assert "north, midlands, east, south" in str(refusal.value)
    assert not Allocation.objects.exists()


@MINIMISING
def test_a_participants_record_tells_what_the_draw_looked_at_and_no_arm(ready, enrol):
    come(enrol, ready, 1)
    told = {row[0]: row[1] for section in person_record(Participant.objects.get()) for row in section.rows}
    assert told["Stage main: drawn with Region"] == "north"
    assert told["Stage main: drawn with northern"] == "true"
    assert not {"control", "messages"} & set(map(str, told.values()))


@MINIMISING
def test_an_erasure_leaves_the_draw_whole(ready, enrol):
    come(enrol, ready, 24)
    first = Participant.objects.order_by("pk").first()
    withdraw(first, "erase", channel="web", actor=f"participant:{first.key}")
    come(enrol, ready, 8)
    assert verify_stage(ready.stages.get()).units == 32


@MINIMISING
def test_what_is_balanced_no_longer_changes_once_the_stage_is_committed(ready):
    assert frozen_columns(ready) == {"cohort", "region"}


@pytest.mark.parametrize("ready", [rolling, minimising], indirect=True)
@pytest.mark.django_db(transaction=True)
def test_eight_who_enrol_people_at_once_give_every_place_once(ready, enrol):
    people = enrol(ready, THREADS * EACH)
    failed, start = [], threading.Barrier(THREADS)

    def enrol_some(mine):
        start.wait()
        try:
            for person in mine:
                with writing():
                    allocate_arrival(person)
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=enrol_some, args=(people[turn::THREADS],)) for turn in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    stage = Stage.objects.get(study=ready)
    assert Allocation.objects.count() == THREADS * EACH
    for stratum, count in strata_counts(stage).items():
        numbers = Allocation.objects.filter(stratum=stratum).values_list("number", flat=True)
        assert sorted(numbers) == list(range(1, count + 1))
    assert verify_stage(stage).units == THREADS * EACH
