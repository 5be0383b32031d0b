"""What a workspace is refused for at its start: by name, with what to do about it."""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from equipoise.platform.startup import filesystem, unsafe, unsafe_database
from equipoise.platform.workspace import create_workspace, open_workspace

LOOPBACK, PUBLIC = "127.0.0.1:8000", "0.0.0.0:8000"
HTTPS = "https://trials.example.org"


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A function that makes a workspace with settings."""
    monkeypatch.delenv("DATABASE_URL", raising=False)

    def make(mode="live", **said):
        folder = tmp_path / "workspace"
        create_workspace(folder, mode=mode)
        place = folder / "workspace.yaml"
        lines = [f"{key}: {json.dumps(value)}" for key, value in said.items()]
        kept = [line for line in place.read_text("utf-8").splitlines() if line.split(":")[0] not in said]
        place.write_text("\n".join(kept + lines) + "\n", "utf-8")
        return open_workspace(folder)

    return make


def told(workspace, bind=LOOPBACK, tls=False):
    return [str(problem).replace(str(workspace.folder), "W") for problem in unsafe(workspace, bind, tls=tls)]


def test_a_new_workspace_on_loopback_is_safe(workspace):
    assert told(workspace()) == []
    assert told(workspace(), "[::1]:8000") == []


@pytest.mark.parametrize(
    ("url", "far"),
    [
        ("postgresql://equipoise:secret@db.example.org/trials", True),
        ("postgresql://equipoise:secret@db.example.org/trials?sslmode=require", True),
        ("postgresql://equipoise:secret@db.example.org/trials?sslmode=verify-ca", True),
        ("postgresql://equipoise:secret@localhost,db.example.org/trials", True),
        ("postgresql://equipoise:secret@localhost/trials?hostaddr=192.0.2.7", True),
        ("postgresql://equipoise:secret@db.example.org/trials?sslmode=verify-full", False),
        ("postgresql://equipoise:secret@localhost/trials", False),
        ("postgresql://equipoise:secret@[::1]:5433/trials", False),
        ("postgresql:///trials?host=/var/run/postgresql", False),
        ("postgresql:///trials", False),
    ],
)
def test_a_postgresql_elsewhere_has_to_show_who_it_is_where_real_people_take_part(
    workspace, monkeypatch, url, far
):
    live = workspace()
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.delenv("PGHOST", raising=False)
    monkeypatch.delenv("PGSSLMODE", raising=False)
    found = told(live)
    assert any("add sslmode=verify-full" in line for line in found) == far
    assert not any("secret" in line for line in found)


def test_where_the_environment_names_the_machine_it_is_asked_too(workspace, monkeypatch):
    live = workspace()
    monkeypatch.setenv("DATABASE_URL", "postgresql:///trials")
    monkeypatch.setenv("PGHOST", "db.example.org")
    assert any("add sslmode=verify-full" in line for line in told(live))
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert told(live) == []


def test_a_rehearsal_may_have_its_database_anywhere(workspace, monkeypatch):
    made = workspace(mode="rehearsal")
    monkeypatch.setenv("DATABASE_URL", "postgresql://equipoise:secret@db.example.org/trials")
    assert told(made) == []


def test_one_behind_a_proxy_that_is_named_is_safe(workspace):
    made = workspace(origin=HTTPS, proxies=["127.0.0.1"])

    assert told(made) == []
    assert told(made, PUBLIC) == []


@pytest.mark.parametrize(
    ("said", "bind", "tls", "expected"),
    [
        ({}, PUBLIC, False, ["speaks plain HTTP on loopback only; put a proxy with TLS in front"]),
        ({"proxies": ["10.0.0.2"]}, PUBLIC, False, ["speaks plain HTTP on loopback only"]),
        ({"origin": "http://trials.example.org"}, LOOPBACK, False, ["links to participants must begin with"]),
        ({"origin": HTTPS}, LOOPBACK, False, ["nothing here speaks TLS: name your proxy's address"]),
        ({"origin": "trials.example.org"}, LOOPBACK, False, ["found trials.example.org; expected https://"]),
        ({"origin": HTTPS + "/trials"}, LOOPBACK, True, ["expected https://HOST"]),
        ({"origin": "https://trials.example.org:99999"}, LOOPBACK, True, ["expected https://HOST"]),
        ({"origin": "https://me@trials.example.org"}, LOOPBACK, True, ["expected https://HOST"]),
        ({"origin": HTTPS, "proxies": ["*"]}, LOOPBACK, False, ["* is no address of one machine"]),
        (
            {"origin": HTTPS, "proxies": ["::"]},
            LOOPBACK,
            False,
            [":: is no address of one machine"],
        ),
        (
            {"mail": {"host": "smtp.example.org", "sender": "a@example.org", "security": "none"}},
            LOOPBACK,
            False,
            ["mail without TLS shows addresses; use starttls or tls"],
        ),
    ],
)
def test_each_unsafe_setting_is_named(workspace, said, bind, tls, expected):
    found = told(workspace(**said), bind, tls)

    assert len(found) == len(expected)
    assert all(words in line for words, line in zip(expected, found, strict=True))


def test_a_rehearsal_may_do_without_tls(workspace):
    made = workspace(
        "rehearsal", mail={"host": "smtp.example.org", "sender": "a@example.org", "security": "none"}
    )

    assert told(made, PUBLIC) == []


def test_tls_of_its_own_is_enough(workspace):
    assert told(workspace(origin=HTTPS), PUBLIC, tls=True) == []


def test_a_key_that_others_can_read_is_refused(workspace):
    made = workspace()
    (made.folder / "keys" / "signing.key").chmod(0o640)

    assert told(made) == ["W/keys/signing.key: can be read by others; run: chmod 600 W/keys/signing.key"]


def test_a_database_that_others_can_read_is_refused_and_so_is_its_log(workspace):
    made = workspace()
    for name in ("database.sqlite3", "database.sqlite3-wal"):
        (made.folder / name).write_bytes(b"")
        (made.folder / name).chmod(0o644)

    assert [line.split(":")[0] for line in told(made)] == ["W/database.sqlite3", "W/database.sqlite3-wal"]


@pytest.mark.parametrize("name", ["signing", "lookup", "contacts-1"])
def test_a_key_that_is_missing_is_refused_and_never_made_anew(workspace, name):
    made = workspace()
    (made.folder / "keys" / f"{name}.key").unlink()
    create_workspace(made.folder)

    (line,) = told(made)
    assert line.startswith(
        f"W/keys/{name}.key: the key is missing; put it back, or give it in EQUIPOISE_KEY_"
    )


def test_a_key_in_the_environment_is_as_good(workspace, monkeypatch):
    made = workspace()
    (made.folder / "keys" / "signing.key").unlink()
    monkeypatch.setenv("EQUIPOISE_KEY_SIGNING", secrets.token_hex(32))

    assert told(made) == []


def test_one_key_for_two_purposes_is_refused(workspace, monkeypatch):
    made = workspace()
    monkeypatch.setenv("EQUIPOISE_KEY_SIGNING", made.key("lookup").hex())

    assert told(made) == ["keys/lookup.key: is the same as signing; each key is its own"]


def test_a_key_that_is_none_is_refused_without_being_shown(workspace):
    made = workspace()
    (made.folder / "keys" / "lookup.key").write_text("a secret of another kind")

    assert told(made) == ["W/keys/lookup.key: this is not a key: expected 64 hexadecimal digits"]


def test_a_disk_that_is_almost_full_is_refused(workspace, monkeypatch):
    monkeypatch.setattr("equipoise.platform.startup._LEAST_FREE", 2**62)

    (line,) = told(workspace())
    assert "MB are free on this disk; make room first" in line


def test_a_network_file_system_is_refused_for_sqlite_alone(workspace, monkeypatch):
    monkeypatch.setattr("equipoise.platform.startup.filesystem", lambda folder: "nfs4")
    made = workspace()

    (line,) = told(made)
    assert "W: lies on a network file system (nfs4), whose locks SQLite cannot trust" in line
    monkeypatch.setenv("DATABASE_URL", "postgresql://localhost/trials")
    assert told(made) == []


def test_the_file_system_is_that_of_the_deepest_mount(tmp_path):
    mounts = tmp_path / "mountinfo"
    deep = tmp_path / "a place" / "deep"
    deep.mkdir(parents=True)
    spelled = str(tmp_path / "a place").replace(" ", "\\040")
    mounts.write_text(
        f"1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 0:4 / {spelled} rw,x master:1 - nfs4 host:/x rw\n"
    )

    assert filesystem(deep, mounts) == "nfs4"
    assert filesystem(tmp_path, mounts) == "ext4"
    assert filesystem(tmp_path, tmp_path / "none") == ""


def test_the_database_of_these_tests_keeps_what_it_acknowledges(db):
    assert unsafe_database() == []


@pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite")
@pytest.mark.django_db(transaction=True)
def test_a_lesser_setting_of_sqlite_is_refused():
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=OFF")
    found = [str(problem) for problem in unsafe_database()]
    connection.close()

    assert [line.split(";")[0] for line in found] == [
        "database.sqlite3: synchronous: is 1, and answers are safe with FULL only",
        "database.sqlite3: foreign_keys: is 0, and answers are safe with ON only",
    ]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL")
def test_a_lesser_setting_of_postgresql_is_refused(db):
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    found = [str(problem) for problem in unsafe_database()]

    assert found == [
        "DATABASE_URL: synchronous_commit: is off: an answer that was acknowledged could be lost; set it to on"
    ]


DEPLOYED = """
import sys
from pathlib import Path
from equipoise.platform.workspace import activate, open_workspace
activate(open_workspace(Path(sys.argv[1])))
from django.core.checks import run_checks
from equipoise.platform.startup import unsafe_settings
found = run_checks(include_deployment_checks=True)
print([each.id for each in found if not each.is_silenced()], unsafe_settings())
"""


def test_the_settings_pass_every_check_of_a_deployment_with_no_warning(workspace):
    made = workspace(origin=HTTPS, proxies=["127.0.0.1"])
    left_out = ("EQUIPOISE_WORKSPACE", "DJANGO_SETTINGS_MODULE")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    done = subprocess.run(
        [sys.executable, "-c", DEPLOYED, made.folder], env=kept, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[] []"


def test_nothing_that_decides_over_safety_is_read_from_the_environment():
    """DEBUG, the secret and the hosts come from the workspace; a stray variable changes none of them."""
    text = (Path(__file__).parents[3] / "src/equipoise/platform/settings/__init__.py").read_text("utf-8")
    names = {part.split('"')[1] for part in text.split("os.environ")[1:] if '"' in part}

    assert "DEBUG = False" in text
    assert names <= {"EQUIPOISE_WORKSPACE", "EQUIPOISE_MAIL_USER", "EQUIPOISE_MAIL_PASSWORD"}
