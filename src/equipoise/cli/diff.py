"""`equipoise diff`: what differs, in words."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.terminal import Json, Quiet, answer
from equipoise.errors import InputError, Problem

if TYPE_CHECKING:
    from equipoise.protocol import Study

__all__ = ["diff"]


def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="The folder of a study.")],
    after: Annotated[
        Path | None, typer.Argument(metavar="B", help="Another one; the study's own lock when left out.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say what differs between two studies, or between a study and its lock; exit code 1 when anything does.

    Studies are compared as spelled out: order, comments and defaults, written or left out, do not count.
    """
    from equipoise.protocol import load_study

    first = load_study(before)
    found = _since_lock(first) if after is None else _between(first, load_study(after))
    lines = found or ["No difference."]
    answer(lines, {"same": not found, "differences": found}, json=json, quiet=quiet)
    if found:
        raise typer.Exit(1)


def _since_lock(study: "Study") -> list[str]:
    from equipoise.protocol import changes_since_lock

    if study.registration is None:
        message = "this study is not locked; name a second study to compare it with"
        raise InputError(Problem(f"{study.folder.name}/lock.json", "", message))
    return changes_since_lock(study)


def _between(before: "Study", after: "Study") -> list[str]:
    from equipoise.protocol.canonical import plain, study_parts
    from equipoise.protocol.differences import differences
    from equipoise.protocol.registration import changed_files

    return [
        *differences(plain(before.protocol), plain(after.protocol)),
        *changed_files(study_parts(before), study_parts(after)),
    ]
