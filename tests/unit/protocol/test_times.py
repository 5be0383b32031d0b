from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from equipoise.errors import ProtocolError
from equipoise.protocol.times import (
    Duration,
    TimeExpression,
    Weekly,
    as_utc,
    next_occurrence,
    parse_duration,
    parse_time,
    parse_weekly,
    resolve,
    resolve_all,
)

LONDON = ZoneInfo("Europe/London")
LAUNCH = datetime(2021, 3, 1, 9, tzinfo=UTC)


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2021-03-01", "2021-03-01"),
        ("2021-03-01 9:00", "2021-03-01 09:00"),
        ("2021-03-01T09:00", "2021-03-01 09:00"),
        ("2021-03-01 + 2 weeks", "2021-03-01 + 2 weeks"),
        ("launch", "launch"),
        ("launch-3 weeks", "launch - 3 weeks"),
        ("launch  +  1 days", "launch + 1 day"),
        ("launch + 0 days", "launch"),
        ("enrolled + 2 Weeks", "enrolled + 2 weeks"),
        ("allocated( main )", "allocated(main)"),
        ("period(02)", "period(2)"),
        ("after.opens", "after.opens"),
        ("after.closes + 1 week", "after.closes + 1 week"),
        ("p1 + 6 months", "p1 + 6 months"),
    ],
)
def test_times_have_one_canonical_form(text, canonical):
    assert parse_time(text).text == canonical
    assert parse_time(canonical) == parse_time(text)


def test_a_time_is_a_date_or_an_anchor_and_an_offset():
    assert parse_time("launch - 3 weeks") == TimeExpression("launch", None, -3, "week")
    assert parse_time("2021-03-01") == TimeExpression(None, date(2021, 3, 1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a time"),
        ("1 March 2021", "Write a date (2021-03-01, 2021-03-01 09:00), launch"),
        ("2021-02-30", "is not a day of the calendar"),
        ("0001-01-01", "outside the calendar"),
        ("2021-03-01 25:00", "is not a time of day"),
        ("launch + 8 weks", 'Units: minutes, hours, days, weeks, months, years. Did you mean "weeks"?'),
        ("launch + weeks", "is not a time"),
        ("launch + 1.5 weeks", "is not a time"),
        ("launch + 99999 weeks", "at most 10,000"),
        ("after.ends", "Write `after.opens`"),
        ("alocated(main)", 'Did you mean "allocated"?'),
        ("period(p1)", "`period` takes a number"),
    ],
)
def test_what_is_no_time_is_said_with_what_is_allowed(text, message):
    with pytest.raises(ProtocolError) as refusal:
        parse_time(text)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "role", "moment"),
    [
        ("2021-03-01", "opens", utc(2021, 3, 1)),
        ("2021-03-01", "closes", utc(2021, 3, 2)),
        ("2021-03-01", "sends", utc(2021, 3, 1, 9)),
        ("2021-07-01", "opens", utc(2021, 6, 30, 23)),
        ("2021-07-01", "closes", utc(2021, 7, 1, 23)),
        ("2021-03-01 10:30", "closes", utc(2021, 3, 1, 10, 30)),
        ("launch", "closes", utc(2021, 3, 1, 9)),
        (
            "launch + 8 weeks",
            "opens",
            utc(2021, 4, 26, 8),
        ),  # nine by the clock, which went forward on 28 March
        ("launch + 1 month", "opens", utc(2021, 4, 1, 8)),
        ("launch - 1 year", "opens", utc(2020, 3, 1, 9)),
        ("launch + 27 days", "opens", utc(2021, 3, 28, 8)),
        ("launch + 48 hours", "opens", utc(2021, 3, 3, 9)),
        ("launch + 90 minutes", "opens", utc(2021, 3, 1, 10, 30)),
        ("2021-01-31 12:00 + 1 month", "opens", utc(2021, 2, 28, 12)),
        ("2020-01-31 12:00 + 1 month", "opens", utc(2020, 2, 29, 12)),
        ("2020-02-29 12:00 + 1 year", "opens", utc(2021, 2, 28, 12)),
        ("2021-03-31 12:00 - 1 month", "opens", utc(2021, 2, 28, 12)),
        ("2021-12-15 12:00 + 1 month", "opens", utc(2022, 1, 15, 12)),
    ],
)
def test_calendar_arithmetic_is_on_the_clocks_of_the_zone(text, role, moment):
    assert resolve(parse_time(text), {"launch": LAUNCH}, LONDON, role) == moment


