"""How much of the intervention reached each participant, by hand, and that sealed data stand."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.platform.delivery.video.conftest import enrolled, page_link, sent

from equipoise.exchange import codebook
from equipoise.platform.clock import now
from equipoise.platform.delivery.models import DispatchEvent, MessageLink, Watch
from equipoise.platform.delivery.video.dose import dose_frame
from equipoise.platform.registry.actions import move_study
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.review.frame import participants_frame
from equipoise.protocol.doses import dose_columns

LAUNCH = datetime(2021, 3, 2, 9, tzinfo=UTC)
LATER = "video-for-the-waiting-list"


def rows_of(study, *people):
    keys = pl.Series("staff_ref", [person.key for person in people])
    return dose_frame(study, keys).rows(named=True)


def opened(dispatch, *, started=None):
    page_link(dispatch)
    newest = MessageLink.objects.filter(dispatch=dispatch).latest("pk")
    MessageLink.objects.filter(pk=newest.pk).update(opened_at=now(), started_at=started)


def watched(dispatch, seconds, length=80.0):
    Watch.objects.create(
        dispatch=dispatch, seconds=seconds, length=length, first_at=now(), last_at=now(), ranges=[]
    )


@pytest.fixture
def eager(awards):
    """Somebody who got both messages: watched half of one film, and started the other on a second device."""
    person = enrolled(awards)
    first = sent(person, state="delivered", at=LAUNCH + timedelta(hours=1))
    second = sent(person, LATER, at=LAUNCH + timedelta(days=6, hours=23))
    sent(person, "before.invite", at=LAUNCH - timedelta(days=20))
    sent(person, "before.remind", at=LAUNCH - timedelta(days=13))
    sent(person, "before.remind", 2, at=LAUNCH - timedelta(days=6))
    opened(first, started=now())
    opened(first)
    opened(second)
    watched(first, 40.0)
    return person


def test_what_reached_each_participant_is_counted_as_it_is_defined(awards, eager):
    bounced, none = enrolled(awards), enrolled(awards, authority="eastvale")
    sent(bounced, state="failed", at=LAUNCH + timedelta(days=8))
    sent(bounced, LATER, state="unknown")
    sent(none, state="planned", at=LAUNCH + timedelta(days=60))
    one, two, three = rows_of(awards, eager, bounced, none)
    assert one == {
        "staff_ref": eager.key,
        "sent_thank_you_video": LAUNCH + timedelta(hours=1),
        "sent_video_for_the_waiting_list": LAUNCH + timedelta(days=6, hours=23),
        "sent_before_invite": LAUNCH - timedelta(days=20),
        "sent_before_remind": LAUNCH - timedelta(days=13),
        "sent_before_thank": None,
        "sent_after_invite": None,
        "sent_after_remind": None,
        "sent_after_thank": None,
        "dose_sent": 2,
        "dose_delivered": 1,
        "dose_weeks_received": 1,
        "dose_opted_out_at": None,
        "dose_opened": 2,
        "dose_started": 1,
        "dose_share_watched": 0.25,
    }
    dose = [each.name for each in dose_columns(folder_of(awards).protocol)]
    assert [two[name] for name in dose] == [1, 0, 0, None, 0, 0, 0.0]
    assert [three[name] for name in dose] == [0, 0, 0, None, 0, 0, None]


def test_weeks_are_counted_from_the_launch_and_each_once(swing):
    person = enrolled(swing, region="north")
    start = datetime(2021, 3, 1, 9, tzinfo=UTC)
    for number, days in enumerate((0, 6.9, 7, 30), 1):
        sent(person, "weekly-message", number, at=start + timedelta(days=days))
    person.messages_stopped_at = start + timedelta(days=40)
    person.save()
    (row,) = rows_of(swing, person)
    assert (row["dose_sent"], row["dose_weeks_received"]) == (4, 3)
    assert row["dose_opted_out_at"] == start + timedelta(days=40)
    assert "dose_opened" not in row  # its messages lead to no page


def test_what_is_told_after_the_study_was_closed_changes_nothing(awards, eager, alice, at):
    at(LAUNCH + timedelta(weeks=12))
    first, second = eager.dispatches.filter(contact__in=("thank-you-video", LATER)).order_by("sent_at")
    DispatchEvent.objects.create(dispatch=first, kind="delivered", source="provider", at=now())
    before = rows_of(awards, eager)
    move_study(alice, awards, "closed", reason="The last wave has closed")
    awards.refresh_from_db()
    at(LAUNCH + timedelta(weeks=13))
    for dispatch, kind in ((first, "failed"), (second, "delivered")):
        DispatchEvent.objects.create(dispatch=dispatch, kind=kind, source="provider", at=now())
        dispatch.state = kind
        dispatch.save()
    assert rows_of(awards, eager) == before


def test_it_takes_as_many_queries_for_many_as_for_few(awards, eager):
    def asked(people):
        with CaptureQueriesContext(connection) as queries:
            rows_of(awards, *people)
        return len(queries)

    few = asked([eager])
    more = [enrolled(awards) for _ in range(8)]
    for person in more:
        opened(sent(person))
    assert asked([eager, *more]) == few < 10


def test_the_frame_has_it_the_codebook_defines_it_and_the_mask_withholds_it(awards, eager):
    named, masked = (participants_frame(awards, masked=each) for each in (False, True))
    dose = {name for name in named.columns if name.startswith(("dose_", "sent_"))}
    assert len(dose) == 15
    assert not dose & set(masked.columns)
    assert named["dose_share_watched"].to_list() == [0.25]
    described = codebook(folder_of(awards), {"participants": named.columns}, masked=True)
    text = {one.name: one for one in described.tables[0].variables}
    assert "0 where they told nothing" in text["dose_share_watched"].label
    assert all(text[name].withheld for name in dose)
