"""Whose people a roster lists: the partner that was chosen, or the one that each row names."""

from dataclasses import dataclass

import polars as pl

from equipoise.errors import InputError, Problem, nearest
from equipoise.platform.people.facts import attribute_columns
from equipoise.platform.registry.models import Partner, Study
from equipoise.platform.registry.queries import partners, roster_columns

__all__ = ["PartnersFound", "only_partner", "partner_column", "partners_of_rows"]

_NAMED = "partner"


@dataclass(frozen=True)
class PartnersFound:
    """The partner of each row, by name, and what is wrong with those that have none (row, reason)."""

    column: str | None
    names: list[str | None]
    faults: list[tuple[int, str]]


def partner_column(study: Study) -> str | None:
    """The roster's column that says whose somebody is: the one called `partner`, or the first whose levels
    are all names of partners."""
    known = {partner.name for partner in partners(study)}
    columns = attribute_columns(roster_columns(study))
    if _NAMED in columns:
        return _NAMED
    return next(
        (name for name, column in columns.items() if column.levels and known.issuperset(column.levels)), None
    )


def only_partner(study: Study, names: list[str | None]) -> Partner | None:
    """The partner whose people all of these are; None where there are several, or none."""
    found = set(names)
    return next((each for each in partners(study) if found == {each.name}), None)


def partners_of_rows(study: Study, people: pl.DataFrame, chosen: str | None) -> PartnersFound:
    """The partner of each person of a typed roster.

    Args:
        study: with its partners.
        people: as `roster.examine_rosters` types them.
        chosen: the partner whose file it is, or None for what the rows say.
    Raises:
        InputError: several partners are possible and nothing tells which.
    """
    known = [partner.name for partner in partners(study)]
    column = partner_column(study)
    if column is not None and people[column].null_count() < people.height:
        return _as_named(column, people[column].to_list(), known, chosen)
    if chosen is None and len(known) > 1:
        listed = ", ".join(known)
        raise InputError(
            Problem(study.name, "partner", f"nothing says whose people these are; choose one of {listed}")
        )
    only = chosen or (known[0] if known else None)
    return PartnersFound(None, [only] * people.height, [])


def _as_named(column: str, values: list[str | None], known: list[str], chosen: str | None) -> PartnersFound:
    allowed = set(known)
    faults = []
    for row, value in enumerate(values):
        if value is None:
            faults.append((row, "empty; every row must name its partner"))
        elif value not in allowed:
            faults.append((row, f"“{value}” is not a partner. Partners: {nearest(value, known)}"))
        elif chosen is not None and value != chosen:
            faults.append((row, f"“{value}”, but the file was said to be that of {chosen}"))
    return PartnersFound(column, values, faults)