def test_a_time_that_the_clocks_skip_falls_after_the_change_and_one_that_comes_twice_is_its_first():
    assert as_utc(datetime.fromisoformat("2021-03-28T01:30"), LONDON) == utc(
        2021, 3, 28, 1, 30
    )  # 02:30 on the new clock
    assert as_utc(datetime.fromisoformat("2021-10-31T01:30"), LONDON) == utc(2021, 10, 31, 0, 30)
    # 1 a.m. follows 11.59 p.m. in São Paulo: the day still opens at its first moment.
    found = resolve(parse_time("2018-11-04"), {}, ZoneInfo("America/Sao_Paulo"), "opens")
    assert found == utc(2018, 11, 4, 3)


def test_an_anchor_that_is_not_known_names_the_nearest():
    with pytest.raises(
        ProtocolError, match=r'"lanch" is not a time of this study. Times: launch. Did you mean "launch"\?'
    ):
        resolve(parse_time("lanch"), {"launch": LAUNCH}, LONDON)


def test_beyond_the_calendar_is_refused():
    with pytest.raises(ProtocolError, match="outside the calendar"):
        resolve(parse_time("launch + 9999 years"), {"launch": LAUNCH}, LONDON)
    with pytest.raises(ProtocolError, match="outside the calendar"):
        resolve(parse_time("launch - 9999 years"), {"launch": LAUNCH}, LONDON)


def written(**times):
    return {
        name.replace("__", "."): (parse_time(text), "closes" if name.endswith("closes") else "opens")
        for name, text in times.items()
    }


def test_times_that_hang_on_each_other_are_resolved_in_any_order():
    resolved, failed = resolve_all(
        written(
            after__closes="after.opens + 4 weeks", after__opens="launch + 8 weeks", launch="2021-03-01 09:00"
        ),
        LONDON,
    )
    assert failed == {}
    assert resolved == {
        "launch": LAUNCH,
        "after.opens": utc(2021, 4, 26, 8),
        "after.closes": utc(2021, 5, 24, 8),
    }


def test_a_circle_is_named_once_and_the_rest_resolved():
    resolved, failed = resolve_all(
        written(
            a__opens="b.closes",
            b__closes="b.opens + 1 day",
            b__opens="a.opens",
            c__opens="a.opens",
            launch="2021-03-01",
        ),
        LONDON,
    )
    assert list(resolved) == ["launch"]
    (message,) = map(str, failed.values())
    assert "in a circle: a.opens -> b.closes -> b.opens -> a.opens. Date one of them." in message


def test_an_unknown_anchor_is_told_where_it_stands_and_not_again():
    resolved, failed = resolve_all(
        written(a__opens="lanch", b__opens="a.opens + 1 day", launch="2021-03-01"), LONDON
    )
    assert list(resolved) == ["launch"]
    assert list(failed) == ["a.opens"]
    assert 'Did you mean "launch"?' in str(failed["a.opens"])


def test_a_time_that_hangs_on_itself_is_a_circle():
    _, failed = resolve_all(written(launch="launch + 1 day"), LONDON)
    assert "launch -> launch" in str(failed["launch"])


def test_lengths_of_time_are_read():
    assert parse_duration("2 weeks") == Duration(2, "week")
    assert parse_duration(" 1  days ").text == "1 day"
    for text in ("two weeks", "2", "-2 weeks", "2 fortnights", ""):
        with pytest.raises(ProtocolError):
            parse_duration(text)


def test_times_of_the_week_and_of_the_day_are_read():
    assert parse_weekly("tuesday 12:30") == Weekly(1, time(12, 30))
    assert parse_weekly("Tuesday 9:05").text == "Tuesday 09:05"
    assert parse_weekly("09:00") == Weekly(None, time(9))
    with pytest.raises(ProtocolError, match='Did you mean "Tuesday"'):
        parse_weekly("Tusday 12:30")
    for text in ("Tuesday", "Tuesday 24:00", "Tuesday at 12:30", ""):
        with pytest.raises(ProtocolError):
            parse_weekly(text)


@pytest.mark.parametrize(
    ("text", "not_before", "found"),
    [
        ("Tuesday 12:30", utc(2021, 3, 2, 12, 30), utc(2021, 3, 2, 12, 30)),
        ("Tuesday 12:30", utc(2021, 3, 2, 12, 31), utc(2021, 3, 9, 12, 30)),
        ("Tuesday 12:30", utc(2021, 3, 25), utc(2021, 3, 30, 11, 30)),
        ("09:00", utc(2021, 3, 2, 9, 1), utc(2021, 3, 3, 9)),
        ("Sunday 01:30", utc(2021, 3, 28), utc(2021, 3, 28, 1, 30)),
    ],
)
def test_the_next_occurrence_is_the_first_not_before(text, not_before, found):
    assert next_occurrence(parse_weekly(text), not_before, LONDON) == found
