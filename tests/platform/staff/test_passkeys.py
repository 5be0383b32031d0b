"""Passkeys as the server sees them; a browser makes and shows one in the tests of the browser."""

import hashlib
import json
import re
from html import unescape

import pytest
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from .conftest import Desk

pytestmark = pytest.mark.django_db
NEW = "/staff/passkeys/new"
NONE = (
    "",
    "not json",
    "{}",
    "[]",
    '"text"',
    "null",
    '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}',
    '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "AA", '
    '"attestationObject": "AA", "authenticatorData": "AA", "signature": "AA"}}',
)


class Key:
    """A security key in software: it makes one passkey, and shows it to whom and for what a test says."""

    def __init__(self, host="localhost", name=b"a passkey of a test"):
        self.private, self.host, self.name = ec.generate_private_key(ec.SECP256R1()), host, name

    def made(self, challenge):
        public = ES256.from_cryptography_key(self.private.public_key())
        kept = AttestedCredentialData.create(Aaguid(bytes(16)), self.name, public)
        said = {"attestationObject": AttestationObject.create("none", self._data(0x45, kept), {})}
        return self._sent("webauthn.create", challenge, said)

    def shown(self, challenge):
        data = self._data(0x05)
        signed = data + hashlib.sha256(self._client("webauthn.get", challenge)).digest()
        said = {"authenticatorData": data, "signature": self.private.sign(signed, ec.ECDSA(SHA256()))}
        return self._sent("webauthn.get", challenge, said)

    def _data(self, flags, kept=None):
        return AuthenticatorData.create(hashlib.sha256(self.host.encode()).digest(), flags, 0, kept or b"")

    def _client(self, kind, challenge):
        return CollectedClientData.create(kind, challenge, "http://localhost:8000")

    def _sent(self, kind, challenge, said):
        told = {"clientDataJSON": self._client(kind, challenge), **said}
        response = {name: websafe_encode(bytes(value)) for name, value in told.items()}
        name = websafe_encode(self.name)
        sent = {"id": name, "rawId": name, "type": "public-key", "response": response}
        return json.dumps({**sent, "clientExtensionResults": {}})


def stored(member, key=None):
    """A passkey of somebody, as if they had made it."""
    credential = json.loads((key or Key()).made("AA"))
    data = {"name": "my laptop", "credential": credential}
    return Authenticator.objects.create(user=member, type="webauthn", data=data)


def options(desk):
    return json.loads(unescape(re.search(r'data-options="([^"]*)"', desk.page.content.decode())[1]))[
        "publicKey"
    ]


def test_a_passkey_is_made_and_then_opens_the_office_in_place_of_a_code(signed_in, alice):
    key = Key()
    signed_in.get(NEW)
    signed_in.post(NEW, credential=key.made(options(signed_in)["challenge"]), name="my laptop")
    assert signed_in.path == "/staff/"
    desk = Desk()
    desk.enter_password()
    asked = options(desk)
    assert [each["id"] for each in asked["allowCredentials"]] == [websafe_encode(key.name)]
    desk.post("/staff/code", credential=key.shown(asked["challenge"]))
    assert desk.path == "/office/"


def test_a_passkey_shown_for_another_attempt_or_another_host_or_of_another_key_opens_nothing(app, alice):
    key, other = Key(), Desk()
    stored(alice, key)
    other.enter_password()
    desk = Desk()
    desk.enter_password()
    for wrong in (
        key.shown(options(other)["challenge"]),
        Key("evil.example").shown(options(desk)["challenge"]),
        Key().shown(options(desk)["challenge"]),
        Key(name=b"unknown").shown(options(desk)["challenge"]),
    ):
        desk.post("/staff/code", credential=wrong)
        assert desk.path == "/staff/code"
        assert "could not be checked" in desk.text
    right = key.shown(options(desk)["challenge"])
    desk.post("/staff/code", credential=right)
    assert desk.path == "/office/"
    again = Desk()
    again.enter_password()
    again.post("/staff/code", credential=right)
    assert again.path == "/staff/code"


def test_what_a_browser_sends_in_place_of_a_passkey_is_refused_in_words(signed_in):
    for sent in NONE:
        signed_in.get(NEW)
        page = signed_in.post(NEW, credential=sent, name="my laptop")
        assert page.status_code == 200, sent
        assert "made no passkey" in signed_in.text, sent
    assert not Authenticator.objects.filter(type="webauthn").exists()


def test_a_passkey_is_made_for_our_own_host_with_a_challenge_of_its_own(signed_in):
    signed_in.get(NEW)
    first = options(signed_in)
    signed_in.get(NEW)
    assert first["rp"]["id"] == "localhost"
    assert first["challenge"] != options(signed_in)["challenge"]
    assert "equipoise/passkey" in signed_in.page.content.decode()


def test_nothing_but_a_passkey_of_the_account_passes_in_place_of_a_code(app, alice):
    stored(alice)
    desk = Desk()
    desk.enter_password()
    assert len(options(desk)["allowCredentials"]) == 1
    for sent in NONE:
        desk.post("/staff/code", credential=sent)
        assert desk.path == "/staff/code", sent
        assert "could not be checked" in desk.text, sent
    desk.get("/office/")
    assert desk.path == "/staff/code"
    desk.enter_code(app.code())
    assert desk.path == "/office/"


def test_wrong_passkeys_are_counted_like_wrong_codes(app, alice):
    stored(alice)
    desk = Desk()
    desk.enter_password()
    for _ in range(10):
        desk.post("/staff/code", credential=NONE[-1])
    assert desk.page.status_code == 429
    desk.enter_code(app.code())
    assert desk.page.status_code == 429


def test_codes_go_on_working_beside_a_passkey_and_without_one_there_is_no_script(app, alice):
    desk = Desk()
    desk.enter_password()
    assert "passkey" not in desk.page.content.decode()
    stored(alice)
    other = Desk()
    other.enter_password()
    other.enter_code("000000")
    assert "Use a passkey" in other.text
    other.enter_code(app.code())
    assert other.path == "/office/"


def test_a_passkey_is_removed_by_its_owner_alone(signed_in, alice, members):
    hers = stored(alice)
    his = stored(members["Bob"])
    signed_in.get("/staff/passkeys")
    assert "my laptop" in signed_in.text
    assert signed_in.post(f"/staff/passkeys/{his.pk}/remove").status_code == 404
    signed_in.get(f"/staff/passkeys/{hers.pk}/remove")
    signed_in.post(f"/staff/passkeys/{hers.pk}/remove")
    assert list(Authenticator.objects.filter(type="webauthn")) == [his]
