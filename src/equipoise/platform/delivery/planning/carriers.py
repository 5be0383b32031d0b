"""Who carries a send: a partner where the protocol says so, otherwise whoever the workspace has for its
channel."""

from django.conf import settings

from equipoise.platform.delivery.launching import lacking
from equipoise.protocol.sends import Send

__all__ = ["PARTNER", "PRACTICE", "carrier_of", "lacking_for", "limits_of"]

PARTNER = "partner_file"
PRACTICE = "rehearsal"  # carries nothing: for those who only practise in a live workspace


def carrier_of(send: Send) -> str | None:
    """The folder of the channel that carries a send; None where the workspace has none for it."""
    if send.carrier == "partner":
        return PARTNER
    found: str | None = getattr(settings.WORKSPACE.settings.carriers, send.channel)
    return found


def lacking_for(send: Send) -> str | None:
    """What the workspace lacks to send it, and what to do; None where nothing is missing."""
    return None if send.carrier == "partner" else lacking(send.channel)


def limits_of(carrier: str) -> tuple[int | None, int | None]:
    """How many messages a carrier takes a minute and a day; None where there is no limit."""
    limits = settings.WORKSPACE.settings.carriers.limits.get(carrier)
    return (None, None) if limits is None else (limits.per_minute, limits.per_day)
