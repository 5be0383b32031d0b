#!/usr/bin/env python3
"""Draw an allocation again from what was published, without the software that drew it, and compare.

    python3 redraw.py RECORD ARMS SECRET [ROSTER]

    RECORD  the allocation's record (.record.json)
    ARMS    who is in which arm (.csv); in order of arrival where people were allocated as they came
    SECRET  the file with the team's secret as revealed (of a practice draw: its seed), or the 64 digits
    ROSTER  the roster in its canonical form (.csv), where it was published

Ends with 0 when all is the same, with 1 and the first difference, or with 2 when a file cannot be used.
Python 3.11 or later, its standard library alone. The steps are in the reference, "The algorithm of the draw".
"""

import csv
import hashlib
import hmac
import io
import itertools
import json
import string
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

Record = dict[str, Any]
Rows = list[dict[str, str]]


class Units(NamedTuple):
    """What the arms' file says of the units: names, all values that were hashed by column, and arms."""

    names: list[str]
    columns: dict[str, list[str]]
    arms: list[str]


class Stratum(NamedTuple):
    """What arms are drawn within: slots, units in the order of the file, and what a method looks at."""

    label: str
    slots: list[str]
    rows: list[int]
    units: list[str]
    beside: list[tuple[str, ...]]


FORMAT = 1
EQUAL = 1e-9  # distances that differ by a smaller part count as equal
GIVEN = "given on the command line: tests and rehearsals only"
NEEDED = {
    *("stage", "method", "unit", "strata", "ratio", "blocks", "arrival", "roster_hash", "commitment"),
    *("protocol_hash", "public_round", "roster_recorded", "seed_source", "counts"),
}


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
    since = datetime.fromisoformat(recorded) - datetime(1970, 1, 1, tzinfo=UTC)
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

    def shuffled(self, things: Sequence[str], *parts: object) -> list[str]:
        """Things in the order of their numbers; the number of each asks for its place, from 1."""
        places = sorted(range(len(things)), key=lambda place: self.of(*parts, place + 1))
        return [things[place] for place in places]

    def _number(self, message: str) -> int:
        return int.from_bytes(hmac.digest(self.seed, message.encode("utf-8"), "sha256"), "big")


def one_of(things: Sequence[Any], number: int) -> Any:
    """One of the things, each with the same chance."""
    return things[number * len(things) >> 256]


def simple(record: Record, chance: Chance, stratum: Stratum) -> list[str]:
    """Each unit by itself."""
    if record["arrival"]:
        places = range(1, len(stratum.units) + 1)
        return [one_of(stratum.slots, chance.of("arrival", stratum.label, place)) for place in places]
    return [one_of(stratum.slots, chance.of_unit(unit)) for unit in stratum.units]


def blocked(record: Record, chance: Chance, stratum: Stratum) -> list[str]:
    """Whole sets of slots, leftover units by lot; the first units in keyed order get the first arm."""
    sets, left = divmod(len(stratum.units), len(stratum.slots))
    leftover = chance.shuffled(stratum.slots, "leftover", stratum.label)[:left]
    return in_order(keyed(chance, stratum), sorted(stratum.slots * sets + leftover))


def permuted_blocks(record: Record, chance: Chance, stratum: Stratum) -> list[str]:
    """Block after block, of sizes drawn by lot, until all units have a place."""
    arms: list[str] = []
    block = 0
    while len(arms) < len(stratum.units):
        block += 1
        multiple = one_of(record["blocks"], chance.of("size", stratum.label, block))
        arms += chance.shuffled(stratum.slots * multiple, "slot", stratum.label, block)
    return in_order(queue(record, chance, stratum), arms)


def minimised(record: Record, chance: Chance, stratum: Stratum) -> list[str]:
    """Unit by unit into the slot that leaves the levels of the factors most alike, with the coin's chance."""
    slots, coin = len(stratum.slots), Fraction(str(record["coin"]))
    weights = record["weights"] or [1] * len(record["beside"])
    counts: list[dict[str, list[int]]] = [{} for _ in weights]
    order, arms = queue(record, chance, stratum), []
    for place, row in enumerate(order, start=1):
        mine = [
            count.setdefault(level, [0] * slots)
            for count, level in zip(counts, stratum.beside[row], strict=True)
        ]
        imbalance = [
            sum(
                weight * spread(count, slot, record["measure"])
                for weight, count in zip(weights, mine, strict=True)
            )
            for slot in range(slots)
        ]
        tied = imbalance.count(min(imbalance))
        other = (1 - coin) / (slots - 1)
        best = coin / tied + (tied - 1) * other / tied
        aim = Fraction(chance.of("coin", stratum.label, place), 2**256)
        slot = -1
        while aim >= 0:
            slot += 1
            aim -= best if imbalance[slot] == min(imbalance) else other
        for count in mine:
            count[slot] += 1
        arms.append(stratum.slots[slot])
    return in_order(order, arms)


