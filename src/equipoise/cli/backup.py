"""`equipoise backup`: a workspace in one file, while people use it."""

import signal
from pathlib import Path
from typing import Annotated

import typer

from equipoise.cli.terminal import Json, Quiet, answer, warn, working
from equipoise.cli.workspaces import at_work_in

__all__ = ["backup"]


def backup(
    workspace: Annotated[Path, typer.Argument(help="The folder of the workspace.")],
    out: Annotated[Path, typer.Option("--out", help="The new file; best on another disk.")],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Back up the database, the studies and the settings of a workspace into one file.

    People go on answering meanwhile. Keys are never in it: keep the folder `keys` apart, in a place of its
    own. Without them nobody can read the contact details of a restored backup.
    """
    signal.signal(signal.SIGTERM, _stop)
    with at_work_in(workspace), working("Backing up", quiet=quiet or json):
        from equipoise.platform.operations.backing_up import back_up
        from equipoise.platform.staff.actions import CommandLine

        made = back_up(CommandLine(), out)
    said = made.manifest
    lines = [
        f"{out}: {made.size / 1_000_000:,.1f} MB, {len(said.files):,} files, as of {said.made_at}.",
        f"Its digest: {made.digest}",
        f"Next: equipoise restore {out} NEW-WORKSPACE --keys FOLDER   tries it; do so before you need it",
    ]
    if not (json or quiet):
        warn(
            f"NO KEY IS IN IT. Keep {', '.join(said.keys)} of {workspace / 'keys'} somewhere else: "
            "without them the contact details in this backup are lost for good."
        )
    record = {
        "path": str(out),
        "size": made.size,
        "digest": made.digest,
        "made_at": said.made_at,
        "keys_to_keep_apart": list(said.keys),
        "heads": {name: {"number": kept.number, "head": kept.head} for name, kept in said.heads.items()},
    }
    answer(lines, record, json=json, quiet=quiet)


def _stop(*_: object) -> None:
    """Being ended politely clears up as Ctrl-C does."""
    raise KeyboardInterrupt
