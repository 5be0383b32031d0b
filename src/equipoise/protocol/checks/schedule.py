"""The schedule of what is sent: whether it can be read, fits its own rules, and comes at times when it may.

A study that was locked before these were looked at still loads; whoever would let its messages go out is
told then.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise, product

from equipoise.errors import EquipoiseError, Problem
from equipoise.protocol.checks.places import at, time_problems, unknown
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.occasions import Occasion, arms_at, occasions, zone_of
from equipoise.protocol.quiet import Cap, parse_cap, parse_holidays, parse_quiet_hours
from equipoise.protocol.sends import Send, sends
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import timeline
from equipoise.protocol.times import WEEKDAYS, parse_duration
from equipoise.protocol.zones import is_zone

__all__ = ["check_schedule", "missed_occasions", "moved_occasions", "schedule_problems"]

MOST_OCCASIONS = 1_000
LONGEST_NAME = 70
_MOST_COMBINATIONS = 200
_SHOWN = 3

Planned = tuple[Send, Occasion]


def check_schedule(study: Study) -> Iterator[Problem]:
    """What is wrong with the schedule; of a locked study, only with keys that did not exist before."""
    if study.registration is None:
        yield from schedule_problems(study)
    else:
        yield from _contacts(study)
        yield from _zone(study)


def schedule_problems(study: Study) -> Iterator[Problem]:
    """Everything that is wrong with the schedule; nothing may be sent before there is none of it."""
    rules = [*_contacts(study), *_zone(study), *_rules(study)]
    yield from rules
    if not rules and not timeline(study.protocol).errors:
        yield from _at_once(study)
        yield from _cap(study)


def missed_occasions(study: Study) -> Iterator[str]:
    """Occasions for which the quiet hours leave no time, a sentence each."""
    for send, found in _readable(study):
        missed = [each for each in found if each.missed]
        for each in missed[:_SHOWN]:
            yield (
                f"{send.name} {each.number}, {_said(study, each.written)}, never goes out: the quiet hours"
                f" put it off to {_said(study, each.due)}, and it may be sent until"
                f" {_said(study, each.last)}"
            )
        if len(missed) > _SHOWN:
            yield f"{send.name}: {len(missed) - _SHOWN} more of its occasions never go out"


def moved_occasions(study: Study) -> Iterator[str]:
    """Occasions that the quiet hours put off, a sentence each."""
    for send, found in _readable(study):
        for each in found:
            if each.moved and not each.missed:
                was, goes = _said(study, each.written), _said(study, each.due)
                yield f"{send.name} {each.number}, {was}, is in quiet hours and goes out {goes}"


def _contacts(study: Study) -> Iterator[Problem]:
    for name, contact in study.protocol.contacts.items():
        if contact.within is not None:
            yield from _length(study, ("contacts", name, "within"), contact.within)


def _length(study: Study, path: tuple[str | int, ...], text: str) -> Iterator[Problem]:
    try:
        if parse_duration(text).count == 0:
            yield at(study, *path, message=f'"{text}" leaves no time; write how late it may still go out')
    except EquipoiseError as error:
        yield time_problems(study, path, error)


def _zone(study: Study) -> Iterator[Problem]:
    """The column of participants' own zones holds zones, as far as the protocol can tell."""
    name, path = study.protocol.sending.zone, ("sending", "zone")
    if name is None:
        return
    roster = study.protocol.participants.roster if study.protocol.participants else {}
    if name not in roster:
        yield unknown(study, path, name, "a roster column", roster, "Columns")
        return
    column = roster[name]
    if column.type not in ("text", "category") or column.role != "attribute":
        message = (
            f'"{name}" is a column of another kind; time zones are a text or a category, and an attribute'
        )
        yield at(study, *path, message=message)
    for level in column.levels or ():
        if not is_zone(level):
            message = f'"{level}" is not a time zone; write it as `Europe/London`'
            yield at(study, "participants", "roster", name, "levels", message=message)


