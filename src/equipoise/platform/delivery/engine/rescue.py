"""What workers left behind: given back, or taken for unknown, and settled as well as can be.

What was held and not spoken about is due again. What was being sent by a worker that is gone may have gone
out: it is never simply due again. The provider is asked where it can be asked. Otherwise the study's rule
decides: `at-most-once` waits for a person, `at-least-once` is sent once more, and that is counted.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from equipoise.errors import EquipoiseError
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.channels import CHANNELS, channel_of
from equipoise.platform.delivery.channels.contract import Channel, Record
from equipoise.platform.delivery.engine.beats import hasty, real_now, silent_workers
from equipoise.platform.delivery.engine.events import add, add_all
from equipoise.platform.delivery.engine.rules import rules_of
from equipoise.platform.delivery.engine.settling import GRACE_SECONDS
from equipoise.platform.delivery.models import Dispatch, DispatchEvent
from equipoise.platform.delivery.receipts.addresses import close_address
from equipoise.platform.registry.queries import folder_of

__all__ = ["rescue"]

_log = logging.getLogger("equipoise.delivery")
_AT_ONCE = 500
_ASKED_AT_ONCE = 20  # the provider is asked over the network, one after the other


def rescue() -> int:
    """Look after everything that no worker is at any more; how many dispatches that changed."""
    changed = _give_back()
    silent = silent_workers()
    if silent:
        changed += _doubt(sorted(silent))
    return changed + _settle_doubtful()


def _give_back() -> int:
    """What somebody's time with is over, before they spoke to the provider: it is due as it was."""
    over = Dispatch.objects.filter(state="claimed", lease_until__lt=real_now())
    if not over.exists():
        return 0
    with writing():
        free = _free(over)
        Dispatch.objects.filter(pk__in=free).update(state="planned", worker="", lease_until=None)
    return len(free)


def _doubt(workers: Sequence[str]) -> int:
    """What workers that are gone were sending."""
    theirs = Dispatch.objects.filter(state="sending", worker__in=workers, lease_until__isnull=False)
    if not theirs.exists():
        return 0
    asked = real_now() + timedelta(seconds=hasty(GRACE_SECONDS))
    with writing():
        left = _free(theirs)
        Dispatch.objects.filter(pk__in=left).update(state="unknown", reason="interrupted", lease_until=asked)
        add_all([(number, "unknown", "interrupted") for number in left], "worker")
    return len(left)


def _free(rows: "QuerySet[Dispatch]") -> list[int]:
    """The numbers of those that no transaction holds: a process that sleeps in one would keep us waiting."""
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])


def _settle_doubtful() -> int:
    """What is unknown and was left alone for long enough that the provider would know of it."""
    rows = Dispatch.objects.filter(state="unknown", lease_until__lt=real_now())
    found = list(rows.select_related("study", "participant").order_by("lease_until")[:_ASKED_AT_ONCE])
    changed = 0
    for carrier in sorted({row.carrier for row in found}):
        mine = [row for row in found if row.carrier == carrier]
        try:
            changed += _asked(carrier, mine)
        except (EquipoiseError, ConnectionError):
            _log.warning("%s cannot be asked what became of %d messages", carrier, len(mine))
            _ask_again(mine)
    return changed


def _asked(carrier: str, rows: Sequence[Dispatch]) -> int:
    if carrier not in CHANNELS:
        return sum(_by_rule(row) for row in rows)
    with channel_of(settings.WORKSPACE, carrier) as channel:
        return sum(_one(channel, row) for row in rows)


def _one(channel: Channel, row: Dispatch) -> bool:
    known = channel.look_up(row.reference or "") if channel.asks else None
    return _by_rule(row) if known is None else _by_record(row, known)


def _ask_again(rows: Sequence[Dispatch]) -> None:
    later = real_now() + timedelta(seconds=hasty(GRACE_SECONDS))
    with writing():
        unsettled = Dispatch.objects.filter(pk__in=[row.pk for row in rows], state="unknown")
        unsettled.update(lease_until=later)


def _by_record(row: Dispatch, known: Record) -> bool:
    """As the provider has it."""
    reason = "refused" if known.status == "failed" else ""
    with writing():
        if not _free(_still_unknown(row)):
            return False
        _still_unknown(row).update(
            state=known.status, reason=reason, lease_until=None, provider_id=known.provider_id
        )
        add(row, known.status, known.code, "provider")
        if known.closes_address:
            rules = rules_of(row.study, row.contact, row.channel)
            close_address(row.participant, rules.column, "refused")
    return True


def _by_rule(row: Dispatch) -> bool:
    """Once more, where the study accepts a repeat, it was not repeated yet, and it is in time; else a person
    says."""
    repeated = DispatchEvent.objects.filter(dispatch=OuterRef("pk"), kind="repeated")
    with writing():
        if not _free(_still_unknown(row)):
            return False
        doubtful = _still_unknown(row).filter(~Exists(repeated), last_at__gte=now())
        if _may_repeat(row) and doubtful.update(
            state="planned", reason="", worker="", lease_until=None, sent_at=None
        ):
            add(row, "repeated", row.reason, "worker")
        else:
            _still_unknown(row).update(lease_until=None)
    return True


def _still_unknown(row: Dispatch) -> "QuerySet[Dispatch]":
    return Dispatch.objects.filter(pk=row.pk, state="unknown", fence=row.fence)


def _may_repeat(row: Dispatch) -> bool:
    """Invitations, reminders and thanks may; a contact says for itself."""
    contact = folder_of(row.study).protocol.contacts.get(row.contact)
    return contact is None or contact.repeat_risk == "at-least-once"
