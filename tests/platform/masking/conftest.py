"""What the tests of the mask share: a simulated trial in the workspace, and Frank, who analyses it blinded."""

import shutil

import pytest
from tests.platform.export.conftest import trial  # noqa: F401
from tests.platform.office.conftest import Desk

from equipoise.platform.registry.actions import move_study
from equipoise.platform.staff.actions import CommandLine, Place, add_member, grant


@pytest.fixture
def frank(members, swing):
    """The analyst, who may not know the arms."""
    member = add_member(CommandLine(), "frank@example.org", "Frank (synthetic)")
    grant(CommandLine(), member, "analyst", Place(swing))
    return member


@pytest.fixture
def franks_desk(frank):
    """Frank at his desk."""
    desk = Desk().sign_in(frank)
    desk.client.raise_request_exception = False  # pages of errors are pages too
    return desk


@pytest.fixture
def closed(trial, alice):  # noqa: F811
    """The trial after its last wave."""
    trial.study = move_study(alice, trial.study, "closed", reason="The last wave has closed")
    return trial


@pytest.fixture(autouse=True)
def _no_exports_left(settings):
    yield
    shutil.rmtree(settings.WORKSPACE.folder / "exports", ignore_errors=True)
