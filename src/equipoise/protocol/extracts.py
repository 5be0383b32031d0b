"""HR extracts as the protocol declares them: their days, the columns to read, the outcomes that they give."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from equipoise.protocol.models.conduct import DataSource
from equipoise.protocol.models.extracts import Extract
from equipoise.protocol.models.participants import RosterColumn
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.timeline import moment_of

__all__ = [
    "ABSENT",
    "LINKAGE",
    "Days",
    "Measured",
    "days_of",
    "extract_of",
    "extracts",
    "kept_ranges",
    "measured",
    "reading_columns",
]

LINKAGE: Final = "linkage"  # the activity of the consent

# Why a participant has no value from an extract, in the column `OUTCOME_why`.
ABSENT: Mapping[str, str] = MappingProxyType(
    {
        "not_linked": "Has not agreed that such records are joined",
        "not_in_file": "Is not in the file of their partner",
        "empty": "Is in the file without a value",
        "no_extract": "No file of their partner has come",
    }
)


@dataclass(frozen=True)
class Days:
    """The days of a window, both ends in it."""

    first: date
    last: date


@dataclass(frozen=True)
class Measured:
    """An outcome as extracts measure it once.

    Attributes:
        outcome: its name.
        window: in which.
        column: of the extracts.
        frame_column: of the analysis frame.
        sources: that give the column; each for other partners.
    """

    outcome: str
    window: str
    column: str
    frame_column: str
    sources: tuple[str, ...]


def extracts(protocol: Protocol) -> dict[str, DataSource]:
    """The sources whose files become outcomes, by name."""
    return {name: source for name, source in protocol.sources.items() if source.extract is not None}


def extract_of(protocol: Protocol, source: str) -> Extract:
    """What the file of a source holds.

    Raises:
        KeyError: it is no extract.
    """
    found = extracts(protocol)[source].extract
    if found is None:
        raise KeyError(source)
    return found


def measured(protocol: Protocol) -> tuple[Measured, ...]:
    """Every column of the analysis frame that extracts give, in the order of outcomes and windows."""
    return tuple(_measured(protocol))


def days_of(protocol: Protocol, source: str, window: str) -> Days:
    """The days of a window, in the study's zone.

    Raises:
        ProtocolError: a time is none.
    """
    written = extract_of(protocol, source).windows[window]
    zone = ZoneInfo(protocol.study.timezone)
    first = moment_of(protocol, written.from_, "opens").astimezone(zone).date()
    after = moment_of(protocol, written.to, "closes").astimezone(zone).date()
    return Days(first, after - timedelta(days=1))


def reading_columns(protocol: Protocol, source: str) -> dict[str, RosterColumn]:
    """The columns to be found in a file, the roster's identifier first."""
    extract = extract_of(protocol, source)
    roster = protocol.participants.roster if protocol.participants else {}
    found = {name: column for name, column in roster.items() if column.role == "identifier"}
    for name, column in extract.columns.items():
        found[name] = RosterColumn(**column.model_dump())
    return found


def kept_ranges(protocol: Protocol, source: str) -> dict[str, tuple[float | None, float | None]]:
    """The lowest and highest possible value of each column that is kept: its own bounds, else those of the
    outcomes that take it."""
    extract = extract_of(protocol, source)
    found = {}
    for name in extract.gives:
        column = extract.columns.get(name)
        low, high = (column.low, column.high) if column is not None else (None, None)
        spans = [one.range for one in protocol.outcomes.values() if one.column == name and one.range]
        low = max((span[0] for span in spans), default=None) if low is None else low
        high = min((span[1] for span in spans), default=None) if high is None else high
        found[name] = (low, high)
    return found


def _measured(protocol: Protocol) -> Iterator[Measured]:
    known = {name: source.extract for name, source in extracts(protocol).items() if source.extract}
    for name, outcome in protocol.outcomes.items():
        giving = {source: each for source, each in known.items() if outcome.column in each.gives}
        windows = dict.fromkeys(window for each in giving.values() for window in each.windows)
        for window in windows:
            column = protocol.frame_column(name, window) if outcome.waves else str(outcome.column)
            sources = tuple(source for source, each in giving.items() if window in each.windows)
            yield Measured(name, window, str(outcome.column), column, sources)