def _rules(study: Study) -> Iterator[Problem]:
    protocol = study.protocol
    sending = protocol.sending
    for key, read in (
        ("quiet-hours", lambda: parse_quiet_hours(sending.quiet_hours)),
        ("bank-holidays", lambda: parse_holidays(sending.bank_holidays)),
        ("cap", lambda: parse_cap(sending.cap)),
    ):
        try:
            read()
        except EquipoiseError as error:
            yield time_problems(study, ("sending", key), error)
    for name, contact in protocol.contacts.items():
        if contact.times > MOST_OCCASIONS:
            message = f"found {contact.times:,}; a contact is sent at most {MOST_OCCASIONS:,} times"
            yield at(study, "contacts", name, "times", message=message)
    for kind, names in (("contacts", protocol.contacts), ("waves", protocol.waves)):
        for name in names:
            if len(name) > LONGEST_NAME:
                message = f"the name has {len(name)} characters; it can have {LONGEST_NAME}"
                yield at(study, kind, name, message=message)


def _at_once(study: Study) -> Iterator[Problem]:
    """Two occasions of one send are two moments."""
    for send, found in _readable(study):
        for one, other in pairwise(found):
            if one.written == other.written:
                path = _path(send)
                message = (
                    f"occasions {one.number} and {other.number} are both {_said(study, one.written)};"
                    " let them lie further apart"
                )
                yield at(study, *path, message=message)
                break


def _cap(study: Study) -> Iterator[Problem]:
    """The schedule itself, whoever gets it, stays under the cap; of each breach the first."""
    cap = parse_cap(study.protocol.sending.cap)
    if cap is None:
        return
    told = set()
    for arms, planned in _streams(study):
        over = _first_over(planned, cap, study)
        if over and (names := tuple(sorted({send.name for send, _ in over}))) not in told:
            told.add(names)
            whose = f" in {', '.join(arms)}" if arms else ""
            listed = ", ".join(f"{send.name} {each.number} ({_day(study, each)})" for send, each in over)
            message = (
                f'"{cap.text}" is less than is planned for everybody{whose}: {listed}; raise it or plan less'
            )
            yield at(study, "sending", "cap", message=message)


def _streams(study: Study) -> Iterator[tuple[tuple[str, ...], list[Planned]]]:
    """What one participant may get, for each combination of arms; what an expression selects, one by one."""
    protocol = study.protocol
    planned = [(send, each) for send, found in _readable(study) for each in found if not each.missed]
    stages = [_drawn(protocol, name) for name in protocol.allocation]
    combinations = list(product(*stages)) if stages else [()]
    selecting = [None, *dict.fromkeys(send.name for send, _ in planned if send.where)]
    for arms in combinations[:_MOST_COMBINATIONS]:
        mine = dict(zip(protocol.allocation, arms, strict=True))
        gets = [(send, each) for send, each in planned if _gets(protocol, send, each, mine)]
        for name in selecting:
            yield arms, [(send, each) for send, each in gets if send.where is None or send.name == name]


def _drawn(protocol: Protocol, stage: str) -> list[str]:
    declared = protocol.allocation[stage]
    if declared.to == "sequences" and protocol.schedule is not None:
        return list(protocol.schedule.sequences)
    return list(declared.arms) or [""]


def _gets(protocol: Protocol, send: Send, occasion: Occasion, mine: dict[str, str]) -> bool:
    return not send.arms or mine.get(send.stage or "") in arms_at(protocol, send, occasion.due)


def _first_over(planned: Sequence[Planned], cap: Cap, study: Study) -> list[Planned]:
    """The first messages in a row that are more than the cap allows in its days."""
    ordered = sorted(planned, key=lambda pair: pair[1].due)
    for place in range(cap.number, len(ordered)):
        window = ordered[place - cap.number : place + 1]
        days = [pair[1].due.astimezone(zone_of(study.protocol)).date() for pair in (window[0], window[-1])]
        if days[1] - days[0] < timedelta(days=cap.days):
            return window
    return []


def _readable(study: Study) -> Iterator[tuple[Send, list[Occasion]]]:
    """Each send with its occasions; of a draft without a launch none, since they have no days yet."""
    if study.protocol.study.launch is None:
        return
    for send in sends(study).values():
        try:
            yield send, occasions(study.protocol, send)
        except EquipoiseError:
            continue  # told where it stands


def _path(send: Send) -> tuple[str, ...]:
    return ("contacts", send.name, "every") if send.wave is None else ("waves", send.wave, send.kind)


def _said(study: Study, moment: datetime) -> str:
    local = moment.astimezone(zone_of(study.protocol))
    return f"{WEEKDAYS[local.weekday()]} {local:%Y-%m-%d %H:%M}"


def _day(study: Study, occasion: Occasion) -> str:
    return f"{occasion.due.astimezone(zone_of(study.protocol)):%Y-%m-%d}"
