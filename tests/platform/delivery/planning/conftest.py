"""Studies that send, people in them with arms, and amendments. All people are made up."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as configured

from equipoise.cli import main
from equipoise.platform.clock import now
from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.fieldwork.models import Session
from equipoise.platform.people.models import Allocation, Participant, RosterFacts
from equipoise.platform.registry.actions import add_amendment, move_study
from equipoise.platform.registry.models import Stage
from equipoise.platform.workspace import Carriers, Limits

ARMS = ("control", "messages")


@pytest.fixture(autouse=True)
def carried(monkeypatch):
    """Somebody carries every channel; a function that says otherwise, or sets limits."""

    def say(limits=None, **carriers):
        told = {"email": "smtp", "sms": "notify", **carriers}
        read = {name: Limits(**each) for name, each in (limits or {}).items()}
        changed = {"carriers": Carriers(**told, limits=read)}
        monkeypatch.setattr(
            configured.WORKSPACE, "settings", configured.WORKSPACE.settings.model_copy(update=changed)
        )

    say()
    return say


@pytest.fixture
def rewritten():
    """A function that makes a change of a folder: texts of its protocol replaced by others."""

    def change(*pairs):
        def apply(folder):
            path = folder / "protocol.yaml"
            text = path.read_text("utf-8")
            for before, after in pairs:
                assert before in text, before
                text = text.replace(before, after)
            path.write_text(text, "utf-8")

        return apply

    return change


@pytest.fixture
def enrol():
    """A function that enrols so many people in a study, with what the roster says of them."""

    def add(study, number, **facts):
        people = [Participant(study=study, enrolled_at=now()) for _ in range(number)]
        people = Participant.objects.bulk_create(people)
        values = {"cohort": "2021", "region": "north", "started_on": "2021-01-11", **facts}
        RosterFacts.objects.bulk_create(RosterFacts(participant=each, values=values) for each in people)
        return people

    return add


@pytest.fixture
def draw():
    """A function that gives people the arms of a stage in turn, as a draw leaves them."""

    def give(study, people, arms=ARMS, stage="main"):
        held = Stage.objects.get(study=study, name=stage)
        Allocation.objects.bulk_create(
            Allocation(stage=held, participant=each, stratum="", arm=arms[place % len(arms)], at=now())
            for place, each in enumerate(people)
        )
        Stage.objects.filter(pk=held.pk).update(state="drawn")

    return give


@pytest.fixture
def answer():
    """A function by which people finish a wave."""

    def done(study, people, wave, state="complete"):
        for each in people:
            Session.objects.create(
                participant=each,
                study=study,
                wave=wave,
                code=f"c{each.pk}{wave}"[:12],
                state=state,
                language="en-GB",
                version=1,
                wording="w",
                order={},
                started_at=now(),
                ended_at=now(),
            )

    return done


@pytest.fixture
def amend(tmp_path, alice):
    """A function that changes the example's folder, records it as an amendment, and puts it in force."""

    def put(study, before="", after="", *, stops=False, file="protocol.yaml"):
        folder = tmp_path / "folders" / study.name
        path = folder / file
        text = path.read_text("utf-8")
        assert before in text
        path.write_text(text.replace(before, after, 1), "utf-8")
        said = ["--by", "Alice (synthetic)", "--reason", "It has to be", "--data-seen", "none", "--quiet"]
        with pytest.raises(SystemExit) as done:
            main(["amend", str(folder), *said, *(["--stops"] if stops else [])])
        assert done.value.code == 0
        add_amendment(alice, study, folder)
        study.refresh_from_db()
        return study

    return put


@pytest.fixture
def launched(add_example, alice):
    """A function that adds an example, changed, and launches it."""

    def launch(change=None, name="swing"):
        return move_study(alice, add_example(name, change), "live")

    return launch


@pytest.fixture
def rows():
    """A function that counts a study's dispatches by contact, occasion and state."""

    def counted(study, **narrow):
        found = {}
        for row in Dispatch.objects.filter(study=study, **narrow).order_by("contact", "occasion", "state"):
            key = (row.contact, row.occasion, row.state)
            found[key] = found.get(key, 0) + 1
        return found

    return counted


@pytest.fixture
def later(at):
    """A function that moves the clock on, or back."""

    def move(**by):
        moment = now() + timedelta(**by)
        at(moment)
        return moment

    return move


@pytest.fixture
def on(at):
    """A function that sets the clock to a time of 2021 in UTC."""
    return lambda month, day, hour=9, minute=0: at(datetime(2021, month, day, hour, minute, tzinfo=UTC))
