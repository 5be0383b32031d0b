"""Addresses to which nothing goes any more, because they bounced or somebody complained."""

from equipoise.platform.clock import now
from equipoise.platform.delivery.models import ClosedAddress
from equipoise.platform.people.models import Lookup, Participant

__all__ = ["close_address"]


def close_address(participant: Participant, column: str, reason: str) -> None:
    """Send nothing more to the address that somebody has in a contact column. Call it inside `writing()`.

    Args:
        participant: whose address it is.
        column: of the roster.
        reason: in a word.
    """
    known = Lookup.objects.filter(participant=participant, column=column).values_list("digest", flat=True)
    rows = [
        ClosedAddress(participant=participant, column=column, digest=digest, reason=reason, at=now())
        for digest in known
    ]
    ClosedAddress.objects.bulk_create(rows, ignore_conflicts=True)
