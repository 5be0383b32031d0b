"""`/health`, `/ready` and `/metrics`: for machines, about machines."""

import re

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.test.utils import CaptureQueriesContext

from equipoise.platform import health
from equipoise.platform.audit.models import Chain, Entry

pytestmark = pytest.mark.django_db(transaction=True)
ELSEWHERE = "198.51.100.7"


def get(path, **meta):
    return Client().get(path, **meta)


def test_health_asks_no_database(at):
    with CaptureQueriesContext(
        connection,
    ) as asked:
        page = get("/health")
    assert (page.status_code, page.json()) == (200, {"health": "ok"})
    assert len(asked) == 0


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
def test_pages_for_machines_set_no_cookie_are_kept_nowhere_and_only_read(at, beat, path):
    page = get(path)
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert not page.cookies
    assert "Cookie" not in page.headers.get("Vary", "")
    assert Client(enforce_csrf_checks=True).post(path).status_code in (403, 405)


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_a_probe_by_address_and_without_tls_is_answered_behind_a_workspace_with_tls(at, beat, settings, path):
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, ["trials.example.org"]
    assert get(path, headers={"host": "10.0.0.5:8000"}).status_code == 200


def test_a_workspace_that_can_take_answers_is_ready(at, beat):
    page = get("/ready")
    assert page.json() == {"ready": "yes", "database": "ok", "migrations": "ok", "worker": "ok"}


def test_asking_whether_it_is_ready_writes_nothing(swing, beat):
    before = (list(Chain.objects.values_list()), Entry.objects.count())
    with CaptureQueriesContext(connection) as asked:
        get("/ready")
    assert (list(Chain.objects.values_list()), Entry.objects.count()) == before
    changes = [each["sql"] for each in asked if re.match("insert|update|delete", each["sql"], re.I)]
    assert len(changes) == 1
    assert "WHERE" in changes[0]


def test_whoever_asks_often_costs_the_database_nothing(at, beat):
    get("/ready")
    with CaptureQueriesContext(connection) as asked:
        for _ in range(5):
            assert get("/ready").status_code == 200
    assert len(asked) == 0


def test_a_database_that_cannot_be_written_to_is_not_ready(at, beat, monkeypatch):
    def refuse():
        raise OperationalError("attempt to write a readonly database at /a/canary/path")

    monkeypatch.setattr("equipoise.platform.health.writing", refuse)
    page = get("/ready")
    assert page.status_code == 503
    assert page.json()["database"] == "cannot be written to"
    assert b"canary" not in page.content


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda applied: applied.filter(app="people").delete(), "pending"),
        (lambda applied: applied.create(app="people", name="0099_of_tomorrow"), "of a later version"),
    ],
)
def test_tables_of_another_version_are_not_ready(at, beat, change, expected):
    rows = list(MigrationRecorder.Migration.objects.all())
    try:
        change(MigrationRecorder.Migration.objects)
        page = get("/ready")
    finally:
        MigrationRecorder.Migration.objects.all().delete()
        MigrationRecorder.Migration.objects.bulk_create(rows)
    assert (page.status_code, page.json()["migrations"]) == (503, expected)


@pytest.mark.parametrize(("seconds", "worker"), [(30, "ok"), (600, "silent")])
def test_a_worker_is_alive_as_long_as_it_shows_itself(at, beat, seconds, worker):
    beat(seconds)
    page = get("/ready")
    assert page.json()["worker"] == worker
    assert page.status_code == (200 if worker == "ok" else 503)


def test_a_workspace_where_no_worker_ever_was_is_not_ready_unless_it_may_be_at_another_machine(at, beat):
    beat(None)
    page = get("/ready")
    alone = connection.vendor == "sqlite"
    assert (page.status_code, page.json()["worker"]) == ((503, "none") if alone else (200, "elsewhere"))


