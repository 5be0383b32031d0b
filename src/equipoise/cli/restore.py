"""`equipoise restore` and `equipoise release`: a workspace made of a backup, and the word that it may
send."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.terminal import Json, Quiet, answer, warn, working
from equipoise.cli.workspaces import at_work_in
from equipoise.errors import CheckFailedError

if TYPE_CHECKING:
    from equipoise.platform.operations.proving import Proof
    from equipoise.platform.operations.restoring import Restored

__all__ = ["release", "restore"]


def restore(
    archive: Annotated[Path, typer.Argument(metavar="FILE", help="What `equipoise backup` wrote.")],
    workspace: Annotated[Path, typer.Argument(help="The folder of the new workspace.")],
    keys: Annotated[
        Path | None,
        typer.Option("--keys", help="The folder of the workspace's keys, kept apart; it is copied."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a new workspace of a backup, and compute its record anew.

    It sends nothing until you say so with `equipoise release`.
    """
    from equipoise.platform.operations.restoring import restore as run

    os.umask(0o077)  # what is made is ours alone
    with working("Unpacking", quiet=quiet or json):
        restored = run(archive, workspace, keys)
    with (
        at_work_in(workspace, of_any_version=True),
        working("Computing the record anew", quiet=quiet or json),
    ):
        from equipoise.platform.operations.proving import prove

        proof = prove(restored)
    if not json:
        for note in _notes(restored, proof):
            warn(note)
    record = {
        "workspace": str(workspace),
        "made_at": restored.manifest.made_at,
        "digest": restored.digest,
        "sending": "held",
        "chains": proof.chains,
        "entries": proof.entries,
        "faults": list(proof.faults),
        "keys": dict(proof.keys),
        "due": list(proof.due),
    }
    if proof.faults:
        raise CheckFailedError(
            "\n".join([*proof.faults, f"{workspace} is restored all the same, and sends nothing"])
        )
    lines = [
        f"{workspace} is restored as of {restored.manifest.made_at}.",
        f"Verified: {proof.chains} chains, {proof.entries:,} entries; they end where the backup says.",
        "It sends nothing. When the other one is gone for good, and nobody would get anything twice:",
        f"  equipoise release {workspace} --reason WHY",
    ]
    answer(lines, record, json=json, quiet=quiet)


def release(
    workspace: Annotated[Path, typer.Argument(help="The folder of a restored workspace.")],
    reason: Annotated[
        str, typer.Option("--reason", help="Why it may send; it is kept in the workspace's record.")
    ],
    quiet: Quiet = False,
) -> None:
    """Let a restored workspace send again.

    Make sure first that the workspace of which the backup was made sends nothing any more.
    """
    with at_work_in(workspace):
        from equipoise.platform.operations.held import release_sending
        from equipoise.platform.staff.actions import CommandLine

        release_sending(CommandLine(), reason)
    if not quiet:
        typer.echo(f"{workspace} sends again, from the worker's next round on.")


def _notes(restored: "Restored", proof: "Proof") -> list[str]:
    place = restored.folder / "keys"
    notes = [f"{name}: {why}." for name, why in proof.keys]
    if proof.due:
        notes.append(
            f"The backup brought back what had to be deleted ({', '.join(proof.due)}). The worker deletes it "
            "again as soon as it runs."
        )
    if restored.missing:
        notes.append(
            f"Keys are missing ({', '.join(restored.missing)}). Answers, arms and the record can be read; "
            f"contact details cannot, nobody is found again, and `serve` refuses. Put the keys into {place}."
        )
    if restored.new_signing_key:
        notes.append(
            "The key `signing` was not given, so a new one was made: everybody signs in again, and staff set "
            "up their second factor anew (`equipoise staff link WORKSPACE EMAIL --new-factor`)."
        )
    return notes
