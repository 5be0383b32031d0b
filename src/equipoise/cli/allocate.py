"""`equipoise allocate`: lots drawn for the people of a roster, so that anybody can repeat the draw."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from equipoise.cli.terminal import Json, Quiet, answer, warn, working
from equipoise.cli.writing import refuse_existing, write_files
from equipoise.errors import CheckFailedError, InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polars import DataFrame

    from equipoise.allocation import Allocation, AllocationRecord, Seed, Units
    from equipoise.protocol import Study
    from equipoise.protocol.models.allocation import Stage

__all__ = ["allocate"]


def allocate(
    study: Annotated[Path, typer.Argument(help="The folder of the study.")],
    roster: Annotated[
        Path, typer.Option("--roster", help="The people: what `import roster` wrote, or a file as it came.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The CSV file for the arms.")],
    secret: Annotated[
        Path | None, typer.Option("--secret", help="The file with the team's secret, as `lock` made it.")
    ] = None,
    public_round: Annotated[
        str | None,
        typer.Option(
            "--round",
            help="The public round of chance that the lock foresees, as NUMBER:HEX or NUMBER:HEX:SIGNATURE.",
        ),
    ] = None,
    seed: Annotated[
        str | None,
        typer.Option("--seed", help="A seed of 64 hexadecimal digits: for tests and rehearsals only."),
    ] = None,
    stage: Annotated[
        str | None, typer.Option("--stage", help="The stage of allocation; the main one when left out.")
    ] = None,
    known: Annotated[
        list[Path] | None,
        typer.Option(
            "--known",
            help="For a later stage: a file with the arms of an earlier one, or with who answered a wave "
            "(`answered_WAVE`). Again for another file.",
        ),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw the arms of a roster: arms, the record of the draw, and a table of balance.

    The study must be locked, and the secret be the one that its lock committed to. With `--seed` any study
    can be practised with; the record then says that the seed could have been chosen. An allocation is never
    overwritten.
    """
    from equipoise.allocation import draw_stage, stage_of, units_of, with_known
    from equipoise.cli.rosters import roster_files
    from equipoise.protocol import load_study
    from equipoise.roster import as_imported, declared_columns, eligible_people, identifier_of, read_rosters

    paths = _paths(out)
    loaded = load_study(study)
    name, declared = stage_of(loaded, stage)
    _refuse_unready(loaded, name, secret=secret, seed=seed, public_round=public_round)
    refuse_existing(list(paths.values()), "Lots are drawn once; keep the draw, or write to another place")
    with working("Drawing", quiet=quiet or json):
        files = roster_files(loaded, [roster])
        read = read_rosters(files, as_imported(roster, declared_columns(loaded)))
        parts = eligible_people(loaded, read.participants)
        identifier = identifier_of(loaded)
        people = with_known(loaded, name, parts.eligible, identifier, _tables(known or ()))
        units = units_of(loaded, name, declared, people, identifier)
        chance = _chance(loaded, name, declared, units, secret, public_round, seed)
        drawn, record = draw_stage(loaded, name, declared, units, chance)
    write_files(_texts(loaded, name, declared, units, drawn, record, identifier, paths))
    for warning in drawn.warnings:
        warn(warning)
    for part in ("ineligible", "unknown"):
        if parts.counts[part]:
            left = f"{parts.counts[part]:,} of {read.participants.height:,} people"
            warn(f"{left} were left out: {part}")
    counts = _counts(record)
    told = (
        ""
        if not record.seed_could_have_been_chosen
        else f" The seed could have been chosen ({record.seed_source})."
    )
    lines = [
        f"{loaded.protocol.study.id}: {sum(counts.values()):,} {_plural(declared.unit)} allocated by lot: "
        f"{', '.join(f'{arm} {count:,}' for arm, count in counts.items())}.{told}",
        f"Wrote {', '.join(map(str, paths.values()))}.",
        f"Next: equipoise verify {paths['record']} {'--seed HEX' if seed else f'--secret {secret}'}",
    ]
    answer(lines, _answer(loaded, record, counts, paths), json=json, quiet=quiet)


