"""When what a study keeps is due to be deleted: so long after the last moment at which anybody could answer.

A timer is computed from the folder in force each time that it is asked, and is stored nowhere. So an
amendment moves it, a restored copy has it at once, and nothing but an amendment can put it off.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Max

from equipoise.platform.clock import now
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, rolling, wave_times
from equipoise.protocol.times import parse_duration, shift

__all__ = ["NOTICE", "Timer", "end_of_answering", "timers"]

NOTICE = timedelta(days=14)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Timer:
    """How long a kind of data is kept.

    Attributes:
        kind: contacts or answers.
        kept: after the end of answering, as the protocol writes it.
        ended: when answering ended or will end; None while that is not known.
        due: when the data are deleted; None as long as `ended` is.
    """

    kind: str
    kept: str
    ended: datetime | None
    due: datetime | None

    @property
    def is_due(self) -> bool:
        """Whether the time has come."""
        return self.due is not None and now() >= self.due

    @property
    def announced(self) -> bool:
        """Whether it comes within two weeks, which is when the pages begin to say so."""
        return self.due is not None and now() >= self.due - NOTICE


def timers(study: Study) -> Iterator[Timer]:
    """The timers of a study, contact details first; none where its protocol has no `privacy.delete`."""
    protocol = folder_of(study).protocol
    if protocol.privacy.delete is None:
        return
    ended, zone = end_of_answering(study), ZoneInfo(protocol.study.timezone)
    for kind, kept in protocol.privacy.delete.model_dump(exclude_none=True).items():
        length = parse_duration(kept)
        due = None if ended is None else shift(ended, length.count, length.unit, zone)
        yield Timer(kind, length.text, ended, due)


def end_of_answering(study: Study) -> datetime | None:
    """When the last wave closes, or the study was closed before that; None while it is not known.

    Where each participant has waves of their own it is those of whoever came last, and not known before the
    study is closed, because somebody may still come.
    """
    last = None
    if rolling(study) and _closes(study, study.added_at) != _closes(study, study.added_at + _DAY):
        if study.closed_at is None:
            return None
        last = Participant.objects.filter(study=study).aggregate(last=Max("enrolled_at"))["last"]
    moments = [moment for moment in (_closes(study, last), study.closed_at) if moment is not None]
    return min(moments, default=None)


def _closes(study: Study, enrolled: datetime | None) -> datetime | None:
    return max((wave.closes for wave in wave_times(study, enrolled).values()), default=None)
