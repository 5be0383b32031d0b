"""What every command has in common: help, start-up, exit codes, JSON."""

import json
import subprocess
import sys

import pytest
import typer

from equipoise import __version__, cli
from equipoise.cli.terminal import tell_error
from equipoise.errors import CheckFailedError, InputError, NotSupportedError, Problem


def leaves(command, path=""):
    for name, inner in getattr(command, "commands", {}).items():
        yield from leaves(inner, f"{path} {name}".strip())
    if not hasattr(command, "commands"):
        yield path, command


COMMANDS = dict(leaves(typer.main.get_command(cli.app)))


def test_the_commands_that_the_outside_relies_on_are_there():
    named = {
        "new",
        "check",
        "lock",
        "amend",
        "diff",
        "import roster",
        "allocate",
        "analyse",
        "report",
        "verify",
    }
    assert named <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_every_option_has_a_sentence_of_help(name):
    command = COMMANDS[name]
    assert (command.help or "").strip()
    assert [each.name for each in command.params if not (getattr(each, "help", "") or "").strip()] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_help_can_be_asked_of_every_command(run, name):
    done = run(*name.split(), "--help")
    assert done.code == 0
    assert "Usage: equipoise" in done.out


def test_the_version_is_printed(run):
    assert run("--version").out == f"equipoise {__version__}\n"


def test_starting_up_imports_nothing_that_takes_long():
    heavy = ("polars", "numpy", "scipy", "matplotlib", "pydantic", "cel", "rich", "ruamel.yaml")
    script = (
        "import sys\nfrom equipoise.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("error", "code"),
    [(InputError("wrong"), 2), (NotSupportedError("not yet"), 2), (CheckFailedError("failed"), 1)],
)
def test_an_error_says_what_happened_by_its_exit_code(error, code, capsys):
    assert tell_error(error, []) == code
    assert capsys.readouterr().err == f"{error}\n"


def test_errors_are_told_one_line_a_problem_and_as_json_where_that_is_asked(capsys):
    problems = [Problem("a.yaml:3", "x.y", "is wrong"), Problem("b.csv:7", "age", "is text")]
    tell_error(InputError(problems), ["check", "--json"])
    out, err = capsys.readouterr()
    assert err.splitlines() == ["a.yaml:3: x.y: is wrong", "b.csv:7: age: is text"]
    told = json.loads(out)["error"]
    assert (told["kind"], told["exit_code"]) == ("InputError", 2)
    assert told["problems"][1] == {"place": "b.csv:7", "where": "age", "message": "is text"}


def test_an_interruption_ends_with_the_usual_code_and_without_a_traceback(run, monkeypatch, trial):
    import equipoise.protocol

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(equipoise.protocol, "load_study", interrupted)
    done = run("check", trial)
    assert (done.code, done.err) == (130, "")


def test_an_unknown_option_is_bad_input(run):
    assert run("check", "here", "--explian").code == 2


def test_a_file_that_may_not_be_read_is_told_without_a_traceback(run, trial, monkeypatch):
    import equipoise.protocol

    def refused(*_):
        raise PermissionError(13, "Permission denied", "breaks/protocol.yaml")

    monkeypatch.setattr(equipoise.protocol, "load_study", refused)
    done = run("check", trial)
    assert done.code == 2
    assert done.err == "breaks/protocol.yaml: permission denied; look at its name and permissions\n"


def test_quiet_says_nothing_when_all_is_well(run, trial):
    assert run("check", trial, "--quiet") == type(run("check", trial))(0, "", "")


def test_the_instruments_can_be_listed_shown_and_worded(run):
    assert "swemwbs" in run("instruments").out
    assert json.loads(run("instruments", "list", "--json").out)["instruments"]
    assert "scores:" in run("instruments", "show", "swemwbs").out
    assert run("instruments", "wording", "swemwbs").out.startswith("# Wording of")
    done = run("instruments", "show", "swemwb")
    assert done.code == 2
    assert 'Did you mean "swemwbs"?' in done.err
