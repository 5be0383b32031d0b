"""Whom a file is for, and what each of them is to be sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.channels.contract import Outgoing
from equipoise.platform.delivery.engine.rules import rules_of
from equipoise.platform.delivery.files.listing import FILED, FileOf
from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.delivery.planning.audience import agreed
from equipoise.platform.delivery.writing.composing import Composer, Unsendable
from equipoise.platform.fieldwork.models import Session
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.sends import sends

__all__ = ["AT_ONCE", "Filled", "filled", "may_go", "to_be_filed"]

AT_ONCE = 200


@dataclass(frozen=True)
class Filled:
    """A dispatch with what goes out of it, or why it cannot."""

    dispatch: Dispatch
    message: Outgoing | Unsendable


def to_be_filed(study: Study, wanted: FileOf, *, again: bool = False) -> "QuerySet[Dispatch]":
    """The dispatches of a file that may go out now, in the order of pseudonyms.

    Args:
        study: whose they are.
        wanted: the file.
        again: those who are in one already, of whom nothing has come back.
    """
    rows = Dispatch.objects.filter(
        study=study, contact=wanted.send, occasion=wanted.occasion, carrier=wanted.carrier
    )
    if wanted.carrier == "partner_file":
        rows = rows.filter(participant__partner=wanted.partner)
    rows = rows.filter(state="sending" if again else "planned")
    return may_go(rows, study, wanted).order_by("participant__key")


def may_go(rows: "QuerySet[Dispatch]", study: Study, wanted: FileOf) -> "QuerySet[Dispatch]":
    """Those of a file of which nothing has happened meanwhile that keeps them from going out.

    Of what counts against the cap, what lies in a file counts from when it is due.
    """
    rules = rules_of(study, wanted.send, "")
    rows = rows.filter(
        participant__state="enrolled", participant__messages_stopped_at=None, last_at__gte=now()
    )
    theirs = Participant.objects.filter(pk=OuterRef("participant"))
    rows = rows.filter(Exists(agreed(study, sends(folder_of(study))[wanted.send], theirs)))
    if rules.wave is not None:
        done = Session.objects.filter(wave=rules.wave).exclude(state="started")
        rows = rows.exclude(participant__in=done.values("participant"))
    if rules.cap is not None:
        since = rules.cap.since(max(wanted.due, now()), rules.zone)
        rows = rows.annotate(others=Coalesce(Subquery(_others(since)), 0)).filter(others__lt=rules.cap.number)
    return rows


def _others(since: datetime) -> "QuerySet[Dispatch]":
    """How many other messages the person of a dispatch was sent, or is in a file for, from a moment on."""
    rows = Dispatch.objects.filter(participant=OuterRef("participant")).exclude(pk=OuterRef("pk"))
    filed = Q(state="sending", carrier__in=FILED, due_at__gte=since)
    counted = rows.filter(filed | Q(sent_at__gte=since)).order_by().values("participant")
    return counted.annotate(number=Count("pk")).values("number")


def filled(study: Study, numbers: list[int]) -> Iterator[Filled]:
    """What goes out of each dispatch; some at a time, each time with new links that are stored.

    Args:
        study: whose they are.
        numbers: of the dispatches, in the order of the file.
    """
    composer = Composer(study)
    for at in range(0, len(numbers), AT_ONCE):
        some = numbers[at : at + AT_ONCE]
        with writing():
            rows = Dispatch.objects.select_related("participant__study").in_bulk(some)
            there = [rows[number] for number in some if number in rows]
            messages = composer.compose(there)
        yield from (Filled(each, messages[each.pk]) for each in there)
