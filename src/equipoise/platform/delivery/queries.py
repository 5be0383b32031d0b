"""Reading dispatches: what waits for somebody, what could not be sent, what one person was sent."""

from collections.abc import Iterable

from django.db.models import Count, Q, QuerySet

from equipoise.platform.delivery.models import Alarm, ClosedAddress, Dispatch
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Study

__all__ = [
    "FAILED_OR_MISSED",
    "alarms",
    "closed_addresses",
    "dispatches_of",
    "failures",
    "in_doubt",
    "unknown_in",
]

FAILED_OR_MISSED = ("failed", "missed")


def in_doubt(study: Study) -> "QuerySet[Dispatch]":
    """What may have gone out or not, and only a person can tell; oldest first.

    What the provider is still asked about is not among it.
    """
    rows = Dispatch.objects.filter(study=study, state="unknown", lease_until=None)
    return rows.select_related("participant").order_by("due_at", "pk")


def failures(study: Study, state: str = "failed", *, reason: str = "") -> "QuerySet[Dispatch]":
    """What could not be sent, newest first.

    Args:
        study: whose dispatches.
        state: failed or missed.
        reason: a word that dispatches have for it; any when empty.
    """
    rows = Dispatch.objects.filter(study=study, state=state)
    rows = rows.filter(reason=reason).exclude(reason="") if reason else rows  # as the index is written
    return rows.order_by("-due_at", "-pk")


def closed_addresses(study: Study) -> "QuerySet[ClosedAddress]":
    """To which contact columns of whom nothing goes any more, newest first."""
    rows = ClosedAddress.objects.filter(participant__study=study).select_related("participant")
    return rows.order_by("-at", "-pk")


def dispatches_of(participant: Participant) -> list[Dispatch]:
    """What one person was or will be sent, in the order in which it is due."""
    return list(Dispatch.objects.filter(participant=participant).order_by("due_at", "contact", "occasion"))


def alarms(studies: Iterable[Study]) -> list[Alarm]:
    """The alarms that have not ended: of these studies, and of the carriers, which serve all of them."""
    rows = Alarm.objects.filter(Q(study__in=list(studies)) | Q(study=None), ended_at=None)
    return list(rows.order_by("since", "pk"))


def unknown_in(studies: Iterable[Study]) -> dict[int, int]:
    """How many dispatches wait for somebody to say whether they went out, by the number of the study."""
    rows = Dispatch.objects.filter(study__in=list(studies), state="unknown", lease_until=None).order_by()
    return dict(rows.values_list("study").annotate(Count("pk")))
