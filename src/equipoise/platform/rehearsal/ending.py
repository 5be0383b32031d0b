"""The end of a rehearsal: closed, sealed, unmasked, exported, analysed, reported, as the commands do it."""

from dataclasses import dataclass
from pathlib import Path

from equipoise.errors import EquipoiseError
from equipoise.findings import Findings, analyse, read_data
from equipoise.platform.approvals.actions import Rehearsal, ask, decide
from equipoise.platform.approvals.acts import UNMASK
from equipoise.platform.approvals.queries import request_numbered
from equipoise.platform.delivery.engine.sealing import seal_events
from equipoise.platform.fieldwork.sealing import seal_everything
from equipoise.platform.people.allocation.drawn import allocation_record
from equipoise.platform.registry.queries import stages
from equipoise.platform.rehearsal.production import Production
from equipoise.platform.review.exporting import export_study
from equipoise.platform.review.sealing import seal_results
from equipoise.platform.staff.actions import CommandLine
from equipoise.report import write_report

__all__ = ["Ending", "ended"]

_WHY = "The rehearsal is over"


@dataclass(frozen=True)
class Ending:
    """What a rehearsed study left.

    Attributes:
        export: the folder of the data.
        findings: of the analysis that the protocol names.
        report: its page; None where it could not be written.
        trouble: why not.
    """

    export: Path
    findings: Findings
    report: Path | None
    trouble: str = ""


def ended(production: Production, folder: Path) -> Ending:
    """Bring a study to its end.

    Args:
        production: over.
        folder: for the export, the findings and the report.
    """
    who = CommandLine()
    production.close()
    seal_everything()
    seal_events()
    seal_results(who, production.study, _WHY)
    production.study.refresh_from_db()
    if production.folder.protocol.allocation:
        asked = ask(who, production.study, UNMASK, reason=_WHY)
        decide(Rehearsal(), request_numbered(production.study, asked.number), "approve", _WHY)
    production.study.refresh_from_db()
    export = export_study(who, production.study, folder / "data" / production.name).folder
    found = analyse(production.folder, read_data(production.folder, export))
    place = folder / "findings" / production.name
    place.mkdir(parents=True, exist_ok=True)
    (place / "findings.json").write_text(found.to_json(), encoding="utf-8")
    page, trouble = _report(production, found, folder / "reports" / production.name)
    return Ending(export, found, page, trouble)


def _report(production: Production, found: Findings, out: Path) -> tuple[Path | None, str]:
    drawn = [allocation_record(stage) for stage in stages(production.study)]
    records = [record for record in drawn if record is not None]
    try:
        return write_report(production.folder, found, out, records), ""
    except EquipoiseError as error:
        return None, str(error)
