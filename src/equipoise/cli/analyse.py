"""`equipoise analyse`: everything that the plan names, from data to findings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.terminal import Json, Quiet, answer, working
from equipoise.cli.writing import write_files

if TYPE_CHECKING:
    from equipoise.findings import Finding, Findings

__all__ = ["analyse"]


def analyse(
    study: Annotated[Path, typer.Argument(help="The folder of the study.")],
    data: Annotated[Path, typer.Option("--data", help="A CSV, XLSX or Parquet file, or a folder of them.")],
    out: Annotated[Path, typer.Option("--out", help="The folder for findings.json and findings.csv.")],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Analyse data as the protocol says, and write what was found.

    An unlocked study can be analysed too; every result is then labelled not planned. Of masked data
    everything is computed that needs no arm.
    """
    from equipoise.cli.findings_files import findings_table
    from equipoise.findings import analyse as compute
    from equipoise.findings import read_data
    from equipoise.protocol import load_study

    loaded = load_study(study)
    with working(f"Reading {data}", quiet=quiet or json):
        read = read_data(loaded, data)
    with working(f"Analysing {loaded.protocol.study.id}", quiet=quiet or json):
        found = compute(loaded, read)
    paths = {"findings": out / "findings.json", "table": out / "findings.csv"}
    write_files({paths["findings"]: found.to_json(), paths["table"]: findings_table(found)})
    lines = [
        *_results(found),
        f"{len(found.findings)} findings in {out}. Next: equipoise report {study} --findings {out} --out DIR",
    ]
    answer(lines, _record(found, paths), json=json, quiet=quiet)


def _results(found: "Findings") -> list[str]:
    lines = []
    if found.locked is None:
        lines.append(f"{found.study}: no locked protocol, so every result is labelled not planned.")
    if found.data_source == "simulated":
        lines.append(f"{found.study}: the data are simulated.")
    if found.masked:
        lines.append(f"{found.study}: the arms are masked, so no effect is computed and nothing is tested.")
    if found.sealed is False:
        lines.append(f"{found.study}: these are not the sealed data, so nothing is confirmatory.")
    return lines + [_line(finding) for finding in _main_results(found)]


def _main_results(found: "Findings") -> "list[Finding]":
    primary = [each for each in found if each.kind == "effect" and each.role == "primary" and each.by is None]
    main = [each for each in primary if each.tier == "primary"]
    return (
        main
        or [each for each in primary if not each.planned]
        or [each for each in found if each.kind == "progression"]
    )


def _line(finding: "Finding") -> str:
    if finding.not_estimable is not None:
        return f"{finding.id}: not estimable, {finding.not_estimable}"
    text = f"{finding.id}: {_number(finding.estimate)}"
    interval = finding.interval
    if interval is not None:
        level = f"{interval.level:.0%} interval " if interval.level else "bounds "
        text += f" ({level}{_number(interval.low)} to {_number(interval.high)})"
    if finding.kind == "progression":
        return f"{text}: {finding.level}" if finding.level else text
    return f"{text}; {_claim(finding)}"


def _claim(finding: "Finding") -> str:
    if finding.confirmatory:
        return f"confirmatory, {finding.decision}"
    reasons = [each for each in finding.warnings if each.startswith("not confirmatory")]
    return reasons[0] if reasons else "not confirmatory" + ("" if finding.planned else ": not planned")


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g}"


def _record(found: "Findings", paths: dict[str, Path]) -> dict[str, object]:
    return {
        "study": found.study,
        "locked": found.locked,
        "protocol_hash": found.protocol_hash,
        "data_hash": found.data_hash,
        "data_source": found.data_source,
        "masked": found.masked,
        "sealed": found.sealed,
        "seal": found.seal,
        "findings": len(found.findings),
        "primary": [each.model_dump(mode="json") for each in _main_results(found)],
        "files": {name: str(path) for name, path in paths.items()},
    }
