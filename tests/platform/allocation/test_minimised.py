"""A minimised stage on the platform: drawn at once from what was committed, and by processes that may die."""

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from tests.platform.allocation.studies import at_launch, minimising
from tests.platform.operations.copies import python

from equipoise.allocation import verify_allocation
from equipoise.platform.database import writing
from equipoise.platform.people.allocation import (
    allocate_arrival,
    allocation_record,
    close_enrolment,
    commit_stage,
    draw_stage,
    hand_in_secret,
    public_arms,
    strata_counts,
    verify_stage,
)
from equipoise.platform.people.allocation.commitment import committed_units
from equipoise.platform.people.models import Allocation, Committed, RosterFacts
from equipoise.platform.registry.actions import move_study
from equipoise.platform.registry.models import Stage, Study

ENROLLING = """
import os, signal, sys, django
django.setup()
from django.db import connections
connections["default"].settings_dict["NAME"] = sys.argv[1]
from equipoise.platform.database import writing
from equipoise.platform.people.allocation import allocate_arrival
from equipoise.platform.people.models import Participant
first, last, dies = map(int, sys.argv[2:])
for number, person in enumerate(Participant.objects.order_by("pk")[first:last], start=1):
    with writing():
        allocate_arrival(person)
        if number == dies:
            os.kill(os.getpid(), signal.SIGKILL)
"""


def varied(row):
    year, regions = ("2020", "2021")[row % 2], ("north", "midlands", "east", "south")
    started = f"{year}-01-{1 + row * 5 % 28:02}"
    return {"cohort": year, "region": regions[row // 2 % 4], "started_on": started}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "method",
    [
        "minimised\n  balance: [region]",
        "rerandomised\n  criterion: {covariates: [region, started_on], accept: 0.2}",
    ],
)
def test_a_roster_is_drawn_by_what_was_committed_of_each_person(
    add_example, alice, enrol, secret, after_launch, method
):
    study = move_study(alice, add_example("swing", at_launch(method)), "live")
    enrol(study, 48, varied)
    after_launch()
    hand_in_secret(alice, study.stages.get(), secret)
    committed = commit_stage(alice, study.stages.get())
    assert set(Committed.objects.values_list("stratum", "beside__0")) == {
        (year, region) for year in ("2020", "2021") for region in ("north", "midlands", "east", "south")
    }
    RosterFacts.objects.update(values={"cohort": "2020", "region": "north", "started_on": "2020-01-04"})
    drawn = draw_stage(alice, committed)
    units, _ = committed_units(drawn)
    arm_of = dict(Allocation.objects.values_list("participant__key", "arm"))
    arms = [arm_of[unit] for unit in units.units]
    record = allocation_record(drawn)
    assert verify_allocation(record, units.units, units.columns, arms, bytes.fromhex(secret)).units == 48
    assert verify_stage(drawn).units == 48
    Study.objects.update(results="unmasked")
    published = public_arms(Stage.objects.get()).splitlines()
    assert published[0].split(",")[1:3] == ["cohort", "region"]
    assert len(published) == 49


@pytest.mark.parametrize("ready", [minimising], indirect=True)
@pytest.mark.django_db(transaction=True)
def test_two_processes_that_enrol_at_once_leave_no_gap_in_the_queue_though_one_is_killed(
    ready,
    alice,
    enrol,
):
    enrol(ready, 24)
    database, parts = connection.settings_dict["NAME"], [(0, 12, 0), (12, 24, 7)]
    with ThreadPoolExecutor(2) as at_once:
        whole, killed = at_once.map(lambda part: python(ENROLLING, database, *part), parts)
    assert (whole.returncode, killed.returncode) == (0, -signal.SIGKILL), whole.stderr + killed.stderr
    assert Allocation.objects.count() == 12 + 6
    stage = ready.stages.get()
    for stratum, count in strata_counts(stage).items():
        numbers = Allocation.objects.filter(stratum=stratum).values_list("number", flat=True)
        assert sorted(numbers) == list(range(1, count + 1))
    assert verify_stage(stage).units == 18
    person = ready.participants.order_by("pk")[23]
    with writing():
        allocate_arrival(person)
    assert verify_stage(close_enrolment(alice, stage)).units == 19
