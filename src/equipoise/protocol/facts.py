"""What expressions may know at each point of a study: the roster, facts from before, answers, everything."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from equipoise.protocol.columns import expression_name, survey_columns
from equipoise.protocol.expressions import ColumnType, Schema
from equipoise.protocol.factors import contrast_factors
from equipoise.protocol.models.files import Vignette
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.models.surveys import Survey
from equipoise.protocol.timeline import stages_before, timeline, waves_before
from equipoise.protocol.zones import is_zone

__all__ = [
    "USAGE",
    "answers_schema",
    "before_allocation",
    "everything_known",
    "rating_facts",
    "roster_schema",
]


# What is known of a licence from a vendor's log, whatever the vendor calls it.
USAGE = ("active_days", "active_weeks", "minutes", "sessions")


def roster_schema(protocol: Protocol) -> Schema:
    """The roster's columns, for eligibility."""
    return Schema(columns=dict(_roster(protocol)), zone=_zone(protocol), constants=_constants(protocol))


def before_allocation(protocol: Protocol, stage: str | None = None) -> Schema:
    """The roster, derived columns and, for a later stage, the arms of earlier stages and who answered."""
    columns = {**dict(_roster(protocol)), **dict(_derived(protocol))}
    for name in stages_before(protocol, stage) if stage else ():
        columns[protocol.arm_column(name)] = ColumnType("category", tuple(protocol.allocation[name].arms))
    drawn = stage or protocol.main_stage
    waves = waves_before(protocol, drawn) if drawn in protocol.allocation else tuple(protocol.waves)
    return Schema(columns=columns, waves=waves, zone=_zone(protocol), constants=_constants(protocol))


def answers_schema(protocol: Protocol, survey: Survey) -> Schema:
    """What routing inside a survey may ask: the roster and the survey's own answers.

    A dot or hyphen of an answer's name is an underscore there: `used_for_visits`, `swemwbs_optimistic`.
    """
    return Schema(
        columns={**dict(_roster(protocol)), **dict(_answers(survey))},
        zone=_zone(protocol),
        constants=_constants(protocol),
    )


def everything_known(protocol: Protocol, surveys: Mapping[str, Survey] | None = None) -> Schema:
    """Everything recorded of a person: roster, arms, answers, outcomes, columns of other sources, sends."""
    columns = {**dict(_roster(protocol)), **dict(_derived(protocol))}
    columns |= {
        protocol.arm_column(name): ColumnType("category", tuple(stage.arms))
        for name, stage in protocol.allocation.items()
    }
    for survey in (surveys or {}).values():
        columns |= dict(_answers(survey))
    columns |= {name: ColumnType("number") for name in protocol.outcomes}
    for name, outcome in protocol.outcomes.items():
        columns |= {f"{name}_{wave}": ColumnType("number") for wave in outcome.waves}
    columns |= dict.fromkeys(USAGE, ColumnType("number"))
    for source in protocol.sources.values():
        columns |= {name: ColumnType("number") for name in source.columns}
    return Schema(
        columns=columns,
        waves=tuple(protocol.waves),
        contacts=tuple(protocol.contacts),
        zone=_zone(protocol),
        constants=_constants(protocol),
    )


def rating_facts(protocol: Protocol, vignettes: Mapping[str, Vignette]) -> Schema:
    """What may select ratings: the roster and what was drawn for the rating, never the answer."""
    drawn = {
        name: ColumnType("category", levels) for name, levels in contrast_factors(protocol, vignettes).items()
    }
    counted = {name: ColumnType("number") for name in ("position", "task")}
    return Schema(
        columns={**dict(_roster(protocol)), **drawn, **counted},
        waves=tuple(protocol.waves),
        zone=_zone(protocol),
        constants=_constants(protocol),
    )


def _constants(protocol: Protocol) -> Mapping[str, datetime | None]:
    """The launch, where it is settled."""
    return {"launch": timeline(protocol).launch if protocol.study.launch else None}


def _zone(protocol: Protocol) -> str:
    return protocol.study.timezone if is_zone(protocol.study.timezone) else "UTC"


def _roster(protocol: Protocol) -> Iterator[tuple[str, ColumnType]]:
    for name, column in (protocol.participants.roster if protocol.participants else {}).items():
        kind = "text" if column.type in ("email", "phone") else column.type
        yield name, ColumnType(kind, column.levels)


def _derived(protocol: Protocol) -> Iterator[tuple[str, ColumnType]]:
    for name in protocol.participants.derived if protocol.participants else ():
        yield name, ColumnType("any")


def _answers(survey: Survey) -> Iterator[tuple[str, ColumnType]]:
    for column in survey_columns(survey):
        if column.type != "reason":
            yield expression_name(column.name), ColumnType(column.type, column.levels)
