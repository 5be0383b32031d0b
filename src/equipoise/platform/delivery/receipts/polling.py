"""Asking Notify what it would have told by calling: a call that was lost is lost for good.

Notify tries to deliver for three days. What it has not ended by then stays *sent*.
"""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Q, QuerySet

from equipoise.platform.clock import now
from equipoise.platform.delivery.channels import carriers_in_use
from equipoise.platform.delivery.channels.notify.setup import problems
from equipoise.platform.delivery.models import Dispatch, InboundText
from equipoise.platform.delivery.receipts.applying import receive
from equipoise.platform.delivery.receipts.replies import take_reply

if TYPE_CHECKING:
    from equipoise.platform.delivery.channels.notify.channel import NotifyChannel

__all__ = ["poll"]

_log = logging.getLogger("equipoise.delivery")
_FROM, _UNTIL = timedelta(minutes=10), timedelta(hours=80)  # after a message went out
_AT_ONCE = 200  # messages asked about in a round; Notify takes 3,000 requests a minute, sending among them
_UNKNOWN_AT_ONCE = 20
_KNOWN_IN_A_ROW = 250  # texts of a page; beyond them nothing new is expected
_UNDER_WAY = ("created", "sending", "pending", "sent")


def poll() -> int:
    """Ask Notify about messages whose end it has not told, and for texts that came in.

    Returns:
        How much of it was news.
    """
    if "notify" not in carriers_in_use(settings.WORKSPACE):
        return 0
    # Its libraries are loaded by whoever speaks to it alone.
    from equipoise.platform.delivery.channels.notify.channel import opened

    if problems(settings.WORKSPACE):
        return 0  # whoever sends says so
    with opened(settings.WORKSPACE) as channel:
        try:
            return _ask_about_ends(channel) + _ask_about_unknown(channel) + _ask_for_texts(channel)
        except ConnectionError as error:
            _log.warning("notify could not be asked what became of messages: %s", error)
            return 0


class _Turns:
    """Whose turn it is: the oldest first, on from where the round before ended, then from the beginning.

    So everybody's turn comes, however many there are and however long some of them take to end.
    """

    def __init__(self) -> None:
        self._last: tuple[datetime, int] | None = None

    def next(self, waiting: "QuerySet[Dispatch]", field: str, number: int) -> Iterator[str]:
        """A field of the next ones; each has had its turn as soon as it is given."""
        rows = waiting.order_by("sent_at", "pk").values_list("sent_at", "pk", field)
        found = list(self._onward(rows)[:number])
        if len(found) < number:
            there = {pk for _, pk, _ in found}
            found += [each for each in rows[:number] if each[1] not in there][: number - len(found)]
        for moment, pk, said in found:
            self._last = moment, pk
            yield said

    def _onward(self, rows: "QuerySet[Dispatch, Any]") -> "QuerySet[Dispatch, Any]":
        if self._last is None:
            return rows
        moment, pk = self._last
        return rows.filter(Q(sent_at__gt=moment) | Q(pk__gt=pk), sent_at__gte=moment)


_ENDS, _UNKNOWN = _Turns(), _Turns()  # of this process: one worker at a time asks


def _ask_about_ends(channel: "NotifyChannel") -> int:
    moment = now()
    waiting = Dispatch.objects.filter(
        carrier="notify", state="sent", sent_at__gt=moment - _UNTIL, sent_at__lt=moment - _FROM
    ).exclude(provider_id="")
    news = 0
    for number in _ENDS.next(waiting, "provider_id", _AT_ONCE):
        told = channel.state_of(number)
        if told is not None and told.status not in _UNDER_WAY:
            receive("notify", told.provider_id, told.reference, told.status, told.at)
            news += 1
    return news


def _ask_about_unknown(channel: "NotifyChannel") -> int:
    """What was unknown when it was asked about before may be listed by now, and waits for a person else."""
    left = Dispatch.objects.filter(
        carrier="notify", state="unknown", lease_until=None, sent_at__gt=now() - _UNTIL
    ).exclude(reference=None)
    news = 0
    for reference in _UNKNOWN.next(left, "reference", _UNKNOWN_AT_ONCE):
        told = channel.told_of(reference)
        if told is not None:
            receive("notify", told.provider_id, told.reference, told.status, told.at)
            news += 1
    return news


def _ask_for_texts(channel: "NotifyChannel") -> int:
    news = in_a_row = 0
    for text in channel.texts_in():
        known = InboundText.objects.filter(provider_id=text.provider_id).exists()
        in_a_row = in_a_row + 1 if known else 0
        news += not known and take_reply("notify", text.provider_id, text.number, text.words)
        if in_a_row >= _KNOWN_IN_A_ROW:
            break
    return news