def samples(page):
    lines = [line for line in page.content.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_metrics_are_counts_in_prometheus_format(swing, answered, beat):
    answered(pages=3, text="canary")
    page = get("/metrics")
    found = samples(page)
    assert page.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert found["equipoise_submissions"] == 3
    assert found['equipoise_sessions{state="started"}'] == 1
    assert found['equipoise_sessions{state="complete"}'] == 0
    assert found["equipoise_unsealed_submissions"] == 3
    assert found["equipoise_sending_held"] == 0
    assert 0 <= found["equipoise_worker_heartbeat_age_seconds"] < 600
    assert b"canary" not in page.content
    assert b"swing" not in page.content


def test_the_lag_of_seals_is_that_of_the_oldest_page_that_waits(swing, answered, beat, at):
    from datetime import timedelta

    from equipoise.platform.clock import now
    from equipoise.platform.fieldwork.sealing import seal_everything

    answered(pages=2)
    at(now() + timedelta(minutes=7))
    assert samples(get("/metrics"))["equipoise_seal_lag_seconds"] == 420
    seal_everything()
    assert samples(get("/metrics"))["equipoise_seal_lag_seconds"] == 0


@pytest.mark.parametrize(
    ("meta", "status"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, 200),
        ({"REMOTE_ADDR": "::1"}, 200),
        ({"REMOTE_ADDR": ELSEWHERE}, 404),
        ({"REMOTE_ADDR": "192.0.2.7"}, 200),
        ({"REMOTE_ADDR": ELSEWHERE, "HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 404),
        ({"REMOTE_ADDR": "127.0.0.2", "HTTP_X_FORWARDED_FOR": ELSEWHERE}, 404),
        ({"REMOTE_ADDR": "127.0.0.2", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 404),
        ({"REMOTE_ADDR": "127.0.0.2", "HTTP_X_FORWARDED_PROTO": "https"}, 404),
        ({"REMOTE_ADDR": "127.0.0.2", "HTTP_X_FORWARDED_FOR": "192.0.2.7"}, 200),
        ({"REMOTE_ADDR": ""}, 404),
    ],
)
def test_metrics_are_for_this_machine_and_those_that_the_workspace_names(at, beat, told, meta, status):
    """127.0.0.2 is the proxy: what it passes on comes from wherever it says, and never from this machine."""
    told(metrics=("192.0.2.7",), proxies=("127.0.0.2",))
    assert get("/metrics", **meta).status_code == status


def test_whoever_may_not_read_the_metrics_gets_the_page_of_any_address_that_is_not_there(at):
    """Without a trace of what would have been there."""
    one, other = get("/metrics", REMOTE_ADDR=ELSEWHERE), get("/metrix", REMOTE_ADDR=ELSEWHERE)
    assert (one.status_code, one.content) == (other.status_code, other.content)


def test_a_monitor_learns_whether_messages_go_out_and_how_many_are_late(swing, beat, at):
    from datetime import timedelta

    from equipoise.platform.clock import now
    from equipoise.platform.delivery.models import Dispatch
    from equipoise.platform.people.models import Participant

    assert (get("/health/messages").status_code, get("/health/messages").json()["messages"]) == (200, "ok")
    for number, hours in enumerate((0, 3, 5)):
        Dispatch.objects.create(
            study=swing,
            participant=Participant.objects.create(study=swing, enrolled_at=now()),
            contact="weekly-message",
            occasion=1,
            channel="sms",
            carrier="notify",
            due_at=now() - timedelta(hours=hours),
            next_at=now() - timedelta(hours=hours),
            last_at=now() + timedelta(days=number + 1),
        )
    health.kept_messages.forget()
    page = get("/health/messages")
    said = page.json()
    assert page.status_code == 503
    assert (said["messages"], said["due"], said["late"], said["unknown"]) == ("behind", 3, 2, 0)
    assert said["oldest_due"] == (now() - timedelta(hours=5)).isoformat(timespec="seconds")
    found = samples(get("/metrics"))
    assert (found['equipoise_dispatches{state="planned"}'], found["equipoise_dispatches_late"]) == (3, 2)
    assert (found["equipoise_dispatches_due"], found["equipoise_dispatches_due_seconds"]) == (3, 5 * 3600)
    assert get("/health/messages", REMOTE_ADDR=ELSEWHERE).status_code == 404
