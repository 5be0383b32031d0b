"""`equipoise doctor`: what is wrong with a workspace, and what to do about it."""

from pathlib import Path
from typing import Annotated

import typer

from equipoise.cli.terminal import Json, Quiet, answer, working

__all__ = ["doctor"]


def doctor(
    workspace: Annotated[Path, typer.Argument(help="The folder of the workspace.")],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Look a workspace over: a line a check, and what to do where something is wrong.

    Nothing is changed and no message is sent. Nothing personal and no secret is in the answer.
    """
    from equipoise.platform.operations.checks import examine
    from equipoise.platform.workspace import open_workspace

    opened = open_workspace(workspace)
    with working("Looking", quiet=quiet or json):
        found = list(examine(opened))
    well = all(each.state != "wrong" for each in found)
    told = [
        {"check": each.check, "state": each.state, "said": each.said, "remedy": each.remedy} for each in found
    ]
    lines = [str(each) for each in found if not (quiet and each.state != "wrong")]
    answer(lines, {"workspace": str(workspace), "ok": well, "checks": told}, json=json, quiet=quiet and well)
    if not well:
        raise typer.Exit(1)
