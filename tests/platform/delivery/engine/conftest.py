"""People of a live study whose messages go to a mail server of the tests, and workers that are real processes."""

import os
import signal
import time
from collections import Counter
from datetime import timedelta
from itertools import count
from typing import ClassVar

import pytest
from django.conf import settings as configured
from django.db import connections
from tests.platform.delivery.engine.sink import Sink

from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.engine import beats
from equipoise.platform.delivery.engine.rescue import rescue
from equipoise.platform.delivery.engine.sending import send_due
from equipoise.platform.delivery.models import Dispatch, WorkerBeat
from equipoise.platform.delivery.writing.composing import Composer
from equipoise.platform.people.contacts import lookups_of, sealed_contact, wrapping_keys
from equipoise.platform.people.models import ContactDetails, Lookup, Participant, RosterFacts
from equipoise.platform.workspace import Carriers, Mail

NUMBER = count(1)
WEEKLY, INVITE = "weekly-message", "before.invite"  # at most once; at least once


def by_mail(folder):
    """The weekly texts of the example as mails."""
    protocol = folder / "protocol.yaml"
    text = protocol.read_text("utf-8")
    protocol.write_text(text.replace("    channel: sms\n", "    channel: email\n"), "utf-8")
    for number in range(1, 9):
        place = folder / "messages" / f"week-{number}.md"
        place.write_text(place.read_text("utf-8").replace("---\n", '---\nsubject: "This week"\n', 1), "utf-8")


@pytest.fixture(scope="module")
def sink(tmp_path_factory):
    """The mail server."""
    made = Sink(tmp_path_factory.mktemp("sink"))
    yield made
    made.close()


@pytest.fixture
def mail(sink, monkeypatch):
    """The workspace's mail goes to it."""
    for name in ("taken", "seen"):
        (sink.folder / name).touch()
    sink.forget()
    said = {
        "mail": Mail(host="127.0.0.1", port=sink.port, sender="study@example.org", security="none"),
        "carriers": Carriers(email="smtp"),
    }
    monkeypatch.setattr(
        configured.WORKSPACE, "settings", configured.WORKSPACE.settings.model_copy(update=said)
    )
    return sink


@pytest.fixture
def study(request, add_example, alice, mail):
    """`swing` by mail, live; a test may ask for another change of its folder."""
    from equipoise.platform.registry.actions import move_study

    found = move_study(alice, add_example("swing", getattr(request, "param", by_mail)), "live")
    Composer(found)  # so that its folder is read here, and not by each process
    return found


@pytest.fixture
def people(study):
    """A function that enrols so many people, at such addresses."""

    def enrol(number, name="person"):
        made = [Participant(study=study, enrolled_at=now()) for _ in range(number)]
        Participant.objects.bulk_create(made)
        details = [
            {"staff_ref": f"T{n}", "email": f"{name}.{n}@example.org"} for n in (next(NUMBER) for _ in made)
        ]
        keys = wrapping_keys()
        ContactDetails.objects.bulk_create(
            sealed_contact(person, said, keys) for person, said in zip(made, details, strict=True)
        )
        facts = {"cohort": "2021", "region": "north", "started_on": "2021-01-11"}
        RosterFacts.objects.bulk_create(RosterFacts(participant=person, values=facts) for person in made)
        for person, said in zip(made, details, strict=True):
            Lookup.objects.bulk_create(lookups_of(person, said))
        return made

    return enrol


@pytest.fixture
def planned(study):
    """A function that plans a message for each of some people, due now."""

    def plan(people, contact=WEEKLY, occasion=1, *, due=None, within=timedelta(days=3), **fields):
        due = due or now()
        said = {"channel": "email", "carrier": "smtp", "due_at": due, "next_at": due, "last_at": due + within}
        with writing():
            return Dispatch.objects.bulk_create(
                Dispatch(study=study, participant=one, contact=contact, occasion=occasion, **(said | fields))
                for one in people
            )

    return plan


def send(carrier="smtp"):
    """What a worker does with what is due."""
    return send_due(carrier, stop=lambda: False)


class Worker:
    """A process that sends what is due, once."""

    running: ClassVar[set[int]] = set()

    def __init__(self, do=send, **environment):
        connections.close_all()
        self.number = os.fork()
        self.running.add(self.number)
        if self.number == 0:
            code = 1
            try:
                os.environ.update(environment)
                do()
                code = 0
            finally:
                connections.close_all()
                os._exit(code)

    def tell(self, what):
        """Send it a signal."""
        os.kill(self.number, what)

    def end(self):
        """Wait for its end; its exit code, or minus the signal that killed it."""
        _, status = os.waitpid(self.number, 0)
        self.running.discard(self.number)
        return os.waitstatus_to_exitcode(status)

    def killed(self):
        """Wait until it was killed."""
        assert self.end() == -signal.SIGKILL


@pytest.fixture(autouse=True)
def nobody_is_left(mail):
    """A test that fails leaves no worker behind, which would hold on to the database."""
    yield
    for number in list(Worker.running):
        os.kill(number, signal.SIGKILL)
        os.waitpid(number, 0)
        Worker.running.discard(number)


@pytest.fixture
def rescued(monkeypatch):
    """A function that lets the time of rescues pass: everything that can be settled is, and sent again."""

    def pass_by():
        past = beats.real_now() - timedelta(hours=1)
        with writing():
            Dispatch.objects.filter(state="claimed").update(lease_until=past)
            WorkerBeat.objects.update(at=past)
        with monkeypatch.context() as hasty:
            hasty.setenv("EQUIPOISE_HASTE", "2000")
            rescue()
            time.sleep(0.05)
            rescue()
        Dispatch.objects.filter(state="unknown", lease_until__isnull=False).update(lease_until=past)
        rescue()

    return pass_by


def states():
    """How many dispatches are in each state."""
    return Counter(Dispatch.objects.values_list("state", flat=True))


def often(sink):
    """How often the mail server took each dispatch."""
    return Counter(reference for _, reference, _ in sink.taken)
