"""What the tests of files share: the study whose partner keeps the contact list, live, with people to be sent to.

Everybody is made up."""

from datetime import UTC, datetime, timedelta

import pytest

from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.people.actions import confirm_import
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.actions import move_study

HEADER = "staff_ref,staff_type,directorate,started_on"
DUE = datetime(2021, 4, 14, 9, tzinfo=UTC)  # Wednesday, 10:00 in London
BEFORE = DUE - timedelta(days=1)
AFTER = DUE + timedelta(days=2)
WEEK = timedelta(weeks=1)


def set_out(study, send="weekly-email", occasion=1, *, carrier="partner_file", channel="email", due=DUE):
    """Plan an occasion for everybody, as the planner does."""
    people = Participant.objects.filter(study=study, state="enrolled").order_by("pk")
    return Dispatch.objects.bulk_create(
        Dispatch(
            study=study,
            participant=each,
            contact=send,
            occasion=occasion,
            channel=channel,
            carrier=carrier,
            due_at=due,
            next_at=due,
            last_at=due + WEEK,
        )
        for each in people
    )


@pytest.fixture
def modding(add_example, alice, tmp_path, at):
    """The study, live, with the partner's six people P1 to P6; the clock is the day before the first e-mail."""
    study = add_example("mod-ing")
    path = tmp_path / "defence.csv"
    rows = [
        f"P{each},{'civilian' if each % 2 else 'military'},support,2020-09-0{each}" for each in range(1, 7)
    ]
    path.write_text("\n".join([HEADER, *rows]) + "\n", "utf-8")
    confirm_import(alice, study, path, partner="defence")
    study = move_study(alice, study, "live")
    at(BEFORE)
    return study
