"""`equipoise report`: findings become a document."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.terminal import Json, Quiet, answer, each, working
from equipoise.errors import InputError, NotSupportedError, Problem

if TYPE_CHECKING:
    from equipoise.allocation import AllocationRecord
    from equipoise.diagnosis.diagnosed import Diagnosed
    from equipoise.protocol import Study

__all__ = ["report"]

FORMATS = ("html",)


def report(
    study: Annotated[
        Path, typer.Argument(metavar="STUDY_OR_PROGRAMME", help="The folder of a study or a programme.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The folder for the report.")],
    findings: Annotated[
        Path | None,
        typer.Option(
            "--findings",
            help="The folder that `analyse` wrote; for a programme, one with a folder for each study. "
            "The study's own `findings` when left out.",
        ),
    ] = None,
    draws: Annotated[
        list[Path] | None,
        typer.Option(
            "--draw",
            help="The record of a draw of a study; those in its `allocation` folder when left out.",
        ),
    ] = None,
    format: Annotated[str, typer.Option("--format", help="The format: html.")] = "html",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a report that everyone can read: a page, its figures, and the table behind each.

    What `diagnose` wrote into the study's folder `diagnosis` stands in the report as well. A study without
    findings gets a report of its design, which says that nothing has been computed yet.
    """
    from equipoise.protocol.programme import is_programme

    wanted = [name.strip() for name in format.split(",")]
    if unknown := [name for name in wanted if name not in FORMATS]:
        raise NotSupportedError(
            f"--format {', '.join(unknown)}: not yet supported. This version writes {', '.join(FORMATS)}"
        )
    if draws and is_programme(study):
        message = "goes with one study; a programme takes the records in its studies' allocation folders"
        raise InputError(Problem("", "--draw", message))
    with working(f"Writing the report of {study}", quiet=quiet or json):
        page = (
            _programme(study, findings, out) if is_programme(study) else _study(study, findings, draws, out)
        )
    answer([f"The report is in {page}"], {"report": str(page)}, json=json, quiet=quiet)


def _study(path: Path, findings: Path | None, draws: list[Path] | None, out: Path) -> Path:
    from equipoise.cli.findings_files import stored_findings
    from equipoise.protocol import load_study
    from equipoise.report import write_report

    study = load_study(path)
    found = stored_findings(study, findings)
    return write_report(study, found, out, _records(study, draws), _diagnosis(study))


def _records(study: "Study", draws: list[Path] | None) -> "list[AllocationRecord]":
    """The records of a study's draws: those named, or those that lie with the study."""
    from equipoise.allocation import AllocationRecord

    paths = draws if draws is not None else sorted((study.folder / "allocation").glob("*.record.json"))
    lacking = [path for path in paths if not path.is_file()]
    if lacking:
        raise InputError(
            Problem(str(path), "", "there is no such file; `equipoise allocate` writes it")
            for path in lacking
        )
    return [AllocationRecord.from_json(path.read_text("utf-8"), place=str(path)) for path in paths]


def _diagnosis(study: "Study") -> "Diagnosed | None":
    """What was diagnosed of the design, where it lies with the study."""
    from equipoise.diagnosis.diagnosed import Diagnosed

    path = study.folder / "diagnosis" / "diagnosis.json"
    if not path.is_file():
        return None
    try:
        found = Diagnosed.from_json(path.read_text("utf-8"))
    except ValueError:
        message = (
            "this is not what `equipoise diagnose` wrote, or an earlier version wrote it; diagnose again"
        )
        raise InputError(Problem(str(path), "", message)) from None
    if found.study != study.protocol.study.id:
        message = f'this is a diagnosis of "{found.study}", not of "{study.protocol.study.id}"'
        raise InputError(Problem(str(path), "study", message))
    return found


def _programme(path: Path, findings: Path | None, out: Path) -> Path:
    from equipoise.cli.findings_files import read_findings, stored_findings
    from equipoise.protocol.programme import load_programme
    from equipoise.report import write_programme_report

    programme = load_programme(path)
    found = []
    for study in each(programme.studies, "Reading findings", quiet=True):
        own = findings / study.protocol.study.id / "findings.json" if findings else None
        known = (
            stored_findings(study, None)
            if own is None
            else read_findings(study, own)
            if own.is_file()
            else None
        )
        found.append((study, known))
    draws = {study.protocol.study.id: _records(study, None) for study in programme.studies}
    designs = {each.protocol.study.id: _diagnosis(each) for each in programme.studies}
    diagnoses = {name: design for name, design in designs.items() if design is not None}
    return write_programme_report(programme.programme, programme.narrative, found, out, draws, diagnoses)
