"""PostgreSQL ends every connection while messages go out, or is killed hard: each message is there once."""

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from tests.platform.delivery.engine.conftest import INVITE, WEEKLY, Worker, often, send, states
from tests.platform.faults.cluster import Cluster

from equipoise.platform.audit.queries import verdicts
from equipoise.platform.delivery.engine.beats import real_now
from equipoise.platform.delivery.engine.rescue import rescue
from equipoise.platform.delivery.engine.sealing import event_faults, seal_events
from equipoise.platform.delivery.engine.storing import renew_connection
from equipoise.platform.delivery.models import Dispatch, DispatchEvent

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL"),
]
RESTARTS = 100 if os.environ.get("EQUIPOISE_STATED") == "1" else 3
BETWEEN = 5  # messages that are taken between two restarts
PATIENCE_SECONDS = 120
_END = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def give_back():
    """What was claimed in a commit of unknown outcome is due again when its time is over; here at once."""
    over = real_now() - timedelta(hours=1)
    Dispatch.objects.filter(state="claimed").update(lease_until=over)
    rescue()


def keep_sending():
    """As a worker's thread does: what fails is tried again."""
    until = time.monotonic() + PATIENCE_SECONDS * max(1, RESTARTS // 10)
    while time.monotonic() < until:
        renew_connection()
        try:
            give_back()
            if not send():
                return
        except (DatabaseError, InterfaceError):
            time.sleep(0.05)


def test_a_worker_connects_again_and_what_it_had_sent_is_stored_once(people, planned, mail, rescued):
    planned(people(40))
    worker = Worker(keep_sending)
    for number in range(1, 7):
        while len(mail.taken) < 5 * number:
            time.sleep(0.002)
        with connection.cursor() as cursor:
            cursor.execute(_END)
    assert worker.end() == 0
    rescued()  # what was claimed in a commit of unknown outcome
    send()

    assert states() == {"sent": 40}
    assert set(often(mail).values()) == {1}
    assert DispatchEvent.objects.filter(kind="sent").count() == 40


@pytest.mark.parametrize("contact", [WEEKLY, INVITE])
def test_a_database_killed_in_mid_transaction_keeps_what_was_sent_and_nothing_goes_out_again(
    study, people, planned, mail, rescued, contact
):
    cluster, number = Cluster(Path(settings.WORKSPACE.folder).parent / "postgresql"), BETWEEN * (RESTARTS + 1)
    planned(people(number), contact)
    worker = Worker(keep_sending)
    for restart in range(1, RESTARTS + 1):
        while len(mail.taken) < BETWEEN * restart:
            time.sleep(0.002)
        cluster.restart()
    assert worker.end() == 0
    connection.close()
    rescued()
    send()

    assert states() == {"sent": number}
    assert set(often(mail).values()) == {1}
    assert DispatchEvent.objects.filter(kind="sent").count() == number
    assert seal_events() == DispatchEvent.objects.count()
    assert list(event_faults(study)) == []
    assert not any(chain.faults for chain in verdicts())
