"""Who gets a send: by arm, consent and state as a query, by expressions some thousands at a time.

An expression that meets something that is not known of somebody selects them neither way: they are counted
apart, and get nothing until it is known.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import polars as pl
from django.db.models import Exists, Min, OuterRef, Q

from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.fieldwork.answers import answered_sessions
from equipoise.platform.fieldwork.models import Session
from equipoise.platform.people.frames import people_frame
from equipoise.platform.people.models import Allocation, Consent, Participant
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, rolling, stages
from equipoise.protocol import Study as StudyFolder
from equipoise.protocol.expressions import Expression, compile_expression
from equipoise.protocol.facts import before_allocation, everything_known
from equipoise.protocol.occasions import arms_at
from equipoise.protocol.sends import Send

__all__ = ["Chosen", "agreed", "audience", "chosen", "is_fixed", "outcomes_asked", "selected_by"]

AT_ONCE = 10_000
_MOMENT = pl.Datetime("us", "UTC")
_DTYPES = {"number": pl.Float64(), "bool": pl.Boolean(), "text": pl.String(), "moment": _MOMENT}


@dataclass(frozen=True)
class Chosen:
    """Some of an audience: the numbers of those who get it, and how many of whom it cannot be told."""

    people: list[int]
    unknown: int


def audience(study: Study, send: Send, moment: datetime) -> Any:
    """Who gets a send at a moment, before its expression: a query of participants.

    They take part, have not stopped messages, are in an arm that gets it, and agreed where that is needed.
    Whoever left their employer stays in the trial and in here. Whoever has ended a wave's survey needs no
    invitation and no reminder. Where the arms are not drawn yet, nobody is in it.

    Args:
        study: of this workspace.
        send: of the study's folder in force.
        moment: when it goes out; where sequences are drawn, arms change with time.
    """
    people = Participant.objects.filter(study=study, state="enrolled", messages_stopped_at=None)
    people = agreed(study, send, people)
    if send.arms:
        arms = arms_at(folder_of(study).protocol, send, moment)
        people = people.filter(allocations__stage__name=send.stage, allocations__arm__in=arms)
    if send.kind in ("invite", "remind"):
        ended = Session.objects.filter(participant=OuterRef("pk"), wave=send.wave).exclude(state="started")
        people = people.filter(~Exists(ended))
    return people


def agreed(study: Study, send: Send, people: Any) -> Any:
    """Of a query of participants, those who have not said no to what a send is part of.

    Where the protocol makes messages an opt-in, only those who said yes. What a survey asks for is agreed to
    on its first page, so an invitation to it cannot wait for that.
    """
    declared = folder_of(study).protocol.participants
    rule = declared.consent.get(send.activity) if declared else None
    if send.activity == "messages" and rule == "opt-in":
        return people.filter(_newest(send.activity, given=True))
    return people.filter(~_newest(send.activity, given=False))


def is_fixed(study: Study, send: Send) -> bool:
    """Whether the arms on which a send hangs are there: drawn, or given to each person as they come."""
    if rolling(study):
        return True
    named = {send.stage} if send.arms else set()
    drawn = {stage.name for stage in stages(study) if stage.state == "drawn"}
    return named | _stages_asked(study, send) <= drawn


def chosen(study: Study, send: Send, people: Any) -> Iterator[Chosen]:
    """Those of an audience whom the send's expression selects; all where it has none.

    Args:
        study: of this workspace.
        send: of the study's folder in force.
        people: from `audience`, perhaps narrowed.
    """
    rule, last = _rule(study, send), 0
    numbers = people.order_by("pk").values_list("pk", flat=True)
    while some := list(numbers.filter(pk__gt=last)[:AT_ONCE]):
        yield Chosen(some, 0) if rule is None else _selected(study, rule, some)
        last = some[-1]


def selected_by(study: Study, text: str, numbers: list[int]) -> Chosen:
    """Of some participants, those whom an expression of the protocol selects."""
    return _selected(study, _compiled(study.name, study.version, text), numbers)


def outcomes_asked(study: Study, send: Send) -> tuple[str, ...]:
    """What a send's expression asks for that is known only once data are analysed, such as outcomes."""
    rule = _rule(study, send)
    if rule is None:
        return ()
    known = before_allocation(folder_of(study).protocol).columns.keys() | set(_arm_columns(study))
    return tuple(name for name in rule.names if name in rule.columns and name not in known)


