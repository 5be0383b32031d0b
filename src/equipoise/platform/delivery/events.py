"""What happened to a dispatch, added inside the transaction in which it happened, and never changed."""

from collections.abc import Iterable

from equipoise.platform.clock import now
from equipoise.platform.delivery.models import Dispatch, DispatchEvent

__all__ = ["add", "add_all"]

_CODE_LENGTH = 40


def add(dispatch: Dispatch | int, kind: str, code: str, source: str, key: str | None = None) -> None:
    """Add an event.

    Args:
        dispatch: or its number.
        kind: sending, sent, delivered, later, failed, unknown, repeated, cancelled, missed, ...
        code: why, in a word of ours or the provider's number; never a text that could hold an address.
        source: worker, provider, file, person, participant.
        key: names the event; one that was told already is not added again.
    """
    add_all([(dispatch, kind, code)], source, key)


def add_all(told: Iterable[tuple[Dispatch | int, str, str]], source: str, key: str | None = None) -> None:
    """Add events, each of a dispatch with its kind and code, all at this moment."""
    moment = now()
    rows = [
        DispatchEvent(
            dispatch_id=dispatch if isinstance(dispatch, int) else dispatch.pk,
            kind=kind,
            code=code[:_CODE_LENGTH],
            source=source,
            key=key,
            at=moment,
        )
        for dispatch, kind, code in told
    ]
    DispatchEvent.objects.bulk_create(rows, ignore_conflicts=key is not None)
