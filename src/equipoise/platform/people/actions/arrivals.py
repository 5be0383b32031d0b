"""Enrolling one person at a time, as they come."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from equipoise.errors import InputError, Problem
from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.people.contacts import contact_columns, identifier_digest
from equipoise.platform.people.enrolling import enrol
from equipoise.platform.people.models import Lookup, Participant
from equipoise.platform.people.partners import partners_of_rows
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.policies import check_state
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.places import partner_named
from equipoise.platform.registry.queries import folder_of, rolling, roster_columns
from equipoise.roster import eligible_people, identifier_of
from equipoise.roster.values import convert, polars_type

__all__ = ["enrol_arrival"]


def enrol_arrival(
    who: Acting,
    study: Study,
    facts: Mapping[str, Any],
    contact: Mapping[str, str] | None = None,
    partner: str | None = None,
    source: str = "rolling",
) -> Participant:
    """Enrol one person in a study with rolling enrolment, and give them their arm at once.

    Args:
        who: needs `people.import`.
        study: locked, live or paused.
        facts: the roster's attributes, typed or as text.
        contact: identifier and contact details; somebody without an identifier is known by their key only.
        partner: the name of theirs, where `facts` do not say.
        source: rolling or open-link.
    Returns:
        The participant; nobody is told the arm here.
    Raises:
        InputError: enrolment is not rolling; a value is not as declared; the person is not eligible, takes
            part already, or left the study earlier.
    """
    check_permission(who, "people.import", study)
    check_state("people.import", study.state, of=study.name)
    if not rolling(study):
        message = "this study enrols a roster at once; import the roster, or update it"
        raise InputError(Problem(study.name, "participants.enrolment", message))
    person = _typed(study, {**facts, **(contact or {})})
    row, whose = person.row(0, named=True), _partner(study, person, partner)
    with writing():
        Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        _refuse_known(study, row)
        enrolled = enrol(study, [(row, whose)], at=now(), source=source)[0]
        details = {"participant": enrolled.key, "source": source, "partner": whose}
        record(study.name, who.actor, "people.arrive", details)
    return enrolled


def _typed(study: Study, given: Mapping[str, Any]) -> pl.DataFrame:
    """The person as a roster of one, eligible."""
    columns = roster_columns(study)
    nameless = contact_columns(columns).keys() - given.keys()
    cells, problems = [], []
    for name, column in columns.items():
        if name in nameless:
            cells.append(pl.Series(name, [None], dtype=polars_type(column)))
            continue
        value = given.get(name)
        text = pl.Series(name, [None if value is None else str(value)], dtype=pl.String)
        read = convert(text, column, true_dates=True)
        cells.append(read.values)
        problems += [Problem(study.name, name, reason) for reason in read.refusals["reason"]]
    if problems:
        raise InputError(problems)
    person = pl.DataFrame(cells)
    if not eligible_people(folder_of(study), person).eligible.height:
        message = "this person is not eligible, or it cannot be told from what is known of them"
        raise InputError(Problem(study.name, "participants.eligible", message))
    return person


def _partner(study: Study, person: pl.DataFrame, chosen: str | None) -> str | None:
    found = partners_of_rows(study, person, partner_named(study, chosen).name if chosen else None)
    if found.faults:
        raise InputError(Problem(study.name, found.column or "partner", found.faults[0][1]))
    return found.names[0]


def _refuse_known(study: Study, row: Mapping[str, Any]) -> None:
    identifier = identifier_of(folder_of(study))
    if row[identifier] is None:
        return
    digest = identifier_digest(study, identifier, row[identifier])
    known = Lookup.objects.filter(study=study, identifies=True, digest=digest).select_related("participant")
    if (found := known.first()) is not None:
        state = found.participant.state
        message = "takes part already" if state == "enrolled" else "left the study earlier, and stays out"
        raise InputError(Problem(study.name, identifier, f"this person {message}"))
