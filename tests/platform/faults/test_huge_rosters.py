"""A roster that is larger than anybody's: read in bounded memory, or refused with the line; never a machine that is
brought down."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from tests.platform.durability.conftest import STATED
from tests.platform.operations.copies import ROOT

HEADER = "staff_ref,email,mobile,cohort,region,started_on\n"
ROW = "T{0},p{0}@example.org,07700 900001,2021,north,2021-01-11\n"
ROWS = 1_000_000 if STATED else 50_000
CELL = 100_000_000 if STATED else 20_000_000
# What a process may ask for in all, libraries included: a table of a million rows as Python's own objects is more.
ADDRESSES = 3_000_000_000
READ = """
import json, resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), int(sys.argv[1])))
from equipoise.cli import main
try:
    code = main(["import", "roster", "--study", sys.argv[2], sys.argv[3], "--out", sys.argv[4], "--json"])
finally:
    # What getrusage says would be that of the tests' own process, from which this one came.
    said = Path("/proc/self/status").read_text().splitlines()
    peak = 1024 * int(next(line for line in said if line.startswith("VmHWM:")).split()[1])
    print(json.dumps({"peak": peak}), file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture
def read(tmp_path):
    """A function that reads a roster in a process of little memory: its code, what it said, its most memory."""
    study = tmp_path / "swing"
    shutil.copytree(ROOT / "examples/hhp2/swing", study)

    def run(write):
        roster = tmp_path / "roster.csv"
        with roster.open("w", encoding="utf-8") as file:
            write(file)
        words = [str(ADDRESSES), str(study), str(roster), str(tmp_path / "out.csv")]
        done = subprocess.run(
            [sys.executable, "-c", READ, *words],
            env={**os.environ, "POLARS_MAX_THREADS": "2"},
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        *said, peak = done.stderr.splitlines()
        return done.returncode, "\n".join(said), json.loads(peak)["peak"]

    return run


def test_very_many_rows_are_read_in_bounded_memory(read, tmp_path):
    def write(file):
        file.write(HEADER)
        file.writelines(ROW.format(number) for number in range(ROWS))

    code, said, peak = read(write)
    assert code == 0, said
    assert (tmp_path / "out.csv").read_bytes().count(b"\n") == ROWS + 1
    assert peak < 1_500_000_000


@pytest.mark.parametrize("quoted", [False, True])
def test_a_cell_that_never_ends_is_refused_with_its_line(read, tmp_path, quoted):
    def write(file):
        file.write(HEADER + ROW.format(1) + "T2,p2@example.org,,2021,")
        file.write('"' + "x\n" * (CELL // 2) + '"' if quoted else "x" * CELL)
        file.write(",2021-01-11\n")

    code, said, peak = read(write)
    assert code == 2
    assert said.startswith("roster.csv:3: ")
    assert "longer than 131,072 characters" in said
    assert not (tmp_path / "out.csv").exists()
    assert peak < 6 * CELL + 200_000_000


def test_ten_thousand_columns_are_refused_with_their_number(read, tmp_path):
    def write(file):
        file.write(",".join(f"c{number}" for number in range(10_000)) + "\n" + ",".join("1" * 10_000) + "\n")

    code, said, peak = read(write)
    assert (code, said) == (
        2,
        "roster.csv:1: 10,000 columns; at most 1,000 are read. Leave out those not needed.",
    )
    assert not (tmp_path / "out.csv").exists()
    assert peak < 300_000_000
