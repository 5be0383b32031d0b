from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from equipoise.protocol import load_study
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.occasions import arms_at, each_their_own, occasions, thanks
from equipoise.protocol.send_digests import send_digest
from equipoise.protocol.sends import sends

LONDON, NEW_YORK, SYDNEY = (
    ZoneInfo(name) for name in ("Europe/London", "America/New_York", "Australia/Sydney")
)

ROUND_THE_CLOCK = "sending: {quiet-hours: ['00:00', '00:00'], weekends: true, bank-holidays: none}\n"
HEAD = (
    "equipoise: 1\nstudy: {id: s, title: S, kind: trial, question: Q, timezone: Europe/London, launch: %s}\n"
)


def protocol_of(text, launch="2021-03-01 09:00"):
    return Protocol.model_validate(yaml.safe_load(HEAD % launch + text))


def contact(entry, rest=ROUND_THE_CLOCK, launch="2021-03-01 09:00"):
    body = f"contacts: {{c: {{to: all, channel: sms, template: messages/w.md, {entry}}}}}\n"
    protocol = protocol_of(body + rest, launch)
    return protocol, sends(protocol)["c"]


def on_clocks(found, zone=LONDON):
    return [each.due.astimezone(zone).strftime("%a %d %b %H:%M") for each in found]


def test_a_series_keeps_its_day_and_its_hour_when_the_clocks_change():
    protocol, send = contact("from: launch + 1 day, every: 1 week, times: 6, at: 'Tuesday 12:30'")
    found = occasions(protocol, send)
    assert {each.due.astimezone(LONDON).strftime("%a %H:%M") for each in found} == {"Tue 12:30"}
    assert [each.due.hour for each in found] == [12, 12, 12, 12, 11, 11]  # in UTC
    assert [each.last for each in found[:-1]] == [each.due for each in found[1:]]
    assert found[-1].last == found[-1].due + timedelta(weeks=1)


def test_every_month_at_a_day_of_the_week_is_its_first_such_day_from_then_on():
    protocol, send = contact("from: launch, every: 1 month, times: 3, at: 'Wednesday 10:00'")
    assert on_clocks(occasions(protocol, send)) == [
        "Wed 03 Mar 10:00",
        "Wed 07 Apr 10:00",
        "Wed 05 May 10:00",
    ]


def test_within_says_how_late_it_may_go_out_and_what_quiet_hours_push_past_it_is_missed():
    protocol, send = contact(
        "from: launch, within: 2 hours", rest="", launch="2021-03-06 12:00"
    )  # a Saturday
    (found,) = occasions(protocol, send)
    assert (found.moved, found.missed) == (True, True)
    assert found.last == found.written + timedelta(hours=2)
    protocol, send = contact("from: launch", rest="", launch="2021-03-06 12:00")
    (found,) = occasions(protocol, send)
    assert (found.moved, found.missed) == (True, False)
    assert on_clocks([found]) == ["Mon 08 Mar 08:00"]


WAVES = """\
waves:
  after: {survey: s, opens: launch + 8 weeks, closes: launch + 12 weeks, invite: {channel: email, template: i.md},
          remind: {after: [1 week, 2 weeks], template: r.md}, thank: {channel: sms, template: t.md}}
  own: {survey: s, opens: enrolled + 2 weeks, closes: enrolled + 4 weeks, invite: {channel: sms, template: i.md}}
"""


def test_a_wave_sends_its_invitation_reminders_counted_from_its_opening_and_thanks():
    protocol = protocol_of(WAVES + ROUND_THE_CLOCK)
    found = sends(protocol)
    assert list(found) == ["after.invite", "after.remind", "after.thank", "own.invite"]
    assert [found[name].channel for name in found] == ["email", "email", "sms", "sms"]
    assert all(send.at_least_once and send.activity == "survey" for send in found.values())
    (invited,), (first, second) = (
        occasions(protocol, found[f"after.{kind}"]) for kind in ("invite", "remind")
    )
    assert on_clocks([invited, first, second]) == ["Mon 26 Apr 09:00", "Mon 03 May 09:00", "Mon 10 May 09:00"]
    closes = datetime(2021, 5, 24, 8, tzinfo=UTC)
    assert (invited.last, first.last, second.last) == (closes, second.due, closes)
    assert occasions(protocol, found["after.thank"]) == []
    done = datetime(2021, 5, 1, 22, tzinfo=UTC)
    assert (thanks(protocol, done).due, thanks(protocol, done).last) == (done, done + timedelta(weeks=1))


def test_a_reminder_that_would_come_when_the_wave_has_closed_is_missed():
    text = WAVES.replace("[1 week, 2 weeks]", "[1 week, 4 weeks]")
    protocol = protocol_of(text + ROUND_THE_CLOCK)
    assert [each.missed for each in occasions(protocol, sends(protocol)["after.remind"])] == [False, True]


