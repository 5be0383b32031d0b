"""What the roster says of a participant besides contact details: stored as JSON, given back in its types."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from equipoise.platform.people.models import Participant, RosterFacts
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, roster_columns, stages
from equipoise.protocol import Study as StudyFolder
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.facts import before_allocation
from equipoise.protocol.models.allocation import Stage
from equipoise.protocol.models.participants import RosterColumn

__all__ = ["attribute_columns", "facts_of", "frozen_columns", "stored_facts", "typed_facts"]


def attribute_columns(columns: Mapping[str, RosterColumn]) -> dict[str, RosterColumn]:
    """The columns that describe a participant and neither name them nor say how to reach them."""
    return {name: column for name, column in columns.items() if column.role == "attribute"}


def stored_facts(columns: Mapping[str, RosterColumn], row: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of one row as they are stored: dates as ISO text, what is missing as null."""
    return {name: _stored(row.get(name)) for name in attribute_columns(columns)}


def facts_of(participant: Participant) -> dict[str, object]:
    """The roster's attributes of a participant, in the types that the protocol declares.

    Args:
        participant: with their study.
    Returns:
        Every declared attribute, None where it is missing; never a contact detail or the identifier.
    """
    kept = RosterFacts.objects.filter(participant=participant).values_list("values", flat=True).first()
    return typed_facts(roster_columns(participant.study), kept or {})


def typed_facts(columns: Mapping[str, RosterColumn], kept: Mapping[str, Any]) -> dict[str, object]:
    """What `stored_facts` stored, in the types that the protocol declares."""
    return {name: _typed(kept.get(name), column) for name, column in attribute_columns(columns).items()}


def frozen_columns(study: Study) -> frozenset[str]:
    """The roster's columns on which a committed stage hangs: its strata, its units, whom it draws, at which
    ratio. They no longer change."""
    loaded = folder_of(study)
    fixed = [stage.name for stage in stages(study) if stage.state != "planned"]
    named = {name for stage in fixed for name in _named(loaded, stage, loaded.protocol.allocation[stage])}
    derived = loaded.protocol.participants.derived if loaded.protocol.participants else {}
    schema = before_allocation(loaded.protocol)
    for name in named & derived.keys():
        named = named | set(compile_expression(derived[name], schema).columns)
    return frozenset(named & roster_columns(study).keys())


def _named(loaded: StudyFolder, name: str, stage: Stage) -> set[str]:
    schema = before_allocation(loaded.protocol, name)
    conditions = [stage.among, *(rule.where for rule in stage.ratio)]
    asked = (compile_expression(text, schema, expects="bool").columns for text in conditions if text)
    return {*stage.drawn_within, *stage.looked_at, stage.unit}.union(*asked)


def _stored(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def _typed(value: Any, column: RosterColumn) -> object:
    if value is None:
        return None
    if column.type == "date":
        return date.fromisoformat(value)
    if column.type == "number":
        return float(value)
    return value
