"""`equipoise report`: findings become a document."""

from pathlib import Path
from typing import Annotated

import typer

from equipoise.cli.terminal import Json, Quiet, answer, each, working
from equipoise.errors import NotSupportedError

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
    format: Annotated[str, typer.Option("--format", help="The format: html.")] = "html",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a report that everyone can read: a page, its figures, and the table behind each.

    A study without findings gets a report of its design, which says that nothing has been computed yet.
    """
    from equipoise.protocol.programme import is_programme

    wanted = [name.strip() for name in format.split(",")]
    if unknown := [name for name in wanted if name not in FORMATS]:
        raise NotSupportedError(
            f"--format {', '.join(unknown)}: not yet supported. This version writes {', '.join(FORMATS)}"
        )
    with working(f"Writing the report of {study}", quiet=quiet or json):
        page = _programme(study, findings, out) if is_programme(study) else _study(study, findings, out)
    answer([f"The report is in {page}"], {"report": str(page)}, json=json, quiet=quiet)


def _study(path: Path, findings: Path | None, out: Path) -> Path:
    from equipoise.cli.findings_files import stored_findings
    from equipoise.protocol import load_study
    from equipoise.report import write_report

    study = load_study(path)
    return write_report(study, stored_findings(study, findings), out)


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
    return write_programme_report(programme.programme, programme.narrative, found, out)
