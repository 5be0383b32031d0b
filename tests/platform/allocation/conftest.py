"""People as an import stores them, and a stage on its way to the draw."""

from datetime import UTC, datetime

import pytest
from tests.platform.allocation.studies import rolling

REGIONS = ("north", "midlands", "east", "south")


@pytest.fixture
def after_launch(at):
    """The clock stands an hour after the launch of `swing`: its first wave is closed."""
    moment = datetime(2021, 3, 1, 10, tzinfo=UTC)

    def go():
        at(moment)
        return moment

    return go


@pytest.fixture
def enrol():
    """A function that enrols made-up people of `swing`, spread over cohorts and regions."""

    from equipoise.platform.people.models import Participant, RosterFacts

    def make(study, count, facts=None):
        people = Participant.objects.bulk_create(
            Participant(study=study, enrolled_at=datetime(2021, 1, 5, tzinfo=UTC)) for _ in range(count)
        )
        RosterFacts.objects.bulk_create(
            RosterFacts(participant=person, values=(facts or _facts)(row))
            for row, person in enumerate(people)
        )
        return people

    def _facts(row):
        year = ("2020", "2021")[row % 2]
        return {"cohort": year, "region": REGIONS[row // 2 % 4], "started_on": f"{year}-01-04"}

    return make


@pytest.fixture
def secret():
    """The team's secret, in hexadecimal, as `lock` made it."""
    return bytes(range(32)).hex()


@pytest.fixture
def stage(swing):
    """The only stage of `swing`, whose people are not enrolled yet."""
    return swing.stages.get()


@pytest.fixture
def committed(swing, stage, alice, enrol, after_launch, secret):
    """A stage with 40 people that is ready to be drawn."""
    from equipoise.platform.people.allocation import commit_stage, hand_in_secret

    enrol(swing, 40)
    after_launch()
    hand_in_secret(alice, stage, secret)
    return commit_stage(alice, stage)


@pytest.fixture(params=[rolling])
def ready(add_example, alice, secret, request):
    """A live study whose stage is committed, with its secret."""
    from equipoise.platform.people.allocation import commit_stage, hand_in_secret
    from equipoise.platform.registry.actions import move_study

    study = add_example("swing", request.param)
    hand_in_secret(alice, study.stages.get(), secret)
    commit_stage(alice, study.stages.get())
    return move_study(alice, study, "live")
