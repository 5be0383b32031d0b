"""Do an allocation again from its record, and compare."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from equipoise.allocation.allocating import Allocation, allocate
from equipoise.allocation.beside import Beside
from equipoise.allocation.chance.roster_hash import roster_hash
from equipoise.allocation.chance.rounds import round_checks
from equipoise.allocation.chance.seed import GIVEN, Seed, commitment, derive_seed
from equipoise.allocation.record import AllocationRecord, record_of
from equipoise.allocation.text import strata_labels
from equipoise.errors import CheckFailedError, DesignError, InputError

__all__ = ["Verification", "refuse_other_arms", "seed_from_secret", "verify_allocation"]

_REPEATED = (
    "seed_source",
    "seed_could_have_been_chosen",
    "ratio",
    "counts",
    "probabilities",
    "warnings",
    "beside",
    "coin",
    "accept",
    "weights",
    "measure",
    "numbers",
    "accepted",
)


@dataclass(frozen=True)
class Verification:
    """What was compared and agreed, in words."""

    units: int
    checks: tuple[str, ...]


def seed_from_secret(record: AllocationRecord, secret: bytes) -> Seed:
    """The seed that the record's secret, public round and roster lead to.

    Args:
        record: of the allocation.
        secret: as revealed when enrolment has closed; the seed itself where the record says that it was
            given.
    Raises:
        CheckFailedError: it is not the secret that was committed to.
        InputError: the record has no protocol hash to derive a seed from.
    """
    if not hmac.compare_digest(commitment(secret), record.commitment):
        found = f"its SHA-256 is {commitment(secret)}, the record says {record.commitment}"
        raise CheckFailedError(f"not the secret that was committed to: {found}.")
    if record.seed_source == GIVEN:
        return Seed(secret, GIVEN, record.commitment)
    if record.protocol_hash is None:
        raise InputError("the record has no protocol hash, so no seed can be derived from a secret.")
    return derive_seed(
        secret,
        protocol_hash=record.protocol_hash,
        stage=record.stage,
        roster_hash=None if record.arrival else record.roster_hash,
        public_round=record.public_round,
    )


def verify_allocation(
    record: AllocationRecord,
    units: Sequence[str],
    strata: Mapping[str, Sequence[str]],
    arms: Sequence[str],
    secret: bytes,
) -> Verification:
    """Check the commitment, the public round, the roster's hash, every unit's arm and the record's numbers.

    Args:
        record: of the allocation.
        units: identifiers, in order of arrival if the record says that it mattered.
        strata: the units' values of the record's stratifying columns, and of those beside them.
        arms: the arm that each unit is said to have.
        secret: as for `seed_from_secret`.
    Raises:
        CheckFailedError: something differs; the first difference is named.
        DesignError: columns that are missing or of different lengths.
    """
    _columns(record, units, strata, arms)
    seed = seed_from_secret(record, secret)
    checks = ["the secret is the one committed to"]
    checks += round_checks(record.public_round, record.roster_recorded)
    columns = {name: strata[name] for name in (*record.strata, *record.beside)}
    if roster_hash(units, columns, unit=record.unit) != record.roster_hash:
        changed = f"a unit, or its {' or '.join(columns)}, has changed" if columns else "a unit has changed"
        raise CheckFailedError(f"the roster is not the one that was hashed: {changed}.")
    checks.append("the roster is the one that was hashed")
    drawn = _drawn_again(record, units, columns, seed)
    refuse_other_arms(drawn, arms)
    checks.append(f"all {len(units):,} arms are as drawn")
    _same_record(record, drawn, seed)
    checks.append("counts, probabilities and warnings are as recorded")
    return Verification(len(units), tuple(checks))


def refuse_other_arms(drawn: Allocation, arms: Sequence[str]) -> None:
    """Compare the arms that units are said to have with a draw of the same units in the same order.

    Raises:
        CheckFailedError: names the first unit whose arm differs, and says how many do.
    """
    differ = [row for row, (now, then) in enumerate(zip(drawn.arms, arms, strict=True)) if now != then]
    if differ:
        row = differ[0]
        said = f'row {row + 1}: unit "{drawn.units[row]}" is said to be in arm "{arms[row]}"'
        rest = f"{len(differ):,} of {len(arms):,} differ"
        raise CheckFailedError(f'{said}, the draw gives "{drawn.arms[row]}". {rest}.')


def _columns(
    record: AllocationRecord, units: Sequence[str], strata: Mapping[str, Sequence[str]], arms: Sequence[str]
) -> None:
    if missing := [name for name in (*record.strata, *record.beside) if name not in strata]:
        found = ", ".join(strata) or "none"
        raise DesignError(f"the record's draw needs the column {', '.join(missing)}; found {found}.")
    if len(arms) != len(units):
        raise DesignError(f"{len(arms)} arms for {len(units)} units; each needs one.")


def _drawn_again(
    record: AllocationRecord, units: Sequence[str], columns: Mapping[str, Sequence[str]], seed: Seed
) -> Allocation:
    return allocate(
        units,
        strata_labels([columns[name] for name in record.strata]) if record.strata else None,
        record.ratio,
        method=record.method,
        stage=record.stage,
        seed=seed.value,
        blocks=record.blocks or None,
        arrival=record.arrival,
        beside=_beside(record, columns),
    )


def _beside(record: AllocationRecord, columns: Mapping[str, Sequence[str]]) -> Beside:
    return Beside(
        {name: columns[name] for name in record.beside},
        coin=record.coin,
        accept=record.accept,
        weights=record.weights,
        measure=record.measure,
        numbers=record.numbers,
    )


def _same_record(record: AllocationRecord, drawn: Allocation, seed: Seed) -> None:
    again = record_of(
        drawn,
        seed,
        stage=record.stage,
        strata=record.strata,
        roster_hash=record.roster_hash,
        protocol_hash=record.protocol_hash,
        unit=record.unit,
    )
    for name in _REPEATED:
        said, found = getattr(record, name), getattr(again, name)
        if said != found:
            raise CheckFailedError(f"{name}: the record says {said}, the draw gives {found}.")
