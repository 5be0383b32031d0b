"""What `equipoise verify` does with an allocation's record: draw again, or let strangers do it."""

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.cli.terminal import working
from equipoise.cli.writing import refuse_existing, write_files
from equipoise.errors import CheckFailedError, InputError, Problem, nearest

if TYPE_CHECKING:
    from equipoise.allocation import AllocationRecord
    from equipoise.allocation.scripts import Language

__all__ = ["RECORD", "verified_draw", "write_script"]

RECORD = ".record.json"


def verified_draw(
    path: Path, secret: Path | None, seed: str | None, public_round: str | None, *, quiet: bool
) -> tuple[dict[str, Any], list[str]]:
    """Draw again from a record and the arms beside it; the answer for programs and for people.

    Raises:
        CheckFailedError: something differs.
        InputError: a file that cannot be used, or no secret.
    """
    from equipoise.allocation import verify_allocation

    record = _record(path)
    value = _secret(record, secret, seed)
    if public_round is not None:
        record = _with_signature(record, public_round)
    units, strata, arms = _said(record, path.with_name(path.name.removesuffix(RECORD)))
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


def write_script(path: Path, language: "Language") -> tuple[dict[str, Any], list[str]]:
    """Put beside a record the script by which a stranger draws it again without Equipoise."""
    from equipoise.allocation.scripts import script_of

    _record(path)
    script = script_of(language)
    place = path.with_name(script.name)
    refuse_existing([place], "Move it away first, so that nobody is given an altered script")
    write_files({place: script.text})
    arms = path.name.removesuffix(RECORD)
    lines = [
        f"Wrote {place}. Publish it with the record, the arms and the secret. Whoever has them runs there:",
        f"  {script.interpreter} {script.name} {path.name} {arms} SECRET",
    ]
    return {"script": str(place), "record": str(path)}, lines


def _record(path: Path) -> "AllocationRecord":
    from equipoise.allocation import AllocationRecord

    return AllocationRecord.from_json(_text(path), place=path.name)


def _text(path: Path) -> str:
    if not path.is_file():
        raise InputError(Problem(str(path), "", "there is no such file"))
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"is no text in UTF-8 (byte {error.start + 1}); take the file as it was written"
        raise InputError(Problem(str(path), "", message)) from None


def _with_signature(record: "AllocationRecord", text: str) -> "AllocationRecord":
    """The record with the public round's signature, which its keeper left out and anybody can look up."""
    from equipoise.allocation import PublicRound

    given, used = PublicRound.read(text), record.public_round
    if used is None:
        raise InputError(
            Problem("", "--round", f"no public round went into this draw ({record.seed_source})")
        )
    if given.signature is None:
        message = "add the signature, as the beacon gives it: NUMBER:HEX:SIGNATURE"
        raise InputError(Problem("", "--round", message))
    if (given.number, given.randomness) != (used.number, used.randomness.lower()):
        told = f"the record says round {used.number}, {used.randomness}"
        raise CheckFailedError(f"--round: round {given.number}, {given.randomness}, is not the one; {told}.")
    return replace(record, public_round=replace(used, signature=given.signature))


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
    rows = _rows(path)
    columns = list(rows[0])
    unit = columns[0] if record.unit == "participant" else record.unit
    arm = record.stage if record.stage in columns else "arm"
    hashed = (*record.strata, *record.beside)
    lacking = [name for name in (unit, arm, *hashed) if name not in columns]
    if lacking:
        listed = nearest(lacking[0], columns)
        raise InputError(Problem(path.name, lacking[0], f"this column is missing. Columns: {listed}"))
    if record.unit != "participant":
        rows = _one_row_a_cluster(rows, unit, arm, path)
    return (
        [row[unit] for row in rows],
        {name: [row[name] for row in rows] for name in hashed},
        [row[arm] for row in rows],
    )


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        message = "the file of arms that belongs to this record is not beside it"
        raise InputError(Problem(str(path), "", message))
    lines = list(csv.reader(io.StringIO(_text(path), newline="")))
    if len(lines) < 2:
        raise InputError(Problem(str(path), "", "holds nobody's arm; take the file as `allocate` wrote it"))
    heading = lines[0]
    for line, cells in enumerate(lines, start=1):
        if len(cells) != len(heading):
            message = f"found {len(cells)} cells, expected {len(heading)} as in the first line"
            raise InputError(Problem(f"{path}:{line}", "", message))
    return [dict(zip(heading, cells, strict=True)) for cells in lines[1:]]


def _one_row_a_cluster(rows: list[dict[str, str]], unit: str, arm: str, path: Path) -> list[dict[str, str]]:
    first: dict[str, dict[str, str]] = {}
    for line, row in enumerate(rows, start=2):
        if first.setdefault(row[unit], row)[arm] != row[arm]:
            raise CheckFailedError(
                f'{path}:{line}: "{row[unit]}" is said to be in two arms, and is drawn whole'
            )
    return [first[name] for name in sorted(first)]
