"""What the tests of the watch share: people of a live study, and dispatches written by hand."""

from datetime import timedelta

import pytest

from equipoise.platform.clock import now
from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.people.models import Participant

from ...office.conftest import roster  # noqa: F401 - a fixture


@pytest.fixture
def people(swing):
    """Twenty people of `swing`, of whom only the codes are needed."""
    made = [Participant(study=swing, enrolled_at=now()) for _ in range(20)]
    return Participant.objects.bulk_create(made)


@pytest.fixture
def dispatches(swing, people):
    """A function that writes a dispatch for each of some people."""

    def make(some=people, contact="weekly-message", occasion=1, *, since=timedelta(0), **fields):
        due = now() - since
        said = {"channel": "sms", "carrier": "notify", "due_at": due, "next_at": due, **fields}
        said.setdefault("last_at", due + timedelta(days=7))
        return Dispatch.objects.bulk_create(
            Dispatch(study=swing, participant=person, contact=contact, occasion=occasion, **said)
            for person in some
        )

    return make
