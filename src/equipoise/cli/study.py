"""`equipoise study`: locked studies into a workspace, and from one state to the next."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from equipoise.cli.terminal import Json, Quiet, answer, working
from equipoise.cli.workspaces import at_work_in
from equipoise.errors import InputError, Problem

if TYPE_CHECKING:
    from equipoise.platform.registry.models import Study

__all__ = ["app"]

app = typer.Typer(help="Run the studies of a workspace.", no_args_is_help=True, rich_markup_mode=None)

Workspace = Annotated[Path, typer.Argument(help="The folder of the workspace.")]
Name = Annotated[str, typer.Argument(help="The id of the study.")]
Folder = Annotated[Path, typer.Argument(help="The folder of the locked study.")]
Why = Annotated[str, typer.Option("--reason", help="Why; it is kept in the study's record.")]


@app.command("add")
def add(
    workspace: Workspace,
    folder: Folder,
    programme: Annotated[
        str | None, typer.Option("--programme", help="The programme that it belongs to.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Take a locked study into a workspace.

    The folder is copied, so that nobody changes what is in force.
    """
    with at_work_in(workspace), working("Reading the study", quiet=quiet or json):
        from equipoise.platform.registry.actions import add_study
        from equipoise.platform.staff.actions import CommandLine

        study = add_study(CommandLine(), folder, programme=programme)
        missing = _missing(study)
    lines = [f"{study.name} is in the workspace, locked.", *_checklist(missing, workspace, study)]
    answer(lines, _said(study) | {"missing": missing}, json=json, quiet=quiet)


@app.command("amend")
def amend(workspace: Workspace, folder: Folder, json: Json = False, quiet: Quiet = False) -> None:
    """Put an amended study in force: the same lock, and one amendment or more added."""
    with at_work_in(workspace), working("Reading the study", quiet=quiet or json):
        from equipoise.platform.registry.actions import add_amendment
        from equipoise.platform.registry.queries import study_named
        from equipoise.platform.staff.actions import CommandLine
        from equipoise.protocol import load_study

        study = study_named(load_study(folder).protocol.study.id)
        version = add_amendment(CommandLine(), study, folder)
    line = f"{study.name}: version {version.number} is in force, {version.protocol_hash[:12]}."
    said = {"version": version.number, "protocol_hash": version.protocol_hash}
    answer([line], _said(study) | said, json=json, quiet=quiet)


@app.command("launch")
def launch(workspace: Workspace, study: Name, json: Json = False, quiet: Quiet = False) -> None:
    """Let a study go live: its waves open at their times, and people can answer.

    Whatever a launch still lacks is told at once.
    """
    _move(workspace, study, "live", from_="locked", json=json, quiet=quiet)


@app.command("pause")
def pause(workspace: Workspace, study: Name, reason: Why, json: Json = False, quiet: Quiet = False) -> None:
    """Pause a study: nobody can answer until it is resumed. Its waves still close at their times."""
    _move(workspace, study, "paused", reason=reason, json=json, quiet=quiet)


@app.command("resume")
def resume(
    workspace: Workspace, study: Name, reason: Why = "", json: Json = False, quiet: Quiet = False
) -> None:
    """Let a paused study go on."""
    _move(workspace, study, "live", from_="paused", reason=reason, json=json, quiet=quiet)


@app.command("close")
def close(workspace: Workspace, study: Name, reason: Why, json: Json = False, quiet: Quiet = False) -> None:
    """Close a study for good: no answer is taken any more. This cannot be undone."""
    _move(workspace, study, "closed", reason=reason, json=json, quiet=quiet)


@app.command("seal")
def seal(workspace: Workspace, study: Name, reason: Why, json: Json = False, quiet: Quiet = False) -> None:
    """Seal the data of a closed study: their hash is entered in its record. This cannot be undone."""
    with at_work_in(workspace), working("Reading the data", quiet=quiet or json):
        from equipoise.platform.registry.queries import study_named
        from equipoise.platform.review.sealing import seal_results
        from equipoise.platform.staff.actions import CommandLine

        found = study_named(study)
        sealed = seal_results(CommandLine(), found, reason)
    lines = [
        f"{study}: the data are sealed; the seal is {sealed}",
        f"Next: equipoise study unmask {workspace} {study} --reason WHY",
    ]
    answer(lines, _said(found) | {"seal": sealed}, json=json, quiet=quiet)


@app.command("list")
def list_(workspace: Workspace, json: Json = False) -> None:
    """List the studies of a workspace with their states."""
    with at_work_in(workspace):
        from equipoise.platform.registry.queries import studies

        found = [_said(study) for study in studies()]
    lines = [f"{each['study']:<24} {each['state']:<10} {each['title']}" for each in found]
    answer(lines or ["There is no study yet."], {"studies": found}, json=json)


def _move(
    workspace: Path,
    name: str,
    wanted: str,
    *,
    from_: str | None = None,
    reason: str = "",
    json: bool,
    quiet: bool,
) -> None:
    with at_work_in(workspace):
        from equipoise.platform.registry.actions import move_study
        from equipoise.platform.registry.queries import study_named
        from equipoise.platform.staff.actions import CommandLine

        study = study_named(name)
        if from_ is not None and study.state != from_:
            # Launching and resuming lead to the same state, and each begins at one of its own.
            done = "launched" if from_ == "locked" else "resumed"
            raise InputError(
                Problem(study.name, "", f"is {study.state}; a study that is {from_} can be {done}")
            )
        moved = move_study(CommandLine(), study, wanted, reason=reason)
    answer([f"{moved.name} is {moved.state}."], _said(moved), json=json, quiet=quiet)


def _missing(study: "Study") -> list[str]:
    from equipoise.platform.registry.readiness import conditions

    return [str(each.problem) for each in conditions(study) if each.problem is not None]


def _checklist(missing: list[str], workspace: Path, study: "Study") -> list[str]:
    onward = f"Next: equipoise study launch {workspace} {study.name}"
    return ["Before it can do all it should:", *missing] if missing else [onward]


def _said(study: "Study") -> dict[str, Any]:
    return {"study": study.name, "state": study.state, "title": study.title}
