"""Whom the server asks anything: few, each named by the workspace's settings, none by a study or a person."""

import re

import pytest
from pydantic import ValidationError
from tests.platform.security.test_sources import PACKAGE, PLATFORM, place

from equipoise.platform.staff.sign_on import SignOnAdapter
from equipoise.platform.workspace import WorkspaceSettings

# The parts of the platform that speak to another machine, and to which.
OUTWARD = {
    "platform/settings/__init__.py": "names the way by which mail goes",
    "platform/staff/adapter.py": "the mail server, by Django",
    "platform/staff/breaches.py": "the list of breached passwords, if one is named",
    "platform/staff/provider.py": "whoever says who staff are, if one is named",
    "platform/staff/sign_on.py": "makes the client of both",
    "platform/staff/invitations.py": "the mail server, by Django",
    "platform/fieldwork/requests.py": "the mail server, by Django",
    "platform/delivery/watch/telling.py": "the second mail server, that of alarms",
    "platform/delivery/channels/notify/client.py": "GOV.UK Notify, if it carries messages",
    "platform/delivery/channels/smtp/channel.py": "the mail server, if it carries messages",
    "platform/delivery/channels/smtp/conversation.py": "the same, word by word",
    "platform/delivery/writing/trying.py": "the mail server, by Django",
    "platform/operations/held.py": "the mail server, by Django",
    "platform/operations/checks/mail.py": "the name server and the mail server, when `equipoise doctor` is run",
}
SPEAKING = re.compile(
    r"requests_session|smtplib|EmailMessage|EmailBackend|send_mail|get_connection\(|dns\.resolver|create_connection"
    r"|urlopen|NotificationsAPIClient|socket\.socket\("
)
# Sockets that listen, or that speak to this very machine.
AT_HOME = {
    *("platform/serving.py", "platform/startup.py", "platform/processes.py"),
    *(
        "platform/rehearsal/notify_server/calling_back.py",
        "platform/rehearsal/servers/post.py",
        "platform/rehearsal/servers/processes.py",
    ),
}
SETTINGS = (
    lambda address: {"sign-in": {"breached-passwords": address}},
    lambda address: {
        "sign-in": {"oidc": {"name": "X", "server": address, "client-id": "x", "secret-from": "X"}}
    },
)
REFUSED = (
    *("http://login.example.org", "http://127.0.0.1:8080/", "http://169.254.169.254/latest/meta-data/"),
    *("file:///etc/passwd", "ftp://login.example.org", "gopher://127.0.0.1:25/_", "//login.example.org"),
    *("https:/login.example.org", "login.example.org", "javascript:alert(1)", "https://", "HTTPS ://x", " "),
    *(
        "https://login.example.org@evil.example",
        "https://x y",
        "https://x\nHost: evil",
        "https://x#y",
        "https://x?y",
    ),
)


def test_only_the_parts_that_are_known_to_speak_to_another_machine_do():
    found = {place(path) for path in PLATFORM if SPEAKING.search(path.read_text("utf-8"))}
    assert found - AT_HOME == set(OUTWARD)


@pytest.mark.parametrize("address", REFUSED)
@pytest.mark.parametrize("settings", SETTINGS, ids=["the list of passwords", "the provider"])
def test_an_address_that_is_asked_is_one_of_tls_without_anything_hidden_in_it(settings, address):
    assert WorkspaceSettings.model_validate({"equipoise": 1, **settings("https://login.example.org/x")})
    with pytest.raises(ValidationError):
        WorkspaceSettings.model_validate({"equipoise": 1, **settings(address)})


def test_the_client_follows_no_redirection_checks_certificates_and_does_not_wait_for_ever():
    session = SignOnAdapter().get_requests_session()
    assert session.max_redirects == 0
    assert session.verify is True
    assert session.request.keywords["timeout"] > 0


def test_no_template_of_a_page_and_no_style_names_another_host():
    pages = PACKAGE / "platform" / "pages"
    named = re.compile(r"""(?:src|href|action|url)\s*[=(]\s*["']?(?:https?:)?//""")
    files = [*pages.rglob("templates/**/*.html"), *pages.rglob("static/**/*.css")]
    assert len(files) > 40
    for path in files:
        assert not named.search(path.read_text("utf-8")), path.name
