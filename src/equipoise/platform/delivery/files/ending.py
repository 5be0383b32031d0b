"""What ends by its time alone: what no file was made of, and what nobody said anything of."""

from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.engine.events import add_all
from equipoise.platform.delivery.files.listing import FILED
from equipoise.platform.delivery.models import Dispatch

__all__ = ["end_unreported"]

_AT_ONCE = 500
_ENDS = {"planned": ("missed", "late"), "sending": ("unknown", "no-answer")}


def end_unreported() -> int:
    """End what leaves as a file and whose time is over; a duty.

    What is in no file is missed. What is in one, and of which no receipt came, is unknown: a receipt that
    comes later still settles it.

    Returns:
        How many dispatches ended.
    """
    count = 0
    for state in _ENDS:
        while some := _ended(state):
            count += some
    return count


def _ended(state: str) -> int:
    over = Dispatch.objects.filter(carrier__in=FILED, state=state, last_at__lt=now())
    if not over.exists():
        return 0
    becomes, reason = _ENDS[state]
    with writing():
        numbers = list(over.select_for_update().values_list("pk", flat=True)[:_AT_ONCE])
        Dispatch.objects.filter(pk__in=numbers).update(state=becomes, reason=reason)
        add_all([(number, becomes, reason) for number in numbers], "worker")
    return len(numbers)
