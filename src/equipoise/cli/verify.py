"""`equipoise verify`: do it again and compare."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from equipoise.cli.terminal import Json, Quiet, answer, working
from equipoise.cli.verify_draw import RECORD, verified_draw, write_script
from equipoise.cli.workspaces import at_work_in
from equipoise.errors import CheckFailedError, InputError, Problem

__all__ = ["verify"]


class Language(StrEnum):
    """In which a script for strangers is written."""

    PYTHON = "python"
    R = "r"


def verify(
    path: Annotated[
        Path,
        typer.Argument(
            help="A workspace, an allocation's .record.json, or the folder of a locked study or programme."
        ),
    ],
    secret: Annotated[
        Path | None,
        typer.Option("--secret", help="The team's secret, as revealed when enrolment has closed."),
    ] = None,
    seed: Annotated[
        str | None, typer.Option("--seed", help="The seed, where the record says that it was given outright.")
    ] = None,
    public_round: Annotated[
        str | None,
        typer.Option(
            "--round", help="The public round with its signature, NUMBER:HEX:SIGNATURE, to check that too."
        ),
    ] = None,
    script: Annotated[
        Language | None,
        typer.Option("--script", help="Write the script that draws this record again without Equipoise."),
    ] = None,
    authority: Annotated[
        Path | None,
        typer.Option("--authority", help="Certificates (PEM) of who stamped a study's lock with the time."),
    ] = None,
    anchor: Annotated[
        Path | None,
        typer.Option("--anchor", help="Heads of a workspace's chains that were kept elsewhere (JSON)."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Verify an allocation by drawing it again, a locked study by its hashes, a workspace by all it holds."""
    given: dict[str, object] = {
        "--secret": secret,
        "--seed": seed,
        "--round": public_round,
        "--script": script,
    }
    given |= {"--authority": authority, "--anchor": anchor}
    if (path / "workspace.yaml").is_file():
        _refuse_beside(given, "--anchor", of="a workspace")
        record, lines = _workspace(path, anchor, quiet=quiet or json)
    elif path.name.endswith(RECORD):
        _refuse_beside(given, "--secret", "--seed", "--round", "--script", of="an allocation's record")
        if script is not None:
            record, lines = write_script(path, script.value)
        else:
            record, lines = verified_draw(path, secret, seed, public_round, quiet=quiet or json)
    elif path.is_dir():
        _refuse_beside(given, "--authority", of="a locked study")
        record, lines = _folder(path, authority)
    else:
        message = "expected an allocation's .record.json, or the folder of a locked study"
        raise InputError(
            Problem(str(path), "", message if path.exists() else f"there is no such file; {message}")
        )
    answer(lines, record, json=json, quiet=quiet)


def _refuse_beside(given: dict[str, object], *fitting: str, of: str) -> None:
    """An option that has nothing to do with what is verified is a mistake that must not look like a check."""
    for name, value in given.items():
        if value is not None and name not in fitting:
            raise InputError(Problem(name, "", f"does not go with {of}; leave it out, or name another path"))


def _workspace(path: Path, anchor: Path | None, *, quiet: bool) -> tuple[dict[str, Any], list[str]]:
    with at_work_in(path):
        from equipoise.platform.verification import read_anchor, verify_workspace

        kept = read_anchor(anchor.read_text("utf-8"), str(anchor)) if anchor is not None else None
        with working("Computing everything again", quiet=quiet):
            found = verify_workspace(kept)
    if found.faults:
        raise CheckFailedError("\n".join(found.faults))
    compared = f", and the heads kept in {anchor}" if anchor is not None else ""
    lines = [f"{path}: verified: {', '.join(found.checks)}{compared}."]
    if found.waiting:
        said = f"{found.waiting:,} submissions and events of messages wait for the next seal"
        lines.append(f"{said}, within a minute of a worker.")
    lines.append("Keep these heads where others can see them, with the date:")
    lines += [f"  {name} {head.number} {head.head}" for name, head in found.heads.items()]
    told = {name: {"number": head.number, "head": head.head} for name, head in found.heads.items()}
    record = {"path": str(path), "ok": True, "checks": list(found.checks), "waiting": found.waiting}
    return record | {"heads": told}, lines


def _folder(path: Path, authority: Path | None) -> tuple[dict[str, Any], list[str]]:
    from equipoise.protocol import changes_since_lock, current_hash, load_study
    from equipoise.protocol.programme import is_programme, load_programme

    studies = load_programme(path).studies if is_programme(path) else (load_study(path),)
    problems, told, lines = [], [], []
    for study in studies:
        name, locked = study.protocol.study.id, study.registration
        if locked is None:
            message = "this study is not locked, so there is nothing to verify; lock it with `equipoise lock`"
            raise InputError(Problem(f"{study.folder.name}/lock.json", "", message))
        problems += [f"{name}: changed since the lock: {change}" for change in changes_since_lock(study)]
        amended = f", with {len(study.amendments)} amendments" if study.amendments else ""
        lines.append(f"{name}: as locked on {locked.time}{amended}; hash {current_hash(study)}")
        stamp, said = _stamp(study.folder, authority)
        lines += [f"{name}: {line}" for line in said]
        told.append(
            {"study": name, "locked": locked.time, "hash": current_hash(study), "ok": True, "stamp": stamp}
        )
    if problems:
        raise CheckFailedError("\n".join(problems))
    return {"path": str(path), "ok": True, "studies": told}, lines


def _stamp(folder: Path, authority: Path | None) -> tuple[dict[str, str] | None, list[str]]:
    """What a time stamp beside the lock says, as far as the certificates that were given can tell."""
    from equipoise.protocol.timestamp import RESPONSE, read_certificates, read_response, verified_stamp

    place, lock = folder / RESPONSE, (folder / "lock.json").read_bytes()
    if not place.is_file():
        if authority is not None:
            message = "there is no time stamp to check; ask for one with `equipoise stamp`"
            raise InputError(Problem(str(place), "", message))
        return None, []
    if authority is None:
        read_response(place.read_bytes(), lock, place=str(place))
        return None, [f"{RESPONSE} is about this lock; who stamped it is checked with --authority FILE"]
    certificates = read_certificates(authority.read_bytes(), str(authority))
    found = verified_stamp(place.read_bytes(), lock, certificates, place=str(place))
    time = found.time.strftime("%Y-%m-%dT%H:%M:%SZ")
    line = f"the lock was there at {time}, says {found.authority} in {RESPONSE}"
    return {"time": time, "authority": found.authority}, [line]
