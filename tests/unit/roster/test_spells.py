"""Spells of absence: against a count of days one by one, and the spells that are refused."""

from datetime import date, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from equipoise.roster.spells import sum_spells

WINDOW = (date(2021, 3, 1), date(2021, 5, 23))
DAY = timedelta(days=1)


def spells(*rows):
    columns = {"row": pl.Int64, "ref": pl.String, "off": pl.Date, "back": pl.Date}
    return pl.DataFrame([(at, *row) for at, row in enumerate(rows)], schema=columns, orient="row")


def summed(*rows, **options):
    return sum_spells(spells(*rows), "ref", "off", "back", window=WINDOW, **options)


def days(found):
    return dict(found.days.iter_rows())


def test_both_ends_count_and_only_what_lies_in_the_window():
    found = summed(
        ("A", date(2021, 2, 25), date(2021, 3, 2)),  # 1 and 2 March
        ("A", date(2021, 5, 23), date(2021, 6, 30)),  # the last day
        ("B", date(2021, 4, 1), date(2021, 4, 1)),
    )
    assert days(found) == {"A": 3, "B": 1}


def test_weekdays_leave_out_saturdays_and_sundays():
    friday_to_monday = ("A", date(2021, 4, 9), date(2021, 4, 12))
    assert days(summed(friday_to_monday)) == {"A": 4}
    assert days(summed(friday_to_monday, weekdays=True)) == {"A": 2}


def test_a_spell_without_an_end_lasts_to_the_end_of_the_window():
    assert days(summed(("A", date(2021, 5, 20), None))) == {"A": 4}


def test_a_spell_outside_the_window_counts_nothing_and_is_counted():
    found = summed(("A", date(2020, 1, 1), date(2020, 1, 9)), ("B", date(2021, 6, 1), None))
    assert (days(found), found.outside) == ({"A": 0, "B": 0}, 2)


def test_a_day_twice_and_an_end_before_the_beginning_are_faults_of_their_row():
    found = summed(
        ("A", date(2021, 3, 8), date(2021, 3, 12)),
        ("B", date(2021, 3, 8), date(2021, 3, 12)),
        ("A", date(2021, 3, 12), date(2021, 3, 15)),
        ("B", date(2021, 4, 8), date(2021, 4, 1)),
    )
    assert [(row, column) for row, column, _ in found.faults] == [(2, "off"), (3, "back")]
    assert days(found) == {"A": 5, "B": 5}


def test_a_long_spell_is_not_forgotten_for_a_short_one_within_it():
    found = summed(
        ("A", date(2021, 3, 1), date(2021, 3, 31)),
        ("A", date(2021, 3, 5), date(2021, 3, 6)),
        ("A", date(2021, 3, 20), date(2021, 4, 2)),
    )
    assert [row for row, _, _ in found.faults] == [1, 2]


dates = st.dates(date(2021, 1, 1), date(2021, 7, 31))


@given(st.lists(st.tuples(st.sampled_from("AB"), dates, st.integers(0, 40)), max_size=6), st.booleans())
def test_the_sum_is_that_of_days_counted_one_by_one(drawn, weekdays):
    rows = [(who, first, first + length * DAY) for who, first, length in drawn]
    found = summed(*rows, weekdays=weekdays)
    faulty = {row for row, _, _ in found.faults}
    kept = [row for at, row in enumerate(rows) if at not in faulty]
    counted = {who: 0 for who, _, _ in kept}
    seen = set()
    for who, first, last in kept:
        for each in range((last - first).days + 1):
            day = first + each * DAY
            assert (who, day) not in seen
            seen.add((who, day))
            counted[who] += WINDOW[0] <= day <= WINDOW[1] and (not weekdays or day.weekday() < 5)
    assert days(found) == counted
