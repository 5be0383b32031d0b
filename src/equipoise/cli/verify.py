"""`equipoise verify`: do it again and compare."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from equipoise.cli.terminal import Json, Quiet, answer, working
from equipoise.cli.workspaces import at_work_in
from equipoise.errors import CheckFailedError, InputError, Problem, nearest

if TYPE_CHECKING:
    from equipoise.allocation import AllocationRecord

__all__ = ["verify"]

_RECORD = ".record.json"


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
    anchor: Annotated[
        Path | None,
        typer.Option("--anchor", help="Heads of a workspace's chains that were kept elsewhere (JSON)."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Verify an allocation by drawing it again, a locked study by its hashes, a workspace by all it holds."""
    if anchor is not None and not (path / "workspace.yaml").is_file():
        raise InputError(Problem("--anchor", str(anchor), "heads are kept of a workspace; name its folder"))
    if (path / "workspace.yaml").is_file():
        record, lines = _workspace(path, anchor, quiet=quiet or json)
    elif path.name.endswith(_RECORD):
        record, lines = _allocation(path, secret, seed, quiet=quiet or json)
    elif path.is_dir():
        record, lines = _folder(path)
    else:
        message = "expected an allocation's .record.json, or the folder of a locked study"
        raise InputError(
            Problem(str(path), "", message if path.exists() else f"there is no such file; {message}")
        )
    answer(lines, record, json=json, quiet=quiet)


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


def _allocation(
    path: Path, secret: Path | None, seed: str | None, *, quiet: bool
) -> tuple[dict[str, Any], list[str]]:
    from equipoise.allocation import AllocationRecord, verify_allocation

    if not path.is_file():
        raise InputError(Problem(str(path), "", "there is no such file"))
    record = AllocationRecord.from_json(path.read_text("utf-8"), place=path.name)
    arms_path = path.with_name(path.name.removesuffix(_RECORD))
    value = _secret(record, secret, seed)
    units, strata, arms = _said(record, arms_path)
    with working("Drawing again", quiet=quiet):
        try:
            found = verify_allocation(record, units, strata, arms, value)
        except CheckFailedError as error:
            raise CheckFailedError(f"{path}: {error}") from None
    caution = (
        [f"Mind: the seed could have been chosen ({record.seed_source})."]
        if record.seed_could_have_been_chosen
        else []
    )
    lines = [f"{path}: verified, {found.units:,} units.", *(f"  {check}" for check in found.checks), *caution]
    told = {"path": str(path), "ok": True, "units": found.units, "checks": list(found.checks)}
    return told | {"seed_could_have_been_chosen": record.seed_could_have_been_chosen}, lines


def _secret(record: "AllocationRecord", secret: Path | None, seed: str | None) -> bytes:
    from equipoise.allocation import given_seed, read_secret

    if secret is not None and seed is None:
        return read_secret(secret)
    if seed is not None and secret is None:
        return given_seed(seed).value
    message = f"a draw is repeated with its secret: give --secret FILE, or --seed HEX ({record.seed_source})"
    raise InputError(Problem("", "--secret", message))


def _said(record: "AllocationRecord", path: Path) -> tuple[list[str], dict[str, list[str]], list[str]]:
    """Units, strata and arms as the file of arms says them; clusters once each."""
    if not path.is_file():
        raise InputError(
            Problem(str(path), "", "the file of arms that belongs to this record is not beside it")
        )
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        raise CheckFailedError(f"{path}: the file of arms is empty")
    columns = list(rows[0])
    unit = columns[0] if record.unit == "participant" else record.unit
    arm = record.stage if record.stage in columns else "arm"
    lacking = [name for name in (unit, arm, *record.strata) if name not in columns]
    if lacking:
        listed = nearest(lacking[0], columns)
        raise InputError(Problem(path.name, lacking[0], f"this column is missing. Columns: {listed}"))
    if record.unit != "participant":
        rows = _one_row_a_cluster(rows, unit, arm, path)
    return (
        [row[unit] for row in rows],
        {name: [row[name] for row in rows] for name in record.strata},
        [row[arm] for row in rows],
    )


def _one_row_a_cluster(rows: list[dict[str, str]], unit: str, arm: str, path: Path) -> list[dict[str, str]]:
    first: dict[str, dict[str, str]] = {}
    for line, row in enumerate(rows, start=2):
        if first.setdefault(row[unit], row)[arm] != row[arm]:
            raise CheckFailedError(
                f'{path}:{line}: "{row[unit]}" is said to be in two arms, and is drawn whole'
            )
    return [first[name] for name in sorted(first)]


def _folder(path: Path) -> tuple[dict[str, Any], list[str]]:
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
        told.append({"study": name, "locked": locked.time, "hash": current_hash(study), "ok": True})
    if problems:
        raise CheckFailedError("\n".join(problems))
    return {"path": str(path), "ok": True, "studies": told}, lines
