"""Texts that people send us. A reply of STOP stops; what anybody writes is neither stored nor logged.

Whoever replies is known by their number alone, so they are looked for in every study that sent a text to that
number within a year.
"""

import logging
import re
import unicodedata
from datetime import timedelta

from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.models import Dispatch, InboundText
from equipoise.platform.fieldwork.actions import leave_study
from equipoise.platform.people.models import Participant
from equipoise.platform.people.queries import find_by_contact
from equipoise.platform.registry.models import Study

__all__ = ["STOP_WORDS", "is_stop", "take_reply"]

_log = logging.getLogger("equipoise.delivery")
_REMEMBERED = timedelta(days=365)
# As the first word, in English and Welsh; one too many is put right by the choices page, one too few is not.
STOP_WORDS = frozenset(
    ("stop", "stopall", "end", "quit", "unsubscribe", "cancel", "atal", "stopio", "stopiwch", "stopia")
)
_WORD = re.compile(r"\w+")


def is_stop(words: str) -> bool:
    """Whether a text says that no more are wanted: by its first word, however it is written."""
    plain = unicodedata.normalize("NFKC", words).casefold()
    seen = "".join(sign for sign in plain if unicodedata.category(sign) != "Cf")
    first = _WORD.search(seen)
    return first is not None and first.group() in STOP_WORDS


def take_reply(carrier: str, provider_id: str, number: str, words: str) -> bool:
    """Do what a text asks for, once however often it is told.

    Args:
        carrier: by which it came.
        provider_id: the provider's name for it.
        number: whose it is, as the provider writes it.
        words: what it says.
    Returns:
        Whether it was new.
    """
    with writing():
        row, new = InboundText.objects.get_or_create(
            provider_id=provider_id,
            defaults={"carrier": carrier, "outcome": "no-keyword", "at": now()},
        )
        if new and is_stop(words):
            row.outcome = "stopped" if _stop(number) else "unknown-number"
            row.save(update_fields=["outcome"])
    if new:
        _log.info("a text came in by %s: %s", carrier, row.outcome)
    return bool(new)


def _stop(number: str) -> int:
    """Stop messages to everybody who was sent a text to this number; how many they are."""
    found = _texted(number)
    for participant in found:
        if participant.messages_stopped_at is None:
            leave_study(participant, "messages", channel="sms", actor=f"participant:{participant.key}")
    return len(found)


def _texted(number: str) -> list[Participant]:
    texts = Dispatch.objects.filter(channel="sms", sent_at__gte=now() - _REMEMBERED)
    people = [
        participant
        for study in Study.objects.filter(pk__in=texts.order_by().values("study")).order_by("pk")
        for participant in find_by_contact(study, _international(number))
    ]
    return [person for person in people if texts.filter(participant=person).exists()]


def _international(number: str) -> str:
    """Providers leave out the plus before a country's code."""
    plain = number.strip()
    return f"+{plain}" if plain[:1].isdigit() and not plain.startswith("0") else plain
