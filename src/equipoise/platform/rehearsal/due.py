"""What a protocol says is sent, to whom and when, worked out without a word of the code that plans it.

The verdict holds what arrived against this. It gives for every send and occasion the moment before which it
may not arrive and the one by which it must have, and leaves quiet hours and holidays to a test of their own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import holidays

from equipoise.protocol import Study
from equipoise.protocol.models.fieldwork import Contact
from equipoise.protocol.timeline import timeline
from equipoise.protocol.times import next_occurrence, parse_duration, parse_weekly, shift

__all__ = ["WAITS", "Due", "dues", "essence", "is_quiet"]

# Easter, with a public holiday on either side of the weekend, is the longest that a message can have to wait.
WAITS = timedelta(days=5)
_SUBDIVISIONS = {"england-and-wales": "ENG", "scotland": "SCT", "northern-ireland": "NIR"}
_PLAIN = re.compile(r"[^{}\[\]()*_#>`]{12,}")


@dataclass(frozen=True)
class Due:
    """One occasion of a send.

    Attributes:
        send: a contact's name, or `WAVE.invite`, `WAVE.remind`, `WAVE.thank`.
        occasion: from 1.
        kind: contact, invite, remind or thank.
        wave: of an invitation, a reminder or thanks.
        channel: email, sms or letter.
        carrier: workspace or partner.
        arms: to whom; everybody where it is empty.
        stage: which stage's arms.
        rule: an expression that selects people besides, or empty.
        after: not before; of thanks, whoever has finished since then.
        until: not later.
        template: of the study's folder.
    """

    send: str
    occasion: int
    kind: str
    wave: str
    channel: str
    carrier: str
    arms: frozenset[str]
    stage: str
    rule: str
    after: datetime
    until: datetime
    template: str


def dues(study: Study) -> list[Due]:
    """Every occasion that the protocol has, those of waves first."""
    return [_by_whom(study, due) for due in (*_of_waves(study), *_of_contacts(study))]


def is_quiet(study: Study, moment: datetime) -> bool:
    """Whether nothing may arrive at a moment: at night, at the weekend, on a public holiday."""
    sending = study.protocol.sending
    if sending is None:
        return False
    local = moment.astimezone(_zone(study))
    begins, ends = (time.fromisoformat(text) for text in sending.quiet_hours)
    clock = local.time()
    night = begins <= clock < ends if begins <= ends else clock >= begins or clock < ends
    weekend = not sending.weekends and local.weekday() >= 5
    place = _SUBDIVISIONS.get(sending.bank_holidays or "")
    return (
        night
        or weekend
        or (place is not None and local.date() in holidays.country_holidays("GB", subdiv=place))
    )


def essence(study: Study, due: Due) -> str:
    """A passage of the template that the message has to hold, spaces aside; empty where none is plain."""
    place = Path(study.folder) / due.template.replace("{n}", str(due.occasion))
    if not place.is_file():
        return ""
    body = place.read_text("utf-8").rpartition("\n---\n")[2]
    passages = [" ".join(found.split()) for line in body.split("\n\n") for found in _PLAIN.findall(line)]
    return max(passages, key=len, default="")


def _by_whom(study: Study, due: Due) -> Due:
    """What goes with a wave is the partner's to send where the partner alone has the addresses."""
    people, kind = study.protocol.participants, {"email": "email", "sms": "phone"}.get(due.channel)
    known = people is not None and any(column.type == kind for column in people.roster.values())
    theirs = any(contact.carrier == "partner" for contact in study.protocol.contacts.values())
    return replace(due, carrier="partner") if kind and theirs and not known else due


def _of_waves(study: Study) -> Iterator[Due]:
    times, zone = timeline(study.protocol), _zone(study)
    for name, wave in study.protocol.waves.items():
        opens, closes = times.opens[name], times.closes[name]
        due = Due("", 1, "", name, "email", "workspace", frozenset(), "", wave.among or "", opens, closes, "")
        if wave.invite is not None:
            invited = replace(due, channel=wave.invite.channel, until=min(closes, opens + WAITS))
            yield replace(invited, send=f"{name}.invite", kind="invite", template=wave.invite.template)
            reminded = replace(invited, send=f"{name}.remind", kind="remind")
            for number, text in enumerate(wave.remind.after if wave.remind else (), 1):
                length = parse_duration(text)
                after = shift(opens, length.count, length.unit, zone)
                template = wave.remind.template if wave.remind else ""
                until = min(closes, after + WAITS)
                yield replace(reminded, occasion=number, after=after, until=until, template=template)
        if wave.thank is not None:
            said, last = wave.thank, closes + WAITS
            thanked = replace(due, channel=said.channel, until=last, template=said.template)
            yield replace(thanked, send=f"{name}.thank", kind="thank")


def _of_contacts(study: Study) -> Iterator[Due]:
    protocol, times, zone = study.protocol, timeline(study.protocol), _zone(study)
    for name, contact in protocol.contacts.items():
        if name not in times.starts:
            continue
        stage = contact.to.stage or (protocol.main_stage if protocol.allocation else "")
        for number in range(1, contact.times + 1):
            after = _occasion(contact, number, times.starts[name], zone)
            following = _occasion(contact, number + 1, times.starts[name], zone)
            last = min(after + WAITS, following) if contact.every else after + WAITS
            arms, rule = frozenset(contact.to.arm), contact.to.where or ""
            by = (contact.channel, contact.carrier)
            yield Due(name, number, "contact", "", *by, arms, stage, rule, after, last, contact.template)


def _occasion(contact: Contact, number: int, start: datetime, zone: ZoneInfo) -> datetime:
    first = start
    if contact.at is not None:
        first = next_occurrence(parse_weekly(contact.at), start, zone)
    if contact.every is None or number == 1:
        return first.astimezone(UTC)
    length = parse_duration(contact.every)
    return shift(first, length.count * (number - 1), length.unit, zone)


def _zone(study: Study) -> ZoneInfo:
    return ZoneInfo(study.protocol.study.timezone)
