"""`equipoise doctor` and GOV.UK Notify: whether it would take messages, without sending one."""

import pytest
from django.conf import settings as configured
from tests.platform.delivery.channels.notify.conftest import server, settings_of  # noqa: F401 - a fixture

from equipoise.platform.operations.checks.notify import notify
from equipoise.platform.rehearsal.notify_server.keys import Keys
from equipoise.platform.workspace import Carriers


@pytest.fixture
def told(server, monkeypatch):  # noqa: F811
    """A function that says what the check finds, with these settings and this key."""

    def look(keys=server.keys, **changes):
        named = settings_of(server).model_copy(update=changes)
        update = {"notify": named, "carriers": Carriers(email="notify", sms="notify")}
        monkeypatch.setattr(
            configured.WORKSPACE, "settings", configured.WORKSPACE.settings.model_copy(update=update)
        )
        monkeypatch.setenv(named.key_from, keys.key("test"))
        return [str(each) for each in notify(configured.WORKSPACE)]

    return look


def test_it_says_that_notify_takes_the_key_and_sends_nothing(told, server, monkeypatch):  # noqa: F811
    monkeypatch.setenv("EQUIPOISE_NOTIFY_CALLBACK", "a token")
    assert told() == ["good   notify     it answers and takes the test key; nothing was sent"]
    assert server.messages == []


def test_it_notes_that_nobody_is_called_back(told, monkeypatch):
    monkeypatch.delenv("EQUIPOISE_NOTIFY_CALLBACK", raising=False)
    assert told()[1].startswith("note   notify     it calls nobody back")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"key": "live"}, "notify.key is live in a rehearsal"),
        ({"key": None}, "notify.key is missing. To do: say live or test"),
        ({"address": "http://127.0.0.1:9"}, "it cannot be reached"),
        ({"address": "http://api.example.org"}, "notify.address has to be an https address"),
        ({"sms_template": None}, "notify.sms-template is missing"),
        ({"sms_template": "33333333-3333-3333-3333-333333333333"}, "there is no template for sms"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(told, changes, said):
    wrong = [line for line in told(**changes) if line.startswith("wrong")]
    assert len(wrong) == 1
    assert said in wrong[0]
    assert "To do: " in wrong[0]


def test_a_wrong_key_and_a_wrong_clock_are_told_apart_and_the_key_is_never_shown(told, server, monkeypatch):  # noqa: F811
    with monkeypatch.context() as late:
        late.setattr("notifications_python_client.authentication.epoch_seconds", lambda: 1_600_000_000)
        assert "clock is wrong" in told()[0]
    other = Keys.new()
    lines = told(other)
    assert lines[0].startswith("wrong  notify     it refuses the key")
    assert other.secrets["test"] not in " ".join(lines)


def test_a_workspace_without_notify_is_told_nothing_of_it():
    assert list(notify(configured.WORKSPACE)) == []
