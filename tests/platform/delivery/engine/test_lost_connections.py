"""PostgreSQL ends every connection while messages go out, as a restart does: each message is there once."""

import time

import pytest
from django.db import DatabaseError, connection
from tests.platform.delivery.engine.conftest import Worker, often, send, states

from equipoise.platform.delivery.engine.storing import renew_connection
from equipoise.platform.delivery.models import DispatchEvent

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL"),
]
_END = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def keep_sending():
    """As a worker's thread does: what fails is tried again."""
    for _ in range(100):
        renew_connection()
        try:
            if not send():
                return
        except DatabaseError:
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
