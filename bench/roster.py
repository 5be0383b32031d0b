"""How long a roster of a million people takes to import, and its memory: `python bench/roster.py [ROWS]`.

The people are made up: addresses under example.org, and the numbers 07700 900000 to 900999, which Ofcom
keeps for drama. There are only a thousand of those, so further figures are for a million different,
well-formed numbers of each kind, drawn in memory and never written anywhere: mobiles, which a pattern
settles, and landlines and foreign numbers, which all go to the library.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from equipoise.protocol.models.participants import RosterColumn
from equipoise.roster import RosterFile, examine_rosters
from equipoise.roster.values import convert

COLUMNS = {
    "staff_ref": RosterColumn(type="text", role="identifier"),
    "name": RosterColumn(type="text"),
    "mobile": RosterColumn(type="phone", role="contact", required=False),
    "email": RosterColumn(type="email", role="contact"),
    "region": RosterColumn(type="category", levels=("East", "North", "South", "West")),
    "started_on": RosterColumn(type="date", format="%d/%m/%Y"),
    "caseload": RosterColumn(type="integer", low=0, high=99, required=False),
}
FIRST = (
    "Ada",
    "Bea",
    "Cal",
    "Dev",
    "Eli",
    "Fay",
    "Gus",
    "Hal",
    "Ivy",
    "Jan",
    "Kit",
    "Lou",
    "Mei",
    "Ned",
    "Ola",
)
SYLLABLES = (
    "ash",
    "bel",
    "cor",
    "dun",
    "els",
    "far",
    "gre",
    "hol",
    "ing",
    "ket",
    "lan",
    "mor",
    "nor",
    "pen",
    "ros",
)


def write_roster(path: Path, rows: int) -> None:
    """A synthetic roster, written in pieces so that its making does not count towards the memory measured."""
    draw = np.random.default_rng(20200106)
    with path.open("wb") as stream:
        for start in range(0, rows, 100_000):
            piece = _people(draw, start, min(100_000, rows - start))
            piece.write_csv(stream, include_header=start == 0)


def _people(draw: np.random.Generator, start: int, rows: int) -> pl.DataFrame:
    number = np.arange(start, start + rows)
    first = np.array(FIRST)[draw.integers(0, len(FIRST), rows)]
    parts = draw.integers(0, len(SYLLABLES), (4, rows))
    last = ["".join(SYLLABLES[part] for part in person).title() for person in parts.T]
    days = pl.Series(draw.integers(0, 700, rows)).cast(pl.Int32) + 17_500
    return pl.DataFrame(
        {
            "Staff number": [f"S{at:07d}" for at in number],
            "Name": [f"{one} {other}" for one, other in zip(first, last, strict=True)],
            "Mobile": [f"07700900{digits:03d}" for digits in draw.integers(0, 1000, rows)],
            "E-mail": [
                f"{one}.{other}{at}@example.org".lower()
                for one, other, at in zip(first, last, number, strict=True)
            ],
            "Region": np.array(["East", "North", "South", "West"])[draw.integers(0, 4, rows)],
            "Start date": days.cast(pl.Date).dt.strftime("%d/%m/%Y"),
            "Caseload": draw.integers(0, 40, rows),
        }
    )


def main() -> None:
    """Prints seconds and peak memory."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "roster.csv"
        write_roster(path, rows)
        begun = time.perf_counter()
        result = examine_rosters([RosterFile(path)], COLUMNS)
        seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    report = result.report
    print(
        f"roster: {report.read:,} rows read, {report.accepted:,} accepted, "
        f"{len(report.duplicates):,} to decide on: {seconds:.1f} s, peak memory {peak:.2f} GB"
    )
    for kind, pattern in (("mobiles", "073{:08d}"), ("landlines", "0207{:07d}"), ("foreign", "+331{:08d}")):
        numbers = pl.Series("mobile", [pattern.format(number) for number in range(rows)])
        begun = time.perf_counter()
        taken = rows - convert(numbers, COLUMNS["mobile"]).refusals.height
        seconds = time.perf_counter() - begun
        print(f"phones, {kind}: {rows:,} different numbers, {taken:,} valid: {seconds:.1f} s")


if __name__ == "__main__":
    main()
