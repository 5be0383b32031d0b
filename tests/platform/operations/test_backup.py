"""A backup while people write, and the workspace that is made of it."""

import json
import os
import signal
import tarfile
import threading
import uuid
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, connections
from tests.platform.fieldwork.test_link_again import ROSTER
from tests.platform.operations.copies import KEYS, POSTGRESQL, another_database, equipoise, python

from equipoise.errors import CheckFailedError, InputError
from equipoise.platform.audit.actions import record
from equipoise.platform.audit.models import Chain, Entry
from equipoise.platform.audit.queries import heads
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.fieldwork.models import LinkRequest, Submission
from equipoise.platform.fieldwork.sealing import seal_everything
from equipoise.platform.operations.archive import digest_of, read_manifest
from equipoise.platform.operations.backing_up import back_up
from equipoise.platform.people.actions import confirm_import
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.staff.actions import CommandLine

pytestmark = pytest.mark.django_db(transaction=True)
only_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite")
only_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL")
LOOK = """
import json, sys
from pathlib import Path
from equipoise.platform.workspace import activate, open_workspace
activate(open_workspace(Path(sys.argv[1])))
from equipoise.errors import CheckFailedError
from equipoise.platform.fieldwork.models import Submission
from equipoise.platform.people.models import Participant
from equipoise.platform.people.queries import contact_of
try:
    contacts = [contact_of(one) for one in Participant.objects.order_by("pk")]
except CheckFailedError as error:
    contacts = str(error)
print(json.dumps({"answers": list(Submission.objects.order_by("pk").values_list("answers", flat=True)),
                  "contacts": contacts}))
"""


