"""What the tests of the data review share: the people of `swing`, Frank who is blinded, and no exports left."""

import shutil

import pytest
from tests.platform.masking.conftest import closed, frank, franks_desk, trial  # noqa: F401
from tests.platform.office.conftest import Desk, desk, people, roster  # noqa: F401


@pytest.fixture(autouse=True)
def _no_exports_left(settings):
    yield
    shutil.rmtree(settings.WORKSPACE.folder / "exports", ignore_errors=True)
