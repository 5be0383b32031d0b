"""When things happen: waves open and close, stages draw, in the study's zone, from the launch onwards."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from equipoise.errors import EquipoiseError
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.times import Role, parse_time, resolve, resolve_all

__all__ = ["Timeline", "moment_of", "stages_before", "timeline", "waves_before"]

Path = tuple[str | int, ...]

# The order of things does not hang on the date of the launch, so an undated draft is put on any Monday.
UNDATED_LAUNCH = "2001-01-01 09:00"


@dataclass(frozen=True)
class Timeline:
    """Moments in UTC by the name of the wave, stage, contact or period; `errors` has what could not be read.

    With rolling enrolment `enrolled` stands at the launch unless a moment was given: the moments are then
    those of somebody enrolled that day.
    """

    launch: datetime | None
    opens: Mapping[str, datetime]
    closes: Mapping[str, datetime]
    draws: Mapping[str, datetime]
    starts: Mapping[str, datetime]
    periods: Mapping[str, datetime]
    errors: tuple[tuple[Path, EquipoiseError], ...]


def timeline(protocol: Protocol, enrolled: datetime | None = None) -> Timeline:
    """Every moment that the protocol fixes.

    Args:
        protocol: of the study.
        enrolled: when a participant came in, with its zone, for the moments that are their own.
    """
    written = dict(_written(protocol, enrolled))
    errors: list[tuple[Path, EquipoiseError]] = []
    parsed = {}
    for name, (path, text, role) in written.items():
        try:
            parsed[name] = (parse_time(text), role)
        except EquipoiseError as error:
            errors.append((path, error))
    resolved, failed = resolve_all(parsed, _zone(protocol))
    errors += [(written[name][0], error) for name, error in failed.items()]
    starts = {}
    for name, contact in protocol.contacts.items():
        try:
            starts[name] = resolve(parse_time(contact.from_), resolved, _zone(protocol), "sends")
        except EquipoiseError as error:
            errors.append((("contacts", name, "from"), error))
    return Timeline(
        launch=resolved.get("launch"),
        opens={name: resolved[f"{name}.opens"] for name in protocol.waves if f"{name}.opens" in resolved},
        closes={name: resolved[f"{name}.closes"] for name in protocol.waves if f"{name}.closes" in resolved},
        draws={
            name: resolved[f"allocated({name})"]
            for name in protocol.allocation
            if f"allocated({name})" in resolved
        },
        starts=starts,
        periods={name: resolved[name] for name in _periods(protocol) if name in resolved},
        errors=tuple(errors),
    )


def moment_of(protocol: Protocol, text: str, role: Role = "opens") -> datetime:
    """The moment in UTC that a time of this study means.

    Raises:
        ProtocolError: it is no time, or hangs on something that the study does not have.
    """
    times = timeline(protocol)
    anchors = {f"{name}.opens": moment for name, moment in times.opens.items()}
    anchors |= {f"{name}.closes": moment for name, moment in times.closes.items()}
    anchors |= {f"allocated({name})": moment for name, moment in times.draws.items()}
    anchors |= {"launch": times.launch, "enrolled": times.launch} if times.launch else {}
    return resolve(parse_time(text), anchors, _zone(protocol), role)


def waves_before(protocol: Protocol, stage: str) -> tuple[str, ...]:
    """The waves that close no later than a stage of allocation draws, in order of opening."""
    times = timeline(protocol)
    if stage not in times.draws:
        return ()
    before = [
        name for name, closes in times.closes.items() if closes <= times.draws[stage] and name in times.opens
    ]
    return tuple(sorted(before, key=lambda name: times.opens[name]))


def stages_before(protocol: Protocol, stage: str) -> tuple[str, ...]:
    """The stages settled when a stage draws: drawn earlier, or at once and without regard to it."""
    draws = timeline(protocol).draws
    return tuple(
        name
        for name in protocol.allocation
        if name != stage
        and name in draws
        and stage in draws
        and (
            draws[name] < draws[stage]
            or (draws[name] == draws[stage] and not _follows(protocol, name, stage))
        )
    )


def _follows(protocol: Protocol, stage: str, other: str, seen: frozenset[str] = frozenset()) -> bool:
    """Whether who is drawn in a stage hangs on the arms of another, directly or by a third."""
    among = protocol.allocation[stage].among or ""
    named = set(re.findall(r"[a-z][a-z0-9_]*", among)) & set(protocol.allocation) - seen
    return other in named or any(_follows(protocol, name, other, seen | {stage, name}) for name in named)


def _periods(protocol: Protocol) -> Mapping[str, str]:
    return protocol.schedule.periods if protocol.schedule else {}


def _written(protocol: Protocol, enrolled: datetime | None) -> Iterator[tuple[str, tuple[Path, str, Role]]]:
    launch = protocol.study.launch or UNDATED_LAUNCH
    came = enrolled.astimezone(_zone(protocol)).strftime("%Y-%m-%d %H:%M") if enrolled else launch
    yield "launch", (("study", "launch"), launch, "sends")
    yield "enrolled", (("study", "launch"), came, "sends")
    for number, (name, text) in enumerate(_periods(protocol).items()):
        path = ("schedule", "periods", name)
        own = "launch" if text.startswith("period(") else text
        yield name, (path, own, "opens")
        yield f"period({number + 1})", (path, name, "opens")
    for name, stage in protocol.allocation.items():
        yield f"allocated({name})", (("allocation", name, "when"), stage.when, "sends")
    for name, wave in protocol.waves.items():
        yield f"{name}.opens", (("waves", name, "opens"), wave.opens, "opens")
        yield f"{name}.closes", (("waves", name, "closes"), wave.closes, "closes")


def _zone(protocol: Protocol) -> ZoneInfo:
    try:
        return ZoneInfo(protocol.study.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")  # the checks report the zone
