"""What is done before a workspace is served: the database brought up to this version, style sheets gathered."""

import pytest
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import OperationalError

from equipoise.errors import InputError
from equipoise.platform import serving
from equipoise.platform.serving import make_ready
from equipoise.platform.workspace import Workspace


@pytest.fixture
def workspace(tmp_path, settings):
    """The workspace of these tests, its style sheets in a folder of their own."""
    settings.STATIC_ROOT = tmp_path / "static"
    return Workspace(tmp_path, settings.WORKSPACE.settings)


@pytest.mark.django_db(transaction=True)
def test_a_database_of_a_later_version_is_refused_and_left_as_it_is(workspace):
    recorder = MigrationRecorder(connection)
    recorder.record_applied("fieldwork", "9999_of_a_later_version")
    try:
        before = set(recorder.applied_migrations())
        with pytest.raises(InputError, match=r"later version \(it has fieldwork 9999_of_a_later_version\)"):
            make_ready(workspace)
        assert set(recorder.applied_migrations()) == before
    finally:
        recorder.record_unapplied("fieldwork", "9999_of_a_later_version")


@pytest.mark.django_db(transaction=True)
def test_style_sheets_are_gathered_once_and_again_only_when_they_changed(workspace, monkeypatch):
    make_ready(workspace)
    sheets = list((workspace.folder / "static").rglob("participant*.css"))
    assert sheets
    sheets[0].write_text("changed by hand")
    make_ready(workspace)
    assert sheets[0].read_text() == "changed by hand"

    (workspace.folder / "static" / serving._STATIC_STAMP).write_text("of another version")
    make_ready(workspace)
    assert all(path.read_text() != "changed by hand" for path in sheets)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_cannot_be_opened_is_told_in_a_line(workspace, monkeypatch):
    def refused():
        raise OperationalError("connection refused\n\tIs the server running?")

    monkeypatch.setattr(connections["default"], "ensure_connection", refused)
    with pytest.raises(InputError) as raised:
        make_ready(workspace)
    monkeypatch.undo()

    assert str(raised.value).endswith("the database cannot be opened: connection refused")


def test_a_wheel_without_its_style_sheets_is_told(workspace, monkeypatch, db):
    monkeypatch.setattr(serving, "__file__", str(workspace.folder / "serving.py"))
    with pytest.raises(InputError, match="the style sheets are missing from this installation"):
        serving._gather_static(workspace)
