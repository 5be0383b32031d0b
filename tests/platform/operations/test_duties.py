"""Duties of the worker that keep little for long."""

from datetime import UTC, datetime, timedelta

import pytest
from axes.models import AccessAttempt

from equipoise.platform.staff.attempts import forget_failures
from equipoise.platform.worker.loop import DUTIES

pytestmark = pytest.mark.django_db


def test_a_failed_sign_in_is_forgotten_once_it_keeps_nobody_waiting():
    for number, minutes in enumerate((1, 14, 16, 600)):
        row = AccessAttempt.objects.create(
            username=f"somebody-{number}@example.org", ip_address="192.0.2.7", user_agent="", http_accept="",
            path_info="", get_data="", post_data="", failures_since_start=10,
        )  # fmt: skip
        AccessAttempt.objects.filter(pk=row.pk).update(
            attempt_time=datetime.now(UTC) - timedelta(minutes=minutes)
        )
    assert forget_failures() == 2
    assert set(AccessAttempt.objects.values_list("username", flat=True)) == {
        "somebody-0@example.org", "somebody-1@example.org",
    }  # fmt: skip
    assert forget_failures in [duty.do for duty in DUTIES]
