"""`equipoise retention`: what is kept until when, and the certificates of what was deleted."""

from pathlib import Path
from typing import Annotated, Any

import typer

from equipoise.cli.terminal import Json, Quiet, answer
from equipoise.cli.workspaces import at_work_in
from equipoise.errors import InputError, Problem

__all__ = ["retention"]


def retention(
    workspace: Annotated[Path, typer.Argument(help="The folder of the workspace.")],
    certificates: Annotated[
        Path | None,
        typer.Option(
            "--certificates", help="A folder; every certificate is written there, as JSON and text."
        ),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say what each study keeps until when, and what was deleted because its time had come.

    Nothing is deleted by this: the worker does it, when it is due and never before.
    """
    with at_work_in(workspace):
        from equipoise.platform.operations.models import Deletion
        from equipoise.platform.operations.retention.timers import timers
        from equipoise.platform.registry.models import Study

        kept = [
            {"study": study.name, "kind": timer.kind, "kept_for": timer.kept, "due": _day(timer.due)}
            for study in Study.objects.order_by("name")
            for timer in timers(study)
        ]
        made = list(Deletion.objects.select_related("study").order_by("pk"))
        if certificates is not None:
            _write(made, certificates)
    lines = [_line(each) for each in kept] or [
        "No study here says how long its data are kept (privacy.delete)."
    ]
    lines += [
        f"{each.study.name}: {each.kind} were deleted on {_day(each.at)} ({each.hash[:12]})" for each in made
    ]
    if certificates is not None:
        lines.append(f"Certificates in {certificates}: {len(made):,}.")
    told = [
        {"study": each.study.name, "kind": each.kind, "at": _day(each.at), "certificate": each.hash}
        for each in made
    ]
    answer(lines, {"workspace": str(workspace), "kept": kept, "deleted": told}, json=json, quiet=quiet)


def _line(each: dict[str, Any]) -> str:
    when = f"due on {each['due']}" if each["due"] else "due that long after the study is closed"
    return f"{each['study']}: {each['kind']} are kept for {each['kept_for']}, {when}"


def _day(moment: Any) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d}"


def _write(made: list[Any], folder: Path) -> None:
    """Each certificate twice; one that is there already is the same, or is not touched."""
    from equipoise.platform.operations.retention.certificates import certificate_lines

    if not folder.is_dir():
        message = "there is no such folder; make it, or name another place"
        raise InputError(Problem(str(folder), "--certificates", message))
    for each in made:
        name = f"{each.study.name}-{each.kind}-{each.at:%Y%m%d}-{each.hash[:12]}"
        texts = {"json": each.certificate, "txt": "".join(f"{line}\n" for line in certificate_lines(each))}
        for ending, text in texts.items():
            place = folder / f"{name}.{ending}"
            if not place.exists():
                place.write_text(text, "utf-8")
