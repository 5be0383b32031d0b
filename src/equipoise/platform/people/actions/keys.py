"""Wrapping what is encrypted under the newest of the workspace's keys.

Apps above this one that keep data keys of their own add how they are wrapped anew by `adds_wrapped`.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings

from equipoise.platform.audit.actions import WORKSPACE_CHAIN, record
from equipoise.platform.crypto import unwrap, wrap
from equipoise.platform.database import writing
from equipoise.platform.people.allocation import rewrap_secrets
from equipoise.platform.people.models import ContactDetails
from equipoise.platform.people.pending import rewrap_files
from equipoise.platform.permissions import Acting, check_permission

__all__ = ["adds_wrapped", "rotate_keys", "under_older_keys"]

_AT_ONCE = 500
_further: list[Callable[[], int]] = []


def adds_wrapped(rewrap: Callable[[], int]) -> None:
    """Add data keys to the rotation: wraps them by the newest key in a transaction, and says how many."""
    _further.append(rewrap)


def under_older_keys() -> int:
    """How many participants' data keys an older key still wraps."""
    return _older(_newest()).count()


def rotate_keys(who: Acting) -> int:
    """Wrap every data key and every secret of allocation by the newest key.

    What the data keys encrypt is not touched, so nothing is readable or unreadable that was not before. It
    goes by batches: cut off, it is simply run again. Until it is done the older keys are needed.

    Args:
        who: needs `workspace.keys`.
    Returns:
        How many were wrapped anew.
    Raises:
        CheckFailedError: an older key is missing or another one; what it wraps is left as it is.
    """
    check_permission(who, "workspace.keys")
    keys = settings.WORKSPACE.contact_keys()
    newest, last = _newest(), 0
    with writing():
        done = rewrap_secrets() + rewrap_files() + sum(rewrap() for rewrap in _further)
    while True:
        with writing():
            rows = _older(newest).filter(pk__gt=last).select_related("participant").order_by("pk")
            some = list(rows.select_for_update(of=("self",))[:_AT_ONCE])
            for row in some:
                row.data_key = wrap(
                    unwrap(row.data_key, keys, row.participant.key), keys, row.participant.key
                )
            ContactDetails.objects.bulk_update(some, ["data_key"])
            if not some:
                record(WORKSPACE_CHAIN, who.actor, "workspace.keys", {"newest": newest, "wrapped": done})
                return done
        done, last = done + len(some), some[-1].pk


def _newest() -> str:
    return list(settings.WORKSPACE.contact_keys())[-1]


def _older(newest: str) -> Any:
    return ContactDetails.objects.exclude(data_key__startswith=f"{newest}:")
