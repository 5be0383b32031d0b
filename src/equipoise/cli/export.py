"""`equipoise export`: the data of a study in a workspace, as a folder that `analyse` reads."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from equipoise.cli.terminal import Json, Quiet, answer, warn, working
from equipoise.cli.workspaces import at_work_in

__all__ = ["export"]


def export(
    workspace: Annotated[Path, typer.Argument(help="The folder of the workspace.")],
    study: Annotated[str, typer.Argument(help="The id of the study.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="A new folder for the data; STUDY-export when left out.")
    ] = None,
    formats: Annotated[
        str, typer.Option("--formats", help="Any of parquet, csv, spreadsheet, spss, stata, by commas.")
    ] = "parquet,csv",
    masked: Annotated[
        bool | None,
        typer.Option("--masked/--unmasked", help="Arms by letters, or by name once results are unmasked."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Export what was collected: participants under pseudonyms, answers, scores and a codebook.

    Nobody who answers is held up by it. While the results are masked, the arms go by letters and everything
    that tells them apart is withheld.
    """
    with at_work_in(workspace), working(f"Exporting {study}", quiet=quiet or json):
        from equipoise.platform.registry.queries import study_named
        from equipoise.platform.review.exporting import export_study
        from equipoise.platform.staff.actions import CommandLine

        wanted = [name.strip() for name in formats.split(",") if name.strip()]
        place = out or Path(f"{study}-export")
        found = export_study(CommandLine(), study_named(study), place, formats=wanted, masked=masked)
    if found.masked:
        warn("the arms are masked; `analyse` computes what needs no arm, and effects once they are unmasked")
    numbers = found.counts
    answered = ", ".join(f"{wave} {count:,}" for wave, count in numbers.answered.items()) or "no waves"
    lines = [
        f"{study}: {numbers.rows:,} participants in {found.folder}; answered: {answered}.",
        f"{numbers.withdrawn:,} left and {numbers.erased:,} were erased; every number is in dictionary.json.",
    ]
    record = {"study": study, "masked": found.masked, "folder": str(found.folder)}
    answer(lines, record | {"counts": asdict(numbers), "files": dict(found.files)}, json=json, quiet=quiet)
