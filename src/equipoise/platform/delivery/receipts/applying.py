"""What a provider tells of messages that it took: kept first, then applied to the dispatch that it is about.

Receipts come twice, out of order, before we have stored that the message was taken, and of messages that we
do not know. None is lost: it waits until its dispatch is known and nobody holds it. What a dispatch becomes
follows from all its receipts together, so their order does not matter: the last end by the provider's time
counts, and what has ended is never under way again.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q

from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.channels.contract import Record
from equipoise.platform.delivery.channels.notify.statuses import Told, record_of
from equipoise.platform.delivery.engine.events import add
from equipoise.platform.delivery.engine.rules import rules_of
from equipoise.platform.delivery.models import Dispatch, Receipt
from equipoise.platform.delivery.receipts.addresses import close_address
from equipoise.platform.people.models import RosterImport

__all__ = ["apply_waiting", "receive"]

_HELD = ("claimed", "sending")  # a worker is about to say more of it
_AT_ONCE = 2000
_LOOKED_AT = timedelta(days=7)  # providers forget a message by then
_ENDS = ("sent", "delivered", "failed")  # the later in this row wins where two were at the same moment


def receive(carrier: str, provider_id: str, reference: str, status: str, told_at: datetime) -> None:
    """Keep what a provider tells of a message, and apply it if its dispatch is known.

    Args:
        carrier: whose message it is.
        provider_id: the provider's name for it.
        reference: ours, where the provider repeats it; else empty.
        status: in the provider's word.
        told_at: since when it is so, as the provider dates it.
    """
    with writing():
        row, _ = Receipt.objects.get_or_create(
            carrier=carrier,
            provider_id=provider_id,
            status=status,
            told_at=told_at,
            defaults={"reference": reference, "at": now()},
        )
    if row.applied_at is None:
        _apply([row])


def apply_waiting() -> int:
    """Apply the receipts that came before their time; how many there were.

    A provider may serve others besides us, and tells of their messages too. Those wait for ever, so that the
    newest are looked at and not all.
    """
    waiting = Receipt.objects.filter(applied_at=None, at__gt=now() - _LOOKED_AT)
    newest = list(waiting.order_by("-at", "-pk")[:_AT_ONCE])
    free = Dispatch.objects.exclude(state__in=_HELD)
    by_name = free.filter(provider_id__in=[row.provider_id for row in newest]).exclude(provider_id="")
    by_reference = free.filter(reference__in=[row.reference for row in newest if row.reference])
    names = set(by_name.values_list("carrier", "provider_id"))
    references = set(by_reference.values_list("carrier", "reference"))
    return _apply(
        row
        for row in reversed(newest)
        if (row.carrier, row.provider_id) in names or (row.carrier, row.reference) in references
    )


def _apply(rows: Iterable[Receipt]) -> int:
    done = 0
    for row in rows:
        with writing():
            done += _applied(row)
    return done


def _applied(row: Receipt) -> bool:
    """Apply one receipt, once; whether that was now."""
    dispatch = Dispatch.objects.filter(_about(row)).select_for_update().order_by("pk").first()
    if dispatch is None or dispatch.state in _HELD:
        return False
    if not Receipt.objects.filter(pk=row.pk, applied_at=None).update(applied_at=now()):
        return False
    said = _said(row)
    changed = _settle(dispatch)
    if changed or said.status != "sent":
        add(dispatch, said.status, said.code, "provider", f"receipt/{row.pk}")
    if said.closes_address and not _may_have_another_address(dispatch):
        column = rules_of(dispatch.study, dispatch.contact, dispatch.channel).column
        close_address(dispatch.participant, column, "refused")
    return True


def _about(row: Receipt) -> Q:
    named = Q(provider_id=row.provider_id) & ~Q(provider_id="")
    return Q(carrier=row.carrier) & (named | Q(reference=row.reference or None))


def _settle(dispatch: Dispatch) -> bool:
    """Bring a dispatch to what all its receipts say together; whether that changed it.

    That the provider took it also settles what was unknown, given up or about to be tried again.
    """
    last = max(_receipts(dispatch), key=_weight)
    state = _said(last).status
    if state == dispatch.state or (state == "sent" and dispatch.state == "delivered"):
        return False
    Dispatch.objects.filter(pk=dispatch.pk).update(
        state=state,
        reason="refused" if state == "failed" else "",
        provider_id=dispatch.provider_id or last.provider_id,
        sent_at=dispatch.sent_at or last.told_at,
        lease_until=None,
    )
    return True


def _receipts(dispatch: Dispatch) -> list[Receipt]:
    """All that was told of a message, which may have gone out twice under one reference.

    Two queries, since one for both would read every receipt of the carrier.
    """
    found: dict[int, Receipt] = {}
    if dispatch.provider_id:
        by_name = Receipt.objects.filter(carrier=dispatch.carrier, provider_id=dispatch.provider_id)
        found |= {row.pk: row for row in by_name}
    if dispatch.reference:
        by_reference = Receipt.objects.filter(reference=dispatch.reference).exclude(reference="")
        found |= {row.pk: row for row in by_reference if row.carrier == dispatch.carrier}
    return list(found.values())


def _weight(row: Receipt) -> tuple[bool, datetime, int, str]:
    """What has ended before what is under way, then the later, then the worse."""
    status = _said(row).status
    return status != "sent", row.told_at, _ENDS.index(status), row.status


def _said(row: Receipt) -> Record:
    return record_of(Told(row.provider_id, row.reference, row.status, row.told_at))


def _may_have_another_address(dispatch: Dispatch) -> bool:
    """Whether the roster was brought up to date since: what bounced may not be today's address."""
    since = RosterImport.objects.filter(
        study=dispatch.study, kind="update", at__gte=dispatch.sent_at or now()
    )
    return since.exists()
