"""Calling off what is planned and shall not go out: every message is looked at again when it goes, but nobody
should see it planned until then.

    left, stopped           whose it is has left the study, or stopped messages
    not-consented           whose it is has said no to messages, or to the wave's survey
    answered                the wave's survey is done, so it needs no invitation and no reminder
    data-collection-ended   the study is closed, or an amendment has ended the collection
    withdrawn-send          the protocol sends it no more, or in a form that nobody has confirmed
    late                    its time was over before it could go out
"""

import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, OuterRef, Q

from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.engine.events import add_all
from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.delivery.planning.audience import agreed
from equipoise.platform.delivery.planning.confirming import confirmed, confirmed_in
from equipoise.platform.delivery.planning.planned import WITHDRAWN
from equipoise.platform.fieldwork.models import Session
from equipoise.platform.people.models import Participant
from equipoise.platform.permissions import Acting
from equipoise.platform.registry.following import follows_amendments, follows_moves
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, stopped_at
from equipoise.protocol import Study as StudyFolder
from equipoise.protocol.sends import sends

__all__ = ["call_off_all", "call_off_changed", "sweep"]

_log = logging.getLogger("equipoise.delivery")
ENDED = "data-collection-ended"
_AT_ONCE = 1_000
_OVER = ("closed", "published")


def sweep() -> int:
    """Call off what shall not go out, in every study; how much that was."""
    waiting = Dispatch.objects.filter(study=OuterRef("pk"), state="planned")
    return sum(_swept(study) for study in Study.objects.filter(Exists(waiting)).order_by("pk"))


@follows_amendments
def call_off_changed(who: Acting, study: Study, loaded: StudyFolder) -> None:
    """With an amendment, call off what it changes or takes away, inside its transaction.

    So nothing goes out in a new form between the amendment and somebody's confirming it. One that ends data
    collection calls off everything; how many messages of what is entered in the study's record.
    """
    rows = Dispatch.objects.filter(study=study, state__in=("planned", "claimed"))
    before = study.version - 1
    added = loaded.amendments[len(folder_of(study, before).amendments) :]
    if any(amendment.stops for amendment in added):
        _record(who, study, ENDED, _call_off_by_send(rows, ENDED))
        return
    stand = list(confirmed_in(study, loaded, stopped_at(study, before)))
    _record(who, study, WITHDRAWN, _call_off_by_send(rows.exclude(contact__in=stand), WITHDRAWN))


@follows_moves
def call_off_all(who: Acting, study: Study, was: str) -> None:
    """With the closing of a study, call off everything, inside its transaction."""
    if study.state == "closed":
        rows = Dispatch.objects.filter(study=study, state__in=("planned", "claimed"))
        _record(who, study, ENDED, _call_off_by_send(rows, ENDED))


def _swept(study: Study) -> int:
    try:
        return _sweep(study)
    except Exception:  # the other studies are looked at all the same
        _log.exception("what %s sends no more cannot be called off", study.name)
        return 0


def _sweep(study: Study) -> int:
    done = 0
    for state, reason, rows in _unwanted(study):
        while number := _call_off(rows, state, reason):
            done += number
    return done


def _unwanted(study: Study) -> Iterator[tuple[str, str, Any]]:
    """What is planned and shall not go out, with the state and the reason that it gets."""
    planned = Dispatch.objects.filter(study=study, state="planned")
    yield "cancelled", "left", planned.exclude(participant__state="enrolled")
    yield "cancelled", "stopped", planned.filter(participant__messages_stopped_at__isnull=False)
    if study.state in _OVER:
        yield "cancelled", ENDED, planned
        return
    stand = list(confirmed(study))
    reason = WITHDRAWN if stopped_at(study) is None else ENDED
    yield "cancelled", reason, planned.exclude(contact__in=stand)
    for send in sends(folder_of(study)).values():
        theirs = agreed(study, send, Participant.objects.filter(pk=OuterRef("participant")))
        yield "cancelled", "not-consented", planned.filter(~Exists(theirs), contact=send.name)
        if send.kind in ("invite", "remind"):
            ended = Session.objects.filter(participant=OuterRef("participant"), wave=send.wave)
            done = Q(Exists(ended.exclude(state="started")))
            yield "cancelled", "answered", planned.filter(done, contact=send.name)
    yield "missed", "late", planned.filter(last_at__lt=now())


def _call_off(rows: Any, state: str, reason: str) -> int:
    """Some of them, each with its event; how many. Rows that a worker has taken meanwhile are left to it."""
    with writing():
        chosen = rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True)
        numbers = list(chosen[:_AT_ONCE])
        _store(numbers, state, reason)
    return len(numbers)


def _call_off_by_send(rows: Any, reason: str) -> dict[str, int]:
    """All of them, in the caller's transaction; how many of each send."""
    found = list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", "contact"))
    for start in range(0, len(found), _AT_ONCE):
        _store([number for number, _ in found[start : start + _AT_ONCE]], "cancelled", reason)
    return dict(sorted(Counter(name for _, name in found).items()))


def _store(numbers: list[int], state: str, reason: str) -> None:
    if numbers:
        Dispatch.objects.filter(pk__in=numbers).update(
            state=state, reason=reason, worker="", lease_until=None
        )
        add_all([(number, state, reason) for number in numbers], "worker")


def _record(who: Acting, study: Study, reason: str, numbers: dict[str, int]) -> None:
    if numbers:
        record(study.name, who.actor, "messages.cancel", {"reason": reason, "sends": numbers})