@pytest.fixture(autouse=True)
def _programs_of_postgresql(monkeypatch):
    monkeypatch.setenv("PATH", f"{POSTGRESQL}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def out(tmp_path):
    """Where the backup shall be; the folder holds nothing else."""
    place = tmp_path / "elsewhere"
    place.mkdir()
    return place / "trial.backup"


@pytest.fixture
def lived(swing, answered, alice, tmp_path):
    """A study with answers under a seal, and somebody whom it can reach."""
    roster = tmp_path / "roster.csv"
    roster.write_text(ROSTER, "utf-8")
    confirm_import(alice, swing, roster)
    answered(pages=3)
    seal_everything()
    return swing


@pytest.fixture
def environment(tmp_path):
    """An empty database for what is restored, where there has to be one."""
    return another_database(f"restored_{uuid.uuid4().hex[:12]}")


def look(folder, **environment):
    left_out = {"EQUIPOISE_WORKSPACE": str(folder), **environment}
    if "DATABASE_URL" not in environment:
        left_out["DATABASE_URL"] = ""
    done = python(LOOK, folder, **left_out)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_backup_made_while_four_threads_write_is_of_one_moment_and_verifies(
    lived, answered, out, tmp_path, environment
):
    person = answered(pages=0)
    session, stop, failed = person.sessions.get(), threading.Event(), []

    def write(number):
        try:
            for count in range(10_000):
                with writing():
                    record("swing", "system", "test.write", {"thread": number, "count": count})
                    Submission.objects.create(
                        session=session, key=f"{number}-{count}", page="p", answers={}, shown={}, at=now()
                    )
                if count % 20 == 0:
                    seal_everything()
                if stop.is_set():
                    return
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    before = Entry.objects.count()
    made = back_up(CommandLine(), out)
    stop.set()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert before <= sum(head.number for head in made.manifest.heads.values()) < Entry.objects.count()

    done = equipoise("restore", out, tmp_path / "copy", "--keys", KEYS, "--json", **environment)
    assert done.code == 0, done.err
    assert done.said["faults"] == []
    assert done.said["keys"] == {}
    verified = equipoise("verify", tmp_path / "copy", "--json", **environment)
    assert verified.code == 0, verified.err
    assert verified.said["heads"]["swing"]["number"] == made.manifest.heads["swing"].number


def test_what_was_answered_and_who_can_be_reached_come_back_with_the_keys(lived, out, tmp_path, environment):
    back_up(CommandLine(), out)
    assert equipoise("restore", out, tmp_path / "copy", "--keys", KEYS, **environment).code == 0
    found = look(tmp_path / "copy", **environment)
    assert found["answers"] == list(Submission.objects.order_by("pk").values_list("answers", flat=True))
    assert "alex.example@example.org" in json.dumps(found["contacts"])


def test_without_the_keys_answers_can_be_read_and_contact_details_cannot(lived, out, tmp_path, environment):
    back_up(CommandLine(), out)
    done = equipoise("restore", out, tmp_path / "copy", **environment)
    assert done.code == 0
    assert "Keys are missing (contacts-1, lookup)" in done.err
    assert "contact details cannot" in done.err
    found = look(tmp_path / "copy", **environment)
    assert len(found["answers"]) == 3
    assert (
        found["contacts"] == "the key contacts-1 is missing, so contact details cannot be read; put it back"
    )
    refused = equipoise("serve", tmp_path / "copy", "--bind", "127.0.0.1:1", **environment)
    assert refused.code == 2
    assert "contacts-1.key: the key is missing" in refused.err


def test_a_key_of_another_workspace_is_told(lived, out, tmp_path, environment):
    back_up(CommandLine(), out)
    other = tmp_path / "keys"
    other.mkdir()
    for name in ("signing", "lookup", "contacts-1"):
        (other / f"{name}.key").write_text(os.urandom(32).hex() + "\n")
    done = equipoise("restore", out, tmp_path / "copy", "--keys", other, **environment)
    assert "contacts-1: is not the key that contact details were wrapped by" in done.err


def test_no_key_and_nothing_that_passes_is_in_a_backup(lived, out):
    back_up(CommandLine(), out)
    content = out.read_bytes()
    for path in KEYS.glob("*.key"):
        text = path.read_text().strip()
        assert text.encode() not in content
        assert bytes.fromhex(text) not in content
    with tarfile.open(out) as archive:
        names = archive.getnames()
    tops = {name.partition("/")[0] for name in names}
    assert tops - {"database.dump", "database.sqlite3"} == {"manifest.json", "workspace.yaml", "studies"}
    assert b"alex.example" not in content
    assert out.stat().st_mode & 0o777 == 0o600


def test_the_backup_is_entered_in_the_record_by_its_digest(lived, out):
    made = back_up(CommandLine(), out)
    entry = Entry.objects.get(verb="workspace.backup")
    assert json.loads(entry.details)["digest"] == made.digest
    with out.open("rb") as stream:
        assert digest_of(stream, "b") == made.digest


def test_a_backup_never_overwrites_and_never_lies_in_the_workspace(lived, out, tmp_path):
    out.write_text("something of mine")
    with pytest.raises(InputError, match="never overwritten"):
        back_up(CommandLine(), out)
    assert out.read_text() == "something of mine"
    with pytest.raises(InputError, match="lies in the workspace itself"):
        back_up(CommandLine(), Path(settings.WORKSPACE.folder) / "b")
    with pytest.raises(InputError, match="there is no such folder"):
        back_up(CommandLine(), tmp_path / "nowhere" / "b")
    assert not Entry.objects.filter(verb="workspace.backup").exists()


def test_a_lead_of_a_study_may_not_back_up_the_workspace(lived, alice, out):
    with pytest.raises(NotAllowedError):
        back_up(alice, out)
    assert not out.exists()


def test_a_version_of_a_study_whose_folder_is_gone_stops_the_backup(lived, out, monkeypatch, tmp_path):
    monkeypatch.setattr(type(settings.WORKSPACE), "studies", property(lambda self: tmp_path / "empty"))
    with pytest.raises(CheckFailedError, match="studies/swing/1 is missing"):
        back_up(CommandLine(), out)
    assert list(out.parent.iterdir()) == []


DYING = """
import os, signal, sys, django
from pathlib import Path
django.setup()
from django.db import connections
connections["default"].settings_dict["NAME"] = sys.argv[2]
from equipoise.platform.operations import backing_up, whole_file
place, name = {"copied": (backing_up, "_files"), "packing": (backing_up, "writing"), "last": (whole_file, "_give_name")}[sys.argv[3]]
setattr(place, name, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
from equipoise.platform.staff.actions import CommandLine
backing_up.back_up(CommandLine(), Path(sys.argv[1]))
"""


@pytest.mark.parametrize("step", ["copied", "packing", "last"])
def test_whoever_is_killed_leaves_no_backup_and_the_next_one_clears_up(lived, out, step):
    done = python(DYING, out, connection.settings_dict["NAME"], step)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not out.exists()
    assert all(path.name.startswith(".equipoise-at-work-") for path in out.parent.iterdir())
    back_up(CommandLine(), out)
    assert [path.name for path in out.parent.iterdir()] == ["trial.backup"]


@pytest.mark.parametrize("size", [20_000, 300_000, 640_000])
@only_sqlite
def test_a_full_disk_leaves_nothing(lived, out, size):
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        with pytest.raises(InputError, match="Nothing was left behind"):
            back_up(CommandLine(), out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(out.parent.iterdir()) == []


def test_too_little_room_is_told_before_anything_is_done(lived, out, monkeypatch):
    monkeypatch.setattr("equipoise.platform.operations.backing_up.database_size", lambda: 2**60)
    with pytest.raises(InputError, match="make room, or name another disk"):
        back_up(CommandLine(), out)


def test_where_every_file_has_a_name_from_the_start_it_is_whole_or_gone_too(lived, out, monkeypatch):
    """Some file systems know no nameless files."""
    monkeypatch.setattr(os, "O_TMPFILE", os.O_RDWR | os.O_DIRECTORY)
    back_up(CommandLine(), out)
    assert [path.name for path in out.parent.iterdir()] == ["trial.backup"]
    assert out.stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr("equipoise.platform.operations.backing_up.pack", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        back_up(CommandLine(), out.with_name("second"))
    assert [path.name for path in out.parent.iterdir()] == ["trial.backup"]


def test_a_restored_workspace_sends_nothing_until_a_person_says_so(lived, out, tmp_path, environment):
    LinkRequest.objects.create(participant=lived.participants.first(), at=now())
    back_up(CommandLine(), out)
    copy = tmp_path / "copy"
    assert equipoise("restore", out, copy, "--keys", KEYS, **environment).code == 0
    place = copy / "workspace.yaml"
    mail = "mail: {host: 127.0.0.1, port: 9, sender: study@example.org, security: none}\n"
    place.write_text(place.read_text("utf-8") + mail, "utf-8")
    tries = "import smtplib\nsmtplib.SMTP.connect = lambda *_: print('a try to send') or (1 / 0)\n"
    work = "from equipoise.cli import main\nimport sys\nmain(['work', sys.argv[1], '--once'])\n"
    own = {"EQUIPOISE_WORKSPACE": str(copy), "DATABASE_URL": "", **environment}
    held = python(tries + work, copy, **own)
    assert "a try to send" not in held.stdout, held.stderr
    assert "links sent: 0" in held.stdout
    assert equipoise("release", copy, "--reason", "the other one is gone", **environment).code == 0
    assert "a try to send" in python(tries + work, copy, **own).stdout
    again = equipoise("release", copy, "--reason", "once more", **environment)
    assert again.code == 2
    assert "nothing is held here" in again.err


def test_a_restoration_is_entered_in_the_record_of_the_copy(lived, out, tmp_path, environment):
    made = back_up(CommandLine(), out)
    equipoise("restore", out, tmp_path / "copy", "--keys", KEYS, **environment)
    last = (
        "from equipoise.platform.audit.models import Entry\n"
        "entry = Entry.objects.get(verb='workspace.restore')\nprint(entry.actor, entry.details)"
    )
    start = "import sys\nfrom pathlib import Path\nfrom equipoise.platform.workspace import activate, open_workspace\n"
    text = f"{start}activate(open_workspace(Path(sys.argv[1])))\n{last}"
    done = python(text, tmp_path / "copy", DATABASE_URL=environment.get("DATABASE_URL", ""))
    assert done.stdout.startswith("command-line")
    assert made.digest in done.stdout


def test_a_chain_that_was_broken_before_the_backup_is_told_and_the_copy_stays(
    lived, out, tmp_path, environment
):
    Entry.objects.filter(chain_id="swing", number=1).update(actor="staff:9")
    back_up(CommandLine(), out)
    done = equipoise("restore", out, tmp_path / "copy", "--keys", KEYS, **environment)
    assert done.code == 1
    assert "swing: entry 1 was changed after it was written" in done.err
    assert (tmp_path / "copy" / "SENDING-IS-HELD.txt").is_file()


def test_the_heads_of_the_manifest_are_those_of_the_moment(lived, out):
    expected = heads()
    made = back_up(CommandLine(), out)
    assert {name: (kept.number, kept.head) for name, kept in made.manifest.heads.items()} == {
        name: (head.number, head.head) for name, head in expected.items()
    }
    with out.open("rb") as stream:
        assert read_manifest(stream, "b") == made.manifest
    assert Chain.objects.get(name="workspace").number == expected["workspace"].number + 1


def test_the_command_says_loudly_that_no_key_is_in_it(tmp_path):
    from tests.platform.durability import living

    if connection.vendor != "sqlite":
        pytest.skip("the workspace that this makes has a database in a file")
    workspace = tmp_path / "trial"
    living.run("make", workspace, 1)
    done = equipoise("backup", workspace, "--out", tmp_path / "b")
    assert done.code == 0, done.err
    assert "NO KEY IS IN IT" in done.err
    assert "contacts-1, lookup, signing" in done.err
    assert done.out.count("\n") == 3


@only_postgresql
def test_without_its_programs_a_postgresql_is_not_backed_up_and_it_is_said_what_to_install(
    lived, out, monkeypatch, tmp_path
):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("equipoise.platform.operations.postgresql._DEBIAN", tmp_path)
    with pytest.raises(InputError, match=r"pg_dump: is needed in version \d+ or later.*install"):
        back_up(CommandLine(), out)
    assert list(out.parent.iterdir()) == []


@only_postgresql
def test_a_postgresql_that_is_not_empty_is_not_restored_into(lived, out, tmp_path):
    back_up(CommandLine(), out)
    done = equipoise("restore", out, tmp_path / "copy", DATABASE_URL=used_database())
    assert done.code == 2
    assert "the database is not empty" in done.err
    assert not (tmp_path / "copy").exists()


def used_database():
    head, _, rest = os.environ["DATABASE_URL"].partition("?")
    return f"{head.rpartition('/')[0]}/{connection.settings_dict['NAME']}?{rest}"
