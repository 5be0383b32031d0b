"""`equipoise keys`: the keys that protect contact details, renewed."""

from pathlib import Path
from typing import Annotated

import typer

from equipoise.cli.terminal import Json, Quiet, answer, working
from equipoise.cli.workspaces import at_work_in

__all__ = ["app"]

app = typer.Typer(help="Renew the keys of a workspace.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def names(
    workspace: Annotated[Path, typer.Argument(help="The folder of the workspace.")],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say which keys protect contact details, and which of them is in use; never a key itself."""
    from equipoise.platform.workspace import open_workspace

    found = list(open_workspace(workspace).contact_keys())
    lines = [f"{name}{' (in use)' if name == found[-1] else ''}" for name in found]
    answer(lines, {"keys": found, "in_use": found[-1] if found else None}, json=json, quiet=quiet)


@app.command("rotate")
def rotate(
    workspace: Annotated[Path, typer.Argument(help="The folder of the workspace.")],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a new key and wrap everything by it that older ones protect.

    Nobody is locked out meanwhile. Cut off, it goes on where it was when it is run again. An older key is
    never deleted: backups made before need it.
    """
    with at_work_in(workspace), working("Wrapping", quiet=quiet or json):
        from django.conf import settings

        from equipoise.platform.people.actions import rotate_keys, under_older_keys
        from equipoise.platform.staff.actions import CommandLine

        before = list(settings.WORKSPACE.contact_keys())
        if not under_older_keys():
            settings.WORKSPACE.add_contact_key()
        wrapped = rotate_keys(CommandLine())
        newest = list(settings.WORKSPACE.contact_keys())[-1]
    older = [name for name in before if name != newest]
    lines = [
        f"{newest} is in use; {wrapped:,} were wrapped anew.",
        f"Keep {', '.join(older)} for as long as you keep backups made before now.",
    ]
    answer(lines, {"in_use": newest, "wrapped": wrapped, "older": older}, json=json, quiet=quiet)
