"""When a carrier may be spoken to: not while it is left in peace, and not for more than it takes."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Q

from equipoise.platform.clock import now
from equipoise.platform.delivery.engine.beats import real_now
from equipoise.platform.delivery.models import CarrierPause, Dispatch

__all__ = ["allowance", "pause", "paused_until"]

_MINUTE = timedelta(minutes=1)
_REASON_LENGTH = 40


def pause(carrier: str, seconds: float, reason: str) -> None:
    """Leave a carrier in peace; a longer pause that it has already stays. Call it inside `writing()`."""
    until = now() + timedelta(seconds=seconds)
    said = {"until": until, "reason": reason[:_REASON_LENGTH]}
    row, made = CarrierPause.objects.get_or_create(carrier=carrier, defaults=said)
    if not made and row.until < until:
        again = row.until < now() or row.reason != said["reason"]
        told = {"told_at": None} if again else {}
        CarrierPause.objects.filter(pk=carrier).update(**said, **told)


def paused_until(carrier: str) -> datetime | None:
    """Until when a carrier is left in peace; None where it is not."""
    found = CarrierPause.objects.filter(carrier=carrier, until__gt=now()).values_list("until", flat=True)
    return found.first()


def allowance(carrier: str, wanted: int) -> int:
    """How many messages a carrier may be given now, at most as many as wanted.

    What other processes are about to send counts. A rehearsal's clock stands still while messages go out, so
    limits a minute or a day mean nothing there.
    """
    limits = settings.WORKSPACE.settings.carriers.limits.get(carrier)
    if limits is None or not settings.WORKSPACE.live:
        return wanted
    moment = now()
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    gone = Dispatch.objects.filter(carrier=carrier, sent_at__gte=min(midnight, moment - _MINUTE)).aggregate(
        minute=Count("pk", filter=Q(sent_at__gt=moment - _MINUTE)),
        day=Count("pk", filter=Q(sent_at__gte=midnight)),
    )
    held = Dispatch.objects.filter(carrier=carrier, state="claimed", lease_until__gt=real_now()).count()
    left = [
        limit - gone[name] - held
        for name, limit in (("minute", limits.per_minute), ("day", limits.per_day))
        if limit is not None
    ]
    return max(0, min([wanted, *left]))
