"""A workspace of each earlier version, opened by this one: nothing lost, nothing sent, everything verified."""

import json
import lzma
import os
import re
import shutil
import sqlite3
import tarfile
import urllib.request
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import connection
from tests.platform.durability.living import ONE, served
from tests.platform.operations.copies import another_database, equipoise, python

from equipoise import __version__

HERE = Path(__file__).parent
VERSIONS = sorted(path.name.removesuffix(".json.xz") for path in HERE.glob("*.json.xz"))

# Where the database is not a file: the tables of then, and the rows in them, by the models of then.
FILL = """
import json, lzma, sys
from pathlib import Path
from equipoise.platform.workspace import activate, open_workspace
activate(open_workspace(Path(sys.argv[1])))
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
said = json.loads(lzma.open(sys.argv[2]).read())
targets = [tuple(each) for each in said["migrations"]]
MigrationExecutor(connection).migrate(targets)
models = MigrationExecutor(connection).loader.project_state(targets).apps
with transaction.atomic():
    for row in said["rows"]:
        model, values = models.get_model(row["model"]), {}
        for name, value in row["fields"].items():
            field = model._meta.get_field(name)
            if not field.many_to_many:
                values[field.attname] = value if field.remote_field else field.to_python(value)
        model.objects.bulk_create([model(pk=row["pk"], **values)])
filled = {models.get_model(row["model"]) for row in said["rows"]}
with connection.cursor() as cursor:
    for statement in connection.ops.sequence_reset_sql(no_style(), list(filled)):
        cursor.execute(statement)
"""
# The worker of this version does what it finds due; then what is there.
LOOK = """
import json, smtplib, sys
smtplib.SMTP.connect = lambda *_: print("a try to send") or (1 / 0)
from equipoise.cli import main
try:
    main(["work", sys.argv[1], "--once"])
except SystemExit as stop:
    assert not stop.code
from equipoise.platform.fieldwork.models import Submission
from equipoise.platform.operations.schema import last_version
from equipoise.platform.people.models import Allocation, ContactDetails, Participant
from equipoise.platform.people.queries import contact_of
from equipoise.platform.registry.models import Study
from equipoise.platform.staff.models import StaffMember
swing = Study.objects.get(name="swing")
print(json.dumps({
    "answers": list(Submission.objects.order_by("pk").values_list("pk", "answers")),
    "arms": list(Allocation.objects.order_by("pk").values_list("participant__key", "arm")),
    "states": list(Participant.objects.order_by("pk").values_list("key", "state")),
    "contacts": sum(bool(contact_of(one)) for one in Participant.objects.all()),
    "roles": {one.email: sorted(grant.role for grant in one.grants_in(swing)) for one in StaffMember.objects.all()},
    "opened": last_version(),
}))
"""