def _paths(out: Path) -> dict[str, Path]:
    if out.suffix.lower() != ".csv":
        raise InputError(Problem(str(out), "", "arms are written as CSV; give a name that ends in .csv"))
    return {
        "arms": out,
        "record": out.with_name(f"{out.name}.record.json"),
        "balance": out.with_suffix(".balance.csv"),
    }


def _tables(paths: "Sequence[Path]") -> "dict[str, DataFrame]":
    """The files of what is known by now, as text."""
    from equipoise.roster import read_table

    return {path.name: read_table(path).cells for path in paths}


def _refuse_unready(
    study: "Study", name: str, *, secret: Path | None, seed: str | None, public_round: str | None
) -> None:
    """What has to be so before anything is drawn; with a seed given outright, only that it stands alone."""
    from equipoise.allocation import refuse_unready
    from equipoise.cli.clock import now
    from equipoise.protocol.registration import refuse_changed

    refuse_changed(study)
    if (secret is None) == (seed is None):
        message = "give either the team's secret with --secret FILE or, for tests and rehearsals, --seed HEX"
        raise InputError(Problem("", "--secret", message))
    if seed is None:
        refuse_unready(study, name, now())
    elif public_round is not None:
        raise InputError(
            Problem("", "--round", "goes with --secret; a seed given outright has no public round")
        )


def _chance(
    study: "Study",
    name: str,
    stage: "Stage",
    units: "Units",
    secret: Path | None,
    public_round: str | None,
    seed: str | None,
) -> "Seed":
    """The seed: given outright, or from the team's secret and the public round."""
    from equipoise.allocation import QUICKNET, given_seed, read_secret, roster_hash, stage_seed

    if secret is None:
        return given_seed(seed or "")
    value = read_secret(secret)
    beacon = QUICKNET.read(public_round) if public_round is not None else None
    hashed = roster_hash(units.units, units.columns, unit=stage.unit)
    try:
        chance = stage_seed(study, name, value, roster_hash=hashed, public_round=beacon)
    except CheckFailedError as error:
        raise CheckFailedError(f"{secret}: {error}") from None
    if beacon is None and stage.seed == "public-round":
        warn(
            "the protocol says `seed: public-round` and no --round was given, "
            "so the record says that the seed could have been chosen"
        )
    return chance


def _texts(
    study: "Study",
    name: str,
    stage: "Stage",
    units: "Units",
    drawn: "Allocation",
    record: "AllocationRecord",
    identifier: str,
    paths: dict[str, Path],
) -> dict[Path, str | bytes]:
    from equipoise.allocation import arms_text, balance_rows, balance_text

    return {
        paths["arms"]: arms_text(study, name, stage, units, drawn, identifier),
        paths["record"]: record.to_json(),
        paths["balance"]: balance_text(balance_rows(study, stage, units, drawn)),
    }


def _counts(record: "AllocationRecord") -> dict[str, int]:
    counts: dict[str, int] = {}
    for by_arm in record.counts.values():
        for arm, count in by_arm.items():
            counts[arm] = counts.get(arm, 0) + count
    return counts


def _plural(unit: str) -> str:
    return "people" if unit == "participant" else f"units ({unit})"


def _answer(
    study: "Study", record: "AllocationRecord", counts: dict[str, int], paths: dict[str, Path]
) -> dict[str, Any]:
    return {
        "study": study.protocol.study.id,
        "stage": record.stage,
        "unit": record.unit,
        "counts": counts,
        "seed_source": record.seed_source,
        "seed_could_have_been_chosen": record.seed_could_have_been_chosen,
        "roster_hash": record.roster_hash,
        "warnings": list(record.warnings),
        "files": {what: str(path) for what, path in paths.items()},
    }
