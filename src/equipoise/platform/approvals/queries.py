"""Reading requests: all that there ever were, what waits, and for whom."""

from collections import Counter
from collections.abc import Iterable

from django.db.models import Count, Q, QuerySet

from equipoise.errors import InputError, Problem
from equipoise.platform.approvals.acts import ACTS, ERASE
from equipoise.platform.approvals.models import ApprovalRequest
from equipoise.platform.clock import now
from equipoise.platform.people.models import Participant
from equipoise.platform.people.records import RecordSection
from equipoise.platform.permissions import Acting, can
from equipoise.platform.registry.models import Study
from equipoise.platform.staff.queries import members

__all__ = [
    "STATES",
    "erasures_asked",
    "in_state",
    "request_numbered",
    "requests",
    "somebody_decides",
    "state_of",
    "waiting_count",
    "waiting_for",
]

STATES = {
    "waiting": "Waits for a decision",
    "approved": "Approved",
    "refused": "Refused",
    "taken-back": "Taken back",
    "expired": "Expired",
}


def requests(study: Study) -> "QuerySet[ApprovalRequest]":
    """Every request of a study, newest first, as a query."""
    return ApprovalRequest.objects.filter(study=study).select_related("study").order_by("-number")


def request_numbered(study: Study, number: int) -> ApprovalRequest:
    """A request by its number.

    Raises:
        InputError: the study has none of this number.
    """
    found = requests(study).filter(number=number).first()
    if found is None:
        message = "is not a request of this study; `equipoise study approvals` lists those that there are"
        raise InputError(Problem(study.name, f"request {number}", message))
    return found


def state_of(request: ApprovalRequest) -> str:
    """How a request stands at this moment; one whose time is over is expired, whether entered so or not."""
    return "expired" if request.state == "waiting" and request.expires_at <= now() else request.state


def in_state(rows: "QuerySet[ApprovalRequest]", state: str) -> "QuerySet[ApprovalRequest]":
    """Those that stand so at this moment, see `state_of`."""
    if state == "waiting":
        return rows.filter(state="waiting", expires_at__gt=now())
    if state == "expired":
        return rows.filter(Q(state="expired") | Q(state="waiting", expires_at__lte=now()))
    return rows.filter(state=state)


def waiting_count(study: Study) -> int:
    """How many requests of a study wait for a decision."""
    return in_state(requests(study), "waiting").count()


def somebody_decides(request: ApprovalRequest) -> bool:
    """Whether there is anybody who could decide of a request; a study may have only one member of staff."""
    verb, others = ACTS[request.act].decided_by, (each for each in members() if each.is_active)
    return any(can(who, verb, request.study) for who in others if who.actor != request.asked_by)


def waiting_for(who: Acting, studies: Iterable[Study]) -> Counter[int]:
    """How many requests wait for a decision by this person, by the number of the study.

    Args:
        who: only what others asked for and what they may decide is counted.
        studies: those that they see.
    """
    by_pk = {study.pk: study for study in studies}
    waiting = in_state(ApprovalRequest.objects.filter(study__in=by_pk), "waiting")
    rows = waiting.exclude(asked_by=who.actor).values_list("study", "act").annotate(n=Count("pk"))
    found: Counter[int] = Counter()
    for study, act, number in rows:
        if can(who, ACTS[act].decided_by, by_pk[study]):
            found[study] += number
    return found


def erasures_asked(participant: Participant) -> tuple[RecordSection, ...]:
    """The requests to erase a participant, for the report of everything that is kept of them."""
    rows = ApprovalRequest.objects.filter(study=participant.study, act=ERASE, thing=participant.key)
    told = tuple((STATES[state_of(row)], row.asked_at) for row in rows.order_by("number"))
    return (RecordSection("Erasure asked for by staff", told),) if told else ()
