"""Nobody adds a recipient, a header or a message to mail by what they wrote in a title, a name or an address."""

import re
from email import message_from_bytes
from email.policy import default

import pytest
from django.core.cache import cache
from django.test import Client
from tests.platform.security.post_office import PostOffice

from equipoise.errors import EquipoiseError
from equipoise.platform.fieldwork.models import LinkRequest
from equipoise.platform.fieldwork.requests import send_requested_links
from equipoise.platform.people.actions import confirm_import
from equipoise.platform.staff.actions import CommandLine, add_member
from equipoise.platform.workspace import Mail, WorkspaceSettings

pytestmark = pytest.mark.django_db

EVIL = "evil@example.org"
ADDRESS = "person.1@trainees.example.org"
ROSTER = f"Trainee ID,Email,Mobile,Region,Start date\nT1,{ADDRESS},07700 900001,north,2020-07-13\n"
SMUGGLED = f".\r\nMAIL FROM:<{EVIL}>\r\nRCPT TO:<{EVIL}>\r\nDATA\r\nSubject: forged\r\n\r\nforged\r\n.\r\n"
TITLES = {
    "line ends": f"A trial\r\nBcc: {EVIL}",
    "a line feed": f"A trial\nBcc: {EVIL}",
    "a carriage return": f"A trial\rBcc: {EVIL}",
    "a line separator": f"A trial\u2028Bcc: {EVIL}",
    "a next line": f"A trial\u0085Bcc: {EVIL}",
    "a vertical tab": f"A trial\x0bBcc: {EVIL}",
    "an empty line": f"A trial\r\n\r\nBcc: {EVIL}",
    "a message of its own": f"A trial\r\n{SMUGGLED}",
    "bare line feeds around a dot": f"A trial\n.\n{SMUGGLED}",
    "bare returns around a dot": f"A trial\r.\r{SMUGGLED}",
    "an encoded word": f"=?utf-8?q?A=0ABcc:_{EVIL.replace('@', '=40')}?=",
}


@pytest.fixture
def post(settings):
    """The mail server that the workspace names."""
    office = PostOffice()
    mail = Mail(host="127.0.0.1", port=office.port, sender="study@example.org", security="none")
    settings.EMAIL_BACKEND = "equipoise.platform.operations.held.HoldingBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", office.port, False
    settings.DEFAULT_FROM_EMAIL = "Study <study@example.org>"
    before = settings.WORKSPACE.settings
    settings.WORKSPACE.settings = before.model_copy(update={"mail": mail})
    cache.clear()  # of who has asked before
    yield office
    settings.WORKSPACE.settings = before
    office.close()


def check(post, recipient):
    """One message, to one person, with the headers of any."""
    assert post.recipients == [recipient]
    (written,) = post.messages
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", written), "a line that ends in half"
    assert b"\r\n.\r\n" not in written
    message = message_from_bytes(written, policy=default)
    assert message["To"] == recipient
    assert message["Bcc"] is None
    assert set(message.keys()) <= {
        *(
            "Content-Type",
            "MIME-Version",
            "Content-Transfer-Encoding",
            "Subject",
            "From",
            "To",
            "Date",
            "Message-ID",
        )
    }
    assert sum(line.upper().startswith("MAIL FROM") for line in post.said) == 1
    assert sum(line.upper() == "DATA" for line in post.said) == 1
    return message


def test_a_title_is_a_subject_and_a_text_and_nothing_else(swing, alice, tmp_path, post):
    roster = tmp_path / "cohort-2020.csv"
    roster.write_text(ROSTER, "utf-8")
    confirm_import(alice, swing, roster)
    for name, title in TITLES.items():
        type(swing).objects.update(title=title)
        LinkRequest.objects.all().delete()
        assert Client().post("/link/swing", {"email": ADDRESS}, secure=True).status_code == 200
        assert send_requested_links() == 1, name
        assert check(post, ADDRESS)["Subject"].startswith("Your link: "), name
        post.said, post.messages = [], []


@pytest.mark.parametrize(
    "inside", ["\r\nBcc: ", "\n", "\r", "\u2028", "\u0085", ",", ", ", ";", " ", "\0", "> <"]
)
def test_an_address_of_staff_that_could_reach_somebody_else_is_refused(db, inside):
    for address in (
        f"alice@example.org{inside}{EVIL}",
        f"alice{inside}{EVIL}",
        f"<{EVIL}>{inside}alice@example.org",
    ):
        with pytest.raises(EquipoiseError):
            add_member(CommandLine(), address, "Alice (synthetic)")


@pytest.mark.parametrize("inside", ["\r\nBcc: ", "\n", ",", "\u2028", "%0ABcc: "])
def test_asking_for_a_new_password_reaches_nobody_but_whom_the_workspace_knows(alice, post, inside):
    client = Client()
    for address in (f"alice@example.org{inside}{EVIL}", EVIL, f"{EVIL}{inside}alice@example.org"):
        page = client.post("/staff/password/reset", {"email": address}, secure=True)
        assert page.status_code in (200, 302)
    assert post.messages == []
    client.post("/staff/password/reset", {"email": "alice@example.org"}, secure=True)
    check(post, "alice@example.org")


def test_a_name_of_staff_and_of_the_workspace_adds_no_header(alice, post, settings):
    type(alice).objects.update(name=f"Alice\r\nBcc: {EVIL}\r\n\r\nforged")
    said = WorkspaceSettings.model_validate({"equipoise": 1, "name": f"Equipoise\r\nBcc: {EVIL}"})
    settings.WORKSPACE.settings = settings.WORKSPACE.settings.model_copy(update={"name": said.name})
    Client().post("/staff/password/reset", {"email": "alice@example.org"}, secure=True)
    assert check(post, "alice@example.org")["Subject"].startswith(f"Equipoise Bcc: {EVIL}")


def test_the_sender_stands_on_one_line_too():
    said = {
        "host": "mail.example.org",
        "sender": f"study@example.org\nBcc: {EVIL}",
        "name": f"Study\u2028Bcc: {EVIL}",
    }
    mail = Mail.model_validate(said)
    assert len(f"{mail.name} {mail.sender}".splitlines()) == 1


def test_links_in_mail_begin_with_the_workspaces_own_address_whatever_a_request_says_of_it(alice, post):
    """A forged host is refused; a forwarded one is not believed."""
    client = Client()
    told = {
        "HTTP_X_FORWARDED_HOST": "evil.example",
        "HTTP_FORWARDED": "host=evil.example",
        "HTTP_X_HOST": "evil.example",
    }
    assert (
        client.post(
            "/staff/password/reset", {"email": "alice@example.org"}, HTTP_HOST="evil.example"
        ).status_code
        == 400
    )
    assert post.messages == []
    client.post("/staff/password/reset", {"email": "alice@example.org"}, secure=True, **told)
    text = check(post, "alice@example.org").get_content()
    assert set(re.findall(r"https?://[^/\s]+", text)) == {"http://localhost:8000"}
