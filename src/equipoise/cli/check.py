"""`equipoise check`: whether a study, or a programme of them, can be run as written."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from equipoise.cli.terminal import Json, Quiet, answer, working
from equipoise.cli.yaml_text import yaml_text

if TYPE_CHECKING:
    from equipoise.errors import Problem
    from equipoise.protocol import Study

__all__ = ["check"]


def check(
    study: Annotated[Path, typer.Argument(help="The folder of a study, or of a programme.")],
    explain: Annotated[
        bool, typer.Option("--explain", help="Print the protocol with every default written out.")
    ] = False,
    report: Annotated[
        bool,
        typer.Option(
            "--report", help="Check the words of the report too: typed-in numbers, dead links, totals."
        ),
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check a study's folder: every file, every name, every date, all problems at once.

    A locked study must still say what was locked; if not, the changes are told and the exit code is 1.
    """
    from equipoise.protocol import load_study
    from equipoise.protocol.programme import is_programme, load_programme

    with working(f"Checking {study}", quiet=quiet or json):
        studies = load_programme(study).studies if is_programme(study) else (load_study(study),)
    if explain:
        for each in studies:
            typer.echo(_explained(each), nl=False)
        return
    found = [_found(each, with_report=report) for each in studies]
    bad = [each for each in found if not each["ok"]]
    shown = [study / each.folder.relative_to(study.resolve()) for each in studies]
    lines = [line for each, place in zip(found, shown, strict=True) for line in _lines(each, place)]
    if quiet:
        lines = [line for each in bad for line in _lines(each, study)]
    answer(lines, {"studies": found}, json=json)
    if bad:
        raise typer.Exit(1)


def _found(study: "Study", *, with_report: bool) -> dict[str, Any]:
    from equipoise.protocol import changes_since_lock, current_hash

    changes = changes_since_lock(study)
    words = _words_of_report(study) if with_report else []
    locked = study.registration
    return {
        "study": study.protocol.study.id,
        "kind": study.protocol.study.kind,
        "hash": current_hash(study),
        "locked": locked.time if locked else None,
        "changes": changes,
        "report": [{"place": each.place, "where": each.where, "message": each.message} for each in words],
        "notes": _notes(study),
        "ok": not changes and not words,
        "size": _size(study),
    }


def _notes(study: "Study") -> list[str]:
    """What is allowed and perhaps not meant: messages never sent, rules of an old lock, uneven sequences."""
    from equipoise.protocol.checks.periods import unbalanced_periods
    from equipoise.protocol.checks.schedule import missed_occasions, schedule_problems

    old = (str(problem) for problem in schedule_problems(study))
    return [*old, *missed_occasions(study), *unbalanced_periods(study)]


def _words_of_report(study: "Study") -> "list[Problem]":
    from equipoise.cli.findings_files import stored_findings
    from equipoise.report import check_study

    return list(check_study(study, stored_findings(study, None)))


def _lines(found: dict[str, Any], folder: Path) -> list[str]:
    name = found["study"]
    lines = [f"{name}: changed since the lock: {change}" for change in found["changes"]]
    if lines:
        lines.append(
            f"{name}: undo the change, or record it with `equipoise amend` (dated, with its reason)."
        )
    lines += [
        ": ".join(part for part in (each["place"], each["where"], each["message"]) if part)
        for each in found["report"]
    ]
    if lines:
        return lines
    size = ", ".join(_counted(count, what) for what, count in found["size"].items() if count)
    state = f"Locked on {found['locked']}" if found["locked"] else "Not locked"
    noted = [f"{name}: {note}." for note in found["notes"]]
    return [
        f"{name}: no problems ({size}). {state}; hash {found['hash'][:12]}. {_next(found, folder)}",
        *noted,
    ]


def _counted(count: int, what: str) -> str:
    one = {"arms": "arm", "waves": "wave", "outcomes": "outcome", "analyses": "analysis"}
    return f"{count} {what if count != 1 else one.get(what, 'interview plan')}"


def _next(found: dict[str, Any], folder: Path) -> str:
    if found["locked"]:
        return f"Compare with its lock any time: equipoise diff {folder}"
    return f"Next: equipoise lock {folder}"


def _size(study: "Study") -> dict[str, int]:
    protocol = study.protocol
    return {
        "arms": sum(len(stage.arms) for stage in protocol.allocation.values()),
        "waves": len(protocol.waves),
        "outcomes": len(protocol.outcomes),
        "analyses": len(protocol.analyses),
        "interview plans": len(protocol.interviews),
    }


def _explained(study: "Study") -> str:
    """The spelled-out protocol as YAML; loaded again it has the same hash."""
    from equipoise.protocol.canonical import plain
    from equipoise.protocol.checks.schedule import moved_occasions

    noted = "".join(f"# {note}.\n" for note in (*_notes(study), *moved_occasions(study)))
    head = f"# {study.protocol.study.id}, with every default written out.\n{noted}"
    return f"{head}{yaml_text(plain(study.protocol))}"
