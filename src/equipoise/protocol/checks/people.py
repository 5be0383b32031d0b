"""The study's head and its participants."""

from collections.abc import Iterator

from equipoise.errors import EquipoiseError, Problem, nearest
from equipoise.protocol.checks.places import at, expression_problems, time_problems
from equipoise.protocol.facts import before_allocation, roster_schema
from equipoise.protocol.reserved import reserved_problem
from equipoise.protocol.study import Study
from equipoise.protocol.times import parse_time
from equipoise.protocol.zones import is_zone

__all__ = ["check_people"]


def check_people(study: Study) -> Iterator[Problem]:
    """Head, roster, eligibility and derived columns."""
    yield from _head(study)
    participants = study.protocol.participants
    if participants is None:
        if study.protocol.allocation or study.protocol.waves:
            yield at(
                study,
                "participants",
                message="people are allocated or asked, but no `participants:` says who",
            )
        return
    path = ("participants", "roster")
    identifiers = [name for name, column in participants.roster.items() if column.role == "identifier"]
    if len(identifiers) != 1:
        found = ", ".join(identifiers) or "none"
        yield at(study, *path, message=f"exactly one column has `role: identifier`; found {found}")
    for name, column in participants.roster.items():
        yield from _column(study, name, column.type, column.levels)
    yield from expression_problems(
        study, ("participants", "eligible"), participants.eligible, roster_schema(study.protocol)
    )
    for name, text in participants.derived.items():
        if name in participants.roster:
            yield at(study, "participants", "derived", name, message=f'"{name}" is a roster column already')
        place = ("participants", "derived", name)
        yield from expression_problems(study, place, text, before_allocation(study.protocol), expects="any")


def _head(study: Study) -> Iterator[Problem]:
    head = study.protocol.study
    if not is_zone(head.timezone):
        close = nearest(head.timezone, ["Europe/London", "Europe/Dublin", "UTC"])
        yield at(
            study, "study", "timezone", message=f'"{head.timezone}" is not a time zone. For example: {close}'
        )
    for key in ("launch", "data_public_since"):
        text = getattr(head, key)
        if text is None:
            continue
        try:
            if parse_time(text).anchor is not None:
                yield at(study, "study", key.replace("_", "-"), message=f'"{text}" has to be a date')
        except EquipoiseError as error:
            yield time_problems(study, ("study", key.replace("_", "-")), error)


def _column(study: Study, name: str, kind: str, levels: tuple[str, ...] | None) -> Iterator[Problem]:
    path = ("participants", "roster", name)
    problem = reserved_problem(name)
    if problem:
        yield at(study, *path, message=problem)
    if levels is not None and kind != "category":
        yield at(study, *path, "levels", message=f"only a category has levels; this column is {kind}")
    if levels is not None and len(set(levels)) != len(levels):
        yield at(study, *path, "levels", message="a level stands twice")
