"""Exports as work: whole or not, begun again after a kill, refused with the roles of the moment, dropped."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from tests.platform.durability.conftest import own_database  # noqa: F401
from tests.platform.review.killed import run

from equipoise.errors import InputError
from equipoise.platform.audit.models import Entry
from equipoise.platform.fieldwork.actions import leave_study
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.models import Study
from equipoise.platform.review import jobs
from equipoise.platform.review.jobs import ask_for_export, drop_exports, make_export, zip_of
from equipoise.platform.review.models import Export
from equipoise.platform.staff.actions import Place, revoke

# The worker reads in a snapshot, which is a transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)


def made(who, study):
    export = ask_for_export(who, study, ["csv"])
    make_export()
    export.refresh_from_db()
    return export


def left_in(settings):
    return sorted(path.name for path in (settings.WORKSPACE.folder / "exports" / "swing").glob("*"))


def test_one_is_made_at_a_time_and_only_its_file_is_left(alice, people, swing, settings):
    first, second = (ask_for_export(alice, swing, []) for _ in range(2))
    assert make_export() == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("ready", "waiting")
    assert (first.rows, first.masked, first.formats) == (12, True, ["parquet", "csv"])
    assert make_export() == 1
    assert make_export() == 0
    assert left_in(settings) == [f"{first.name}.zip", f"{second.name}.zip"]
    assert first.size == zip_of(first).stat().st_size


def test_what_cannot_be_made_says_why_and_leaves_nothing(alice, swing, settings):
    export = made(alice, swing)
    assert (export.state, "nobody is enrolled" in export.problem) == ("failed", True)
    assert left_in(settings) == []
    assert Entry.objects.filter(verb="data.export-failed").count() == 1


def test_whoever_lost_their_role_meanwhile_gets_nothing(frank, alice, people, swing):
    ask_for_export(frank, swing, ["csv"])
    revoke(alice, frank, "analyst", Place(swing))
    make_export()
    assert Export.objects.get().state == "failed"
    with pytest.raises(NotAllowedError):
        ask_for_export(frank, swing, ["csv"])


def test_an_unknown_format_is_refused_at_once(alice, swing):
    with pytest.raises(InputError, match="is not a format"):
        ask_for_export(alice, swing, ["exe"])
    assert not Export.objects.exists()


def test_a_fault_of_ours_is_tried_again_and_given_up_after_a_while(alice, people, swing, monkeypatch):
    export = ask_for_export(alice, swing, ["csv"])
    with monkeypatch.context() as broken:
        broken.setattr(jobs, "_zipped", lambda *_: 1 / 0)
        for state in ("waiting", "waiting", "failed"):
            make_export()
            export.refresh_from_db()
            assert export.state == state
    assert "the worker's log tells" in export.problem


def test_what_another_worker_began_is_begun_again_and_its_leavings_are_gone(alice, people, swing, settings):
    export = ask_for_export(alice, swing, ["csv"])
    Export.objects.update(state="making", worker="gone", tries=1)
    folder = Path(settings.WORKSPACE.folder) / "exports" / "swing"
    for left in (export.name, f".{export.name}.half"):
        (folder / left).mkdir(parents=True)
    assert make_export() == 1
    export.refresh_from_db()
    assert (export.state, export.tries) == ("ready", 2)
    assert left_in(settings) == [f"{export.name}.zip"]
    Export.objects.update(state="making", worker="gone", tries=3)
    make_export()
    export.refresh_from_db()
    assert "interrupted each time" in export.problem


def test_a_file_goes_with_whoever_erases_and_when_it_is_old(alice, people, swing, at, settings):
    first = made(alice, swing)
    assert drop_exports() == 0
    leave_study(people[0], "erase", channel="web", actor=f"participant:{people[0].key}")
    first.refresh_from_db()
    assert (first.state, zip_of(first)) == ("dropped", None)  # at once, before its file is gone
    assert drop_exports() == 1
    assert left_in(settings) == []
    at(first.asked_at + timedelta(hours=1))
    second = made(alice, swing)
    at(second.asked_at + jobs.KEPT + timedelta(seconds=1))
    assert drop_exports() == 1


def test_an_export_is_made_again_without_whoever_erases_while_it_is_made(alice, people, swing, monkeypatch):
    export = ask_for_export(alice, swing, ["csv"])
    with monkeypatch.context() as meanwhile:
        zipped = jobs._zipped
        person = people[0]

        def erased_just_then(*given):
            leave_study(person, "erase", channel="web", actor=f"participant:{person.key}")
            return zipped(*given)

        meanwhile.setattr(jobs, "_zipped", erased_just_then)
        make_export()
    export.refresh_from_db()
    assert (export.state, zip_of(export)) == ("waiting", None)
    make_export()
    export.refresh_from_db()
    assert (export.state, export.rows) == ("ready", 11)


def test_a_folder_of_the_version_before_that_no_row_knows_is_deleted(alice, people, swing, settings):
    export = made(alice, swing)
    old = Path(settings.WORKSPACE.folder) / "exports" / "swing" / "20210210T120000000000Z"
    old.mkdir()
    (old / "participants.parquet").write_bytes(b"PAR1")
    assert drop_exports() == 1
    assert left_in(settings) == [f"{export.name}.zip"]


def test_a_study_that_is_unmasked_meanwhile_is_exported_as_it_is_then(trial, alice):
    export = ask_for_export(alice, trial.study, ["csv"])
    Study.objects.update(results="unmasked")
    make_export()
    export.refresh_from_db()
    assert (export.state, export.masked) == ("ready", False)


def test_a_worker_that_was_killed_in_the_middle_is_followed_by_one_that_finishes(tmp_path, own_database):  # noqa: F811
    assert run("die", tmp_path / "workspace").returncode == -9
    finished = run("finish", tmp_path / "workspace")
    assert json.loads(finished.stdout) == ["making", True, "ready", 2, [".zip"]], finished.stderr
