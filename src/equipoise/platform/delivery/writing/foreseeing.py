"""Whom a message would not reach, and why, before it goes out: each is composed, and nothing is kept."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from equipoise.errors import InputError, Problem
from equipoise.platform.clock import now
from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.delivery.planning.audience import audience, chosen, is_fixed
from equipoise.platform.delivery.planning.carriers import PARTNER
from equipoise.platform.delivery.writing.composing import Composer, Unsendable
from equipoise.platform.people.models import Participant
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.sends import Send, sends

__all__ = ["unreachable"]

_AT_ONCE = 500


def unreachable(who: Acting, study: Study, name: str, occasion: int) -> Iterator[tuple[str, str, str]]:
    """Everybody in the audience of an occasion whom it would not reach as things stand.

    Args:
        who: needs `messages.calendar` and `people.participation`.
        study: in any state; before the draw, everybody who could be in an arm is looked at.
        name: of the send.
        occasion: from 1.
    Returns:
        The code of each, the reason, and the field of the text that has no value, one after the other.
    Raises:
        InputError: the study has no such send.
    """
    check_permission(who, "messages.calendar", study)
    check_permission(who, "people.participation", study)
    send = sends(folder_of(study)).get(name)
    if send is None:
        raise InputError(Problem(study.name, name, "is not sent by this study"))
    asked = send if is_fixed(study, send) else replace(send, arms=())
    return _unreachable(study, asked, occasion)


def _unreachable(study: Study, send: Send, occasion: int) -> Iterator[tuple[str, str, str]]:
    composer = Composer(study)
    for some in chosen(study, send, audience(study, send, now())):
        numbers = iter(some.people)
        while piece := list(islice(numbers, _AT_ONCE)):
            keys = dict(Participant.objects.filter(pk__in=piece).values_list("pk", "key"))
            composed = composer.compose([_as_if(study, send, occasion, each) for each in piece], links=False)
            for number, found in composed.items():
                if isinstance(found, Unsendable):
                    yield keys[number], found.reason, found.field


def _as_if(study: Study, send: Send, occasion: int, participant: int) -> Dispatch:
    """A dispatch that is never stored; its number is the participant's."""
    return Dispatch(
        pk=participant,
        study=study,
        participant_id=participant,
        contact=send.name,
        occasion=occasion,
        channel=send.channel,
        carrier=PARTNER if send.carrier == "partner" else "",
    )
