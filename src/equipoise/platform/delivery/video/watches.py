"""What participants do with the page of a message: they open it, start its video, and watch some of it.

Only a person's press of the button opens it: fetching the page counts nothing. What was watched is what the
player tells, held to the length of the video and to the time that has passed since; none of it proves that
somebody looked. Once the study is closed nothing more is recorded, so that sealed data stand.
"""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from equipoise.platform.clock import now
from equipoise.platform.crypto import token_hash
from equipoise.platform.database import writing
from equipoise.platform.delivery.models import MessageLink, Watch
from equipoise.platform.delivery.video.films import seconds_of
from equipoise.platform.pages.words import LANGUAGES
from equipoise.platform.people.facts import facts_of
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol import Study as StudyFolder
from equipoise.protocol.assets import Asset, asset_name, asset_of
from equipoise.protocol.translation import same_language

__all__ = ["Shown", "find_message_link", "merged", "message_link", "note_watched", "open_message", "shown_by"]

Range = tuple[float, float]
_RECORDING = ("live", "paused")  # states of a study
_MOST_RANGES = 500
_LONGEST = 12 * 3600.0
_APART = 0.25  # seconds: players report the end of one stretch and the start of the next a little apart


@dataclass(frozen=True)
class Shown:
    """What a message leads to.

    Attributes:
        folder: of the version that was sent.
        asset: the file, and those that belong to it.
        language: of its page: the one chosen, or in which its participant is written to, as far as the
            platform speaks it; the study's own otherwise.
        seconds: how long it lasts, where that is known.
    """

    folder: StudyFolder
    asset: Asset
    language: str
    seconds: float | None


def find_message_link(text: str) -> MessageLink | None:
    """The link of a token, with its dispatch, participant and study."""
    return _links().filter(token_hash=token_hash(text)).first()


def message_link(number: int) -> MessageLink | None:
    """The link of a number, with its dispatch, participant and study."""
    return _links().filter(pk=number).first()


def shown_by(link: MessageLink, language: str = "") -> Shown | None:
    """What the message of a link shows its participant; None where there is no such file any more.

    Args:
        link: with its dispatch, participant and study.
        language: the tag of the one that they chose; empty where they chose none.
    """
    dispatch = link.dispatch
    folder = folder_of(dispatch.study, dispatch.version)
    contact, facts = folder.protocol.contacts.get(dispatch.contact), facts_of(dispatch.participant)
    name = asset_name(contact, facts) if contact is not None else None
    if name is None or name not in folder.media:
        return None
    wanted = language or str(facts.get(folder.protocol.sending.language or "") or "")
    spoken = same_language(wanted, LANGUAGES) if wanted else None
    asset = asset_of(folder, name, wanted)
    seconds = seconds_of(folder.folder / name) if asset.kind != "file" else None
    return Shown(folder, asset, spoken or folder.protocol.study.language, seconds)


def open_message(link: MessageLink) -> None:
    """The participant pressed the button; the first time counts."""
    if link.opened_at is None and link.dispatch.study.state in _RECORDING:
        with writing():
            MessageLink.objects.filter(pk=link.pk, opened_at=None).update(opened_at=now())


def note_watched(link: MessageLink, ranges: Iterable[Sequence[float]], length: float, made: float) -> None:
    """Keep what the player tells of its video; told again, it changes nothing.

    Args:
        link: of the message, with its dispatch and study.
        ranges: stretches of the video that were played, in seconds.
        length: of the video, as the player says; the file's own counts where it is known.
        made: when the page was made, in seconds since 1970 by the real clock.
    """
    shown = shown_by(link)
    length = (shown.seconds if shown else None) or length
    told = merged(_possible(ranges, length))
    if link.opened_at is None or not told or link.dispatch.study.state not in _RECORDING:
        return
    if link.dispatch.participant.state != "enrolled":
        return
    with writing():
        moment = now()
        if not MessageLink.objects.select_for_update().filter(pk=link.pk).exists():
            return  # they had everything erased meanwhile
        kept, _ = Watch.objects.select_for_update().get_or_create(
            dispatch_id=link.dispatch_id, defaults={"first_at": moment, "last_at": moment}
        )
        everything = merged([*((a, b) for a, b in kept.ranges), *told])
        # In a rehearsal the platform's clock stands still while a person tries the page.
        passed = max((moment - link.opened_at).total_seconds(), time.time() - made)
        seconds = max(kept.seconds, min(sum(b - a for a, b in everything), passed, length))
        if (seconds, everything) != (kept.seconds, [tuple(one) for one in kept.ranges]):
            kept.seconds, kept.length, kept.last_at = round(seconds, 2), length, moment
            kept.ranges = [list(one) for one in everything]
            kept.save(update_fields=["ranges", "seconds", "length", "last_at"])
        MessageLink.objects.filter(pk=link.pk, started_at=None).update(started_at=moment)


def merged(ranges: Iterable[Range]) -> list[Range]:
    """The same stretches in order and apart.

    >>> merged([(20, 30), (0, 10), (5, 12.5)])
    [(0, 12.5), (20, 30)]
    """
    found: list[Range] = []
    for start, end in sorted(ranges):
        if found and start <= found[-1][1] + _APART:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _possible(ranges: Iterable[Sequence[float]], length: float) -> list[Range]:
    """Stretches that a video of this length can have; anything else was not told by its player."""
    if not 0 < length <= _LONGEST:
        return []
    rows = [(float(one[0]), min(float(one[1]), length)) for one in list(ranges)[:_MOST_RANGES]]
    return [
        (round(start, 2), round(end, 2))
        for start, end in rows
        if math.isfinite(start) and math.isfinite(end) and 0 <= start < end
    ]


def _links() -> "QuerySet[MessageLink]":
    return MessageLink.objects.select_related("dispatch__participant__study", "dispatch__study")
