"""`equipoise stamp`: what a time-stamping authority is asked about a lock."""

from pathlib import Path
from typing import Annotated

import typer

from equipoise.cli.terminal import Json, Quiet, answer
from equipoise.cli.writing import write_files
from equipoise.errors import InputError, Problem

__all__ = ["stamp"]

_TYPE = "Content-Type: application/timestamp-query"


def stamp(
    study: Annotated[Path, typer.Argument(help="The folder of a locked study.")],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the request by which an authority witnesses when `lock.json` was there.

    Nothing is sent. Send the request to any authority of RFC 3161 and keep its answer beside the lock;
    `equipoise verify` then says the time and the authority.
    """
    from equipoise.protocol.timestamp import REQUEST, RESPONSE, stamp_request

    lock = study / "lock.json"
    if not lock.is_file():
        message = "there is no lock to stamp; lock the study first: `equipoise lock`"
        raise InputError(Problem(str(lock), "", message))
    request, response = study / REQUEST, study / RESPONSE
    write_files({request: stamp_request(lock.read_bytes())})
    sent = f"curl --fail --data-binary @{request} --header '{_TYPE}' --output {response} AUTHORITY"
    lines = [
        f"Wrote {request}. Send it to a time-stamping authority, and keep the answer:",
        f"  {sent}",
        f"Then: equipoise verify {study} --authority CERTIFICATES.pem",
    ]
    answer(lines, {"request": str(request), "response": str(response)}, json=json, quiet=quiet)
