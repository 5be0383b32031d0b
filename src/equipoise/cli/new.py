"""`equipoise new`: a commented study folder that passes every check."""

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer

from equipoise.cli.terminal import Json, Quiet, answer
from equipoise.cli.writing import write_files
from equipoise.errors import InputError, Problem, nearest

__all__ = ["new"]

KINDS = ("trial", "survey-experiment", "pilot", "interviews")
_ID = "STUDY-ID"  # what the templates say where the study's id goes


def new(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder to make; its name becomes the study's id.")
    ],
    kind: Annotated[str, typer.Option("--kind", help=f"One of {', '.join(KINDS)}.")],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a study folder with comments in it, which passes `check` and can be changed line by line."""
    if kind not in KINDS:
        raise InputError(
            Problem("", "--kind", f'"{kind}" is not a kind of study. Kinds: {nearest(kind, KINDS)}')
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(Problem(str(folder), "", "is there already and not empty; name a new folder"))
    root = files("equipoise.cli") / "templates" / kind
    written = {folder / path: text.replace(_ID, _identifier(folder)) for path, text in _templates(root, "")}
    write_files(dict(sorted(written.items())))
    lines = [
        f"{folder}: a study of the kind {kind}, in {len(written)} files. Read {folder / 'protocol.yaml'}.",
        f"Next: equipoise check {folder}",
    ]
    answer(
        lines,
        {"study": _identifier(folder), "files": [str(path) for path in written]},
        json=json,
        quiet=quiet,
    )


def _templates(folder: Traversable, path: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for entry in folder.iterdir():
        inside = f"{path}{entry.name}"
        found += _templates(entry, f"{inside}/") if entry.is_dir() else [(inside, entry.read_text("utf-8"))]
    return found


def _identifier(folder: Path) -> str:
    """The folder's name as an identifier: small letters, digits and hyphens."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    return name or "study"
