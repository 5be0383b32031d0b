"""What has to hold for a message of one send to go out, besides what holds for all.

It is read once for each version of a study, and for each time zone in which somebody lives.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from equipoise.errors import EquipoiseError
from equipoise.platform.delivery.models import ConfirmedContact, Dispatch
from equipoise.platform.delivery.planning.time_zones import own_zones
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, stopped_at
from equipoise.protocol import Study as StudyFolder
from equipoise.protocol.models.conduct import Sending
from equipoise.protocol.quiet import Cap, allowed, parse_cap
from equipoise.protocol.send_digests import send_digest
from equipoise.protocol.sends import sends
from equipoise.protocol.times import as_utc

__all__ = ["Rules", "is_confirmed", "rules_for", "rules_of"]

_COLUMN_TYPES = {"email": "email", "sms": "phone"}
_UNTIL_ANSWERED = ("invite", "remind")
_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Rules:
    """What has to hold for a message of one send.

    Attributes:
        version: of the study, whose template it is.
        send: its name.
        digest: of the form that the send has in this version; empty where it has none.
        since: a person has to have confirmed that form later than this; when data collection ended.
        consent: the activity to which somebody must not have said no; empty where the study does not ask.
        assumed: whoever has said nothing agrees.
        column: of the roster, in which the address stands; empty for letters.
        wave: until whose answers it goes out; None where answers do not matter.
        cap: at most how many to one person; None for no cap.
        sending: the study's rules of when.
        zone: of whoever gets it.
    """

    version: int
    send: str
    digest: str
    since: datetime
    consent: str
    assumed: bool
    column: str
    wave: str | None
    cap: Cap | None
    sending: Sending
    zone: ZoneInfo

    def opens(self, moment: datetime) -> datetime:
        """The first moment from another on that is in no quiet hour and on no day of rest."""
        return _opens(self.sending, self.zone, moment)

    def tomorrow(self, moment: datetime) -> datetime:
        """The beginning of the next day on the calendar of whoever gets it, in UTC."""
        day = moment.astimezone(self.zone).date() + timedelta(days=1)
        return as_utc(datetime.combine(day, time()), self.zone)


def rules_of(study: Study, contact: str, channel: str, zone: ZoneInfo | None = None) -> Rules:
    """The rules of one send of a study, by the version in force.

    Args:
        study: of this workspace.
        contact: the send's name.
        channel: email, sms or letter.
        zone: of whoever gets it; the study's when left out.
    """
    return _rules(study.pk, study.name, study.version, contact, channel, zone)


def rules_for(study: Study, dispatches: Sequence[Dispatch]) -> dict[int, Rules]:
    """The rules of each of some dispatches of a study, in the time zone of whoever gets it."""
    zones = own_zones(study, [each.participant_id for each in dispatches])
    return {
        each.pk: rules_of(study, each.contact, each.channel, zones.get(each.participant_id))
        for each in dispatches
    }


def is_confirmed(study: Study, rules: Rules) -> bool:
    """Whether a person has let the send go out in the form that it has by these rules."""
    told = ConfirmedContact.objects.filter(study=study, contact=rules.send, digest=rules.digest)
    return told.filter(at__gt=rules.since).exists()


@lru_cache(maxsize=1024)
def _opens(sending: Sending, zone: ZoneInfo, moment: datetime) -> datetime:
    """Kept, because most messages of a batch are due at one moment."""
    return allowed(sending, moment, zone)


@lru_cache(maxsize=1024)
def _rules(number: int, name: str, version: int, contact: str, channel: str, zone: ZoneInfo | None) -> Rules:
    study = Study(pk=number, name=name, version=version)
    folder = folder_of(study)
    protocol, declared = folder.protocol, folder.protocol.participants
    roster: Mapping[str, Any] = declared.roster if declared else {}
    asked: Mapping[Any, str] = declared.consent if declared else {}
    kind = _COLUMN_TYPES.get(channel)
    wave, _, part = contact.rpartition(".")
    consent = "survey" if wave else "messages"
    return Rules(
        version=version,
        send=contact,
        digest=_digest(folder, contact),
        since=stopped_at(study) or _EVER,
        consent=consent if consent in asked else "",
        assumed=bool(wave) or asked.get(consent) != "opt-in",
        column=next((name for name, column in roster.items() if column.type == kind), ""),
        wave=wave if part in _UNTIL_ANSWERED and wave else None,
        cap=parse_cap(protocol.sending.cap),
        sending=protocol.sending,
        zone=zone or ZoneInfo(protocol.study.timezone),
    )


def _digest(folder: StudyFolder, contact: str) -> str:
    """Of the send's form; of what is not sent, or has times that cannot be read, there is none."""
    try:
        return send_digest(folder, contact) if contact in sends(folder) else ""
    except EquipoiseError:
        return ""
