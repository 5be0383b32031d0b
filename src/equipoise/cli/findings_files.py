"""Findings as files: where they lie, and whether they belong to the study that asks for them."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.errors import InputError, Problem

if TYPE_CHECKING:
    from equipoise.findings import Finding, Findings
    from equipoise.protocol import Study

__all__ = ["findings_table", "read_findings", "stored_findings"]


def stored_findings(study: "Study", folder: Path | None) -> "Findings | None":
    """The findings in a folder, or in the study's own `findings/`; None where the study has none yet."""
    path = (folder or study.folder / "findings") / "findings.json"
    if folder is None and not path.is_file():
        return None
    return read_findings(study, path)


def read_findings(study: "Study", path: Path) -> "Findings":
    """Read `findings.json` and make sure that it is this study's, as the study stands.

    Raises:
        InputError: no such file, not findings, or of another study or another protocol.
    """
    from pydantic import ValidationError

    from equipoise.findings import Findings
    from equipoise.protocol import current_hash

    if not path.is_file():
        raise InputError(Problem(str(path), "", "there is no such file; `equipoise analyse` makes it"))
    try:
        found = Findings.from_json(path.read_text("utf-8"))
    except (ValidationError, UnicodeDecodeError):
        raise InputError(
            Problem(str(path), "", "these are not findings that `equipoise analyse` wrote")
        ) from None
    name = study.protocol.study.id
    if found.study != name:
        raise InputError(
            Problem(str(path), "study", f'these are findings of "{found.study}", not of "{name}"')
        )
    if found.protocol_hash != current_hash(study):
        raise InputError(
            Problem(
                str(path),
                "protocol_hash",
                "the study has changed since these were computed; analyse it again",
            )
        )
    return found


def findings_table(findings: "Findings") -> str:
    """The findings as CSV, one row each, the columns as in `findings.json`."""
    rows = [_flat(finding) for finding in findings]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _flat(finding: "Finding") -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, value in finding.model_dump(mode="json").items():
        if name in ("interval", "standardised"):
            continue
        if isinstance(value, dict):
            row[name] = "; ".join(f"{arm}={count}" for arm, count in value.items())
        elif isinstance(value, list):
            row[name] = "; ".join(map(str, value))
        else:
            row[name] = value
    interval, standardised = finding.interval, finding.standardised
    for part in ("level", "low", "high"):
        row[f"interval_{part}"] = getattr(interval, part) if interval else None
    for part in ("estimate", "std_error", "sd", "sd_source"):
        row[f"standardised_{part}"] = getattr(standardised, part) if standardised else None
    return row
