"""An allocation as it is published: the record, the arms and the roster, written to a folder."""

import csv
import io
import random
from pathlib import Path
from typing import NamedTuple

from equipoise.allocation import (
    PublicRound,
    allocate,
    canonical_roster,
    derive_seed,
    record_of,
    roster_hash,
    strata_labels,
)
from equipoise.allocation.beside import NOTHING, Beside

SECRET = bytes(range(32))
PROTOCOL = "ab" * 32
ROUND = PublicRound(9_000_001, "cd" * 32, genesis=1692803367, period=3)
RECORDED = "2024-07-01T02:09:25Z"  # an hour and two seconds before that round appeared
NAMES = (
    "Zoë",
    "Ŵil",
    "O'Neill",
    "Smith, J",
    'the "second"',
    "Łukasz",
    "李",
    " space",
    "NA",
    "0012",
    "1e3",
    "é,ü",
)


class Published(NamedTuple):
    """Where the files are."""

    record: Path
    arms: Path
    secret: Path
    roster: Path


def people(count: int) -> list[str]:
    """Awkward names, each once."""
    return [f"{NAMES[place % len(NAMES)]}{place // len(NAMES) or ''}" for place in range(count)]


def strata_of(count: int, *sizes: int) -> list[str]:
    """A column of strata of the given sizes, shuffled; the last has the rest."""
    values = [
        name
        for name, size in zip(("north, far", "süd", 'a"b', "NA", ""), sizes, strict=False)
        for _ in range(size)
    ]
    values = (values + ["rest"] * count)[:count]
    random.Random(7).shuffle(values)
    return values


def publish(
    folder: Path,
    units: list[str],
    strata: dict[str, list[str]],
    ratio: dict,
    *,
    method: str,
    unit: str = "participant",
    stage: str = "main",
    blocks: list[int] | None = None,
    arrival: bool = False,
    sizes: int = 1,
    beside: Beside = NOTHING,
    public_round: PublicRound = ROUND,
    recorded: str = RECORDED,
) -> Published:
    """Draw, and write what a stranger gets; `sizes` people to a unit where clusters are drawn."""
    hung_on = {**strata, **beside.columns}
    hashed = roster_hash(units, hung_on, unit=unit)
    seed = derive_seed(
        SECRET,
        protocol_hash=PROTOCOL,
        stage=stage,
        roster_hash=None if arrival else hashed,
        public_round=public_round,
    )
    labels = strata_labels(list(strata.values())) if strata else None
    drawn = allocate(
        units,
        labels,
        ratio,
        method=method,
        stage=stage,
        seed=seed.value,
        blocks=blocks,
        arrival=arrival,
        beside=beside,
    )
    record = record_of(
        drawn,
        seed,
        stage=stage,
        strata=tuple(strata),
        roster_hash=hashed,
        protocol_hash=PROTOCOL,
        roster_recorded=recorded,
        unit=unit,
    )
    found = Published(
        *(folder / name for name in ("arms.csv.record.json", "arms.csv", "team.secret", "roster.csv"))
    )
    found.record.write_text(record.to_json(), encoding="utf-8")
    found.secret.write_text(SECRET.hex() + "\n")
    found.roster.write_bytes(canonical_roster(units, hung_on, unit=unit))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    clustered = [] if unit == "participant" else [unit]
    writer.writerow(["staff_ref", *clustered, *hung_on, "arm", "probability_a"])
    for row, (name, arm) in enumerate(zip(units, drawn.arms, strict=True)):
        values = [column[row] for column in hung_on.values()]
        for person in range(sizes):
            shown = [f"p{row}-{person}", name] if clustered else [name]
            writer.writerow([*shown, *values, arm, 0.5])
    found.arms.write_text(text.getvalue(), encoding="utf-8")
    return found