def spread(count: list[int], slot: int, measure: str) -> int:
    """How unlike the counts would be with one more in a slot."""
    after = [units + (place == slot) for place, units in enumerate(count)]
    if measure == "variance":
        return sum(units * units for units in after)  # the rest of a variance is the same for every slot
    return max(after) - min(after)


def queue(record: Record, chance: Chance, stratum: Stratum) -> list[int]:
    """The units as they came or, of a roster drawn at once, in keyed order."""
    return list(range(len(stratum.units))) if record["arrival"] else keyed(chance, stratum)


def keyed(chance: Chance, stratum: Stratum) -> list[int]:
    """The units in the order of their numbers."""
    return sorted(range(len(stratum.units)), key=lambda row: chance.of_unit(stratum.units[row]))


def in_order(order: list[int], arms: list[str]) -> list[str]:
    """The arms handed out along an order of the units."""
    given = dict(zip(order, arms, strict=False))  # a last block may leave places over
    return [given[row] for row in range(len(order))]


METHODS: dict[str, Callable[[Record, Chance, Stratum], list[str]]] = {
    "simple": simple,
    "complete": blocked,
    "blocked": blocked,
    "permuted-blocks": permuted_blocks,
    "minimised": minimised,
    "rerandomised": blocked,
    "matched-pairs": blocked,
}


def draw(record: Record, units: Units, labels: list[str], seed: bytes) -> list[str]:
    """The arm of each unit."""
    chance, strata = Chance(seed, record["stage"]), strata_of(record, units, labels)
    if record["method"] != "rerandomised":
        return drawn_once(record, chance, strata)
    criterion = Criterion(record, strata)
    furthest = criterion.threshold() * (1 + EQUAL)
    for candidate in itertools.count(1):
        arms = drawn_once(record, Chance(seed, f"{record['stage']}\0candidate\0{candidate}\0"), strata)
        if criterion.distance(arms) <= furthest:
            break
    return arms


def drawn_once(record: Record, chance: Chance, strata: list[Stratum]) -> list[str]:
    drawn = [""] * sum(len(stratum.units) for stratum in strata)
    for stratum in strata:
        arms = METHODS[record["method"]](record, chance, stratum)
        for row, arm in zip(stratum.rows, arms, strict=True):
            drawn[row] = arm
    return drawn


def strata_of(record: Record, units: Units, labels: list[str]) -> list[Stratum]:
    """The strata by name; with `complete` the whole trial is one, which has no name."""
    pooled = record["method"] == "complete"
    columns = [units.columns[name] for name in record.get("beside", [])]
    rows: dict[str, list[int]] = {}
    for row, label in enumerate(labels):
        rows.setdefault("" if pooled else label, []).append(row)
    strata = []
    for label in sorted(rows):
        shares = record["ratio"][labels[0] if pooled else label]
        slots = [arm for arm in sorted(shares) for _ in range(shares[arm])]
        names = [units.names[row] for row in rows[label]]
        beside = [tuple(column[row] for column in columns) for row in rows[label]]
        strata.append(Stratum(label, slots, rows[label], names, beside))
    return strata


# What a rerandomisation holds a draw to


