"""Records and their verification."""

from dataclasses import replace

import pytest

from equipoise.allocation import (
    AllocationRecord,
    PublicRound,
    allocate,
    derive_seed,
    given_seed,
    record_of,
    roster_hash,
    strata_labels,
    verify_allocation,
)
from equipoise.errors import CheckFailedError, DesignError, InputError

SECRET, PROTOCOL = bytes(range(32)), "ab" * 32
UNITS = [f"p{number:02d}" for number in range(11)]
STRATA = {"region": ["north"] * 5 + ["south"] * 6}
# The beacon began in 1970; an hour after 01:00 on its first day it is round 7201 / 30 + 1.
ROUND = PublicRound(241, "ef" * 32, genesis=0, period=30)


def made(seed=None, method="blocked", **more):
    hashed = roster_hash(UNITS, STRATA)
    rolling = more.get("arrival", False)
    seed = seed or derive_seed(
        SECRET,
        protocol_hash=PROTOCOL,
        stage="main",
        roster_hash=None if rolling else hashed,
        public_round=ROUND,
    )
    drawn = allocate(
        UNITS,
        strata_labels(list(STRATA.values())),
        {"control": 2, "messages": 2},
        method=method,
        stage="main",
        seed=seed.value,
        **more,
    )
    record = record_of(
        drawn,
        seed,
        stage="main",
        strata=tuple(STRATA),
        roster_hash=hashed,
        protocol_hash=PROTOCOL,
        roster_recorded="1970-01-01T01:00:00+00:00",
    )
    return record, drawn


@pytest.mark.parametrize("method", ["simple", "complete", "blocked", "permuted-blocks"])
def test_a_record_survives_writing_and_verifies(method):
    record, drawn = made(method=method)
    again = AllocationRecord.from_json(record.to_json())
    assert again == record
    assert again.to_json() == record.to_json()
    assert verify_allocation(again, UNITS, STRATA, drawn.arms, SECRET).units == 11
    if method != "complete":
        assert record.ratio["north"] == {"control": 1, "messages": 1}
        assert record.probabilities["north"] == {"control": "1/2", "messages": "1/2"}


@pytest.mark.parametrize("method", ["simple", "permuted-blocks"])
def test_a_rolling_record_verifies_with_the_protocol_as_salt(method):
    record, drawn = made(method=method, arrival=True)
    assert verify_allocation(record, UNITS, STRATA, drawn.arms, SECRET)


def test_a_given_seed_verifies_and_is_recorded_as_such():
    record, drawn = made(given_seed("11" * 32))
    assert record.seed_could_have_been_chosen
    assert "rehearsals only" in record.seed_source
    assert verify_allocation(record, UNITS, STRATA, drawn.arms, bytes.fromhex("11" * 32))


def test_the_record_shows_neither_seed_nor_arms():
    record, _ = made()
    assert SECRET.hex() not in record.to_json()
    assert "p01" not in record.to_json()


def test_the_first_unit_that_differs_is_named():
    record, drawn = made()
    arms = drawn.arms
    arms[3] = "messages" if arms[3] == "control" else "control"
    with pytest.raises(CheckFailedError, match=r'row 4: unit "p03" is said .* 1 of 11 differ'):
        verify_allocation(record, UNITS, STRATA, arms, SECRET)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"public_round": replace(ROUND, number=242)}, "could have been chosen"),
        ({"roster_hash": "00" * 32}, "the roster is not the one"),
        ({"seed_could_have_been_chosen": True}, "seed_could_have_been_chosen"),
        ({"counts": {}}, "counts"),
        ({"warnings": ("x",)}, "warnings"),
        ({"commitment": "00" * 32}, "committed"),
    ],
)
def test_a_record_that_was_changed_fails(change, message):
    record, drawn = made()
    with pytest.raises(CheckFailedError, match=message):
        verify_allocation(replace(record, **change), UNITS, STRATA, drawn.arms, SECRET)


def test_missing_columns_are_bad_input():
    record, drawn = made()
    with pytest.raises(DesignError, match="region"):
        verify_allocation(record, UNITS, {}, drawn.arms, SECRET)
    with pytest.raises(DesignError, match="0 arms for 11 units"):
        verify_allocation(record, UNITS, STRATA, [], SECRET)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"equipoise": 1, "surplus": 2}'])
def test_what_is_no_record_is_refused(text):
    with pytest.raises(InputError, match=r"r\.json"):
        AllocationRecord.from_json(text, place="r.json")


def test_a_later_format_is_refused():
    record, _ = made()
    with pytest.raises(InputError, match="format 2"):
        AllocationRecord.from_json(replace(record, equipoise=2).to_json())
