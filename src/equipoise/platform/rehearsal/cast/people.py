"""The cast of a rehearsal: invented people, how to reach them, and the habits that a trial has to stand.

Most people open their mail and answer. Some press every button twice, break off and come back on another
device, stop messages or leave, have a mail scanner that opens every link, or an address that does not exist.
Each habit has its own stream of chance, so that one more of it moves no other.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from equipoise import streams
from equipoise.diagnosis import invent_participants
from equipoise.errors import NotSupportedError
from equipoise.protocol import Study
from equipoise.protocol.models.participants import RosterColumn
from equipoise.roster import identifier_of

__all__ = ["Habits", "Leaving", "Person", "address_of", "cast_of", "roster_rows"]

Leaving = Literal["messages", "everything", "erase", "one-click", "text"]

_SHARES = {
    "twice": 0.05,
    "breaks-off": 0.04,
    "other-device": 0.04,
    "scanner": 0.06,
    "bounces": 0.02,
    "busy": 0.05,
}
_PLAYS_NOTHING, _PLAYS_ALL = 0.15, 0.3
_DIGITS = 10  # of a British number without what stands before it
_LEAVING: tuple[tuple[Leaving, float], ...] = (
    ("messages", 0.02),
    ("one-click", 0.015),
    ("text", 0.02),
    ("everything", 0.01),
    ("erase", 0.01),
)
# Telephone numbers set apart for plays, without those that Notify has for trying things out.
_NUMBERS = tuple(f"07700 900{number:03d}" for number in range(10, 1_000) if number not in (111, 222))


@dataclass(frozen=True)
class Habits:
    """How a person treats what comes.

    Attributes:
        twice: presses every button twice.
        breaks_off: stops after the first page, for good.
        other_device: stops after the first page and goes on later, elsewhere.
        scanner: a program opens every link of their mail before they do.
        bounces: their e-mail address does not exist.
        busy: their mailbox says once that it is busy.
        opens: opens the page that a message of the intervention leads to.
        watches: how much of a film on such a page they play, as a share of it; 0 for nothing.
        leaves: how they stop messages or leave, if they do.
        leaves_after: after how many messages.
    """

    twice: bool = False
    breaks_off: bool = False
    other_device: bool = False
    scanner: bool = False
    bounces: bool = False
    busy: bool = False
    opens: bool = True
    watches: float = 1.0
    leaves: Leaving | None = None
    leaves_after: int = 1


@dataclass(frozen=True)
class Person:
    """One of the cast: the identifier of the roster, where they are reached, and their habits."""

    identifier: str
    email: str
    phone: str
    habits: Habits


def cast_of(study: Study, people: int, seed: int, first: int = 0) -> tuple[pl.DataFrame, list[Person]]:
    """Invented people, as the roster declares them, and who they are.

    Args:
        study: its roster and its rule of eligibility are kept to.
        people: how many.
        seed: the same seed gives the same people.
        first: how many telephone numbers others of the same rehearsal have already.
    Returns:
        Typed rows without contact details, in the order of the people.
    Raises:
        NotSupportedError: the roster has a contact that nobody can be invented for.
    """
    root = f"{seed:x}"
    frame = invent_participants(study, people, streams.generator(root, "simulation", "people"))
    identifier = identifier_of(study)
    habits = _habits(study, frame.height, root)
    name = study.protocol.study.id
    return frame, [
        Person(
            identifier=str(key),
            email=f"{str(key).lower()}@{name}.example.org",
            phone=_NUMBERS[first + number] if first + number < len(_NUMBERS) else "",
            habits=habits[number],
        )
        for number, key in enumerate(frame[identifier].to_list())
    ]


def address_of(to: str) -> str:
    """An e-mail address or a telephone number in the one way in which both sides write it."""
    digits = "".join(each for each in to if each.isdigit())
    return to.strip().lower() if "@" in to else digits[-_DIGITS:]


def roster_rows(study: Study, frame: pl.DataFrame, people: Iterable[Person]) -> pl.DataFrame:
    """The roster as a partner would write it: every declared column, with contact details, all of it text."""
    declared = study.protocol.participants.roster if study.protocol.participants else {}
    cast = list(people)
    columns = []
    for name, column in declared.items():
        if name in frame.columns:
            columns.append(pl.Series(name, list(_written(frame[name].to_list(), column))))
        else:
            columns.append(pl.Series(name, [_reached(name, column, person) for person in cast]))
    return pl.DataFrame(columns)


def _habits(study: Study, n: int, root: str) -> list[Habits]:
    """Each habit falls on at least one person where there are thirty or more."""
    has = {name: _chosen(share, n, root, name) for name, share in _SHARES.items()}
    opens = streams.generator(root, "simulation", "rehearsal", "opens").random(n)
    watches = streams.generator(root, "simulation", "rehearsal", "watches").random(n)
    uptake = study.protocol.diagnosis.assume.uptake
    channels = _channels(study)
    leaves: dict[int, Leaving] = {}
    for how, share in _LEAVING:
        if how != "text" or "sms" in channels:
            leaves |= dict.fromkeys(np.flatnonzero(_chosen(share, n, root, how)).tolist(), how)
    after = streams.generator(root, "simulation", "rehearsal", "leaves-after").integers(1, 4, n)
    return [
        Habits(
            twice=bool(has["twice"][i]),
            breaks_off=bool(has["breaks-off"][i]),
            other_device=bool(has["other-device"][i]),
            scanner=bool(has["scanner"][i]),
            bounces=bool(has["bounces"][i]),
            busy=bool(has["busy"][i]),
            opens=bool(opens[i] < uptake),
            watches=_watched(float(watches[i])),
            leaves=leaves.get(i),
            leaves_after=int(after[i]),
        )
        for i in range(n)
    ]


def _watched(drawn: float) -> float:
    """Some play nothing, some all of it, everybody else breaks off somewhere."""
    return min(1.0, max(0.0, (drawn - _PLAYS_NOTHING) / (1 - _PLAYS_NOTHING - _PLAYS_ALL)))


def _chosen(share: float, n: int, root: str, name: str) -> np.ndarray:
    drawn = streams.generator(root, "simulation", "rehearsal", name).random(n)
    chosen = drawn < share
    if n >= 30 and not chosen.any():
        chosen[int(drawn.argmin())] = True
    return chosen


def _channels(study: Study) -> set[str]:
    return {contact.channel for contact in study.protocol.contacts.values()}


def _written(values: Iterable[object], column: RosterColumn) -> Iterator[str]:
    for value in values:
        if value is None:
            yield ""
        elif column.type == "date" and column.format is not None:
            yield value.strftime(column.format)  # type: ignore[attr-defined]
        elif column.type == "yes-no":
            yield "yes" if value else "no"
        else:
            yield f"{value:g}" if isinstance(value, float) else str(value)


def _reached(name: str, column: RosterColumn, person: Person) -> str:
    if column.type == "email":
        return person.email
    if column.type == "phone":
        return person.phone
    if column.required:
        if column.type == "text":
            return f"{name} of {person.identifier}"
        raise NotSupportedError(f"participants.roster.{name}: nobody can be invented for this contact column")
    return ""
