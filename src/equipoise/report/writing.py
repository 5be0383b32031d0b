"""Writes a report into a folder: the document, a CSV for every table, the drawings, and the findings
themselves."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from equipoise.findings.results import Findings
from equipoise.protocol.folder import Study
from equipoise.protocol.models.files import Programme
from equipoise.report.content import Document
from equipoise.report.html import render_html
from equipoise.report.programme import programme_document
from equipoise.report.source import StudyAndFindings
from equipoise.report.study import StudyReport

__all__ = ["render_programme", "render_study", "write_programme_report", "write_report"]


def render_study(study: Study, findings: Findings | None) -> str:
    """A study's report as one self-contained HTML document.

    Args:
        study: the study folder as loaded.
        findings: what its analysis found; None for a study that has not been analysed.
    Raises:
        ProtocolError: a narrative refers to something that is not there; file, line and the nearest name
        are given.
    """
    return render_html(StudyReport(study, findings).document())


def render_programme(
    programme: Programme, narrative: Mapping[str, str], studies: Sequence[StudyAndFindings]
) -> str:
    """A programme's report as one self-contained HTML document that links to the reports of its studies."""
    return render_html(programme_document(programme, narrative, studies))


def write_report(study: Study, findings: Findings | None, out: Path) -> Path:
    """Write `index.html`, `data/*.csv`, `figures/*.svg` and `findings.json`; the path of the document.

    Everything is made before anything is written, so that a study with a wrong reference leaves nothing
    behind.
    """
    document = StudyReport(study, findings).document()
    extra = {"findings.json": findings.to_json()} if findings is not None else {}
    return _write(document, out, extra)


def write_programme_report(
    programme: Programme, narrative: Mapping[str, str], studies: Sequence[StudyAndFindings], out: Path
) -> Path:
    """Write the programme's report, and each study's in a folder of its id beside it."""
    document = programme_document(programme, narrative, studies)
    made = [(StudyReport(*one).document(), *one) for one in studies]
    for report, study, findings in made:
        extra = {"findings.json": findings.to_json()} if findings is not None else {}
        _write(report, out / study.protocol.study.id, extra)
    return _write(document, out, {})


def _write(document: Document, out: Path, extra: Mapping[str, str]) -> Path:
    pages = {"index.html": render_html(document), **extra}
    pages |= {table.file: table.to_csv() for table in document.tables}
    pages |= {figure.file: f"{figure.wide_svg}\n" for figure in document.figures}
    for name, text in pages.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return out / "index.html"
