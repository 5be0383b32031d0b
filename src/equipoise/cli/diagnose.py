"""`equipoise diagnose`: what a design will be able to show, before it is launched."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Annotated, Any

import typer

from equipoise.cli.simulate import given_people
from equipoise.cli.terminal import Json, Quiet, answer, warn
from equipoise.cli.writing import write_files
from equipoise.errors import InputError, Problem

if TYPE_CHECKING:
    from equipoise.diagnosis.chunk import Chunk
    from equipoise.diagnosis.diagnosed import Diagnosed, Step
    from equipoise.diagnosis.journal import Journal
    from equipoise.diagnosis.performance import Rated, Sums
    from equipoise.diagnosis.planning.trying import MapsChunks
    from equipoise.estimation.arrays import Bools
    from equipoise.protocol import Study

__all__ = ["diagnose"]

_SECONDS = 0.5  # between two entries of the journal


def diagnose(
    study: Annotated[Path, typer.Argument(help="The folder of the study.")],
    other: Annotated[
        Path | None, typer.Argument(metavar="[OTHER]", help="Another study to put beside it.")
    ] = None,
    simulations: Annotated[
        int, typer.Option("--simulations", min=1, help="Trials simulated for each design and assumption.")
    ] = 2000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same figures.")] = 1,
    out: Annotated[
        Path | None, typer.Option("--out", help="The folder for diagnosis.json, the figures and the tables.")
    ] = None,
    roster: Annotated[
        Path | None, typer.Option("--roster", help="Take these people, as `import roster` wrote them.")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes of this machine.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="The address of a Dask scheduler, in place of workers.")
    ] = None,
    brief: Annotated[
        bool, typer.Option("--brief", help="The performance alone: no curves, smallest effects or money.")
    ] = False,
    assume_from: Annotated[
        Path | None,
        typer.Option(
            "--assume-from", help="Simulate nothing: print assumptions estimated from these data of a pilot."
        ),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Simulate a trial thousands of times through its own analyses, and say what it will be able to show.

    People, allocation, response, scores and analyses are as the protocol says and `diagnosis.assume`
    assumes. What was simulated is kept in the folder of --out until all is done: the same command goes on
    where it was stopped. The figures are the same to the last bit for any number of workers.
    """
    from equipoise.protocol import load_study

    loaded = load_study(study)
    if assume_from is not None:
        _tell_assumptions(loaded, assume_from, json=json, quiet=quiet)
        return
    beside = load_study(other) if other is not None else None
    people = given_people(loaded, roster, None) if roster is not None else None
    journal = out / ".simulated" if out is not None else None
    if scheduler is not None and workers != 1:
        raise InputError(Problem("", "--workers", "goes without --scheduler, which has its own workers"))

    from equipoise.cli.pools import mapped_over
    from equipoise.diagnosis.diagnosed import diagnosed
    from equipoise.diagnosis.planning.trying import Tries

    with mapped_over(workers, scheduler) as over, _told(quiet=quiet or json) as (step, counted):
        tries = Tries(simulations, seed, people, counted(over), _journal(journal))
        found = diagnosed(loaded, tries, other=beside, more=not brief, step=step)
    files = _files(loaded, found, out) if out is not None else {}
    write_files(files)
    if journal is not None:
        rmtree(journal, ignore_errors=True)
    lines = [*_lines(found), *([f"Written to {out}; read {out / 'diagnosis.html'}"] if out else [])]
    answer(lines, _record(found, files), json=json, quiet=quiet)


def _journal(folder: Path | None) -> "Journal | None":
    """Where what is simulated is written down about once a second, so that it is not lost."""
    if folder is None:
        return None
    from equipoise.diagnosis.journal import Journal

    if folder.is_dir():
        warn(f"going on with what an earlier run had simulated; to begin anew remove {folder}")
    last = [time.monotonic()]

    def due() -> bool:
        if time.monotonic() - last[0] < _SECONDS:
            return False
        last[0] = time.monotonic()
        return True

    return Journal(folder, due)


@contextmanager
def _told(*, quiet: bool) -> "Iterator[tuple[Step, Any]]":
    """What is being simulated, with a bar of its chunks and the time left, on a terminal."""
    if quiet or not sys.stderr.isatty():
        yield (lambda _: None), (lambda mapped: mapped)
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)

        def step(what: str) -> None:
            progress.update(task, description=f"Simulating {what}")

        def counted(mapped: "MapsChunks") -> "MapsChunks":
            def through(chunk: "Chunk", numbers: Iterable[int]) -> "Iterator[tuple[Sums, Bools]]":
                wanted = list(numbers)
                progress.reset(task, total=len(wanted))
                for found in mapped(chunk, wanted):
                    progress.advance(task)
                    yield found

            return through

        yield step, counted


def _files(study: "Study", found: "Diagnosed", out: Path) -> dict[Path, str | bytes]:
    from equipoise.report.design import design_files

    files: dict[Path, str | bytes] = {out / "diagnosis.json": found.to_json()}
    return files | {out / name: text for name, text in design_files(study, found).items()}


def _lines(found: "Diagnosed") -> list[str]:
    trials = found.performance.trials
    lines = [f"{found.study}: {trials:,} simulated trials; after each figure its Monte-Carlo error."]
    for each in found.performance.claims:
        lines.append(
            f"{each.claim.id}: power {_share(each.power)}, bias {_number(each.bias)}, "
            f"coverage {_share(each.coverage)}, width of the interval {_number(each.mean_width)}"
        )
    lines.append(f"Without any effect some claim is made in {_share(found.no_effect.family.any_false)}.")
    for needed in found.detectable:
        if needed.value is not None:
            error = "" if needed.mc_error is None else f" ({needed.mc_error:.2g})"
            lines.append(
                f"{needed.claim.id}: the smallest effect found with {needed.target:.0%} power is "
                f"{needed.value:.3g}{error}"
            )
        else:
            lines.append(f"{needed.claim.id}: no smallest effect; {needed.reason}")
    if found.advice is not None:
        lines += [*found.advice.limits, *found.advice.helps]
        lines += [objection.words for objection in found.advice.objections]
    return lines


def _share(rated: "Rated") -> str:
    if rated.value is None:
        return "not defined"
    return f"{rated.value:.1%}" + ("" if rated.mc_error is None else f" ({rated.mc_error:.1%})")


def _number(rated: "Rated") -> str:
    if rated.value is None:
        return "not defined"
    return f"{rated.value:.3g}" + ("" if rated.mc_error is None else f" ({rated.mc_error:.2g})")


def _record(found: "Diagnosed", files: dict[Path, str | bytes]) -> dict[str, Any]:
    import json as json_format

    return {
        "diagnosis": json_format.loads(found.to_json()),
        "files": [str(path) for path in files],
    }


def _tell_assumptions(study: "Study", data: Path, *, json: bool, quiet: bool) -> None:
    """A block of YAML to paste, from data of a pilot or an earlier wave."""
    from equipoise.diagnosis.planning.pasted import assumptions_block
    from equipoise.diagnosis.planning.pilot import values_from
    from equipoise.findings import read_data

    block = assumptions_block(study, values_from(study, read_data(study, data)))
    answer(block.rstrip("\n").splitlines(), {"assumptions": block}, json=json, quiet=quiet)
