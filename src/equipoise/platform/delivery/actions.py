"""What people do about messages: send now, send again what failed, settle what nobody knows, try one out."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import DateTimeField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Greatest

from equipoise.errors import InputError, Problem
from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.models import Dispatch, DispatchEvent
from equipoise.platform.delivery.planning.planner import plan_now
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.policies import check_state
from equipoise.platform.registry.models import Study

__all__ = ["CAN_BE_TRIED", "retry", "send_now", "settle_unknown"]

# What may be put right in the meantime: an address, a field of the roster, a provider.
CAN_BE_TRIED = ("no-address", "closed-address", "field-missing", "refused", "no-answer")
_AT_ONCE = 500
_GRACE = timedelta(days=1)  # how long what a person sends late may still go out


def send_now(who: Acting, study: Study, name: str, occasion: int) -> int:
    """Send an occasion at once: what waits for its time, and what was missed. Nobody is sent it twice.

    Quiet hours and weekends are not waited for. Everything else is looked at again before each message goes
    out: whether they still take part, were sent too much, or have answered.

    Args:
        who: needs `messages.send`.
        study: live.
        name: of the send, such as `weekly-message` or `before.invite`.
        occasion: from 1.
    Returns:
        How many go out.
    Raises:
        InputError: the study is not live, or nothing of this occasion waits: all has gone out, or nobody has
            let it go out yet.
    """
    check_permission(who, "messages.send", study)
    check_state("messages.send", study.state, of=study.name)
    plan_now(study, name, occasion)
    moment = now()
    with writing():
        rows = Dispatch.objects.filter(study=study, contact=name, occasion=occasion)
        waiting = rows.filter(state="planned")
        missed = rows.filter(state="missed", reason="late")
        late = _planned_again(missed, moment)
        early = _at_once(waiting, moment)
        if not late + early:
            message = f"nothing of occasion {occasion} waits to be sent, and nothing of it was missed"
            raise InputError(Problem(study.name, name, message))
        said = {"contact": name, "occasion": occasion, "waiting": early, "missed": late}
        record(study.name, who.actor, "messages.send", said)
    return late + early


def retry(who: Acting, study: Study, name: str, occasion: int) -> int:
    """Try once more what could not be sent of an occasion, after what kept it back was put right.

    Args:
        who: needs `messages.send`.
        study: live.
        name: of the send.
        occasion: from 1.
    Returns:
        How many are tried.
    Raises:
        InputError: the study is not live, or nothing of this occasion failed for a reason that can pass.
    """
    check_permission(who, "messages.send", study)
    check_state("messages.send", study.state, of=study.name)
    with writing():
        rows = Dispatch.objects.filter(study=study, contact=name, occasion=occasion, state="failed")
        number = _planned_again(rows.filter(reason__in=CAN_BE_TRIED), now())
        if not number:
            message = f"nothing of occasion {occasion} failed for a reason that can pass"
            raise InputError(Problem(study.name, name, message))
        said = {"contact": name, "occasion": occasion, "failed": number}
        record(study.name, who.actor, "messages.retry", said)
    return number


def settle_unknown(who: Acting, dispatch: Dispatch, went: bool, *, reason: str = "") -> None:
    """Say what became of a message of which nobody knows.

    Args:
        who: needs `messages.send`.
        dispatch: unknown.
        went: whether it went out; if not, it is sent again where it is not too late.
        reason: how they know, kept in the study's record.
    Raises:
        InputError: no reason is given, or it has been settled meanwhile.
    """
    study = dispatch.study
    check_permission(who, "messages.send", study)
    if not reason.strip():
        message = "is empty; say how you know, it is kept in the study's record"
        raise InputError(Problem(study.name, "reason", message))
    moment = now()
    with writing():
        rows = Dispatch.objects.filter(pk=dispatch.pk, state="unknown")
        changed = _gone_out(rows, moment) if went else _not_gone_out(rows, moment)
        if not changed:
            message = "has been settled meanwhile; look at the page again"
            raise InputError(Problem(study.name, "choice", message))
        said = {
            "dispatch": dispatch.pk,
            "contact": dispatch.contact,
            "occasion": dispatch.occasion,
            "went": went,
            "reason": reason.strip(),
        }
        record(study.name, who.actor, "messages.settle", said)


def _at_once(waiting: "QuerySet[Dispatch]", moment: datetime) -> int:
    """Let what waits for its time go; what is due already keeps its place."""
    return waiting.filter(next_at__gt=moment).update(next_at=moment)


def _planned_again(rows: "QuerySet[Dispatch]", moment: datetime) -> int:
    """Plan anew what has ended, for a day at least; each gets an event that says that a person did it."""
    chosen = list(rows.select_for_update().values_list("pk", flat=True))
    _note(chosen, "later", moment)
    for start in range(0, len(chosen), _AT_ONCE):
        Dispatch.objects.filter(pk__in=chosen[start : start + _AT_ONCE]).update(
            state="planned",
            reason="",
            attempts=0,
            worker="",
            sent_at=None,
            next_at=moment,
            last_at=Greatest("last_at", Value(moment + _GRACE, DateTimeField())),
            lease_until=None,
        )
    return len(chosen)


def _gone_out(rows: "QuerySet[Dispatch]", moment: datetime) -> int:
    """It went out when the provider was spoken to, as far as anybody knows."""
    chosen = list(rows.select_for_update().values_list("pk", flat=True))
    spoken = DispatchEvent.objects.filter(dispatch=OuterRef("pk"), kind="sending").order_by("-at")
    when = Coalesce("sent_at", Subquery(spoken.values("at")[:1]), Value(moment, DateTimeField()))
    _note(chosen, "sent", moment)
    return Dispatch.objects.filter(pk__in=chosen).update(state="sent", reason="by-person", sent_at=when)


def _not_gone_out(rows: "QuerySet[Dispatch]", moment: datetime) -> int:
    """It is sent again, unless its time is over."""
    over = list(rows.filter(last_at__lt=moment).values_list("pk", flat=True))
    _note(over, "missed", moment)
    rows.filter(pk__in=over).update(state="missed", reason="late")
    return len(over) + _planned_again(rows, moment)


def _note(dispatches: Sequence[int], kind: str, moment: datetime) -> None:
    DispatchEvent.objects.bulk_create(
        (
            DispatchEvent(dispatch_id=each, kind=kind, code="by-person", source="person", at=moment)
            for each in dispatches
        ),
        batch_size=_AT_ONCE,
    )