def _newest(activity: str, *, given: bool) -> Exists:
    """Whether the answer that counts to an activity is this one: the last one stored."""
    later = Consent.objects.filter(
        participant=OuterRef("participant"), activity=activity, pk__gt=OuterRef("pk")
    )
    said = Consent.objects.filter(participant=OuterRef("pk"), activity=activity, given=given)
    return Exists(said.filter(~Exists(later)))


def _rule(study: Study, send: Send) -> Expression | None:
    return None if send.where is None else _compiled(study.name, study.version, send.where)


@lru_cache(maxsize=64)
def _compiled(name: str, version: int, text: str) -> Expression:
    """Compiling takes a while, and every round of the planner asks."""
    loaded = folder_of(Study(name=name, version=version))
    return compile_expression(text, everything_known(loaded.protocol), expects="bool")


def _arm_columns(study: Study) -> dict[str, str]:
    """The stage of each column of arms."""
    protocol = folder_of(study).protocol
    return {protocol.arm_column(name): name for name in protocol.allocation}


def _stages_asked(study: Study, send: Send) -> set[str]:
    rule = _rule(study, send)
    columns = _arm_columns(study)
    return {columns[name] for name in (rule.names if rule else ()) if name in columns}


def _selected(study: Study, rule: Expression, numbers: list[int]) -> Chosen:
    facts = _facts(study, rule, numbers)
    answers = rule.evaluate_frame(facts.drop("number"))
    return Chosen(facts["number"].filter(answers.fill_null(False)).to_list(), answers.null_count())


def _facts(study: Study, rule: Expression, numbers: list[int]) -> pl.DataFrame:
    """What an expression asks about some people, by their numbers; empty columns for what is not known."""
    loaded = folder_of(study)
    people = Participant.objects.filter(pk__in=numbers)
    frame = people_frame(loaded, people)
    key = frame.columns[0]
    keys = dict(people.values_list("key", "pk"))
    frame = frame.with_columns(frame[key].replace_strict(keys, return_dtype=pl.Int64).alias("number"))
    frame = _derived(loaded, frame, rule)
    schema = everything_known(loaded.protocol)
    for column in rule.columns:
        if column in frame.columns:
            continue
        found = _known(study, column, numbers)
        kind = schema.type_of(column) if column in schema.columns else None
        dtype = _DTYPES.get(kind.kind, pl.String()) if kind is not None else _MOMENT
        values = [found.get(number) for number in frame["number"]]
        frame = frame.with_columns(pl.Series(column, values, dtype=dtype))
    return frame


def _derived(loaded: StudyFolder, frame: pl.DataFrame, rule: Expression) -> pl.DataFrame:
    derived = loaded.protocol.participants.derived if loaded.protocol.participants else {}
    for name in rule.columns:
        if name in derived:
            expression = compile_expression(derived[name], before_allocation(loaded.protocol))
            frame = frame.with_columns(expression.evaluate_frame(frame).alias(name))
    return frame


def _known(study: Study, column: str, numbers: list[int]) -> dict[int, Any]:
    """Arms, when waves were answered, when contacts were sent; nothing for any other column."""
    stage = _arm_columns(study).get(column)
    if stage is not None:
        rows = Allocation.objects.filter(stage__study=study, stage__name=stage, participant__in=numbers)
        return dict(rows.values_list("participant", "arm"))
    protocol = folder_of(study).protocol
    if column.startswith("answered_"):
        sessions = answered_sessions(study).filter(wave=column.removeprefix("answered_"))
        return dict(sessions.filter(participant__in=numbers).values_list("participant", "started_at"))
    sent = [name for name in protocol.contacts if protocol.sent_column(name) == column]
    went = Dispatch.objects.filter(Q(sent_at__isnull=False), contact__in=sent, participant__in=numbers)
    return dict(went.values_list("participant").annotate(Min("sent_at")))
