"""`equipoise lock`: the study as written, its hash and time, and the commitment of the team's secret."""

import secrets as randomness
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.clock import now, written
from equipoise.cli.terminal import Json, Quiet, answer
from equipoise.cli.writing import refuse_existing, write_files, write_secret
from equipoise.errors import InputError, Problem

if TYPE_CHECKING:
    from equipoise.protocol import Study

__all__ = ["lock"]

SECRET_BYTES = 32


def lock(
    study: Annotated[Path, typer.Argument(help="The folder of the study.")],
    secret: Annotated[
        Path | None,
        typer.Option(
            "--secret", help="Where to put the team's new secret; beside the study's folder when left out."
        ),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Lock a study: write `lock.json` with its hash, the time and the commitment of the allocation's secret.

    The secret is made here, lies outside the study's folder and can be read by nobody else. Keep it until
    enrolment has closed, and publish the hash where others can see when it was there.
    """
    from equipoise import __version__
    from equipoise.allocation.chance.seed import commitment
    from equipoise.protocol import load_study
    from equipoise.protocol import lock as register
    from equipoise.protocol.registration import lock_text, refuse_demonstration_wording

    loaded = load_study(study)
    refuse_demonstration_wording(loaded)
    drawn = bool(loaded.protocol.allocation or loaded.protocol.tasks)
    value = randomness.token_bytes(SECRET_BYTES) if drawn else None
    registration = register(
        loaded,
        time=written(now()),
        seed_commitment=commitment(value) if value is not None else None,
        version=__version__,
    )
    place = _secret_place(loaded, secret) if value is not None else None
    if value is not None and place is not None:
        write_secret(place, value)
    try:
        write_files({loaded.folder / "lock.json": lock_text(registration)})
    except InputError:
        if place is not None:
            place.unlink()
        raise
    lines = [f"{registration.study}: locked on {registration.time}; hash {registration.protocol_hash}"]
    if place is not None:
        lines.append(
            f"The allocation's secret is in {place}: keep it safe and to yourself until enrolment has closed."
        )
    lines.append(f"Publish the hash. Next: equipoise import roster FILE --study {study} --out FILE")
    record = registration.model_dump(mode="json", by_alias=True, exclude={"spelled_out"})
    answer(lines, record | {"secret": str(place) if place else None}, json=json, quiet=quiet)


def _secret_place(study: "Study", wanted: Path | None) -> Path:
    folder = study.folder
    place = (wanted or folder.parent / f"{folder.name}.secret").resolve()
    if place.is_relative_to(folder):
        message = "lies inside the study's folder, which is shared; name a place outside it with --secret"
        raise InputError(Problem(str(place), "", message))
    refuse_existing(
        [place], "A secret is never overwritten: move it away, or name another place with --secret"
    )
    return place
