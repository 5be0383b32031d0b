"""Time stamps of a lock: asked for in a file, answered by an authority of our own, checked without a network."""

import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from equipoise.errors import CheckFailedError, InputError
from equipoise.protocol.certificate_order import with_certificates_in_order
from equipoise.protocol.timestamp import read_certificates, read_response, stamp_request, verified_stamp

LOCK = b'{\n "equipoise": 1\n}\n'
SETTINGS = """
[tsa]
default_tsa = ours
[ours]
serial = {folder}/serial
signer_cert = {folder}/signer.pem
signer_key = {folder}/signer.key
certs = {folder}/between.pem
signer_digest = sha256
default_policy = 1.2.3.4
digests = {digests}
ess_cert_id_chain = no
"""


class Authority:
    """A root, a certificate between, and the one that signs stamps; OpenSSL answers for it."""

    def __init__(self, folder, *, signs_stamps=True, ended=False):
        self.folder = folder
        folder.mkdir()
        self.now = datetime.now(UTC)
        root, root_key = self._certificate("Root of Time")
        between, between_key = self._certificate("Stamps of Time", issuer=(root, root_key))
        usage = ExtendedKeyUsageOID.TIME_STAMPING if signs_stamps else ExtendedKeyUsageOID.CODE_SIGNING
        days = -1 if ended else 365
        signer, key = self._certificate("Clock 7", issuer=(between, between_key), usage=usage, days=days)
        self.root, self.between = (each.public_bytes(Encoding.PEM) for each in (root, between))
        (folder / "signer.pem").write_bytes(signer.public_bytes(Encoding.PEM))
        (folder / "between.pem").write_bytes(self.between)
        (folder / "signer.key").write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )

    def answer(self, request, digests="sha256"):
        settings, asked, answered = (
            self.folder / name for name in ("openssl.cnf", "asked.tsq", "answer.tsr")
        )
        settings.write_text(SETTINGS.format(folder=self.folder, digests=digests))
        (self.folder / "serial").write_text("01\n")
        asked.write_bytes(request)
        words = ["-reply", "-config", settings, "-queryfile", asked, "-out", answered]
        subprocess.run(["openssl", "ts", *words], check=False, capture_output=True)
        return answered.read_bytes()

    def _certificate(self, name, issuer=None, usage=None, days=365):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signed_by, signing = issuer or (None, key)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(signed_by.subject if signed_by else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - timedelta(days=2))
            .not_valid_after(self.now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=usage is None, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
            )
        )
        if usage is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
        return builder.sign(signing, SHA256()), key


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("time") / "authority")


def certificates(authority):
    return read_certificates(authority.root + authority.between, "authority.pem")


def test_a_stamp_says_the_time_and_the_authority(authority):
    answer = authority.answer(stamp_request(LOCK))
    found = verified_stamp(answer, LOCK, certificates(authority), place="lock.json.tsr")
    assert found.authority == "CN=Clock 7"
    assert abs(found.time - authority.now) < timedelta(minutes=10)
    assert found.time.tzinfo is UTC


def test_openssl_checks_the_same_as_the_documentation_says(authority, tmp_path):
    for name, content in (
        ("lock.json", LOCK),
        ("lock.json.tsr", authority.answer(stamp_request(LOCK))),
        ("authority.pem", authority.root + authority.between),
    ):
        (tmp_path / name).write_bytes(content)
    words = ["-verify", "-data", "lock.json", "-in", "lock.json.tsr", "-CAfile", "authority.pem"]
    subprocess.run(["openssl", "ts", *words], cwd=tmp_path, check=True, capture_output=True)


def test_the_root_alone_is_enough_where_the_answer_brings_the_rest(authority):
    answer = authority.answer(stamp_request(LOCK))
    root = read_certificates(authority.root, "root.pem")
    assert verified_stamp(answer, LOCK, root, place="lock.json.tsr").authority == "CN=Clock 7"


def test_a_lock_is_always_asked_about_in_the_same_words():
    assert stamp_request(LOCK) == stamp_request(LOCK)
    assert stamp_request(LOCK) != stamp_request(LOCK + b" ")


def test_any_client_may_have_asked(authority, tmp_path):
    lock, request = tmp_path / "lock.json", tmp_path / "other.tsq"
    lock.write_bytes(LOCK)
    words = ["-query", "-data", lock, "-sha512", "-cert", "-out", request]
    subprocess.run(["openssl", "ts", *words], check=True, capture_output=True)
    answer = authority.answer(request.read_bytes(), digests="sha512")
    assert verified_stamp(answer, LOCK, certificates(authority), place="x").authority == "CN=Clock 7"


def test_a_stamp_of_another_lock_fails_even_without_certificates(authority):
    answer = authority.answer(stamp_request(LOCK))
    with pytest.raises(CheckFailedError, match=r"lock\.json\.tsr: stamps another file"):
        read_response(answer, LOCK + b" ", place="lock.json.tsr")


def test_somebody_elses_stamp_fails(authority, tmp_path):
    other = Authority(tmp_path / "other")
    with pytest.raises(CheckFailedError, match="not stamped by this authority"):
        verified_stamp(other.answer(stamp_request(LOCK)), LOCK, certificates(authority), place="x")


def test_a_stamp_that_was_changed_fails(authority):
    answer = bytearray(authority.answer(stamp_request(LOCK)))
    answer[-1] ^= 1
    with pytest.raises(CheckFailedError, match="not stamped by this authority"):
        verified_stamp(bytes(answer), LOCK, certificates(authority), place="x")


def test_a_refusal_is_no_stamp(authority):
    answer = authority.answer(stamp_request(LOCK), digests="sha512")
    with pytest.raises(InputError, match="granted no time stamp"):
        read_response(answer, LOCK, place="lock.json.tsr")


@pytest.mark.parametrize("content", [b"", b"<html>busy</html>", stamp_request(LOCK)])
def test_a_file_that_is_no_answer_is_refused(content):
    with pytest.raises(InputError, match="no answer of a time-stamping authority"):
        read_response(content, LOCK, place="lock.json.tsr")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "cannot be read"),
    ],
)
def test_a_file_without_certificates_is_refused(content, said):
    with pytest.raises(InputError, match=said):
        read_certificates(content, "authority.pem")


def test_certificates_without_a_root_are_refused(authority):
    answer = authority.answer(stamp_request(LOCK))
    with pytest.raises(InputError, match="add the authority's root"):
        verified_stamp(answer, LOCK, read_certificates(authority.between, "x"), place="x")


def test_certificates_in_the_order_of_the_chain_are_put_in_order_once(authority):
    answer = authority.answer(stamp_request(LOCK))
    ordered = with_certificates_in_order(answer)
    assert len(ordered) == len(answer)
    assert with_certificates_in_order(ordered) == ordered


@given(st.binary(max_size=60), st.integers(0, 400))
def test_whatever_the_bytes_putting_them_in_order_only_ever_moves_them(content, cut):
    for data in (content, b"\x30\x82\x01" + content, stamp_request(LOCK)[:cut] + content):
        assert sorted(with_certificates_in_order(data)) == sorted(data)
