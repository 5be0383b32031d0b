"""What the tests of people share: rosters that can be changed, and studies with people in them."""

import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.test import Client
from tests.platform.people.browsing import Browser

HEADER = "Trainee ID,Email,Mobile,Region,Start date"
CONSENT = {"version": "w1", "notice": "n1", "language": "en-GB", "channel": "web", "actor": "participant:x"}


@pytest.fixture
def line():
    """A function that makes a line of a roster of `swing`: a made-up person with a drama telephone number."""

    def make(number, *, email=None, mobile=None, region="north", started="2020-07-13"):
        mobile = f"07700 900{number:03d}" if mobile is None else mobile
        return (
            f"T20-{number:04d},{email or f'person.{number}@trainees.example.org'},{mobile},{region},{started}"
        )

    return make


@pytest.fixture
def roster(tmp_path):
    """A function that writes a roster of `swing`; its name finds the mapping stored with the study."""

    def write(*lines, name="cohort-2020.csv", header=HEADER):
        path = tmp_path / name
        path.write_text("\n".join([header, *lines]) + "\n", "utf-8")
        return path

    return write


@pytest.fixture
def imported(swing, alice, roster, line):
    """An import of ten people into `swing`."""
    from equipoise.platform.people.actions import confirm_import

    return confirm_import(alice, swing, roster(*(line(number) for number in range(10))))


@pytest.fixture
def people(imported):
    """The ten people of that import."""
    return list(imported.participants.select_related("study").order_by("pk"))


@pytest.fixture
def consent():
    """How a consent was given, for `record_consents`."""
    return dict(CONSENT)


@pytest.fixture
def commit(swing, at):
    """A function that fixes who is to be drawn in `swing`, as its own action does."""

    def do():
        at(datetime(2021, 3, 1, 10, tzinfo=UTC))
        swing.stages.update(state="committed")

    return do


@pytest.fixture
def rolling(add_example, alice):
    """`swing` as a study whose people come one by one, ready for the first of them."""
    from equipoise.platform.people.allocation import commit_stage, hand_in_secret
    from equipoise.platform.registry.actions import move_study

    def change(folder):
        path = folder / "protocol.yaml"
        text = path.read_text("utf-8").replace("participants:\n", "participants:\n  enrolment: rolling\n")
        text = text.replace("method: blocked", "method: permuted-blocks").replace(
            "when: launch\n", "when: enrolled\n"
        )
        path.write_text(text, "utf-8")

    study = add_example("swing", change)
    hand_in_secret(alice, study.stages.get(), bytes(range(32)).hex())
    commit_stage(alice, study.stages.get())
    return move_study(alice, study, "live")


@pytest.fixture
def everywhere(caplog, capfd):
    """A function that gives everything that was logged, printed or recorded so far."""
    from equipoise.platform.audit.models import Entry
    from equipoise.platform.logs import OneLine

    def text():
        out = capfd.readouterr()
        entries = " ".join(map(str, Entry.objects.values_list("actor", "verb", "details")))
        return " ".join([*map(OneLine().format, caplog.records), out.out, out.err, entries])

    return text


@pytest.fixture
def queries():
    """Counts the statements of a block."""
    from contextlib import contextmanager

    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    @contextmanager
    def counting():
        found = SimpleNamespace(count=0)
        with CaptureQueriesContext(connection) as captured:
            yield found
        found.count = len(captured)

    return counting


@pytest.fixture
def signed_in(members, settings):
    """A function that gives the browser of a member who has signed in with their second factor."""
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    def enter(name="Alice"):
        member = members[name]
        TOTP.activate(member, generate_totp_secret())
        client = Client(HTTP_HOST="localhost", HTTP_ORIGIN="https://localhost")
        client.force_login(member)
        session = client.session
        session["account_authentication_methods_user"] = str(member.pk)
        session["account_authentication_methods"] = [{"method": "mfa", "type": "totp", "at": time.time()}]
        session.save()
        return Browser(client)

    return enter


@pytest.fixture
def browser(swing, signed_in):
    """Alice's browser."""
    return signed_in()


@pytest.fixture
def content(line):
    """Text of a roster of some people."""

    def make(*numbers, **changes):
        header = "Trainee ID,Email,Mobile,Region,Start date"
        return "\n".join([header, *(line(number, **changes) for number in numbers)]) + "\n"

    return make
