"""Studies come in as locked folders, whole or not at all."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connection

from equipoise.errors import InputError, ProtocolError
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.actions import add_study, set_programme
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, partners, stages, study_named
from equipoise.platform.staff.actions import CommandLine

pytestmark = pytest.mark.django_db


def edited(before, after, file="protocol.yaml"):
    def change(folder):
        path = folder / file
        text = path.read_text("utf-8")
        assert before in text
        path.write_text(text.replace(before, after, 1), "utf-8")

    return change


def refused(folder, error=InputError):
    """The message of a refusal that left nothing behind."""
    before = sorted(path.name for path in settings.WORKSPACE.studies.iterdir())
    with pytest.raises(error) as caught:
        add_study(CommandLine(), folder)
    assert sorted(path.name for path in settings.WORKSPACE.studies.iterdir()) == before
    assert not Study.objects.exists()
    return str(caught.value)


def test_a_locked_folder_comes_in_with_its_partners_and_stages_and_is_recorded(
    locked_folder, members, recorded
):
    study = add_study(CommandLine(), locked_folder("flexitime"))
    assert study.state == "locked"
    assert folder_of(study).protocol.study.title == study.title
    assert {partner.name for partner in partners(study)} == set(folder_of(study).protocol.partners)
    assert [stage.name for stage in stages(study)] == list(folder_of(study).protocol.allocation)
    assert recorded(study.name) == ["study.add"]
    assert recorded("workspace")[-1] == "study.add"


def test_later_changes_to_the_folder_change_nothing(locked_folder, members):
    folder = locked_folder()
    study = add_study(CommandLine(), folder)
    shutil.rmtree(folder)
    assert folder_of(study).protocol.study.id == "swing"


def test_rosters_other_data_and_secrets_in_the_folder_stay_outside(locked_folder, members):
    folder = locked_folder()
    for place in ("data/answers.csv", "rosters/more.csv", "swing.secret", "narrative/key.secret", ".env"):
        (folder / place).parent.mkdir(exist_ok=True)
        (folder / place).write_text("alice@example.org", "utf-8")
    study = add_study(CommandLine(), folder)
    kept = settings.WORKSPACE.studies / study.name / "1"
    found = {path.relative_to(kept).as_posix() for path in kept.rglob("*") if path.is_file()}
    assert {"protocol.yaml", "lock.json", "surveys/wellbeing.yaml"} <= found
    assert not [
        path for path in kept.rglob("*") if path.is_file() and b"alice@example.org" in path.read_bytes()
    ]


def test_the_time_stamp_of_the_lock_comes_along(locked_folder, members):
    folder = locked_folder()
    (folder / "lock.json.tsr").write_bytes(b"signed")
    study = add_study(CommandLine(), folder)
    assert (folder_of(study).folder / "lock.json.tsr").read_bytes() == b"signed"


def test_a_folder_that_is_no_study_is_refused(tmp_path, members):
    assert "no protocol.yaml here" in refused(tmp_path, ProtocolError)


def test_a_folder_with_faults_is_refused_with_file_and_line(locked_folder, members):
    folder = locked_folder()
    edited("channel: email", "channel: pigeon")(folder)
    assert "swing/protocol.yaml:" in refused(folder, ProtocolError)


def test_a_study_that_is_not_locked_is_refused(locked_folder, members):
    folder = locked_folder()
    (folder / "lock.json").unlink()
    assert "is not locked" in refused(folder, ProtocolError)


def test_a_folder_that_was_changed_since_its_lock_is_refused(locked_folder, members):
    folder = locked_folder()
    edited("Before the texts", "Before anything")(folder)
    assert "lock" in refused(folder, ProtocolError)


def test_a_link_in_the_folder_is_refused_and_not_followed(locked_folder, members, tmp_path):
    (tmp_path / "elsewhere.md").write_text("A secret of somebody else", "utf-8")
    folder = locked_folder()
    (folder / "messages" / "week-9.md").symlink_to(tmp_path / "elsewhere.md")
    assert "swing/messages/week-9.md: is a link" in refused(folder)


def test_the_same_study_twice_is_refused(locked_folder, members):
    add_study(CommandLine(), locked_folder())
    with pytest.raises(InputError, match="is in this workspace already"):
        add_study(CommandLine(), settings.WORKSPACE.studies / "swing" / "1")
    assert folder_of(study_named("swing")).protocol.study.id == "swing"


def test_only_an_administrator_or_a_lead_adds_studies(locked_folder, members):
    with pytest.raises(NotAllowedError):
        add_study(members["Bob"], locked_folder())
    assert add_study(members["Carol"], locked_folder("flexitime")).name == "flexitime"


def test_what_an_attempt_that_was_cut_off_left_is_replaced(locked_folder, members):
    left = settings.WORKSPACE.studies / "swing" / "1"
    shutil.rmtree(left, ignore_errors=True)
    left.mkdir(parents=True)
    (left / "torn.yaml").write_text("half a fi", "utf-8")
    study = add_study(CommandLine(), locked_folder())
    assert folder_of(study).protocol.study.id == "swing"
    assert not (left / "torn.yaml").exists()


def test_a_failure_at_the_last_step_leaves_neither_row_nor_entry(
    locked_folder, members, monkeypatch, recorded
):
    before = recorded("workspace")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("equipoise.platform.registry.actions.put_in_place", fail)
    with pytest.raises(OSError, match="No space"):
        add_study(CommandLine(), locked_folder())
    assert not Study.objects.exists()
    assert recorded("workspace") == before


@pytest.mark.django_db(transaction=True)
def test_of_two_who_add_the_same_study_at_once_one_does(locked_folder, members):
    folder = locked_folder()

    def attempt(_):
        try:
            return add_study(CommandLine(), folder).name
        except InputError as error:
            return str(error)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(attempt, range(2)), key=len)
    assert told[0] == "swing"
    assert "already" in told[1]
    assert folder_of(study_named("swing")).protocol.study.id == "swing"


def test_a_live_workspace_takes_no_lock_of_a_rehearsals_clock(locked_folder, members, monkeypatch):
    folder = locked_folder()
    monkeypatch.setattr(type(settings.WORKSPACE), "live", property(lambda _: True))
    assert "rehearsal's clock" in refused(folder, ProtocolError)


def test_a_study_is_put_under_a_programme(locked_folder, members):
    study = add_study(CommandLine(), locked_folder(), programme="hhp2")
    assert study.programme.name == "hhp2"
    set_programme(members["Carol"], study, "other", "Another programme")
    assert study_named("swing").programme.title == "Another programme"
    with pytest.raises(NotAllowedError):
        set_programme(members["Alice"], study, "hhp2", "HHP2")


def test_an_unknown_study_is_told_with_those_there_are(locked_folder, members):
    add_study(CommandLine(), locked_folder())
    with pytest.raises(InputError, match='Did you mean "swing"'):
        study_named("swign")


def test_only_what_belongs_to_a_study_is_looked_at_for_links(locked_folder, members, tmp_path):
    folder = locked_folder()
    (folder / ".venv").symlink_to(tmp_path)
    assert add_study(CommandLine(), folder).name == "swing"
