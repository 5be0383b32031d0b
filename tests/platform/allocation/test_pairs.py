"""Pairs that a stage makes of its people on the platform: committed, drawn, and there for the analysis."""

from collections import Counter, defaultdict

import pytest
from tests.platform.allocation.studies import at_launch

from equipoise.platform.people.allocation import commit_stage, draw_stage, hand_in_secret, verify_stage
from equipoise.platform.people.models import Committed
from equipoise.platform.registry.actions import move_study
from equipoise.platform.review.frame import participants_frame


def varied(row):
    year, regions = ("2020", "2021")[row % 2], ("north", "midlands", "east", "south")
    started = f"{year}-{1 + row % 12:02}-{1 + row * 5 % 28:02}"
    return {"cohort": year, "region": regions[row // 2 % 4], "started_on": started}


@pytest.mark.django_db
def test_pairs_are_made_when_a_stage_is_committed_and_stand_in_the_data(
    add_example, alice, enrol, secret, after_launch
):
    change = at_launch("matched-pairs\n  pair: {on: [region, started_on]}")
    study = move_study(alice, add_example("swing", change), "live")
    enrol(study, 48, varied)
    after_launch()
    hand_in_secret(alice, study.stages.get(), secret)
    committed = commit_stage(alice, study.stages.get())
    made = Counter(Committed.objects.values_list("stratum", flat=True))
    assert sorted(made.values()) == [2] * 24
    drawn = draw_stage(alice, committed)
    assert verify_stage(drawn).units == 48
    arms = defaultdict(set)
    for row in participants_frame(study, masked=False).iter_rows(named=True):
        arms[row["cohort"], row["pair"]].add(row["arm"])
    assert len(arms) == 24
    assert all(len(both) == 2 for both in arms.values())
