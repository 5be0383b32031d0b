"""Whether the public round of a recorded draw is the one that the rule gives, and the beacon's own."""

from datetime import datetime

from equipoise.allocation.chance.beacon import QUICKNET
from equipoise.allocation.chance.seed import PublicRound, first_round
from equipoise.errors import CheckFailedError, InputError, Problem

__all__ = ["round_checks"]


def round_checks(public: PublicRound | None, recorded: str | None) -> list[str]:
    """What can be said of a round by what is known of it, in words.

    Args:
        public: the round that went into the seed; None if none did.
        recorded: when the hash that fixed the draw was recorded (ISO 8601).
    Raises:
        CheckFailedError: another round than the rule gives, or a signature that is not the beacon's.
        InputError: `recorded` is no time.
    """
    if public is None:
        return []
    return [*_by_the_rule(public, recorded), *_signed(public)]


def _by_the_rule(public: PublicRound, recorded: str | None) -> list[str]:
    if public.genesis is None or public.period is None or recorded is None:
        return []
    expected = _expected(public.genesis, public.period, recorded)
    if public.number != expected:
        rule = f"the first at least an hour after {recorded} is {expected}"
        raise CheckFailedError(
            f"public round {public.number} was used, but {rule}: it could have been chosen."
        )
    return ["the public round is the first at least an hour after the roster was recorded"]


def _signed(public: PublicRound) -> list[str]:
    if public.signature is None:
        return []
    if not QUICKNET.signed(public):
        raise CheckFailedError(
            f"public round {public.number} was not signed by {QUICKNET.name} with this value: look it up at "
            f"{QUICKNET.address_of(public.number)}."
        )
    appeared = QUICKNET.appears(public.number).strftime("%Y-%m-%dT%H:%M:%SZ")
    return [f"the public round is signed by {QUICKNET.name}, which published it at {appeared}"]


def _expected(genesis: int, period: int, recorded: str) -> int:
    try:
        return first_round(datetime.fromisoformat(recorded), genesis=genesis, period=period)
    except (ValueError, OverflowError):
        message = (
            f'found "{recorded}", expected a time such as 2027-03-01T09:00:00Z; take the original record'
        )
        raise InputError(Problem("allocation record", "roster_recorded", message)) from None
