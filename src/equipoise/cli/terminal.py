"""What a command says: one answer on standard output, warnings, errors and progress on standard error."""

import json as json_format
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

import typer

from equipoise.errors import EquipoiseError, InputError

__all__ = ["Json", "Quiet", "answer", "each", "tell_error", "warn", "working"]

ItemT = TypeVar("ItemT")
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, errors too.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing when all is well.")]


def answer(lines: Iterable[str], record: Mapping[str, Any], *, json: bool, quiet: bool = False) -> None:
    """Give the answer: one JSON document for a program, lines for a person, nothing if quiet."""
    if json:
        typer.echo(json_format.dumps(record, indent=1, ensure_ascii=False))
    elif not quiet:
        for line in lines:
            typer.echo(line)


def warn(message: str) -> None:
    """Something to know that does not stop the command."""
    typer.echo(f"Note: {message}", err=True)


def tell_error(error: EquipoiseError | OSError, arguments: Sequence[str] | None) -> int:
    """Print what is wrong, a line a problem, and return the exit code."""
    lines, code = _lines(error)
    for line in lines:
        typer.echo(line, err=True)
    if "--json" in (sys.argv[1:] if arguments is None else arguments):
        typer.echo(json_format.dumps({"error": _record(error, lines, code)}, indent=1, ensure_ascii=False))
    return code


@contextmanager
def working(what: str, *, quiet: bool = False) -> Iterator[None]:
    """Show on a terminal that something goes on, and for how long; what is over at once shows nothing."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task(what, total=None)
        yield


def each(items: Sequence[ItemT], what: str, *, quiet: bool = False) -> Iterator[ItemT]:
    """Go through items; on a terminal with a bar and the time left."""
    if quiet or not sys.stderr.isatty() or len(items) < 2:
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(items, description=what, console=Console(stderr=True), transient=True)


def _lines(error: EquipoiseError | OSError) -> tuple[list[str], int]:
    if isinstance(error, InputError):
        return [str(problem) for problem in error.problems], error.exit_code
    if isinstance(error, EquipoiseError):
        return str(error).splitlines(), error.exit_code
    return [
        f"{error.filename}: {(error.strerror or 'cannot be used').lower()}; look at its name and permissions"
    ], 2


def _record(error: EquipoiseError | OSError, lines: list[str], code: int) -> dict[str, Any]:
    problems = error.problems if isinstance(error, InputError) else ()
    told = [{"place": each.place, "where": each.where, "message": each.message} for each in problems]
    told = told or [{"place": "", "where": "", "message": line} for line in lines]
    return {"kind": type(error).__name__, "exit_code": code, "problems": told}
