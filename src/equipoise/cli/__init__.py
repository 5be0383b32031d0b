"""The command line: one module a command, each a thin shell around the library.

Method packages are imported inside the commands, so that `equipoise --help` does not wait for them.

    0    all is well
    1    a check or a verification ran and failed
    2    something that was given is wrong; nothing has been written
"""

import os
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated

import typer

from equipoise import __version__
from equipoise.cli import (
    allocate,
    amend,
    analyse,
    backup,
    check,
    diagnose,
    diff,
    doctor,
    export,
    import_roster,
    instruments,
    keys,
    lock,
    messages,
    new,
    report,
    restore,
    retention,
    serve,
    service,
    staff,
    stamp,
    study,
    study_approvals,
    study_messages,
    study_people,
    verify,
    work,
)
from equipoise.cli.terminal import tell_error
from equipoise.errors import EquipoiseError

__all__ = ["app", "main"]

# One thread of linear algebra, set before anything imports it: sums are the same on any number of cores, and
# threads never wait for each other over matrices as small as a trial's.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

app = typer.Typer(
    name="equipoise",
    help="Run a randomised trial or pilot, from the written protocol to the accessible report.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its import takes longer than everything else that --help needs
)
app.command("new")(new.new)
app.command("check")(check.check)
app.command("diagnose")(diagnose.diagnose)
app.command("lock")(lock.lock)
app.command("stamp")(stamp.stamp)
app.command("amend")(amend.amend)
app.command("diff")(diff.diff)
app.add_typer(import_roster.app, name="import")
app.command("allocate")(allocate.allocate)
app.command("analyse")(analyse.analyse)
app.command("report")(report.report)
app.command("verify")(verify.verify)
app.command("export")(export.export)
app.add_typer(instruments.app, name="instruments")
app.add_typer(keys.app, name="keys")
app.add_typer(staff.app, name="staff")
app.add_typer(service.app, name="service")
for _name in ("commit", "draw", "links"):
    study.app.command(_name)(getattr(study_people, _name))
for _name in ("calendar", "messages"):
    study.app.command(_name)(getattr(study_messages, _name))
for _name in ("unmask", "approvals", "approve"):
    study.app.command(_name)(getattr(study_approvals, _name))
app.add_typer(study.app, name="study")
app.add_typer(messages.app, name="messages")
app.command("serve")(serve.serve)
app.command("work")(work.work)
app.command("backup")(backup.backup)
app.command("restore")(restore.restore)
app.command("release")(restore.release)
app.command("doctor")(doctor.doctor)
app.command("retention")(retention.retention)
for _name in ("simulate", "rehearse", "demo"):
    if find_spec(f"equipoise.cli.{_name}") is not None:
        app.command(_name)(getattr(import_module(f"equipoise.cli.{_name}"), _name))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and answer with its exit code.

    Args:
        arguments: what stands after `equipoise`; the process's own when left out.
    """
    for setting in _THREADS:
        os.environ.setdefault(setting, "1")
    try:
        app(arguments, prog_name="equipoise")
    except EquipoiseError as error:
        return tell_error(error, arguments)
    except OSError as error:
        if error.filename is None:
            raise
        return tell_error(error, arguments)
    return 0


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"equipoise {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and stop."),
    ] = False,
) -> None:
    pass
