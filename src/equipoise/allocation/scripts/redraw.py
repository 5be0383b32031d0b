#!/usr/bin/env python3
"""Draw an allocation again from what was published, without the software that drew it, and compare.

    python3 redraw.py RECORD ARMS SECRET [ROSTER]

    RECORD  the allocation's record (.record.json)
    ARMS    who is in which arm (.csv); in order of arrival where people were allocated as they came
    SECRET  the file with the team's secret as revealed (of a practice draw: its seed), or the 64 digits
    ROSTER  the roster in its canonical form (.csv), where it was published

Ends with 0 when all is the same, with 1 and the first difference, or with 2 when a file cannot be used.
Python 3.9 or later, its standard library alone. The steps are in the reference, "The algorithm of the draw".
"""

import csv
import hashlib
import hmac
import json
import re
import string
import sys
import unicodedata
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Tuple

Record = Dict[str, Any]
Rows = List[Dict[str, str]]

FORMAT = 1
GIVEN = "given on the command line: tests and rehearsals only"
NEEDED = ("stage", "method", "unit", "strata", "ratio", "blocks", "arrival", "roster_hash", "commitment")
NEEDED += ("protocol_hash", "public_round", "roster_recorded", "seed_source", "counts")


class Differs(Exception):
    """Something is not as it was recorded."""


class Unusable(Exception):
    """A file that cannot be used."""


# From the secret to the seed


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def hkdf(material: bytes, salt: bytes, info: bytes) -> bytes:
    """32 bytes by HKDF-SHA256 (RFC 5869): extract, then the first block of expand."""
    return hmac.digest(hmac.digest(salt, material, "sha256"), info + b"\x01", "sha256")


def seed_of(record: Record, secret: bytes) -> bytes:
    if sha256(secret) != record["commitment"]:
        raise Differs("the secret is not the one that was committed to")
    if record["seed_source"] == GIVEN:
        return secret
    if record["protocol_hash"] is None:
        raise Unusable("the record has no protocol hash, so no seed can be derived")
    public = bytes.fromhex(record["public_round"]["randomness"]) if record["public_round"] else b""
    salt = record["protocol_hash"] if record["arrival"] else record["roster_hash"]
    info = f"equipoise/1/{record['protocol_hash']}/{record['stage']}"
    return hkdf(secret + public, bytes.fromhex(salt), info.encode())


