from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.errors import ProtocolError
from equipoise.protocol.models.conduct import Sending
from equipoise.protocol.quiet import allowed, parse_cap, parse_quiet_hours
from equipoise.protocol.times import as_utc

LONDON = ZoneInfo("Europe/London")
ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu")


def london(text):
    return as_utc(datetime.fromisoformat(text), LONDON)


@pytest.mark.parametrize(
    ("moment", "goes"),
    [
        ("2021-03-02 12:30", "2021-03-02 12:30"),  # a Tuesday
        ("2021-03-02 19:59", "2021-03-02 19:59"),
        ("2021-03-02 20:00", "2021-03-03 08:00"),
        ("2021-03-02 03:00", "2021-03-02 08:00"),
        ("2021-03-05 21:00", "2021-03-08 08:00"),  # Friday night
        ("2021-03-06 12:00", "2021-03-08 08:00"),  # a Saturday
        ("2021-04-02 12:00", "2021-04-06 08:00"),  # Good Friday to Easter Monday
        ("2022-12-24 10:00", "2022-12-28 08:00"),  # Christmas on a Sunday has its day off in the week
    ],
)
def test_what_falls_into_quiet_hours_weekends_or_holidays_goes_out_after_them(moment, goes):
    assert allowed(Sending(), london(moment), LONDON) == london(goes)


def test_each_part_of_the_united_kingdom_has_its_own_holidays():
    easter, hogmanay = london("2021-04-05 12:00"), london("2021-01-04 12:00")
    for country, easter_goes, hogmanay_goes in (
        ("england-and-wales", "2021-04-06 08:00", "2021-01-04 12:00"),
        ("scotland", "2021-04-05 12:00", "2021-01-05 08:00"),
        ("none", "2021-04-05 12:00", "2021-01-04 12:00"),
    ):
        sending = Sending(bank_holidays=country)
        assert allowed(sending, easter, LONDON) == london(easter_goes), country
        assert allowed(sending, hogmanay, LONDON) == london(hogmanay_goes), country


def test_hours_that_end_where_they_begin_are_no_quiet_hours():
    sending = Sending(quiet_hours=("00:00", "00:00"), weekends=True, bank_holidays=None)
    moment = london("2021-03-06 00:00")
    assert allowed(sending, moment, LONDON) == moment


def test_quiet_hours_that_end_in_an_hour_that_comes_twice_end_for_good():
    sending = Sending(quiet_hours=("22:00", "01:30"), weekends=True, bank_holidays=None)
    second_coming = datetime(2021, 10, 31, 1, 10, tzinfo=UTC)  # 01:10 on the clock, after 01:59 summer time
    assert allowed(sending, second_coming, LONDON) == datetime(2021, 10, 31, 1, 30, tzinfo=UTC)


@given(
    moment=st.integers(0, 10 * 365 * 24 * 60).map(
        lambda minutes: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    hours=st.tuples(st.times(), st.times()).map(lambda pair: tuple(f"{each:%H:%M}" for each in pair)),
    weekends=st.booleans(),
    holidays=st.sampled_from(["england-and-wales", "scotland", "northern-ireland", None]),
)
def test_nothing_ever_goes_out_early_or_in_quiet_hours_and_nothing_is_put_off_twice(
    moment, zone, hours, weekends, holidays
):
    sending = Sending(quiet_hours=hours, weekends=weekends, bank_holidays=holidays)
    found = allowed(sending, moment, zone)
    local = found.astimezone(zone)
    assert found >= moment
    assert not parse_quiet_hours(hours).holds(local.time())
    assert weekends or local.weekday() < 5
    assert allowed(sending, found, zone) == found


def test_a_cap_counts_whole_days_so_that_a_second_more_or_less_holds_up_nothing():
    cap = parse_cap("1 Per  week")
    assert (cap.number, cap.days, cap.text) == (1, 7, "1 per week")
    now = london("2021-03-09 12:30")
    assert cap.since(now, LONDON) == london("2021-03-03 00:00")
    assert cap.since(now, LONDON) > now - timedelta(days=7)
    assert parse_cap(None) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("three per week", "Write how many messages in which time: `3 per week`"),
        ("0 per week", "is not a cap"),
        ("3 per wek", 'Write day, week, month. Did you mean "week"?'),
    ],
)
def test_what_is_no_cap_is_said_with_what_one_looks_like(text, message):
    with pytest.raises(ProtocolError) as refusal:
        parse_cap(text)
    assert message in str(refusal.value)


def test_quiet_hours_hold_across_midnight_too():
    across, within = parse_quiet_hours(("20:00", "08:00")), parse_quiet_hours(("12:00", "13:00"))
    assert [across.holds(time(hour)) for hour in (7, 8, 19, 20, 23)] == [True, False, False, True, True]
    assert [within.holds(time(hour)) for hour in (11, 12, 13)] == [False, True, False]
