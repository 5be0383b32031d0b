"""Secrets: enough chance in them, kept as hashes or encrypted, bound to whose they are, and never said."""

import base64
import json
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings as configured
from django.test import Client
from tests.platform.conftest import SECRET
from tests.platform.fieldwork.conftest import enrolled

from equipoise.errors import CheckFailedError, InputError
from equipoise.platform import crypto
from equipoise.platform.fieldwork.models import Link
from equipoise.platform.operations.checks import examine
from equipoise.platform.people.allocation import hand_in_secret
from equipoise.platform.people.contacts import contact_of, sealed_contact, wrapping_keys
from equipoise.platform.people.models import ContactDetails
from equipoise.platform.settings.databases import databases


def test_a_token_has_160_bits_of_the_systems_own_chance(monkeypatch):
    asked = []
    chance = crypto.secrets.token_bytes
    monkeypatch.setattr(crypto.secrets, "token_bytes", lambda size: asked.append(size) or chance(size))
    made = {crypto.token() for _ in range(1000)}
    assert set(asked) == {20}
    assert len(made) == 1000
    assert {len(base64.b32decode(each.upper())) for each in made} == {20}


def test_of_a_link_only_its_hash_is_stored(link):
    stored = json.dumps(list(Link.objects.values()), default=str)
    assert Link.objects.count() == 2
    for address in link:
        assert address.rpartition("/")[2] not in stored
        assert crypto.token_hash(address.rpartition("/")[2]) in stored


def test_the_details_of_two_people_cannot_be_exchanged(swing):
    one, other = enrolled(swing, 2)
    for person, address in ((one, "one@example.org"), (other, "other@example.org")):
        sealed_contact(person, {"email": address}, wrapping_keys()).save()
    assert contact_of(one) == {"email": "one@example.org"}
    theirs = ContactDetails.objects.get(participant=other)
    for fields in (("sealed",), ("data_key",), ("sealed", "data_key")):
        mine = ContactDetails.objects.get(participant=one)
        before = {name: getattr(mine, name) for name in fields}
        for name in fields:
            setattr(mine, name, getattr(theirs, name))
        mine.save()
        with pytest.raises(CheckFailedError, match="belongs to another person"):
            contact_of(one)
        for name, value in before.items():
            setattr(mine, name, value)
        mine.save()
    assert contact_of(one) == {"email": "one@example.org"}


def test_the_same_text_is_never_encrypted_to_the_same_bytes():
    key = crypto.new_data_key()
    made = {crypto.seal(key, "07700 900123", "somebody", "contact") for _ in range(100)}
    assert len(made) == 100


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://equipoise:hushhush%zz@db.example.org/trials",
        "postgresql://equipoise:hushhush hushhush@db.example.org/trials",
        "postgresql://equipoise:hushhush@[db.example.org/trials",
        "mysql://equipoise:hushhush@db.example.org/trials",
        "postgresql://equipoise:secret@db.example.org/trials?hushhush=1",
    ],
)
def test_an_address_of_the_database_that_cannot_be_read_is_refused_without_its_password(address):
    with pytest.raises(InputError) as refused:
        databases(Path(), address)
    assert "expected postgresql://NAME:PASSWORD@HOST/DATABASE" in str(refused.value)
    assert "hushhush" not in str(refused.value)


def test_neither_the_settings_nor_the_workspace_show_a_key_when_they_are_printed():
    from django.conf import settings
    from django.views.debug import SafeExceptionReporterFilter

    workspace = settings.WORKSPACE
    keys = [workspace.key("signing").hex(), workspace.key("lookup").hex()]
    told = f"{workspace!r} {workspace.settings!r} {SafeExceptionReporterFilter().get_safe_settings()}"
    assert not any(key in told for key in keys)


@pytest.mark.django_db(transaction=True)
def test_no_secret_is_told_by_the_doctor_by_a_fault_or_by_the_rows_of_the_database(swing, alice, monkeypatch):
    workspace = configured.WORKSPACE
    hand_in_secret(alice, swing.stages.get(), SECRET.hex())
    names = ["signing", "lookup", *workspace.contact_keys()]
    secrets = {workspace.key(name).hex() for name in names} | {SECRET.hex(), configured.SECRET_KEY}
    monkeypatch.setattr(configured, "EMAIL_HOST_PASSWORD", "hushhush of the mail")
    told = [str(each) for each in examine(workspace)]
    assert len(told) > 8
    told += [str(list(model._base_manager.values())) for model in apps.get_models(include_auto_created=True)]
    told.append(_fault(monkeypatch, " ".join(secrets)))
    assert not {secret for secret in (*secrets, "hushhush") if secret in " ".join(told).lower()}


def _fault(monkeypatch, words):
    """The page of a fault whose words are these."""

    def fails(text):
        raise RuntimeError(words)

    monkeypatch.setattr("equipoise.platform.fieldwork.views.landing.find_link", fails)
    page = Client(raise_request_exception=False).get("/s/x", secure=True)
    assert page.status_code == 500
    return page.content.decode()
