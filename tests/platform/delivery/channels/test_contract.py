"""The contract that every channel keeps: one outcome for each message, nothing raised, nothing logged, nothing
beyond its deadline. A new channel is a bench and a line in BENCHES."""

import itertools
import logging
import socket
import threading
from contextlib import contextmanager

import pytest
from tests.platform.delivery.engine.sink import Sink

from equipoise.messages import compile_message
from equipoise.platform.delivery.channels import CHANNELS
from equipoise.platform.delivery.channels.contract import Outgoing
from equipoise.platform.delivery.channels.notify.channel import NotifyChannel
from equipoise.platform.delivery.channels.rehearsal.channel import Rehearsal
from equipoise.platform.delivery.channels.smtp.channel import Smtp
from equipoise.platform.rehearsal.notify_server import NotifyServer
from equipoise.platform.workspace import Mail, Notify
from equipoise.protocol.models.files import Message

NUMBERS = itertools.count(1)
CANARY = "canary"  # stands in every address


def message(to):
    """A message to an address."""
    template = compile_message(Message(subject="A subject", body="Dear {name}"), language="en-GB")
    return Outgoing(f"{next(NUMBERS):032x}", to, template, {"name": "Zoë"})


@contextmanager
def listening(answer):
    """A port of this machine at which a function has each connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def accept():
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return
                threading.Thread(target=answer, args=(held[-1],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        for each in held:
            each.close()


def nobody():
    """A port at which nobody is."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class SmtpBench:
    """A mail server that answers by the address."""

    outcomes = ("sent", "later", "refused", "unknown")

    def __init__(self, folder):
        self.sink = Sink(folder)
        for name in ("taken", "seen"):
            (folder / name).touch()

    def channel(self, port=None, seconds=10.0):
        mail = Mail(
            host="127.0.0.1", port=port or self.sink.port, sender="study@example.org", security="none"
        )
        return Smtp(mail, "study@example.org", seconds=seconds)

    def message(self, kind):
        how = {"sent": "person", "later": "busy", "refused": "gone", "unknown": "cut"}[kind]
        return message(f"{how}.{CANARY}@example.org")

    @property
    def taken(self):
        return [reference for _, reference, _ in self.sink.taken]

    def close(self):
        self.sink.close()


class NotifyBench:
    """A server that speaks Notify's interface."""

    outcomes = ("sent", "later", "unknown")

    def __init__(self, folder):
        self.server = NotifyServer().__enter__()

    def channel(self, port=None, seconds=10.0):
        address = self.server.address if port is None else f"http://127.0.0.1:{port}"
        named = Notify(
            key="test",
            address=address,
            email_template=self.server.templates["email"],
            sms_template=self.server.templates["sms"],
        )
        return NotifyChannel(named, self.server.keys.key("test"), answer_seconds=seconds)

    def message(self, kind):
        fault = {"later": "403-clock", "unknown": "500"}.get(kind)
        if fault:
            self.server.faults.add(fault)
        return message(f"person.{CANARY}@example.org")

    @property
    def taken(self):
        return [each.reference for each in self.server.messages]

    def close(self):
        self.server.__exit__(None, None, None)


class RehearsalBench:
    """Nobody."""

    outcomes = ("sent",)
    taken = None

    def __init__(self, folder):
        pass

    def channel(self, port=None, seconds=10.0):
        return Rehearsal()

    def message(self, kind):
        return message(f"person.{CANARY}@example.org")

    def close(self):
        pass


BENCHES = {"smtp": SmtpBench, "notify": NotifyBench, "rehearsal": RehearsalBench}
CASES = [(name, kind) for name, bench in BENCHES.items() for kind in bench.outcomes]
BY_NETWORK = [name for name, bench in BENCHES.items() if "later" in bench.outcomes]


@pytest.fixture(scope="module")
def benches(tmp_path_factory):
    """A bench by its name, made when it is first asked for."""
    made = {}

    def get(name):
        if name not in made:
            made[name] = BENCHES[name](tmp_path_factory.mktemp(name))
        return made[name]

    yield get
    for each in made.values():
        each.close()


def test_every_channel_is_on_a_bench_and_has_the_name_of_its_folder(benches):
    assert set(BENCHES) == set(CHANNELS)
    for name in BENCHES:
        channel = benches(name).channel()
        assert channel.name == name
        assert channel.at_once > 0


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_an_outcome_is_told_and_the_next_message_goes_out(benches, name, kind, caplog):
    bench = benches(name)
    with caplog.at_level(logging.DEBUG), bench.channel() as channel:
        assert channel.send(bench.message("sent")).kind == "sent"
        first = bench.message(kind)
        outcome = channel.send(first)
        second = bench.message("sent")
        assert channel.send(second).kind == "sent"

    assert outcome.kind == kind
    assert len(outcome.code) <= 40
    assert CANARY not in outcome.code + outcome.provider_id
    assert CANARY not in caplog.text
    if bench.taken is not None and kind in ("later", "refused"):
        assert first.reference not in bench.taken
    if bench.taken is not None:
        assert bench.taken.count(second.reference) == 1


@pytest.mark.parametrize("name", BENCHES)
def test_opening_a_channel_speaks_to_nobody(benches, name):
    with benches(name).channel(port=nobody()):
        pass


@pytest.mark.parametrize("name", BENCHES)
def test_whoever_cannot_be_asked_knows_of_no_message(benches, name):
    with benches(name).channel() as channel:
        assert channel.look_up("0" * 32) is None


@pytest.mark.parametrize("name", BY_NETWORK)
def test_a_server_that_is_not_there_takes_nothing_and_burns_no_attempt(benches, name):
    with benches(name).channel(port=nobody()) as channel:
        outcome = channel.send(benches(name).message("sent"))
    assert (outcome.kind, outcome.burnt) == ("later", False)
    assert outcome.pause_seconds > 0


@pytest.mark.parametrize("name", BY_NETWORK)
def test_a_server_that_says_a_letter_at_a_time_for_ever_is_given_up(benches, name):
    stopped = threading.Event()

    def drip(connection):
        while not stopped.wait(0.05):
            try:
                connection.sendall(b"2")
            except OSError:
                return

    with listening(drip) as port, benches(name).channel(port=port, seconds=0.5) as channel:
        outcome = channel.send(benches(name).message("sent"))
        stopped.set()
    assert outcome.kind in ("later", "unknown")
