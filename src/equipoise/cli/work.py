"""`equipoise work`: the worker of a workspace, which does what is due."""

import os
from pathlib import Path
from typing import Annotated

import typer

from equipoise.cli.terminal import Quiet

__all__ = ["work"]


def work(
    workspace: Annotated[Path, typer.Argument(help="The folder of the workspace.")],
    once: Annotated[
        bool, typer.Option("--once", help="Do each duty once, send what is due, and end.")
    ] = False,
    parent: Annotated[
        int, typer.Option("--parent", hidden=True, help="End when this process has ended.")
    ] = 0,
    quiet: Quiet = False,
) -> None:
    """Send the messages that are due, and do the duties: seal what came in, delete what may not be kept.

    Any number of workers may run at one workspace. All of them send, and one of them does the duties.
    `equipoise serve` runs a worker of its own unless told not to.
    """
    from equipoise.platform.workspace import activate, open_workspace

    os.umask(0o077)  # what is made is ours alone
    opened = open_workspace(workspace)
    activate(opened)
    from equipoise.platform.operations.schema import refuse_other
    from equipoise.platform.processes import end_with
    from equipoise.platform.worker.loop import run

    if parent:
        end_with(parent)
    refuse_other()
    done = run(opened, once=once)
    if not quiet:
        for name, number in done.items():
            typer.echo(f"{name}: {number}")
