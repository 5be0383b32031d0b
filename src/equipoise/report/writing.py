"""Writes a report into a folder: the document, its provenance, a CSV for every table, the drawings, and the
findings themselves."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from equipoise.allocation import AllocationRecord
from equipoise.diagnosis.diagnosed import Diagnosed
from equipoise.findings.results import Findings
from equipoise.protocol.models.files import Programme
from equipoise.protocol.study import Study
from equipoise.report.content import Document
from equipoise.report.html import render_html, render_provenance
from equipoise.report.programme import programme_document
from equipoise.report.source import StudyAndFindings
from equipoise.report.study import StudyReport
from equipoise.report.tables import PROVENANCE

__all__ = ["render_programme", "render_study", "write_programme_report", "write_report"]

Draws = Sequence[AllocationRecord]


def render_study(study: Study, findings: Findings | None, draws: Draws = ()) -> str:
    """A study's report as one self-contained HTML document.

    Args:
        study: the study folder as loaded.
        findings: what its analysis found; None for a study that has not been analysed.
        draws: the records of its allocation.
    Raises:
        ProtocolError: a narrative refers to something that is not there; file, line and the nearest name
        are given.
    """
    return render_html(StudyReport(study, findings, draws=draws).document())


def render_programme(
    programme: Programme, narrative: Mapping[str, str], studies: Sequence[StudyAndFindings]
) -> str:
    """A programme's report as one self-contained HTML document that links to the reports of its studies."""
    return render_html(programme_document(programme, narrative, studies))


def write_report(
    study: Study,
    findings: Findings | None,
    out: Path,
    draws: Draws = (),
    diagnosis: Diagnosed | None = None,
) -> Path:
    """Write `index.html`, `provenance.html`, `data/*.csv`, `figures/*.svg` and `findings.json`.

    Everything is made before anything is written, so that a study with a wrong reference leaves nothing
    behind.

    Returns:
        The path of the document.
    """
    return _write(*_made(study, findings, draws, diagnosis), out)


def write_programme_report(
    programme: Programme,
    narrative: Mapping[str, str],
    studies: Sequence[StudyAndFindings],
    out: Path,
    draws: Mapping[str, Draws] | None = None,
    diagnoses: Mapping[str, Diagnosed] | None = None,
) -> Path:
    """Write the programme's report, and each study's in a folder of its id beside it.

    `draws` holds the records of allocation by the study's id, `diagnoses` what was diagnosed of its design.
    """
    document = programme_document(programme, narrative, studies)
    made = [
        (name, _made(s, f, (draws or {}).get(name, ()), (diagnoses or {}).get(name)))
        for name, s, f in ((study.protocol.study.id, study, found) for study, found in studies)
    ]
    for name, report in made:
        _write(*report, out / name)
    return _write(document, {}, out)


def _made(
    study: Study, findings: Findings | None, draws: Draws, diagnosis: Diagnosed | None
) -> tuple[Document, dict[str, str]]:
    """The document, and the files beside it."""
    report = StudyReport(study, findings, draws=draws, diagnosis=diagnosis)
    document, table = report.document(), report.provenance_table()
    if findings is None or table is None:
        return document, {}
    beside = {
        "findings.json": findings.to_json(),
        table.file: table.to_csv(),
        PROVENANCE: render_provenance(document, table),
    }
    return document, beside


def _write(document: Document, extra: Mapping[str, str], out: Path) -> Path:
    pages = {"index.html": render_html(document), **extra}
    pages |= {table.file: table.to_csv() for table in document.tables}
    pages |= {figure.file: f"{figure.wide_svg}\n" for figure in document.figures}
    for name, text in pages.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return out / "index.html"