def unpacked(version, folder):
    """The workspace as that version left it: with its own file of a database, or in a PostgreSQL."""
    with tarfile.open(HERE / f"{version}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    for key in (folder / "keys").glob("*.key"):
        key.chmod(0o600)
    mail = "mail: {host: 127.0.0.1, port: 9, sender: study@example.org, security: none}\n"
    place = folder / "workspace.yaml"
    place.write_text(place.read_text("utf-8") + mail, "utf-8")
    environment = another_database(f"upgraded_{abs(hash(folder))}")
    if environment:
        done = python(
            FILL, folder, HERE / f"{version}.json.xz", EQUIPOISE_WORKSPACE=str(folder), **environment
        )
        assert done.returncode == 0, done.stderr
    else:
        place = folder / "database.sqlite3"
        with closing(sqlite3.connect(place)) as made:
            made.executescript(lzma.decompress((HERE / f"{version}.sql.xz").read_bytes()).decode())
        place.chmod(0o600)
    return {"DATABASE_URL": "", **environment}


@pytest.fixture(scope="module", params=VERSIONS)
def upgraded(request, tmp_path_factory):
    """What was in a workspace before, what this version said to it, and what is there after it was served."""
    folder = tmp_path_factory.mktemp("upgrade") / "workspace"
    environment = unpacked(request.param, folder)
    said = json.loads(lzma.decompress((HERE / f"{request.param}.json.xz").read_bytes()))
    too_soon = equipoise("work", folder, "--once", **environment)
    kept = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        with served(folder, "--quiet", "--no-worker", *ONE) as server:
            pages = [
                urllib.request.urlopen(
                    f"http://127.0.0.1:{server.port}{link[len('http://localhost:8000') :]}"
                ).read()
                for link in said["links"]
            ]
            assert server.stop()[0] == 0
    finally:
        for name, value in kept.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    own = {"EQUIPOISE_WORKSPACE": str(folder), **environment}
    looked = python(LOOK, folder, **own)
    assert looked.returncode == 0, looked.stderr
    return SimpleNamespace(
        folder=folder, environment=environment, said=said, too_soon=too_soon, pages=pages, worked=looked.stdout,
        found=json.loads(looked.stdout.splitlines()[-1]),
    )  # fmt: skip


def rows(upgraded, model):
    """What there was of a table, by its number."""
    return {row["pk"]: row["fields"] for row in upgraded.said["rows"] if row["model"] == model}


def test_before_its_tables_are_brought_up_to_date_nothing_works_on_them_and_it_is_said_what_does(upgraded):
    done = upgraded.too_soon
    assert (done.code, done.out) == (2, "")
    assert "is still as an earlier version left it" in done.err
    assert "`equipoise serve` makes them when it starts" in done.err


def test_people_go_on_by_the_links_that_they_had(upgraded):
    assert len(upgraded.pages) == 3
    for page in upgraded.pages:
        assert b"Start" in page


def test_nothing_that_was_told_is_lost_and_nothing_else_is_there(upgraded):
    answers = [
        [number, fields["answers"]] for number, fields in rows(upgraded, "fieldwork.submission").items()
    ]
    people = rows(upgraded, "people.participant")
    arms = [
        [people[fields["participant"]]["key"], fields["arm"]]
        for fields in rows(upgraded, "people.allocation").values()
    ]
    assert upgraded.found["answers"] == answers
    assert upgraded.found["arms"] == arms
    assert upgraded.found["states"] == [[fields["key"], fields["state"]] for fields in people.values()]
    assert upgraded.found["contacts"] == len(rows(upgraded, "people.contactdetails"))


def test_staff_hold_the_roles_that_they_held(upgraded):
    assert upgraded.found["roles"] == {"alice@example.org": ["lead"], "carol@example.org": ["administrator"]}


def test_the_worker_sends_nothing_that_nobody_waits_for_any_more(upgraded):
    assert "a try to send" not in upgraded.worked
    assert "links sent: 0" in upgraded.worked


def test_the_record_the_seals_and_the_draws_of_then_verify(upgraded):
    done = equipoise("verify", upgraded.folder, "--json", **upgraded.environment)
    assert done.code == 0, done.err
    for name, chain in rows(upgraded, "audit.chain").items():
        assert done.said["heads"][name]["number"] >= chain["number"]
    assert done.said["checks"][-1].endswith("stages of allocation")


def test_the_doctor_finds_the_tables_of_this_version_and_says_which_opened_it(upgraded):
    done = equipoise("doctor", upgraded.folder, "--json", **upgraded.environment)
    told = {each["check"]: each for each in done.said["checks"]}
    assert (
        told["tables"]["said"]
        == f"those of this version, {__version__}; last opened with version {__version__}"
    )
    for check in ("settings", "keys", "studies", "seals", "deletions"):
        assert told[check]["state"] == "good", told[check]
    assert upgraded.found["opened"] == __version__


def test_a_version_that_does_not_know_the_tables_refuses_them_whatever_it_is_asked(upgraded, tmp_path):
    """As the version of before would be asked to open what this one has upgraded."""
    if connection.vendor != "sqlite":
        pytest.skip("one copy of a file shows it; what is asked is the same")
    copy = tmp_path / "copy"
    shutil.copytree(upgraded.folder, copy)
    with closing(sqlite3.connect(copy / "database.sqlite3")) as opened, opened:
        opened.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('people', '9999_of_tomorrow', '2030-01-01')"
        )
    for words in (
        ("serve", copy, "--bind", "127.0.0.1:1"),
        ("work", copy, "--once"),
    ):
        done = equipoise(*words, **upgraded.environment)
        assert done.code == 2, words
        assert re.search(r"later version \(it has people 9999_of_tomorrow\)", done.err), words
