"""What the tests of four eyes share: Alice leads `swing`, Dora keeps its data, Erin audits it, Frank is blinded."""

from datetime import timedelta

import pytest
from tests.platform.commands.conftest import run  # noqa: F401
from tests.platform.office.conftest import Desk
from tests.platform.people.conftest import imported, line, people, roster  # noqa: F401

from equipoise.platform.audit.models import Entry
from equipoise.platform.clock import now
from equipoise.platform.staff.actions import CommandLine, Place, add_member, grant

ROLES = {"Dora": "data-manager", "Erin": "auditor", "Frank": "analyst"}


@pytest.fixture
def cast(members, swing):
    """Everybody by name; Bob has no role in `swing`, Carol keeps the workspace."""
    for name, role in ROLES.items():
        members[name] = add_member(CommandLine(), f"{name.lower()}@example.org", f"{name} (synthetic)")
        grant(CommandLine(), members[name], role, Place(swing))
    return members


@pytest.fixture
def sealed(swing, people):  # noqa: F811
    """`swing` with its people, closed, its data sealed; how that comes about is tried elsewhere."""
    swing.state, swing.results = "closed", "sealed"
    swing.save()
    return swing


@pytest.fixture
def erasing(people):  # noqa: F811
    """A function that says what an erasure of one of the people is asked for with."""
    return lambda number=0: {"participant": people[number].key, "channel": "telephone"}


@pytest.fixture
def later(at):
    """A function that moves the rehearsal's clock on."""
    return lambda **by: at(now() + timedelta(**by))


@pytest.fixture
def entered():
    """A function that gives what the record of `swing` says, by verb."""
    return lambda verb: list(Entry.objects.filter(chain_id="swing", verb=verb).order_by("number"))


@pytest.fixture
def at_desk(cast):
    """A function that gives the browser of one of the cast, signed in."""
    opened = {}

    def sit(name):
        if name not in opened:
            opened[name] = Desk().sign_in(cast[name])
        return opened[name]

    return sit
