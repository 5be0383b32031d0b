"""Asking, deciding, taking back: a verb each, in one transaction with its entry in the record."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Max

from equipoise.errors import InputError, Problem
from equipoise.platform.approvals.acts import ACTS, Asked
from equipoise.platform.approvals.models import ApprovalRequest
from equipoise.platform.audit.actions import hold, record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.permissions import Acting, Grant, InStudy, NotAllowedError, check_permission
from equipoise.platform.registry.models import Study
from equipoise.platform.staff.actions import CommandLine, System
from equipoise.platform.staff.models import StaffMember

__all__ = ["WAITS", "Rehearsal", "ask", "check_decider", "decide", "expire_requests", "take_back"]

WAITS = timedelta(days=14)
_CHOICES = {"approve": "approved", "refuse": "refused"}


class Rehearsal:
    """The second person of a rehearsal, so that a whole study can be run through by a script.

    Raises:
        InputError: the workspace is live.
    """

    actor = "rehearsal"

    def __init__(self) -> None:
        if settings.WORKSPACE.live:
            message = "a live workspace has no stand-in: a second person approves, on the page Approvals"
            raise InputError(message)

    def grants_in(self, study: InStudy | None) -> frozenset[Grant]:
        """Every role that is not masked."""
        return CommandLine().grants_in(study)


def ask(
    who: Acting, study: Study, act: str, *, reason: str, subject: Mapping[str, Any] | None = None
) -> ApprovalRequest:
    """Ask for something that takes two people.

    Args:
        who: needs the act's own verb; a member of staff or the command line.
        study: in which.
        act: of `ACTS`.
        reason: why, or what for; it is kept in the study's record, so it names nobody.
        subject: what it is done to, as `ApprovalRequest.subject` has it.
    Raises:
        NotAllowedError: their role does not allow the act, or it is no person who asks.
        InputError: it cannot be done now, or a request for it is waiting.
    """
    asked = Asked(who, study, dict(subject or {}), reason.strip())
    if _person(who.actor) is None:
        raise NotAllowedError(f"{act} is asked for by a person")
    ACTS[act].check(asked)
    moment, thing = now(), ACTS[act].thing(asked)
    same = ApprovalRequest.objects.filter(study=study, act=act, thing=thing, state="waiting")
    with writing():
        for row in same.filter(expires_at__lte=moment).select_for_update():
            _close(row, System().actor, "expire", "expired")
        hold(study.name)  # one is numbered after the other, and the second sees that the first waits
        _refuse_second(same.first())
        last = ApprovalRequest.objects.filter(study=study).aggregate(last=Max("number"))["last"]
        request = ApprovalRequest.objects.create(
            study=study,
            number=(last or 0) + 1,
            act=act,
            subject=asked.subject,
            thing=thing,
            reason=asked.reason,
            asked_by=who.actor,
            asked_at=moment,
            expires_at=moment + WAITS,
        )
        said = {"request": request.number, "act": act, **asked.subject, "reason": asked.reason}
        record(study.name, who.actor, "approvals.ask", said)
    return request


def decide(who: Acting, request: ApprovalRequest, choice: str, comment: str) -> ApprovalRequest:
    """Approve what somebody else asked for, and with it do it; or refuse it.

    Args:
        who: needs the verb by which the act is decided, and is somebody else.
        request: as it was seen; what counts is how it stands now.
        choice: approve or refuse.
        comment: kept with it in the study's record.
    Raises:
        NotAllowedError: they asked for it themselves, hold a masked role, or none that decides.
        InputError: no comment, it waits no longer, or what was asked for cannot be done any more. Then
            nothing has been done, and the request is as it was.
    """
    if choice not in _CHOICES:
        raise InputError(Problem("", "choice", "choose whether to approve or to refuse it"))
    if not comment.strip():
        message = "is empty; say what you looked at, it is kept in the study's record"
        raise InputError(Problem("", "reason", message))
    with writing():
        held = ApprovalRequest.objects.select_for_update().get(pk=request.pk)
        check_decider(who, held)
        _check_waiting(held)
        if choice == "approve":
            _do(held, who.actor)
        _close(held, who.actor, choice, _CHOICES[choice], comment.strip())
    return held


def check_decider(who: Acting, request: ApprovalRequest) -> None:
    """Stop whoever may not decide of a request; see `decide`.

    Raises:
        NotAllowedError: says why.
    """
    check_permission(who, ACTS[request.act].decided_by, request.study)
    if who.actor == request.asked_by:
        raise NotAllowedError("nobody decides of their own request")
    if not (isinstance(who, Rehearsal) or who.actor.startswith("staff:")):
        raise NotAllowedError("a member of staff decides, on the page Approvals")


def take_back(who: Acting, request: ApprovalRequest) -> ApprovalRequest:
    """Take back one's own request while nobody has decided.

    Raises:
        NotAllowedError: somebody else asked.
        InputError: it waits no longer.
    """
    if who.actor != request.asked_by:
        raise NotAllowedError("a request is taken back by whoever asked")
    with writing():
        held = ApprovalRequest.objects.select_for_update().get(pk=request.pk)
        _check_waiting(held)
        _close(held, who.actor, "take-back", "taken-back")
    return held


def expire_requests() -> int:
    """Close what nobody has decided in time; how many that were."""
    due = ApprovalRequest.objects.filter(state="waiting", expires_at__lte=now()).order_by("pk")
    closed = 0
    for number in list(due.values_list("pk", flat=True)):
        with writing():
            row = ApprovalRequest.objects.select_for_update().get(pk=number)
            if row.state == "waiting":
                _close(row, System().actor, "expire", "expired")
                closed += 1
    return closed


def _do(request: ApprovalRequest, second: str) -> None:
    """What was asked for, as whoever asked may do it now."""
    asker, act = _person(request.asked_by), ACTS[request.act]
    if asker is None:
        raise _no_longer(request)
    asked = Asked(asker, request.study, request.subject, request.reason)
    try:
        act.check(asked)
        act.do(asked, second)
    except NotAllowedError:
        raise _no_longer(request) from None


def _no_longer(request: ApprovalRequest) -> InputError:
    message = "whoever asked may not do this any more; refuse the request"
    return InputError(Problem(request.study.name, f"request {request.number}", message))


def _person(actor: str) -> Acting | None:
    """Whoever asked, with the roles that they hold now; None where it is not a person."""
    if actor == CommandLine.actor:
        return CommandLine()
    kind, _, number = actor.partition(":")
    if kind != "staff" or not number.isdecimal():
        return None
    return StaffMember.objects.filter(pk=int(number)).first()


def _refuse_second(waiting: ApprovalRequest | None) -> None:
    if waiting is not None:
        message = f"is asked for already; request {waiting.number} waits for a decision"
        raise InputError(Problem(waiting.study.name, waiting.act, message))


def _check_waiting(request: ApprovalRequest) -> None:
    state = "expired" if request.state == "waiting" and request.expires_at <= now() else request.state
    if state != "waiting":
        message = f"is {state.replace('-', ' ')}; nothing can be decided of it any more"
        raise InputError(Problem(request.study.name, f"request {request.number}", message))


def _close(request: ApprovalRequest, actor: str, verb: str, state: str, comment: str = "") -> None:
    """Enter what became of a request, inside the transaction in which it happens."""
    request.state, request.decided_by, request.decided_at, request.comment = state, actor, now(), comment
    request.save(update_fields=["state", "decided_by", "decided_at", "comment"])
    said = {"request": request.number, "act": request.act, "asked_by": request.asked_by}
    if comment:
        said["comment"] = comment
    record(request.study.name, actor, f"approvals.{verb}", said)
