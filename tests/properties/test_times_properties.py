"""Times against `dateutil`, which does calendar arithmetic by its own rules."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dateutil import tz
from dateutil.relativedelta import relativedelta
from hypothesis import assume, given
from hypothesis import strategies as st

from equipoise.protocol.times import Weekly, next_occurrence, parse_time, resolve

ZONES = st.sampled_from(["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"])
MINUTES = st.integers(0, 23_000_000)  # from 1990 to 2033
MOMENTS = MINUTES.map(lambda minutes: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))
STARTS = st.sampled_from(["launch", "after.opens", "allocated(main)", "p1", "2021-03-01", "2021-03-01 09:00"])


@given(
    MOMENTS,
    ZONES,
    st.sampled_from("+-"),
    st.integers(0, 400),
    st.sampled_from(["day", "week", "month", "year"]),
)
def test_shifts_agree_with_another_calendar(launch, zone, sign, count, unit):
    count = min(count, 50) if unit == "year" else count
    found = resolve(parse_time(f"launch {sign} {count} {unit}s"), {"launch": launch}, ZoneInfo(zone))
    local = launch.astimezone(tz.gettz(zone)).replace(tzinfo=None, fold=0)
    step = relativedelta(**{f"{unit}s": count})
    moved = tz.resolve_imaginary(
        (local + step if sign == "+" else local - step).replace(tzinfo=tz.gettz(zone))
    )
    assume(moved.year < 2037)  # from then on the other one knows no change of the clocks
    expected = launch if count == 0 else moved.astimezone(UTC)
    assert found == expected


@given(MOMENTS, ZONES, st.none() | st.integers(0, 6), st.times())
def test_an_occurrence_is_on_its_day_and_within_the_week(moment, zone, weekday, at):
    weekly = Weekly(weekday, at.replace(second=0, microsecond=0))
    found = next_occurrence(weekly, moment, ZoneInfo(zone))
    assert moment <= found <= moment + timedelta(days=1 if weekday is None else 7, hours=2)
    assert weekday in (None, found.astimezone(ZoneInfo(zone)).weekday())


@given(STARTS, st.integers(-500, 500), st.sampled_from(["minute", "hour", "day", "week", "month", "year"]))
def test_the_canonical_form_reads_as_itself(start, offset, unit):
    parsed = parse_time(f"{start} {'+' if offset >= 0 else '-'} {abs(offset)} {unit}")
    assert parse_time(parsed.text).text == parsed.text
