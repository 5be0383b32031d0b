"""Where the allocation's seed comes from, so that nobody can have chosen it.

    lock      SHA-256(secret) is published: the team can no longer change its secret
    roster    its hash is recorded: nobody can be added, dropped or moved without a trace
    an hour   later, or more, a public beacon gives a value that nobody knew before
    seed      HKDF-SHA256(ikm = secret || value, salt = roster hash, info), where info is the text
              'equipoise/1/' || protocol hash || '/' || stage

Without the public value the team could have tried secrets until it liked the draw; the record then says so.
With rolling enrolment there is no roster yet, and the protocol's hash is the salt.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from equipoise.allocation.text import normalised
from equipoise.errors import InputError, Problem

__all__ = [
    "GIVEN",
    "PublicRound",
    "Seed",
    "SeedSource",
    "commitment",
    "derive_seed",
    "first_round",
    "given_seed",
    "hkdf",
]

SeedSource = Literal[
    "team secret and public round",
    "team secret alone",
    "given on the command line: tests and rehearsals only",
]
GIVEN: SeedSource = "given on the command line: tests and rehearsals only"
BYTES = 32  # of a secret, a public value and a seed; fixed, so that joining them cannot be read in two ways
SIGNATURE = 48  # bytes of a beacon's signature
WAIT = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class PublicRound:
    """One value of a public beacon such as drand.

    Attributes:
        number: the round, counted from 1.
        randomness: its 32 bytes, in hexadecimal.
        genesis: when round 1 appeared, in seconds since 1970 UTC; with `period`, lets anyone check the
            choice.
        period: seconds between rounds.
        signature: the beacon's own, in hexadecimal, where it was kept; see `Beacon.signed`.
    """

    number: int
    randomness: str
    genesis: int | None = None
    period: int | None = None
    signature: str | None = None

    def __post_init__(self) -> None:
        _bytes(self.randomness, "round", "the round's randomness")
        if self.signature is not None:
            _bytes(self.signature, "round", "the round's signature", SIGNATURE)
        if self.number < 1:
            raise InputError(Problem("", "round", f"round {self.number}: rounds are counted from 1."))

    @classmethod
    def read(cls, text: str) -> "PublicRound":
        """Read `NUMBER:HEX` or `NUMBER:HEX:SIGNATURE`, as written on a command line."""
        number, *digits = text.strip().lower().split(":")
        if not (len(digits) in (1, 2) and number.isascii() and number.isdigit() and len(number) < 20):
            message = (
                f'found "{text[:300]}", expected the round\'s number, a colon and its 64 hexadecimal digits; '
                "after another colon, its signature."
            )
            raise InputError(Problem("", "round", message))
        return cls(int(number), digits[0], signature=digits[1] if digits[1:] else None)


@dataclass(frozen=True)
class Seed:
    """A stage's seed and how it came about; its value is left out of every printed form.

    Attributes:
        value: 32 bytes, secret until enrolment has closed.
        source: in words.
        commitment: SHA-256 of the secret (of the seed itself where that was given), in hexadecimal.
        public_round: the beacon's value that went in, if any did.
    """

    value: bytes = field(repr=False)
    source: SeedSource
    commitment: str
    public_round: PublicRound | None = None

    @property
    def could_have_been_chosen(self) -> bool:
        """Whether nothing public went into it."""
        return self.public_round is None


def commitment(secret: bytes) -> str:
    """What the lock publishes of a secret: SHA-256, in hexadecimal."""
    return hashlib.sha256(secret).hexdigest()


def derive_seed(
    secret: bytes,
    *,
    protocol_hash: str,
    stage: str,
    roster_hash: str | None,
    public_round: PublicRound | None = None,
) -> Seed:
    """The seed of one stage.

    Args:
        secret: the team's 32 random bytes.
        protocol_hash: SHA-256 of the locked protocol, in hexadecimal.
        stage: the stage's name (`main` where there is one).
        roster_hash: as `roster_hash` gives it; None with rolling enrolment, when the protocol's hash stands
            in.
        public_round: the first round at least an hour after the roster's hash was recorded; None if there is
            none.
    Raises:
        InputError: a secret or hash of the wrong length.

    Krawczyk & Eronen (2010), RFC 5869.
    """
    if len(secret) != BYTES:
        raise InputError(
            Problem(
                "", "secret", f"found {len(secret)} bytes, expected {BYTES}; make a new one and commit to it."
            )
        )
    salt = _bytes(roster_hash or protocol_hash, "roster hash" if roster_hash else "protocol hash", "the hash")
    _bytes(protocol_hash, "protocol hash", "the hash")
    public = bytes.fromhex(public_round.randomness) if public_round else b""
    info = f"equipoise/1/{protocol_hash.lower()}/{normalised([stage], 'stage')[0]}".encode()
    source: SeedSource = "team secret and public round" if public_round else "team secret alone"
    return Seed(hkdf(secret + public, salt=salt, info=info), source, commitment(secret), public_round)


def given_seed(text: str) -> Seed:
    """A seed of 64 hexadecimal digits given outright: for tests and rehearsals, and recorded as such."""
    value = _bytes(text, "seed", "a seed")
    return Seed(value, GIVEN, commitment(value))


def hkdf(ikm: bytes, *, salt: bytes, info: bytes, length: int = BYTES) -> bytes:
    """HKDF with SHA-256 (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(ikm)


def first_round(recorded: datetime, *, genesis: int, period: int) -> int:
    """The number of the first round at least one hour after the roster's hash was recorded.

    Args:
        recorded: when, with its zone.
        genesis: when the beacon's round 1 appeared, in seconds since 1970 UTC.
        period: seconds between rounds.
    """
    if recorded.tzinfo is None:
        raise InputError(
            Problem("", "recorded", f"{recorded.isoformat()} has no time zone; write it in UTC.")
        )
    if period < 1:
        raise InputError(Problem("", "period", f"{period} seconds between rounds; expected at least 1."))
    wait = recorded.astimezone(UTC) + WAIT - _EPOCH - timedelta(seconds=genesis)
    return max(1, -(-wait // timedelta(seconds=period)) + 1)


def _bytes(text: str, where: str, what: str, count: int = BYTES) -> bytes:
    """Bytes written in hexadecimal."""
    if len(text) != 2 * count or any(digit not in "0123456789abcdefABCDEF" for digit in text):
        message = f"{what} must be {2 * count} hexadecimal digits; found {len(text)} characters that are not."
        raise InputError(Problem("", where, message))
    return bytes.fromhex(text)
