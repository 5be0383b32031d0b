"""What goes of messages when a participant has everything erased; what was sealed is counted in the record.

Whatever else of a message leads back to somebody goes with it: its links, what was watched, what providers
told. The digests under the seals stay, so that the record still verifies.
"""

from typing import Any

from django.db.models import Q, QuerySet

from equipoise.platform.audit.actions import hold, record
from equipoise.platform.delivery.models import (
    ClosedAddress,
    Dispatch,
    DispatchEvent,
    Receipt,
    SealedDispatchEvent,
)
from equipoise.platform.people.erasing import erases
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Study

__all__ = ["ERASED", "forget_messages", "mark_events_erased", "receipts_of"]

ERASED = "messages.erase"
_BY = "system"  # who erased stands in the entry beside this one


@erases
def forget_messages(participant: Participant) -> None:
    """Remove every message of somebody, what became of it, and which of their addresses were closed."""
    study = participant.study
    hold(study.name)  # so that none of the events is sealed between here and the end
    theirs = Dispatch.objects.filter(participant=participant)
    _mark(study, theirs, _BY, {"participant": participant.key})
    receipts_of(theirs).delete()
    theirs.delete()
    ClosedAddress.objects.filter(participant=participant).delete()


def mark_events_erased(study: Study, actor: str) -> None:
    """Say in the record how many sealed events of messages go, before all of a study's are deleted.

    Call it inside the transaction that deletes them, with the study's chain held.
    """
    _mark(study, Dispatch.objects.filter(study=study), actor, {})


def receipts_of(dispatches: "QuerySet[Dispatch]") -> "QuerySet[Receipt]":
    """What providers told of these messages, applied or not."""
    known = dispatches.exclude(provider_id="").values("carrier", "provider_id")
    told = Q(provider_id__in=known.values("provider_id"), carrier__in=known.values("carrier"))
    return Receipt.objects.filter(Q(reference__in=dispatches.values("reference")) | told)


def _mark(study: Study, dispatches: "QuerySet[Dispatch]", actor: str, whose: dict[str, Any]) -> None:
    rows = DispatchEvent.objects.filter(dispatch__in=dispatches)
    number = rows.count()
    if number:
        sealed = SealedDispatchEvent.objects.filter(event_id__in=rows.values("pk")).update(erased=True)
        record(study.name, actor, ERASED, {**whose, "events": number, "sealed": sealed})
