"""`equipoise serve`: a workspace brought up, with its pages and its worker."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from equipoise.cli.terminal import Quiet, working
from equipoise.errors import InputError, Problem

__all__ = ["serve"]


def serve(
    workspace: Annotated[Path, typer.Argument(help="The folder of the workspace; made where there is none.")],
    bind: Annotated[str, typer.Option("--bind", help="HOST:PORT to listen on.")] = "127.0.0.1:8000",
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Processes that serve.")] = 2,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help="A certificate for TLS; mostly a proxy has it.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", help="The certificate's key.")] = None,
    rehearsal: Annotated[
        bool,
        typer.Option("--rehearsal", help="A new workspace is a rehearsal: a clock of its own, nobody real."),
    ] = False,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Leave the worker to `equipoise work`.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Make what is missing of a workspace and serve it.

    Unsafe settings are refused, each by its name.
    """
    from equipoise.platform.serving import Serving, make_ready
    from equipoise.platform.serving import serve as run
    from equipoise.platform.startup import unsafe, unsafe_database, unsafe_settings
    from equipoise.platform.workspace import activate, create_workspace

    host, port = _address(bind)
    os.umask(0o077)  # what is made is ours alone
    if (certificate is None) != (key is None):
        raise InputError(Problem("--certificate", "", "a certificate and its --key belong together"))
    new = not workspace.exists() or not any(workspace.iterdir())
    opened = create_workspace(workspace, mode="rehearsal" if rehearsal else "live")
    if rehearsal and opened.live:
        message = "is live; a rehearsal is a workspace of its own, so name a new folder"
        raise InputError(Problem(str(workspace), "--rehearsal", message))
    _refuse(unsafe(opened, bind, tls=certificate is not None))
    activate(opened)
    with working("Making the workspace ready", quiet=quiet):
        make_ready(opened)
    _refuse([*unsafe_settings(), *unsafe_database()])
    scheme = "https" if certificate else "http"

    def listening() -> None:
        if not quiet:
            where = f"{scheme}://{bind} ({opened.settings.mode})"
            typer.echo(f"{opened.settings.name} is at {where}. Ctrl-C ends it.")
            if new:
                typer.echo(f"Next: equipoise staff add {workspace} EMAIL --name NAME --role administrator")
            sys.stdout.flush()

    how = Serving(host, port, workers=workers, certificate=certificate, key=key, worker=not no_worker)
    run(opened, how, listening=listening)


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise InputError(problems)


def _address(bind: str) -> tuple[str, int]:
    host, _, port = bind.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise InputError(Problem("--bind", bind, "expected HOST:PORT, such as 127.0.0.1:8000"))
    return host.strip("[]"), int(port)
