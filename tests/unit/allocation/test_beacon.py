"""Which public round counts, and when it will be there."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.allocation import QUICKNET
from equipoise.errors import InputError


def test_rounds_appear_when_another_program_says_so():
    """Values from the documentation of an independent client of the same network."""
    assert QUICKNET.appears(27946612) == datetime(2026, 4, 20, tzinfo=UTC)
    assert QUICKNET.appears(27961627) == datetime(2026, 4, 20, 12, 30, 45, tzinfo=UTC)


def test_the_first_round_appeared_with_the_network():
    assert QUICKNET.appears(1) == datetime(2023, 8, 23, 15, 9, 27, tzinfo=UTC)
    with pytest.raises(InputError, match="counted from 1"):
        QUICKNET.appears(0)


@given(st.datetimes(datetime(2024, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_round_that_counts_is_the_first_at_least_an_hour_later(recorded):
    expected = QUICKNET.expected(recorded)
    earliest = recorded + timedelta(hours=1)
    assert expected.appears == QUICKNET.appears(expected.number)
    assert earliest <= expected.appears < earliest + timedelta(seconds=QUICKNET.period)


def test_a_round_has_an_address_and_carries_the_times_by_which_it_can_be_checked():
    expected = QUICKNET.expected(datetime(2026, 4, 19, 23, 0, tzinfo=UTC))
    assert expected.number == 27946612
    assert expected.address == (
        "https://api.drand.sh/52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
        "/public/27946612"
    )
    taken = QUICKNET.public_round(expected.number, " " + "AB" * 32 + "\n")
    assert (taken.randomness, taken.genesis, taken.period) == ("ab" * 32, 1692803367, 3)
    with pytest.raises(InputError, match="64 hexadecimal digits"):
        QUICKNET.public_round(1, "zz")