class Criterion:
    """How far the arms are apart in the covariates, and how far apart they may be."""

    def __init__(self, record: Record, strata: list[Stratum]) -> None:
        self.strata, self.accept = strata, Fraction(str(record["accept"]))
        self.rows = [row for stratum in strata for row in stratum.rows]
        shares = [
            {arm: Fraction(stratum.slots.count(arm), len(stratum.slots)) for arm in stratum.slots}
            for stratum in strata
            for _ in stratum.rows
        ]
        self.mean = {arm: float(sum(share[arm] for share in shares) / len(shares)) for arm in shares[0]}
        values = uncorrelated(record, strata)
        self.weighed = [
            {arm: [value / float(share[arm]) for value in unit] for arm in share}
            for unit, share in zip(values, shares, strict=True)
        ]

    def distance(self, arms: list[str]) -> float:
        """Over the arms, n p |d|^2: d the arm's mean less the whole's, units counted by their chances."""
        return self._distance([arms[row] for row in self.rows])

    def _distance(self, arms: Sequence[str]) -> float:
        """The same of arms stratum by stratum."""
        sums = {arm: [0.0] * len(next(iter(self.weighed[0].values()))) for arm in self.mean}
        for weighed, arm in zip(self.weighed, arms, strict=True):
            sums[arm] = [so_far + value for so_far, value in zip(sums[arm], weighed[arm], strict=True)]
        return sum(
            share * sum(total * total for total in sums[arm]) / len(arms) for arm, share in self.mean.items()
        )

    def threshold(self) -> float:
        """The distance that the declared share of public draws does not exceed."""
        draws = max(1000, ceil(50 / self.accept))
        stream = public_numbers()
        found = sorted(self._distance(self._public_draw(stream)) for _ in range(draws))
        return found[ceil(self.accept * draws) - 1]

    def _public_draw(self, stream: Iterator[int]) -> list[str]:
        """A blocked draw by public numbers; units within a stratum in the order of their values."""
        arms: list[str] = []
        for stratum in self.strata:
            sets, left = divmod(len(stratum.units), len(stratum.slots))
            order = sorted_by([next(stream) for _ in stratum.units])
            given = stratum.slots * sets
            if left:
                chosen = sorted_by([next(stream) for _ in stratum.slots])[:left]
                given = given + [stratum.slots[slot] for slot in chosen]
            by_value = sorted(range(len(order)), key=lambda row: stratum.beside[row])
            drawn = in_order([by_value[place] for place in order], sorted(given))
            arms += drawn
        return arms


def public_numbers() -> Iterator[int]:
    """Numbers that hang on nothing: four of eight bytes from each hash."""
    for number in itertools.count(1):
        digest = hashlib.sha256(b"threshold\0%d" % number).digest()
        yield from (int.from_bytes(digest[start : start + 8], "big") for start in (0, 8, 16, 24))


def sorted_by(numbers: list[int]) -> list[int]:
    """Places in the order of their numbers, equal ones as they stand."""
    return sorted(range(len(numbers)), key=lambda place: numbers[place])


def uncorrelated(record: Record, strata: list[Stratum]) -> list[list[float]]:
    """The covariates as numbers, stratum by stratum, turned and scaled: within strata, variance 1."""
    values = [unit for stratum in strata for unit in stratum.beside]
    turned: list[list[float]] = []
    for column in wide(record, values):
        left = centred(column, strata)
        for before in turned * 2:  # less what those before it tell (Gram and Schmidt; twice to be exact)
            shared = sum(one * other for one, other in zip(left, before, strict=True))
            left = [one - shared * other for one, other in zip(left, before, strict=True)]
        length = sum(value * value for value in left) ** 0.5
        turned.append([value / length for value in left])
    scale = (len(values) - len(strata)) ** 0.5
    return [[scale * value for value in row] for row in zip(*turned, strict=True)]


def wide(record: Record, values: list[tuple[str, ...]]) -> Iterator[list[float]]:
    """A number as it is; of a category a column of 0 and 1 for each level but the first."""
    for name, column in zip(record["beside"], zip(*values, strict=True), strict=True):
        if name in record["numbers"]:
            yield [float(value) for value in column]
        else:
            yield from ([float(value == level) for value in column] for level in sorted(set(column))[1:])


def centred(column: list[float], strata: list[Stratum]) -> list[float]:
    found: list[float] = []
    for stratum in strata:
        part = column[len(found) : len(found) + len(stratum.rows)]
        mean = sum(part) / len(part)
        found += [value - mean for value in part]
    return found


# What was published


def csv_row(fields: Sequence[str]) -> str:
    """One row by RFC 4180: quotes around a field with a comma or a quote, and around no other."""
    return ",".join(
        '"' + field.replace('"', '""') + '"' if "," in field or '"' in field else field for field in fields
    )


def canonical_roster(record: Record, units: Units) -> bytes:
    rows = sorted(zip(units.names, *units.columns.values(), strict=True))
    return "".join(csv_row(row) + "\n" for row in [[record["unit"], *units.columns], *rows]).encode()


def read_bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Unusable(f"{path}: cannot be read ({error.strerror})") from None


