"""The public beacon whose randomness goes into seeds: which of its rounds counts, and when it will be there.

Nothing here speaks to the beacon. A round's value is read by people or by a platform, from any of its
mirrors, and its signature is checked here where it is given too.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from equipoise.allocation.chance.seed import PublicRound, first_round
from equipoise.allocation.chance.signature import is_signed, randomness_of
from equipoise.errors import InputError, Problem

__all__ = ["QUICKNET", "Beacon", "ExpectedRound"]


@dataclass(frozen=True)
class Beacon:
    """A public source of randomness that publishes at fixed times.

    Attributes:
        name: as the beacon calls itself.
        chain: the hash that tells it from the operator's other beacons, in hexadecimal.
        genesis: when round 1 appeared, in seconds since 1970 UTC.
        period: seconds between rounds.
        address: where a round can be read, with `{chain}` and `{number}`.
        public_key: what its signatures are checked with, in hexadecimal.
    """

    name: str
    chain: str
    genesis: int
    period: int
    address: str
    public_key: str

    def expected(self, recorded: datetime) -> "ExpectedRound":
        """The round that decides a draw whose roster's hash (or lock) was recorded at this moment."""
        number = first_round(recorded, genesis=self.genesis, period=self.period)
        return ExpectedRound(number, self.appears(number), self.address_of(number))

    def appears(self, number: int) -> datetime:
        """When a round is published, in UTC.

        Raises:
            InputError: a round before the first.
        """
        if number < 1:
            raise InputError(Problem("", "round", f"round {number}: rounds are counted from 1."))
        seconds = self.genesis + (number - 1) * self.period
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)

    def address_of(self, number: int) -> str:
        """Where a round can be read."""
        return self.address.format(chain=self.chain, number=number)

    def public_round(self, number: int, randomness: str, signature: str | None = None) -> PublicRound:
        """A round with the beacon's times, by which anybody can check that no other could have been taken.

        Raises:
            InputError: a round before the first, randomness that is not 64 hexadecimal digits, or a signature
                that is not the beacon's of this value.
        """
        found = PublicRound(number, randomness.strip().lower(), self.genesis, self.period, signature)
        if signature is not None and not self.signed(found):
            message = f"round {number} with this value was not signed by {self.name}; copy all three again"
            raise InputError(Problem("", "round", f"{message} from {self.address_of(number)}"))
        return found

    def read(self, text: str) -> PublicRound:
        """Read `NUMBER:HEX` or `NUMBER:HEX:SIGNATURE`; what is signed is the beacon's, and has its times.

        Raises:
            InputError: anything else, or a signature that is not the beacon's.
        """
        found = PublicRound.read(text)
        if found.signature is None:
            return found
        return self.public_round(found.number, found.randomness, found.signature)

    def signed(self, found: PublicRound) -> bool:
        """Whether a round's value comes from its signature, and this from the beacon's key."""
        return (
            found.signature is not None
            and randomness_of(found.signature) == found.randomness.lower()
            and is_signed(found.number, found.signature, self.public_key)
        )


@dataclass(frozen=True)
class ExpectedRound:
    """A round that will count: its number, when it appears, and where it can then be read."""

    number: int
    appears: datetime
    address: str


# drand's network "quicknet" of the League of Entropy, a round every three seconds. Source: the network's own
# description, https://api.drand.sh/52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971/info
QUICKNET = Beacon(
    name="drand quicknet",
    chain="52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",
    genesis=1692803367,
    period=3,
    address="https://api.drand.sh/{chain}/public/{number}",
    public_key=(
        "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
        "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
    ),
)
