"""An upgrade that is killed half-way: begun again it is finished, with nothing lost, wherever it was."""

import json

import pytest
from django.db import connection
from tests.platform.durability.conftest import STATED
from tests.platform.operations.copies import ROOT, python
from tests.platform.upgrades.test_upgrade import VERSIONS, unpacked

POINTS = (0 if connection.vendor == "sqlite" else 70) if STATED else 3  # 0: at each statement
HERE = ROOT / "tests/platform/faults/killed_migrations.py"


@pytest.mark.parametrize("version", VERSIONS)
def test_an_upgrade_killed_at_any_statement_is_finished_by_the_next_start(version, tmp_path):
    folder = tmp_path / "workspace"
    environment = unpacked(version, folder)
    done = python(HERE.read_text("utf-8"), folder, POINTS, EQUIPOISE_WORKSPACE=str(folder), **environment)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["wrong"] == []
    assert len(said["tried"]) >= 3
    assert said["statements"] > 20
