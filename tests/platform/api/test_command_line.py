"""`equipoise service`: made, listed and ended by whoever owns the workspace's files."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from django.conf import settings

from equipoise.cli import main
from equipoise.platform.audit.models import Entry
from equipoise.platform.services.queries import service_of_token

pytestmark = pytest.mark.django_db
ADD = ("--name", "Payroll (synthetic)", "--keeper", "alice@example.org", "--scope", "rosters:write")


@pytest.fixture
def run(capsys):
    """A function that runs `equipoise service VERB WORKSPACE ...`."""

    def command(verb, *words):
        capsys.readouterr()
        try:
            code = main(["service", verb, str(settings.WORKSPACE.folder), *words])
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capsys.readouterr()
        return SimpleNamespace(
            code=code, out=out, err=err, said=json.loads(out) if "--json" in words else None
        )

    return command


def test_a_service_is_made_listed_and_ended(run, swing, alice):
    made = run("add", "swing", *ADD, "--scope", "study:read", "--days", "30", "--json")
    assert made.code == 0
    assert service_of_token(made.said["token"]).actor == made.said["service"]
    assert Entry.objects.filter(chain_id="swing").latest("number").actor == "command-line"

    (listed,) = run("list", "--study", "swing", "--json").said["services"]
    assert (listed["state"], listed["scopes"]) == ("works", ["study:read", "rosters:write"])
    assert made.said["token"] not in run("list").out

    number = made.said["service"].partition(":")[2]
    assert run("end", number).out == f"Payroll (synthetic) has been ended (service:{number}).\n"
    assert service_of_token(made.said["token"]) is None
    assert run("end", number).code == 2


def test_what_is_wrong_is_told_with_what_is_allowed(run, swing, members):
    cases = {
        ("add", "swing", *ADD, "--keeper", "bob@example.org"): "choose one of its leads or data managers",
        ("add", "swing", *ADD, "--partner", "nowhere"): '"nowhere" is not a partner',
        ("add", "none-such", *ADD): "is not a study of this workspace",
        ("add", "swing", *ADD, "--scope", "everything"): '"everything" is not a scope. Scopes: study:read',
        ("end", "99"): "is not a service",
    }
    for words, told in cases.items():
        done = run(*words)
        assert (done.code, told in done.err) == (2, True), words


def test_the_command_line_starts_without_the_interface_of_the_web():
    program = (
        "import sys, equipoise.cli; print([m for m in ('ninja', 'django', 'pydantic') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