def check_round(record: Record) -> None:
    """The public round must be the first at least an hour after the roster (or the lock) was recorded."""
    chosen, recorded = record["public_round"], record["roster_recorded"]
    if not chosen or not recorded or chosen.get("genesis") is None or chosen.get("period") is None:
        return
    since = datetime.fromisoformat(recorded.replace("Z", "+00:00")) - datetime(1970, 1, 1, tzinfo=timezone.utc)
    wait = since + timedelta(hours=1) - timedelta(seconds=chosen["genesis"])
    first = max(1, 1 - (-wait // timedelta(seconds=chosen["period"])))
    if chosen["number"] != first:
        raise Differs(f"public round {chosen['number']} was used, the rule gives {first}")


# From the seed to the arms


class Chance:
    """Numbers below 2**256 that the seed fixes: HMAC-SHA256 of a message that begins with the stage."""

    def __init__(self, seed: bytes, stage: str) -> None:
        self.seed, self.stage = seed, stage

    def of_unit(self, unit: str) -> int:
        return self._number(self.stage + unit)

    def of(self, *parts: object) -> int:
        return self._number("\0".join([self.stage, *map(str, parts)]))

    def shuffled(self, things: Sequence[str], *parts: object) -> List[str]:
        """Things in the order of their numbers; the number of each asks for its place, from 1."""
        places = sorted(range(len(things)), key=lambda place: self.of(*parts, place + 1))
        return [things[place] for place in places]

    def _number(self, message: str) -> int:
        return int.from_bytes(hmac.digest(self.seed, message.encode("utf-8"), "sha256"), "big")


def one_of(things: Sequence[Any], number: int) -> Any:
    """One of the things, each with the same chance."""
    return things[number * len(things) >> 256]


def simple(record: Record, chance: Chance, label: str, slots: List[str], units: List[str]) -> List[str]:
    """Each unit by itself."""
    if record["arrival"]:
        return [one_of(slots, chance.of("arrival", label, place)) for place in range(1, len(units) + 1)]
    return [one_of(slots, chance.of_unit(unit)) for unit in units]


def blocked(record: Record, chance: Chance, label: str, slots: List[str], units: List[str]) -> List[str]:
    """Whole sets of slots, leftover units by lot; the first units in keyed order get the first arm."""
    sets, left = divmod(len(units), len(slots))
    arms = sorted(slots * sets + chance.shuffled(slots, "leftover", label)[:left])
    return in_keyed_order(chance, units, arms)


def permuted_blocks(record: Record, chance: Chance, label: str, slots: List[str], units: List[str]) -> List[str]:
    """Block after block, of sizes drawn by lot, until all units have a place."""
    arms: List[str] = []
    block = 0
    while len(arms) < len(units):
        block += 1
        multiple = one_of(record["blocks"], chance.of("size", label, block))
        arms += chance.shuffled(slots * multiple, "slot", label, block)
    return arms[: len(units)] if record["arrival"] else in_keyed_order(chance, units, arms)


def in_keyed_order(chance: Chance, units: List[str], arms: List[str]) -> List[str]:
    """The arms handed out along the units in the order of their numbers."""
    order = sorted(range(len(units)), key=lambda row: chance.of_unit(units[row]))
    given = dict(zip(order, arms))
    return [given[row] for row in range(len(units))]


METHODS: Dict[str, Callable[[Record, Chance, str, List[str], List[str]], List[str]]] = {
    "simple": simple,
    "complete": blocked,
    "blocked": blocked,
    "permuted-blocks": permuted_blocks,
}


def draw(record: Record, units: List[str], labels: List[str], seed: bytes) -> List[str]:
    """The arm of each unit."""
    chance = Chance(seed, record["stage"])
    drawn = [""] * len(units)
    pooled = record["method"] == "complete"  # the whole trial is one stratum without a name
    strata: Dict[str, List[int]] = {}
    for row, label in enumerate(labels):
        strata.setdefault("" if pooled else label, []).append(row)
    for label, rows in strata.items():
        shares = record["ratio"][labels[0] if pooled else label]
        slots = [arm for arm in sorted(shares) for _ in range(shares[arm])]
        members = [units[row] for row in rows]
        for row, arm in zip(rows, METHODS[record["method"]](record, chance, label, slots, members)):
            drawn[row] = arm
    return drawn


# What was published


def csv_row(fields: Sequence[str]) -> str:
    """One row by RFC 4180: quotes around a field with a comma or a quote, and around no other."""
    return ",".join(
        '"' + field.replace('"', '""') + '"' if "," in field or '"' in field else field for field in fields
    )


def canonical_roster(record: Record, units: List[str], strata: List[List[str]]) -> bytes:
    rows = sorted(([unit, *values] for unit, values in zip(units, strata)), key=lambda row: row[0])
    return "".join(csv_row(row) + "\n" for row in [[record["unit"], *record["strata"]], *rows]).encode()


def read_text(path: str) -> str:
    try:
        return unicodedata.normalize("NFC", Path(path).read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise Unusable(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise Unusable(f"{path}: is no text in UTF-8") from None


def read_record(path: str) -> Record:
    try:
        record = json.loads(read_text(path))
    except ValueError:
        raise Unusable(f"{path}: is no JSON") from None
    if not isinstance(record, dict) or record.get("equipoise") != FORMAT:
        raise Unusable(f"{path}: is no record of an allocation in format {FORMAT}")
    if missing := [name for name in NEEDED if name not in record]:
        raise Unusable(f"{path}: the record lacks {', '.join(missing)}")
    if record["method"] not in METHODS:
        raise Unusable(f"{path}: this script cannot draw by {record['method']}; it knows {', '.join(METHODS)}")
    return record


def read_secret(given: str) -> bytes:
    digits = given if is_hex(given) else read_text(given).strip()
    if not is_hex(digits):
        raise Unusable("SECRET: expected 64 hexadecimal digits, or a file that holds them alone")
    return bytes.fromhex(digits)


def is_hex(text: str) -> bool:
    return len(text) == 64 and set(text) <= set(string.hexdigits)


def read_arms(path: str, record: Record) -> Tuple[List[str], List[List[str]], List[str]]:
    """Units, the values of their strata, and their arms; a cluster once."""
    rows = read_rows(path)
    columns = list(rows[0])
    unit = columns[0] if record["unit"] == "participant" else record["unit"]
    arm = record["stage"] if record["stage"] in columns else "arm"
    if missing := [name for name in (unit, *record["strata"], arm) if name not in columns]:
        raise Unusable(f"{path}: has no column {', '.join(missing)}; its columns are {', '.join(columns)}")
    first: Dict[str, Dict[str, str]] = {}
    for line, row in enumerate(rows, start=2):
        known = first.setdefault(row[unit], row)
        if known is not row and record["unit"] == "participant":
            raise Unusable(f'{path}:{line}: "{row[unit]}" is there twice')
        if known[arm] != row[arm]:
            raise Differs(f'{path}:{line}: "{row[unit]}" is drawn whole, and is said to be in two arms')
    kept = list(first.values())
    values = [[row[name] for name in record["strata"]] for row in kept]
    return [row[unit] for row in kept], values, [row[arm] for row in kept]


def read_rows(path: str) -> Rows:
    lines = list(csv.reader(read_text(path).splitlines(keepends=True)))
    if len(lines) < 2:
        raise Unusable(f"{path}: has no rows")
    for line, cells in enumerate(lines, start=1):
        if len(cells) != len(lines[0]):
            raise Unusable(f"{path}:{line}: has {len(cells)} cells, the first row has {len(lines[0])}")
    return [dict(zip(lines[0], cells)) for cells in lines[1:]]


# The comparison


def compare(record: Record, arms_path: str, secret: bytes, roster_path: str = "") -> int:
    """Compare all that was published; the number of units if nothing differs."""
    seed = seed_of(record, secret)
    check_round(record)
    units, strata, said = read_arms(arms_path, record)
    if roster_path and sha256(Path(roster_path).read_bytes()) != record["roster_hash"]:
        raise Differs(f"{roster_path}: is not the roster that was hashed")
    if sha256(canonical_roster(record, units, strata)) != record["roster_hash"]:
        raise Differs(f"{arms_path}: a unit, or the stratum of one, is not as in the roster that was hashed")
    labels = [csv_row(values) for values in strata]
    if unknown := sorted(set(labels) - set(record["ratio"])):
        raise Differs(f'the record has no ratio for stratum "{unknown[0]}"')
    drawn = draw(record, units, labels, seed)
    differ = [row for row in range(len(units)) if drawn[row] != said[row]]
    if differ:
        row = differ[0]
        first = f'unit "{units[row]}" is said to be in arm "{said[row]}", the draw gives "{drawn[row]}"'
        raise Differs(f"{first}; {len(differ)} of {len(units)} differ")
    check_counts(record, labels, drawn)
    return len(units)


def check_counts(record: Record, labels: List[str], drawn: List[str]) -> None:
    counts = Counter(zip(labels, drawn))
    for label, by_arm in record["counts"].items():
        for arm, said in by_arm.items():
            if counts[label, arm] != said:
                found = f"the record counts {said}, the draw gives {counts[label, arm]}"
                raise Differs(f'stratum "{label}", arm "{arm}": {found}')


def main(arguments: Sequence[str]) -> int:
    if len(arguments) not in (3, 4) or any(re.match("-", argument) for argument in arguments):
        print("usage: python3 redraw.py RECORD ARMS SECRET [ROSTER]", file=sys.stderr)
        return 2
    try:
        record = read_record(arguments[0])
        units = compare(record, arguments[1], read_secret(arguments[2]), *arguments[3:])
    except Unusable as error:
        print(f"cannot be used: {error}", file=sys.stderr)
        return 2
    except Differs as error:
        print(f"differs: {error}")
        return 1
    print(f"same: {units} units drawn again by {record['method']}, every arm as published")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
