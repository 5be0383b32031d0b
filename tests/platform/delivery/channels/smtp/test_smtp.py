"""The mail channel: one connection, an outcome for each address, and nobody who is not who they say."""

import asyncio
import socketserver
import ssl
import threading
from email import message_from_bytes, policy

import pytest
import trustme
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import AuthResult
from tests.platform.delivery.channels.test_contract import SmtpBench, message

from equipoise.errors import InputError
from equipoise.platform.delivery.channels.contract import Outcome
from equipoise.platform.delivery.channels.smtp.channel import Smtp, opened
from equipoise.platform.workspace import Mail, Workspace, WorkspaceSettings


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    made = SmtpBench(tmp_path_factory.mktemp("smtp"))
    yield made
    made.close()


def outcomes(bench, *names):
    """What became of messages to such addresses, over one channel."""
    with bench.channel() as channel:
        return [channel.send(message(f"{name}@example.org")) for name in names]


def test_all_messages_of_a_batch_go_over_one_connection(bench):
    bench.sink.forget()
    assert outcomes(bench, "a", "gone", "busy", "spam", "b") == [
        Outcome("sent"),
        Outcome("refused", "550", closes_address=True),
        Outcome("later", "451"),
        Outcome("refused", "554"),
        Outcome("sent"),
    ]
    assert len({connection for *_, connection in bench.sink.taken}) == 1


def test_a_server_that_takes_leave_in_the_middle_is_dialled_again_for_the_same_message(bench):
    bench.sink.forget()
    first, last = outcomes(bench, "a", "leave")
    assert (first.kind, last.kind) == ("sent", "later")
    assert not last.burnt
    assert last.pause_seconds > 0  # it took leave twice


def test_a_line_that_is_cut_after_the_text_leaves_the_message_in_doubt_and_it_is_not_sent_again(bench):
    bench.sink.forget()
    assert [outcome.kind for outcome in outcomes(bench, "a", "cut", "b")] == ["sent", "unknown", "sent"]
    assert bench.sink.seen.count("cut@example.org") == 1


@pytest.mark.parametrize(
    "to",
    ["a@example.org\r\nRCPT TO:<b@example.org>", "a@example.org\n", "a b@example.org", "", "Zoë@example.org"],
)
def test_an_address_that_could_say_more_than_an_address_is_refused(bench, to):
    bench.sink.forget()
    with bench.channel() as channel:
        outcome = channel.send(message(to))
        assert channel.send(message("b@example.org")).kind == "sent"
    assert (outcome.kind, outcome.code) == ("refused", "not-a-mail")
    assert [address for address, *_ in bench.sink.taken] == ["b@example.org"]


class Keeping:
    """Keeps the texts that come."""

    def __init__(self):
        self.texts = []

    async def handle_DATA(self, server, session, envelope):
        self.texts.append(envelope.original_content)
        return "250 OK"


def of(port, security, **more):
    return Smtp(
        Mail(host="localhost", port=port, sender="study@example.org", security=security),
        '"A study" <study@example.org>',
        **{"seconds": 10.0, **more},
    )


@pytest.fixture
def secure(tmp_path, monkeypatch):
    """A function that runs a server with a certificate; it asks for a password."""
    authority, running = trustme.CA(), []
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")

    def run(security, *, trusted=True, password="right"):  # noqa: S107
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("localhost").configure_cert(context)
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        else:
            monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        handler = Keeping()
        signing = {
            "authenticator": lambda *said: AuthResult(success=said[-1].password == b"right", handled=False),
            "auth_require_tls": security == "starttls",
        }
        tls = {"tls_context": context, "require_starttls": True} if security == "starttls" else {}
        outer = {"ssl_context": context} if security == "tls" else {}
        loop = asyncio.new_event_loop()
        controller = UnthreadedController(
            handler, hostname="localhost", port=0, loop=loop, **signing, **tls, **outer
        )
        controller.begin()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        running.append((controller, loop, thread))
        port = controller.server.sockets[0].getsockname()[1]
        return of(port, security, credentials=("study", password)), handler

    yield run
    for controller, loop, thread in running:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        controller.end()
        loop.close()


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_over_a_line_that_is_encrypted_with_a_password_and_dots_come_as_they_were(secure, security):
    channel, handler = secure(security)
    written = message("a@example.org")
    with channel:
        assert channel.send(written).kind == "sent"
    read = message_from_bytes(handler.texts[0], policy=policy.default)
    assert read["To"] == "a@example.org"
    assert read["From"].addresses[0].display_name == "A study"
    assert read["Message-ID"] == f"<{written.reference}@example.org>"
    assert "Dear Zoë" in read.get_body(("plain",)).get_content()


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_is_refused_and_nothing_is_sent(secure, security):
    channel, handler = secure(security, trusted=False)
    with channel:
        outcome = channel.send(message("a@example.org"))
    assert (outcome.kind, outcome.code, outcome.burnt) == ("later", "certificate", False)
    assert outcome.pause_seconds >= 300
    assert handler.texts == []


