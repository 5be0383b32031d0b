"""What somebody states of an incident, and everything that is wrong with it, each beside its field."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from equipoise.errors import Problem, nearest
from equipoise.platform.clock import now
from equipoise.platform.incidents.choices import LISTS, kinds_of
from equipoise.platform.incidents.models import Statement
from equipoise.platform.incidents.texts import Texts
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of

__all__ = ["LONGEST", "Stated", "faults_in", "stated_in", "today_of"]

LONGEST = 10_000  # characters of one text
_YEARS = 10  # longer ago than that, the year was mistyped
_ASKED = {
    "kind": "say what kind of thing happened",
    "way": "say how it was learnt",
    "serious": "say whether it was serious, and by what",
    "expected": "say whether it was foreseen",
    "related": "say whether taking part could have to do with it",
    "outcome": "say how it stands",
}


@dataclass(frozen=True)
class Stated:
    """What is said of an incident besides the texts.

    Attributes:
        kind: of `choices.kinds_of`.
        happened_on: the day, in the study's zone.
        learnt_on: the day on which anybody on the study learnt of it.
        way, serious, expected, related, outcome: of the lists in `choices`.
        named: whom it happened to, by a code or what else finds a participant; empty where nobody is named.
        partner: the name of the partner whose people it concerns, where nobody is named.
    """

    kind: str
    happened_on: date | None
    learnt_on: date | None
    way: str
    serious: str
    expected: str
    related: str
    outcome: str
    named: str = ""
    partner: str = ""


def stated_in(statement: Statement) -> Stated:
    """What a stored statement says, to state it again with a change."""
    lists = {name: getattr(statement, name) for name in LISTS}
    return Stated(
        kind=statement.kind,
        happened_on=statement.happened_on,
        learnt_on=statement.learnt_on,
        named=statement.participant.key if statement.participant is not None else "",
        partner=statement.partner.name if statement.partner is not None else "",
        **lists,
    )


def today_of(study: Study) -> date:
    """The day that it is in the study's zone."""
    return _local(study, now())


def faults_in(
    study: Study, stated: Stated, texts: Texts, needed: Mapping[str, str], *, kept: str = ""
) -> list[Problem]:
    """Everything that keeps this from being logged; whom it names is looked up by `naming.whom`.

    Args:
        study: whose incident it is.
        stated: what was chosen.
        texts: what was written.
        needed: the texts that may not be empty, by name, each with what is said where it is.
        kept: a kind that stays allowed because the incident has it already, whatever amendments said since.
    """
    return [*_choices(study, stated, kept), *_days(study, stated), *_written(study, texts, needed)]


def _choices(study: Study, stated: Stated, kept: str) -> Iterator[Problem]:
    allowed = {"kind": [*kinds_of(study), *([kept] if kept else [])], **LISTS}
    for name, asked in _ASKED.items():
        found = getattr(stated, name)
        if not found:
            yield Problem(study.name, name, asked)
        elif found not in allowed[name]:
            listed = nearest(found, list(allowed[name]))
            yield Problem(study.name, name, f'"{found[:40]}" is not among them. Choose one of {listed}')


def _days(study: Study, stated: Stated) -> Iterator[Problem]:
    today, happened, learnt = today_of(study), stated.happened_on, stated.learnt_on
    for name, found, asked in (
        ("happened_on", happened, "say on which day it happened, such as 2021-03-15"),
        ("learnt_on", learnt, "say on which day it was learnt, such as 2021-03-15"),
    ):
        if found is None:
            yield Problem(study.name, name, asked)
        elif found > today:
            yield Problem(study.name, name, f"{found} is still to come; today is {today}")
    if happened and learnt and happened > learnt:
        yield Problem(study.name, "learnt_on", f"{learnt} is before it happened, on {happened}")
    if happened and learnt and learnt.year - happened.year > _YEARS:
        message = f"{happened} is more than {_YEARS} years before it was learnt; look at the year"
        yield Problem(study.name, "happened_on", message)


def _written(study: Study, texts: Texts, needed: Mapping[str, str]) -> Iterator[Problem]:
    for name, text in vars(texts).items():
        if name in needed and not text.strip():
            yield Problem(study.name, name, needed[name])
        if len(text) > LONGEST:
            message = f"has {len(text):,} characters; at most {LONGEST:,} are kept. Write what matters"
            yield Problem(study.name, name, message)


def _local(study: Study, moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(folder_of(study).protocol.study.timezone)).date()
