"""What the columns of a study's tables are: every one described from the protocol, none from the data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from equipoise.exchange.masking import ARMS_MASKED, withheld
from equipoise.instruments.definition import Instrument
from equipoise.instruments.library import load
from equipoise.instruments.scoring import REASONS
from equipoise.protocol.asked import WHY
from equipoise.protocol.columns import REASON_LABELS, AnswerColumn, answer_columns
from equipoise.protocol.doses import dose_columns, sent_columns
from equipoise.protocol.extracts import ABSENT, measured
from equipoise.protocol.factors import contrast_factors, waves_asking
from equipoise.protocol.models.allocation import PAIR, Pairing
from equipoise.protocol.models.outcomes import Outcome
from equipoise.protocol.models.participants import ColumnType
from equipoise.protocol.recorded import FIELDWORK_EVENTS, recorded_columns, times_of_events
from equipoise.protocol.study import Study

__all__ = ["Variable", "VariableType", "variables_of"]

VariableType = Literal[
    "identifier", "text", "category", "integer", "number", "yes-no", "date", "moment", "any"
]
_OF_ROSTER: Mapping[ColumnType, VariableType] = MappingProxyType(
    {
        "text": "text",
        "email": "text",
        "phone": "text",
        "category": "category",
        "integer": "integer",
        "number": "number",
        "date": "date",
        "yes-no": "yes-no",
    }
)
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Variable:
    """A column of a table.

    Attributes:
        name: of the column.
        type: `any` where the protocol does not say.
        label: what people call it.
        source: where it comes from, in words.
        values: the codes that it can hold, with their words; empty where it is not coded.
        low, high: the range of possible values, where there is one.
        unit: of a number.
        why: the column that says why a value is missing, where the table has it.
        wave: in which it was asked.
        question, instrument, item, score: what was asked, where it is an answer or made of answers.
        withheld: why it is not in the file; None where it is.
    """

    name: str
    type: VariableType
    label: str
    source: str
    values: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    low: float | None = None
    high: float | None = None
    unit: str | None = None
    why: str | None = None
    wave: str | None = None
    question: str | None = None
    instrument: str | None = None
    item: str | None = None
    score: str | None = None
    withheld: str | None = None


_REVIEW = "the data review"
_EXCLUSIONS = (
    Variable("of", "text", "Left out of: outcomes and analyses, all of them where it is empty", _REVIEW),
    Variable("reason", "text", "Why, decided without knowing the arm", _REVIEW),
    Variable("decided_at", "moment", "When it was decided", _REVIEW),
)


def variables_of(
    study: Study,
    table: str,
    columns: Sequence[str],
    *,
    masked: bool = False,
    origins: Mapping[str, str] | None = None,
) -> tuple[Variable, ...]:
    """Describe the columns of a table.

    Args:
        study: as loaded.
        table: `participants`, `answers_WAVE`, a task, or a source.
        columns: every column that the table would have for somebody who may see all, in order.
        masked: whether results are masked; columns that the mask withholds are then marked.
        origins: from which files columns of the participants' table come, in words, by column.
    """
    known = {variable.name: variable for variable in _known(study, table)}
    for name, origin in (origins or {}).items() if table == "participants" else ():
        if name in known:
            known[name] = replace(known[name], source=origin)
    described = (_described(name, known, columns) for name in columns)
    if not masked:
        return tuple(described)
    hidden = withheld(study, table, columns)
    return tuple(_masked(study, table, one, hidden.get(one.name)) for one in described)


def _described(name: str, known: Mapping[str, Variable], columns: Sequence[str]) -> Variable:
    found = known.get(name) or _by_its_name(name, known)
    if found.why is not None and found.why not in columns:
        return replace(found, why=None)
    return found


def _masked(study: Study, table: str, found: Variable, reason: str | None) -> Variable:
    stages = study.protocol.allocation
    if table == "participants" and found.name in {study.protocol.arm_column(stage) for stage in stages}:
        return replace(found, values=_NOTHING, source=f"{found.source}; {ARMS_MASKED}")
    return replace(found, withheld=found.withheld or reason)


def _by_its_name(name: str, known: Mapping[str, Variable]) -> Variable:
    """What a reserved beginning or ending says of a column."""
    if name.startswith("dose_"):
        label = f"How much arrived: {name.removeprefix('dose_')}"
        return Variable(name, "number", label, "delivery of the intervention", low=0.0)
    if name.startswith("probability_"):
        arm = name.removeprefix("probability_")
        return Variable(name, "number", f"Chance of being allocated to {arm}", "the draw", low=0.0, high=1.0)
    if name.endswith(WHY):
        of = known.get(name.removesuffix(WHY))
        label = of.label if of is not None else name.removesuffix(WHY)
        return Variable(
            name, "category", f"Why there is no value: {label}", "the answers", dict(REASON_LABELS)
        )
    return Variable(name, "any", name, "not named in the protocol")


def _known(study: Study, table: str) -> Iterator[Variable]:
    protocol = study.protocol
    yield from _roster(study)
    if table in protocol.sources:
        source = protocol.sources[table]
        for name, label in source.columns.items():
            yield Variable(name, "any", label, source.label or f"data from elsewhere: {source.kind}")
    elif table in protocol.tasks:
        yield from _ratings(study, table)
    elif table == "exclusions":
        yield from _EXCLUSIONS
    elif table.startswith("answers_"):
        yield from _answers(study, table.removeprefix("answers_"))
    elif table.startswith("scores_"):
        yield from _scores(study, table.removeprefix("scores_"))
    else:
        yield from _participants(study)


def _roster(study: Study) -> Iterator[Variable]:
    participants = study.protocol.participants
    for name, column in (participants.roster if participants else {}).items():
        label = column.label or name
        if column.role == "identifier":
            yield Variable(name, "identifier", label, "the roster")
        elif column.role == "contact":
            kept = "contact details are kept apart and never exported with data"
            yield Variable(name, "text", label, "the roster", withheld=kept)
        else:
            values = {level: level for level in column.levels or ()}
            yield Variable(
                name, _OF_ROSTER[column.type], label, "the roster", values, column.low, column.high
            )
    for name, text in (participants.derived if participants else {}).items():
        yield Variable(name, "any", name, f"computed from the roster: {text}")


def _participants(study: Study) -> Iterator[Variable]:
    protocol = study.protocol
    for name, stage in protocol.allocation.items():
        arms = {
            arm: (stage.arms[arm].label if arm in stage.arms else None) or arm for arm in protocol.drawn(name)
        }
        label = "Arm, as allocated" if len(protocol.allocation) == 1 else f"Arm, as allocated in {name}"
        yield Variable(protocol.arm_column(name), "category", label, "the draw", arms)
        if isinstance(stage.pair, Pairing) and PAIR in stage.drawn_within:
            alike = f"Who was put together, being alike in {', '.join(stage.pair.on)}"
            yield Variable(PAIR, "text", alike, "the draw")
    for name, outcome in protocol.outcomes.items():
        yield from _outcome(study, name, outcome)
    for one in measured(protocol):
        label = protocol.outcomes[one.outcome].label or one.outcome
        column, why = f"{one.frame_column}{WHY}", f"Why there is no value: {label}"
        yield Variable(column, "category", why, "the HR extract", dict(ABSENT), wave=one.window)
    for wave, said in protocol.waves.items():
        label = f"When the wave was answered: {said.label or wave}"
        yield Variable(f"answered_{wave}", "moment", label, "fieldwork", wave=wave)
    for column, words in sent_columns(protocol).items():
        yield Variable(column, "moment", f"When first sent: {words}", "delivery")
    for dose in dose_columns(protocol):
        low = 0.0 if dose.type != "moment" else None
        yield Variable(dose.name, dose.type, dose.meaning, "delivery", low=low, high=dose.high)
    yield Variable("enrolled_at", "moment", "When enrolled", "fieldwork")
    yield Variable("partner", "text", "The partner whose people include the participant", "the roster")
    for event in dict.fromkeys((*protocol.events, *protocol.harms, *FIELDWORK_EVENTS)):
        yield Variable(event, "yes-no", f"Happened after allocation: {event}", "fieldwork")
    for event, column in times_of_events(protocol).items():
        yield Variable(column, "moment", f"When it happened: {event}", "fieldwork")


def _outcome(study: Study, name: str, outcome: Outcome) -> Iterator[Variable]:
    label = outcome.label or name
    plain = Variable(
        outcome.column or name,
        "yes-no" if outcome.scale == "yes-no" else "number",
        label,
        _measured_by(outcome),
        unit=outcome.unit,
        instrument=outcome.instrument,
        score=outcome.score,
        question=outcome.question,
    )
    low, high = _span(outcome)
    plain = replace(plain, low=low, high=high, why=f"{plain.name}{WHY}")
    waves = dict.fromkeys((*waves_asking(study.protocol, study.surveys, outcome), *outcome.waves))
    for wave in waves:
        column = study.protocol.frame_column(name, wave)
        words = study.protocol.waves[wave].label or wave
        yield replace(plain, name=column, label=f"{label} ({words})", why=f"{column}{WHY}", wave=wave)
    if not waves:
        yield plain


def _measured_by(outcome: Outcome) -> str:
    if outcome.instrument is not None:
        title = load(outcome.instrument).title
        return f"score by the published rule: {title}" + (f", {outcome.score}" if outcome.score else "")
    if outcome.question is not None:
        return f"the answer to {outcome.question}"
    if outcome.index is not None:
        return f"computed from {', '.join(outcome.index)}"
    return f"data from elsewhere: {outcome.column}"


def _span(outcome: Outcome) -> tuple[float | None, float | None]:
    if outcome.range is not None:
        return outcome.range
    definition = load(outcome.instrument) if outcome.instrument is not None else None
    if isinstance(definition, Instrument):
        score = outcome.score or definition.sole_score()
        if score is not None and score in definition.scores:
            return definition.scores[score].range
    return None, None


def _answers(study: Study, wave: str) -> Iterator[Variable]:
    survey = study.protocol.waves[wave].survey
    for recorded in recorded_columns(study, survey):
        yield Variable(
            recorded.name,
            recorded.type,
            recorded.label,
            "fieldwork",
            recorded.values,
            recorded.low,
            wave=wave,
        )
    yield from (_answer(column, wave) for column in answer_columns(study, survey))


def _answer(column: AnswerColumn, wave: str) -> Variable:
    reason = column.type == "reason"
    return Variable(
        column.name,
        "category" if column.type == "reason" else column.type,
        column.label,
        "why there is no answer" if reason else "the answer",
        column.values,
        column.low,
        column.high,
        column.unit,
        why=None if reason else f"{column.key}{WHY}",
        wave=wave,
        question=column.question,
        instrument=column.instrument,
        item=column.item,
    )


def _scores(study: Study, wave: str) -> Iterator[Variable]:
    columns = answer_columns(study, study.protocol.waves[wave].survey)
    for name in dict.fromkeys(column.instrument for column in columns if column.instrument is not None):
        definition = load(name)
        for key, rule in definition.scores.items() if isinstance(definition, Instrument) else ():
            column, (low, high) = f"{definition.id}.{key}", rule.range
            label, source = f"{definition.title}: {rule.title}", "score by the published rule"
            yield Variable(
                column, "number", label, source, low=low, high=high, why=f"{column}{WHY}", wave=wave,
                instrument=name, score=key,
            )  # fmt: skip
            words = {reason: reason.capitalize() for reason in REASONS[1:]}
            label = f"Why there is no score: {label}"
            yield Variable(f"{column}{WHY}", "category", label, source, words, wave=wave, instrument=name)


def _ratings(study: Study, task: str) -> Iterator[Variable]:
    protocol = study.protocol
    for name, levels in contrast_factors(protocol, study.vignettes).items():
        yield Variable(name, "category", name, "drawn for the vignette", {level: level for level in levels})
    for name, outcome in protocol.outcomes.items():
        if outcome.task == task and outcome.question is not None:
            low, high = outcome.range or (None, None)
            yield Variable(
                outcome.question, "number", outcome.label or name, "the rating", low=low, high=high,
                unit=outcome.unit, why=f"{outcome.question}{WHY}", question=outcome.question,
            )  # fmt: skip
    yield Variable("position", "integer", "Place in the order shown", "fieldwork", low=1.0)
    yield Variable("task", "text", "The vignette judged", "fieldwork")