def test_what_hangs_on_enrolment_is_each_participants_own():
    protocol = protocol_of(
        WAVES + "contacts: {hello: {to: all, channel: sms, template: h.md, from: own.opens + 1 day}}\n"
    )
    found = sends(protocol)
    own = {name: each_their_own(protocol, send) for name, send in found.items()}
    assert {name for name in own if own[name]} == {"hello", "own.invite"}
    came = datetime(2021, 4, 1, 9, 17, tzinfo=UTC)
    (invited,) = occasions(protocol, found["own.invite"], came)
    assert on_clocks([invited]) == ["Thu 15 Apr 10:17"]


def test_somebody_in_another_zone_gets_a_contact_at_the_stated_time_of_their_own_clock():
    protocol, send = contact("from: launch, every: 1 week, times: 4, at: 'Tuesday 12:30'")
    for zone in (LONDON, NEW_YORK, SYDNEY):
        found = occasions(protocol, send, zone=zone)
        assert {each.due.astimezone(zone).strftime("%a %H:%M") for each in found} == {"Tue 12:30"}, zone
    plain, once = contact("from: launch")
    assert on_clocks(occasions(plain, once, zone=NEW_YORK), NEW_YORK) == ["Mon 01 Mar 09:00"]
    # In Sydney it is evening already when the study is launched, and nothing goes out before it is.
    assert on_clocks(occasions(plain, once, zone=SYDNEY), SYDNEY) == ["Tue 02 Mar 09:00"]


def test_quiet_hours_are_those_of_the_participants_own_clock():
    protocol = protocol_of(WAVES)
    (found,) = occasions(protocol, sends(protocol)["after.invite"], zone=NEW_YORK)
    assert on_clocks([found], NEW_YORK) == ["Mon 26 Apr 08:00"]  # the wave opens at four in their morning


@given(
    zone=st.sampled_from(["Europe/London", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"]),
    day=st.dates(date(2020, 1, 1), date(2028, 1, 1)),
    clock=st.times().map(lambda each: f"{each:%H:%M}"),
    every=st.sampled_from(["1 day", "1 week", "2 weeks", "1 month"]),
)
def test_at_every_change_of_the_clocks_an_occasion_comes_once_at_the_stated_time(zone, day, clock, every):
    protocol, send = contact(f"from: '{day} 00:00', every: {every}, times: 30, at: '{clock}'")
    there = ZoneInfo(zone)
    found = [each.due.astimezone(there) for each in occasions(protocol, send, zone=there)]
    assert set(Counter(each.date() for each in found).values()) == {1}
    for each in found:
        stated = datetime.combine(each.date(), time.fromisoformat(clock), there)
        skipped = stated.astimezone(UTC).astimezone(there).time() != stated.time()
        assert each.strftime("%H:%M") == clock or skipped
        assert each.astimezone(UTC) == stated.astimezone(UTC)  # of a time that comes twice, its first coming


DESIGNS = """\
schedule: {periods: {p1: launch, p2: launch + 4 weeks}, sequences: {now: [texts, usual], later: [usual, texts]}}
allocation: {to: sequences, method: complete}
contacts: {c: {to: {arm: texts}, channel: sms, template: w.md, from: launch, every: 1 week, times: 8}}
"""


def test_where_sequences_are_drawn_a_contact_goes_to_those_whose_turn_it_is():
    protocol = protocol_of(DESIGNS + ROUND_THE_CLOCK)
    send = sends(protocol)["c"]
    assert send.stage == "main"
    turns = [arms_at(protocol, send, each.due) for each in occasions(protocol, send)]
    assert turns == [("now",)] * 4 + [("later",)] * 4


@pytest.fixture
def weekly(changed):
    return changed(("protocol.yaml", "times: 8", "times: 3"))


def test_what_is_confirmed_changes_with_the_text_the_audience_and_the_time_and_with_nothing_else(
    small, weekly
):
    was = send_digest(weekly, "weekly")

    def now(path, old, new):
        place = small / path
        text = place.read_text("utf-8")
        assert old in text
        place.write_text(text.replace(old, new, 1), "utf-8")
        found = send_digest(load_study(small), "weekly")
        place.write_text(text, "utf-8")
        return found

    assert now("messages/week.md", "This is week", "Here is week") != was
    assert now("protocol.yaml", "to: {arm: texts}", "to: all") != was
    assert now("protocol.yaml", "from: launch + 1 day", "from: launch + 2 days") != was
    assert now("protocol.yaml", "launch: 2021-03-01 09:00", "launch: 2021-03-02 09:00") != was
    assert now("protocol.yaml", "title: A small trial", "title: A smaller trial") == was
    (small / "messages" / "week.cy.md").write_text(
        "---\nlanguage: cy\n---\nWythnos {n}. {stop_link}\n", "utf-8"
    )
    assert send_digest(load_study(small), "weekly") != was