def read_text(path: str) -> str:
    try:
        return unicodedata.normalize("NFC", read_bytes(path).decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Unusable(f"{path}: is no text in UTF-8") from None


def read_record(path: str) -> Record:
    try:
        record = json.loads(read_text(path))
    except ValueError:
        raise Unusable(f"{path}: is no JSON") from None
    if not isinstance(record, dict) or record.get("equipoise") != FORMAT:
        raise Unusable(f"{path}: is no record of an allocation in format {FORMAT}")
    if missing := sorted(NEEDED - set(record)):
        raise Unusable(f"{path}: the record lacks {', '.join(missing)}")
    if any(share < 1 for shares in record["ratio"].values() for share in shares.values()) or any(
        size < 1 for size in record["blocks"]
    ):
        raise Unusable(f"{path}: has a share or the size of a block below 1")
    if record["method"] not in METHODS:
        known = ", ".join(METHODS)
        raise Unusable(f"{path}: this script cannot draw by {record['method']}; it knows {known}")
    return record


def read_secret(given: str) -> bytes:
    digits = given if is_hex(given) else read_text(given).strip()
    if not is_hex(digits):
        raise Unusable("SECRET: expected 64 hexadecimal digits, or a file that holds them alone")
    return bytes.fromhex(digits)


def is_hex(text: str) -> bool:
    return len(text) == 64 and set(text) <= set(string.hexdigits)


def read_arms(path: str, record: Record) -> Units:
    """What the file says of the units; of a cluster once."""
    rows = read_rows(path)
    columns = list(rows[0])
    hashed = [*record["strata"], *record.get("beside", [])]
    unit = columns[0] if record["unit"] == "participant" else record["unit"]
    arm = record["stage"] if record["stage"] in columns else "arm"
    if missing := [name for name in (unit, *hashed, arm) if name not in columns]:
        raise Unusable(f"{path}: has no column {', '.join(missing)}; its columns are {', '.join(columns)}")
    first: dict[str, dict[str, str]] = {}
    for line, row in enumerate(rows, start=2):
        known = first.setdefault(row[unit], row)
        if known is not row and record["unit"] == "participant":
            raise Unusable(f'{path}:{line}: "{row[unit]}" is there twice')
        if known[arm] != row[arm]:
            raise Differs(f'{path}:{line}: "{row[unit]}" is drawn whole, and is said to be in two arms')
    values = {name: [row[name] for row in first.values()] for name in hashed}
    return Units(list(first), values, [row[arm] for row in first.values()])


def read_rows(path: str) -> Rows:
    lines = list(csv.reader(io.StringIO(read_text(path), newline="")))
    if len(lines) < 2:
        raise Unusable(f"{path}: has no rows")
    for line, cells in enumerate(lines, start=1):
        if len(cells) != len(lines[0]):
            raise Unusable(f"{path}:{line}: has {len(cells)} cells, the first row has {len(lines[0])}")
    return [dict(zip(lines[0], cells, strict=True)) for cells in lines[1:]]


# The comparison


def compare(record: Record, arms_path: str, secret: bytes, roster_path: str = "") -> int:
    """Compare all that was published; the number of units if nothing differs."""
    seed = seed_of(record, secret)
    check_round(record)
    units = read_arms(arms_path, record)
    if roster_path and sha256(read_bytes(roster_path)) != record["roster_hash"]:
        raise Differs(f"{roster_path}: is not the roster that was hashed")
    if sha256(canonical_roster(record, units)) != record["roster_hash"]:
        raise Differs(f"{arms_path}: a unit, or what is said of one, is not as in the roster that was hashed")
    labels = labels_of(record, units)
    if unknown := sorted(set(labels) - set(record["ratio"])):
        raise Differs(f'the record has no ratio for stratum "{unknown[0]}"')
    drawn = draw(record, units, labels, seed)
    differ = [row for row in range(len(drawn)) if drawn[row] != units.arms[row]]
    if differ:
        row = differ[0]
        said = f'unit "{units.names[row]}" is said to be in arm "{units.arms[row]}"'
        raise Differs(f'{said}, the draw gives "{drawn[row]}"; {len(differ)} of {len(drawn)} differ')
    check_counts(record, labels, drawn)
    return len(drawn)


def labels_of(record: Record, units: Units) -> list[str]:
    """The name of each unit's stratum: its values of the stratifying columns as one row."""
    columns = [units.columns[name] for name in record["strata"]]
    return [csv_row([column[row] for column in columns]) for row in range(len(units.names))]


def check_counts(record: Record, labels: list[str], drawn: list[str]) -> None:
    found = Counter(zip(labels, drawn, strict=True))
    for label, shares in record["ratio"].items():
        for arm in shares:
            said = record["counts"].get(label, {}).get(arm)
            if said != found[label, arm]:
                told = f"the record counts {said}, the draw gives {found[label, arm]}"
                raise Differs(f'stratum "{label}", arm "{arm}": {told}')


def main(arguments: Sequence[str]) -> int:
    if len(arguments) not in (3, 4) or any(argument.startswith("-") for argument in arguments):
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
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, csv.Error) as error:
        print(f"cannot be used: not as it was written ({error!r})", file=sys.stderr)
        return 2
    print(f"same: {units} units drawn again by {record['method']}, every arm as published")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
