"""Stages of allocation: arms, ratio, strata, unit and schedule fit together."""

from collections.abc import Iterator, Sequence

from equipoise.errors import EquipoiseError, Problem
from equipoise.protocol.checks.covariates import covariate_problems
from equipoise.protocol.checks.minimisation import minimisation_problems
from equipoise.protocol.checks.places import at, expression_problems, unknown
from equipoise.protocol.facts import before_allocation
from equipoise.protocol.models.allocation import Pairing, Stage
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.reserved import reserved_problem
from equipoise.protocol.study import Study
from equipoise.protocol.times import parse_duration

__all__ = ["check_allocation"]


def check_allocation(study: Study) -> Iterator[Problem]:
    """Every stage, the units, and the schedule."""
    protocol = study.protocol
    yield from _kind(study)
    for name, unit in protocol.units.items():
        if unit.in_ is not None and unit.in_ not in protocol.units and unit.in_ not in _columns(protocol):
            yield unknown(study, ("units", name, "in"), unit.in_, "a declared unit", protocol.units, "Units")
    for name, stage in protocol.allocation.items():
        yield from _stage(study, name, stage)
    yield from _schedule(study)


def _kind(study: Study) -> Iterator[Problem]:
    protocol = study.protocol
    if protocol.study.kind == "trial" and not protocol.allocation:
        yield at(
            study,
            "study",
            "kind",
            message="a trial has `arms:` and an `allocation:`; a study without is a pilot",
        )
    if protocol.study.kind == "survey-experiment" and not (protocol.tasks or protocol.allocation):
        yield at(study, "study", "kind", message="a survey experiment has `tasks:` with vignettes, or arms")
    if protocol.study.kind == "interviews" and not protocol.interviews:
        yield at(
            study, "study", "kind", message="an interview study says in `interviews:` whom it interviews"
        )


def _stage(study: Study, name: str, stage: Stage) -> Iterator[Problem]:
    path: tuple[str | int, ...] = ("allocation", name)
    protocol = study.protocol
    targets: Sequence[str] = list(stage.arms)
    if stage.to == "sequences":
        targets = list(protocol.schedule.sequences) if protocol.schedule else []
        if protocol.schedule is None:
            yield at(
                study, *path, "to", message="people are allocated to sequences, but there is no `schedule:`"
            )
            return
        for sequence, steps in protocol.schedule.sequences.items():
            for arm in dict.fromkeys(step for step in steps if stage.arms and step not in stage.arms):
                where = ("schedule", "sequences", sequence)
                yield unknown(study, where, arm, "an arm of this study", stage.arms, "Arms")
    elif len(stage.arms) < 2:
        found = ", ".join(stage.arms) or "none"
        yield at(study, *path, "arms", message=f"a stage of allocation needs two arms or more; found {found}")
    for arm in stage.arms:
        problem = reserved_problem(arm)
        if problem and arm not in ("control",):
            yield at(study, *path, "arms", arm, message=problem)
    yield from _ratio(study, path, stage, targets)
    columns = _columns(protocol)
    for place, column in enumerate(stage.strata):
        if column not in (*columns, *protocol.units):
            what = "a roster or derived column, or a unit"
            yield unknown(study, (*path, "strata", place), column, what, columns, "Columns")
        elif protocol.participants and _contact(protocol, column):
            yield at(
                study,
                *path,
                "strata",
                place,
                message=f'"{column}" tells people apart; it cannot be a stratum',
            )
    units = ["participant", *protocol.units, *columns]
    if stage.unit not in units:
        yield unknown(study, (*path, "unit"), stage.unit, "a unit of this study", units, "Units and columns")
    schema = before_allocation(protocol, stage=name)
    yield from expression_problems(study, (*path, "among"), stage.among, schema)
    yield from _method(study, path, stage, columns)


