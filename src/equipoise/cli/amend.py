"""`equipoise amend`: a change to a locked study, dated and reasoned."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.clock import now
from equipoise.cli.terminal import Json, Quiet, answer
from equipoise.cli.writing import refuse_existing, write_files
from equipoise.cli.yaml_text import yaml_text
from equipoise.errors import InputError, Problem

if TYPE_CHECKING:
    from equipoise.protocol import Study

__all__ = ["amend"]


def amend(
    study: Annotated[
        Path, typer.Argument(help="The folder of the locked study, changed as it shall be from now on.")
    ],
    by: Annotated[str, typer.Option("--by", help="Who decided.")],
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    data_seen: Annotated[
        str, typer.Option("--data-seen", help="Which data had been seen by then, in words.")
    ],
    after_unmasking: Annotated[
        bool, typer.Option("--after-unmasking", help="Results by arm had been seen.")
    ] = False,
    stops: Annotated[bool, typer.Option("--stops", help="It is a decision to stop collecting data.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Record what has changed since the lock as an amendment: the differences in words, and the new hashes.

    The report prints every amendment in its table of deviations.
    """
    from equipoise.protocol import current_hash, load_study
    from equipoise.protocol.canonical import study_parts

    loaded = load_study(study)
    changes = _changes(loaded, stops=stops)
    for option, text in (("--by", by), ("--reason", reason), ("--data-seen", data_seen)):
        if not text.strip():
            raise InputError(
                Problem("", option, "is empty; an amendment says who, why, and what had been seen")
            )
    record = {
        "date": now().date().isoformat(),
        "by": by.strip(),
        "reason": reason.strip(),
        "data-seen": data_seen.strip(),
        "after-unmasking": after_unmasking,
        "stops": stops,
        "changes": changes,
        "hashes": study_parts(loaded),
        "protocol-hash": current_hash(loaded),
    }
    path = _next_path(loaded)
    refuse_existing([path], "An amendment is never overwritten")
    write_files({path: yaml_text(record)})
    shown = f"{loaded.folder.name}/amendments/{path.name}"
    lines = [
        *changes,
        f"Wrote {shown}; the study's hash is now {record['protocol-hash']}. Next: equipoise check {study}",
    ]
    answer(lines, record | {"file": str(path)}, json=json, quiet=quiet)


def _changes(study: "Study", *, stops: bool) -> list[str]:
    """What this amendment changes, in words: what differs from the lock and no amendment has told yet."""
    from equipoise.protocol import changes_since_lock

    place = f"{study.folder.name}/lock.json"
    if study.registration is None:
        raise InputError(
            Problem(place, "", "this study is not locked, so it can simply be changed; nothing to amend")
        )
    told = {change for amendment in study.amendments for change in amendment.changes}
    changes = [change for change in changes_since_lock(study) if change not in told]
    if not changes and not stops:
        message = "nothing has changed since the lock; change the study first, or say that it --stops"
        raise InputError(Problem(place, "", message))
    return changes or ["Data collection stops."]


def _next_path(study: "Study") -> Path:
    folder = study.folder / "amendments"
    numbers = [int(path.stem) for path in folder.glob("*.yaml") if path.stem.isdigit()]
    return folder / f"{max(numbers, default=0) + 1:03}.yaml"
