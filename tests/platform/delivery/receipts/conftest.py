"""People of a live study who were sent texts, and a provider that tells of them."""

from datetime import timedelta

import pytest
from tests.platform.people.conftest import HEADER

from equipoise.platform.clock import now
from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.people.actions import confirm_import
from equipoise.platform.workspace import Carriers, Notify

TOKEN = "a token of the tests"  # noqa: S105
KEY = "test_key-11111111-1111-1111-1111-111111111111-22222222-2222-2222-2222-222222222222"


@pytest.fixture
def people(swing, alice, tmp_path):
    """Three people with numbers; the first two share one."""
    numbers = ("07700 900123", "07700 900123", "07700 900124")
    lines = [
        f"T20-{at:04d},person.{at}@trainees.example.org,{number},north,2020-07-13"
        for at, number in enumerate(numbers)
    ]
    path = tmp_path / "cohort-2020.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n", "utf-8")
    return list(confirm_import(alice, swing, path).participants.select_related("study").order_by("pk"))


@pytest.fixture
def sent(people):
    """A function that makes a dispatch as it stands once it went out."""

    def make(person=None, occasion=1, *, state="sent", ago=timedelta(hours=1), **more):
        person = person or people[0]
        at = now() - ago
        reference = f"{person.pk:016x}{occasion:016x}"
        said = {"reference": reference, "provider_id": f"id-{reference}", "sent_at": at, **more}
        return Dispatch.objects.create(
            study=person.study,
            participant=person,
            contact="weekly-message",
            occasion=occasion,
            channel="sms",
            carrier="notify",
            due_at=at,
            next_at=at,
            last_at=at + timedelta(days=7),
            state=state,
            **said,
        )

    return make


@pytest.fixture
def carried(settings, monkeypatch):
    """A function by which Notify carries texts and e-mails; its address may be a server's."""

    def by(address="http://127.0.0.1:9", key=KEY):
        template = "33333333-3333-3333-3333-333333333333"
        named = Notify(key="test", address=address, email_template=template, sms_template=template)
        changed = settings.WORKSPACE.settings.model_copy(
            update={"notify": named, "carriers": Carriers(email="notify", sms="notify")}
        )
        monkeypatch.setattr(settings.WORKSPACE, "settings", changed)
        monkeypatch.setenv(named.key_from, key)
        monkeypatch.setenv(named.callback_from, TOKEN)

    by()
    return by