def _ratio(
    study: Study, path: tuple[str | int, ...], stage: Stage, targets: Sequence[str]
) -> Iterator[Problem]:
    schema = before_allocation(study.protocol, str(path[1]))
    for place, rule in enumerate(stage.ratio):
        where = (*path, "ratio", place) if len(stage.ratio) > 1 else (*path, "ratio")
        yield from expression_problems(study, (*where, "where"), rule.where, schema)
        for arm, share in rule.shares.items():
            if arm not in targets:
                yield unknown(study, (*where, arm), arm, "an arm of this stage", targets, "Arms")
            if share < 1:
                yield at(
                    study, *where, arm, message=f"a share is a whole number from 1 upwards, found {share}"
                )
        for arm in [arm for arm in targets if arm not in rule.shares]:
            yield at(study, *where, message=f'the arm "{arm}" has no share; every arm needs people')
    if len(stage.ratio) > 1 and any(rule.where is None for rule in stage.ratio[:-1]):
        yield at(study, *path, "ratio", message="the rule without `where` (`else`) comes last")
    if stage.ratio and stage.ratio[-1].where is not None:
        yield at(study, *path, "ratio", message="the last rule is `else:`, so that everybody has a ratio")


def _method(
    study: Study, path: tuple[str | int, ...], stage: Stage, columns: Sequence[str]
) -> Iterator[Problem]:
    needs = {
        "minimised": (stage.balance, "balance", "the columns whose margins it balances"),
        "rerandomised": (
            stage.criterion,
            "criterion",
            "the covariates and the share of draws that it accepts",
        ),
        "matched-pairs": (stage.pair, "pair", "the column that tells the pairs, or `{on: [...]}`"),
    }
    if stage.method in needs:
        given, key, what = needs[stage.method]
        if not given:
            yield at(study, *path, "method", message=f"{stage.method} needs `{key}:`, {what}")
    covariates = stage.criterion.covariates if stage.criterion else ()
    paired = stage.pair.on if isinstance(stage.pair, Pairing) else (stage.pair,)
    for key, names in (("balance", stage.balance), ("criterion", covariates), ("pair", paired)):
        for column in names:
            if column is not None and column not in columns:
                yield unknown(study, (*path, key), column, "a roster or derived column", columns, "Columns")
    yield from _whole(study, path, stage, columns)
    yield from minimisation_problems(study, path, stage)
    yield from covariate_problems(study, path, stage)
    if any(size < 1 for size in stage.blocks) or not stage.blocks:
        yield at(
            study,
            *path,
            "blocks",
            message="sizes of blocks are whole numbers from 1 upwards, such as [1, 2, 3]",
        )


def _whole(
    study: Study, path: tuple[str | int, ...], stage: Stage, columns: Sequence[str]
) -> Iterator[Problem]:
    """Groups that must not be split between arms, where people are drawn one by one or as they come."""
    participants = study.protocol.participants
    for column in stage.whole:
        if column not in columns:
            yield unknown(study, (*path, "whole"), column, "a roster or derived column", columns, "Columns")
        elif stage.unit == "participant":
            message = (
                f"participants are drawn one by one, so people of one {column} would be in two arms; draw "
                f"each {column} as a whole: `unit: {column}`"
            )
            yield at(study, *path, "whole", message=message)
        elif participants is not None and participants.enrolment != "roster":
            message = (
                f"with rolling enrolment nobody knows who else of a {column} will come; draw a roster at once"
            )
            yield at(study, *path, "whole", message=message)


def _schedule(study: Study) -> Iterator[Problem]:
    schedule = study.protocol.schedule
    if schedule is None:
        return
    for name, sequence in schedule.sequences.items():
        if len(sequence) != len(schedule.periods):
            message = (
                f"{len(sequence)} arms for {len(schedule.periods)} periods; write one arm for each period"
            )
            yield at(study, "schedule", "sequences", name, message=message)
    if schedule.washout is not None:
        try:
            parse_duration(schedule.washout)
        except EquipoiseError as error:
            yield at(study, "schedule", "washout", message=str(error))
    if schedule.effect == "constant" and schedule.switch is None:
        message = (
            "a constant effect is of an arm that nobody leaves again; these sequences go back. Leave it out"
        )
        yield at(study, "schedule", "effect", message=message)


def _columns(protocol: Protocol) -> list[str]:
    participants = protocol.participants
    return [*participants.roster, *participants.derived] if participants else []


def _contact(protocol: Protocol, column: str) -> bool:
    roster = protocol.participants.roster if protocol.participants else {}
    return column in roster and roster[column].role != "attribute"