def test_a_wrong_password_makes_the_carrier_wait_and_is_told_nowhere(secure, caplog):
    channel, handler = secure("starttls", password="wrong-password")  # noqa: S106
    with channel:
        outcome = channel.send(message("a@example.org"))
    assert (outcome.kind, outcome.code, outcome.burnt) == ("later", "sign-in-refused", False)
    assert handler.texts == []
    assert "wrong-password" not in caplog.text


def test_a_server_without_encryption_gets_nothing_where_encryption_is_asked_for(bench):
    bench.sink.forget()
    with of(bench.sink.port, "starttls") as channel:
        outcome = channel.send(message("a@example.org"))
    assert (outcome.kind, outcome.code) == ("later", "no-encryption")
    assert bench.sink.seen == []


class Script(socketserver.StreamRequestHandler):
    """Answers each command by a script, in which None means nothing more is ever said."""

    def handle(self):
        said = dict(self.server.said)
        self.wfile.write(b"220 here\r\n")
        text = False
        for line in self.rfile:
            command = (
                "." if text and line == b".\r\n" else None if text else line[:4].decode().strip().upper()
            )
            if command is None:
                continue
            answer = said.get(command, "250 OK")
            if answer is None:
                self.server.over.wait(20)
                return
            self.wfile.write(answer.encode() + b"\r\n")
            text = command == "DATA" and answer.startswith("354")


@pytest.fixture
def scripted():
    """A function that runs a server which answers by a script."""
    running = []

    def run(together, **said):
        if together:
            said = {"EHLO": "250-here\r\n250 PIPELINING"} | said
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Script)
        server.daemon_threads = True
        server.over = threading.Event()
        server.said = {"DATA": "354 go on", **{name.rstrip("_") or ".": each for name, each in said.items()}}
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        mail = Mail(
            host="127.0.0.1", port=server.server_address[1], sender="study@example.org", security="none"
        )
        return Smtp(mail, "study@example.org", seconds=0.7)

    yield run
    for server in running:
        server.over.set()
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("together", [False, True], ids=["one by one", "together"])
@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"MAIL": "550 not from you"}, Outcome("later", "550", burnt=False, pause_seconds=300)),
        ({"MAIL": "451 later"}, Outcome("later", "451", burnt=False, pause_seconds=60)),
        ({"RCPT": "551 moved"}, Outcome("refused", "551", closes_address=True)),
        ({"RCPT": "552 full"}, Outcome("refused", "552")),
        ({"RCPT": None}, Outcome("later", "too-slow")),
        ({"DATA": "451 not now"}, Outcome("later", "451")),
        ({"DATA": "554 never"}, Outcome("refused", "554")),
        ({"_": "452 no room"}, Outcome("later", "452")),
        ({"_": "550 not this"}, Outcome("refused", "550")),
        ({"_": "hello"}, Outcome("unknown", "cut")),
        ({"_": None}, Outcome("unknown", "too-slow")),
        ({"_": "421 going down"}, Outcome("later", "cut", burnt=False, pause_seconds=60)),
        ({"EHLO": None, "HELO": None}, Outcome("later", "no-connection", burnt=False, pause_seconds=60)),
    ],
)
def test_each_answer_of_a_server_has_its_outcome(scripted, said, outcome, together):
    with scripted(together, **said) as channel:
        assert channel.send(message("a@example.org")) == outcome


@pytest.mark.parametrize("text", ["354 go on", "503 nobody is to get it"])
def test_an_envelope_that_is_refused_holds_up_nobody_whatever_the_server_says_to_its_text(scripted, text):
    with scripted(True, RCPT="451 full", DATA=text) as channel:
        first, second = (channel.send(message(f"{name}@example.org")) for name in "ab")
    assert first == second == Outcome("later", "451")


def test_a_workspace_without_a_mail_server_is_told_what_to_write(tmp_path):
    with pytest.raises(InputError, match="write `mail:"):
        opened(Workspace(tmp_path, WorkspaceSettings(equipoise=1)))
