"""Settings under which Notify would do harm or nothing are told before anything is sent."""

from pathlib import Path

import pytest

from equipoise.platform.delivery.channels.notify.setup import problems
from equipoise.platform.rehearsal.notify_server.keys import Keys
from equipoise.platform.workspace import Workspace, WorkspaceSettings

KEY = Keys.new().key("live")
GOOD = {"key": "live", "email-template": "one", "sms-template": "two"}


def found(mode="live", key=KEY, monkeypatch=None, **changes):
    named = {**GOOD, **{name.replace("_", "-"): value for name, value in changes.items()}}
    given = {"equipoise": 1, "mode": mode, "carriers": {"email": "notify", "sms": "notify"}, "notify": named}
    monkeypatch.setenv("EQUIPOISE_NOTIFY_KEY", key)
    workspace = Workspace(Path("nowhere"), WorkspaceSettings.model_validate(given))
    return [(each.where, each.message) for each in problems(workspace)]


def test_a_live_key_in_a_live_workspace_is_right(monkeypatch):
    assert found(monkeypatch=monkeypatch) == []


@pytest.mark.parametrize(
    ("mode", "kind", "said"),
    [
        ("live", "test", "no message would reach anybody"),
        ("rehearsal", "live", "made-up addresses would be written to"),
        ("live", None, "say live or test"),
    ],
)
def test_a_key_of_the_wrong_kind_is_refused(monkeypatch, mode, kind, said):
    monkeypatch.setitem(GOOD, "key", kind)
    assert [where for where, message in found(mode, monkeypatch=monkeypatch) if said in message] == [
        "notify.key"
    ]


def test_a_test_key_in_a_rehearsal_is_right_and_so_is_a_server_on_this_machine(monkeypatch):
    monkeypatch.setitem(GOOD, "key", "test")
    assert found("rehearsal", monkeypatch=monkeypatch) == []
    assert found("rehearsal", address="http://127.0.0.1:4000", monkeypatch=monkeypatch) == []


@pytest.mark.parametrize("mode", ["live", "rehearsal"])
@pytest.mark.parametrize(
    "address",
    [
        *(
            "http://api.example.org",
            "http://10.0.0.1",
            "http://169.254.169.254/latest",
            "http://127.0.0.1.example.org",
        ),
        *(
            "file:///etc/passwd",
            "//api.example.org",
            "https://",
            "https://name@api.example.org",
            "ftp://127.0.0.1",
        ),
        *("https://api.example.org?x=1", "https://api.example.org#x", "http://127.0.0.1@api.example.org"),
    ],
)
def test_an_address_without_tls_or_with_something_hidden_in_it_is_refused(monkeypatch, mode, address):
    assert "notify.address" in [where for where, _ in found(mode, address=address, monkeypatch=monkeypatch)]


def test_a_live_workspace_speaks_to_no_server_without_tls_on_this_machine_either(monkeypatch):
    assert [where for where, _ in found(address="http://127.0.0.1:4000", monkeypatch=monkeypatch)] == [
        "notify.address"
    ]


@pytest.mark.parametrize(
    "key", ["", "secret", KEY[:-1], f"{KEY} extra"], ids=["missing", "a word", "cut off", "too much"]
)
def test_a_key_that_is_missing_or_cut_off_is_told_without_being_repeated(monkeypatch, key):
    told = found(key=key, monkeypatch=monkeypatch)
    assert [where for where, _ in told] == ["notify.key-from"]
    assert not key or key not in told[0][1]


def test_a_channel_that_notify_carries_needs_its_template(monkeypatch):
    told = dict(found(email_template=None, sms_template=None, monkeypatch=monkeypatch))
    assert "((subject)) and ((body))" in told["notify.email-template"]
    assert "((body))" in told["notify.sms-template"]
