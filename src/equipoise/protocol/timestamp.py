"""Anchoring a lock in time: the word of an authority that `lock.json` was there, checked without a network.

An authority of RFC 3161 signs the SHA-256 of the file with the time. The request and the response are files
beside the lock; who carries them to the authority and back is the user with any client.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from equipoise.errors import CheckFailedError, InputError, Problem
from equipoise.protocol.certificate_order import with_certificates_in_order

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse

__all__ = [
    "REQUEST",
    "RESPONSE",
    "TimeStamp",
    "read_certificates",
    "read_response",
    "stamp_request",
    "verified_stamp",
]

REQUEST = "lock.json.tsq"
RESPONSE = "lock.json.tsr"
_GRANTED = 0
_HASHES = {
    f"2.16.840.1.101.3.4.2.{place}": name for place, name in enumerate(("sha256", "sha384", "sha512"), 1)
}
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class TimeStamp:
    """When an authority saw a file.

    Attributes:
        time: as the authority says it, in UTC.
        authority: the name in the certificate that signed.
    """

    time: datetime
    authority: str


def stamp_request(lock: bytes) -> bytes:
    """The file that asks an authority to stamp a lock: the same for the same lock.

    It holds no nonce: the hash of a lock is asked for once, so an old answer is an answer.

    Args:
        lock: the bytes of `lock.json`.
    """
    from rfc3161_client import TimestampRequestBuilder
    from rfc3161_client.base import HashAlgorithm

    wanted = TimestampRequestBuilder().data(lock).hash_algorithm(HashAlgorithm.SHA256)
    return bytes(wanted.nonce(nonce=False).cert_request(cert_request=True).build().as_bytes())


def read_certificates(text: bytes, place: str) -> tuple["Certificate", ...]:
    """The certificates of an authority, root and intermediates, in a file of PEM blocks.

    Raises:
        InputError: none in it, or one that cannot be read.
    """
    from cryptography.x509 import load_pem_x509_certificate

    blocks = _PEM.findall(text)
    if not blocks:
        message = "holds no certificate; give the authority's, in PEM (-----BEGIN CERTIFICATE-----)"
        raise InputError(Problem(place, "", message))
    try:
        return tuple(load_pem_x509_certificate(block) for block in blocks)
    except ValueError as error:
        message = f"holds a certificate that cannot be read ({error}); take the authority's file as it came"
        raise InputError(Problem(place, "", message)) from None


def verified_stamp(
    response: bytes, lock: bytes, certificates: Sequence["Certificate"], *, place: str
) -> TimeStamp:
    """The time stamp of a lock, if the response is an authority's and for these very bytes.

    The certificates have to be valid at the time that was stamped, not today.

    Args:
        response: as the authority answered.
        lock: the bytes of `lock.json`.
        certificates: the authority's, one of them self-signed; trusted because the caller gives them.
        place: the response's file, for messages.
    Raises:
        InputError: no response, or one that says no.
        CheckFailedError: it stamps other bytes, or was signed by somebody else.
    """
    from rfc3161_client import VerificationError, VerifierBuilder

    found = read_response(response, lock, place=place)
    roots = [each for each in certificates if each.issuer == each.subject]
    if not roots:
        message = "none of the certificates is a root, which signs itself; add the authority's root"
        raise InputError(Problem("--authority", "", message))
    between = [each for each in certificates if each.issuer != each.subject]
    try:
        VerifierBuilder(roots=roots, intermediates=between).build().verify_message(found, lock)
    except VerificationError as error:
        raise CheckFailedError(f"{place}: not stamped by this authority ({error})") from None
    return TimeStamp(found.tst_info.gen_time.astimezone(UTC), _signer(found))


def read_response(response: bytes, lock: bytes, *, place: str) -> "TimeStampResponse":
    """An authority's response, if it is one and about these bytes; who signed it is not looked at.

    Raises:
        InputError: no response, or one that says no.
        CheckFailedError: it stamps other bytes.
    """
    from rfc3161_client import decode_timestamp_response

    try:
        found = decode_timestamp_response(with_certificates_in_order(response))
    except ValueError:
        message = "is no answer of a time-stamping authority (RFC 3161); ask again, and keep what comes back"
        raise InputError(Problem(place, "", message)) from None
    if found.status != _GRANTED:
        said = ", ".join(found.status_string) or f"status {found.status}"
        raise InputError(Problem(place, "", f"the authority granted no time stamp ({said}); ask again"))
    imprint = found.tst_info.message_imprint
    algorithm = _HASHES.get(imprint.hash_algorithm.dotted_string)
    if algorithm is None:
        message = f"stamps a hash of a kind that is not read here; ask again with {REQUEST}"
        raise InputError(Problem(place, "", message))
    if imprint.message != hashlib.new(algorithm, lock).digest():
        raise CheckFailedError(f"{place}: stamps another file than this lock.json")
    return found


def _signer(response: "TimeStampResponse") -> str:
    """The name in the certificate that signed, or the name that the stamp gives where it holds none."""
    from cryptography.x509 import load_der_x509_certificate

    info = next(iter(response.signed_data.signer_infos))
    for content in response.signed_data.certificates:
        certificate = load_der_x509_certificate(content)
        if (certificate.issuer, certificate.serial_number) == (info.issuer, info.serial_number):
            return str(certificate.subject.rfc4514_string())
    return str(info.issuer.rfc4514_string())
