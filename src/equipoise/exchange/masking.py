"""What is kept from people who may not know yet which arm is which.

Hiding the names of the arms is not enough: whatever differs between arms for another reason than the outcome
tells them apart. So from the draw on only what the outcomes are made of is shown, and what cannot follow from
an arm. See docs/explanation/masks.md.
"""

from collections.abc import Iterable, Mapping

from equipoise.instruments.definition import Composite
from equipoise.instruments.library import load
from equipoise.protocol.asked import OTHER_TEXT, WHY
from equipoise.protocol.columns import answer_columns
from equipoise.protocol.recorded import FIELDWORK_EVENTS, recorded_columns, time_of_event
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import waves_before

__all__ = ["ARMS_MASKED", "mask_limits", "withheld"]

ARMS_MASKED = "the arms are shown under other names until unmasking"
_DOSE = "how much of the intervention arrived differs by arm; withheld until unmasking"
_SENT = "what was sent differs by arm; withheld until unmasking"
_EVENT = "happens after allocation and can differ by arm; withheld until unmasking"
_CHANCE = "names the arms beside their shares; withheld until unmasking"
_SOURCE = "recorded after allocation and can differ by arm; withheld until unmasking"
_CAME = "when and by which way answers came can follow what was sent; withheld until unmasking"
_OTHER = "asked after allocation and no outcome, so it can tell the arms apart; withheld until unmasking"
_HOW_IT_CAME = frozenset({"started_at", "completed_at", "channel"})


def withheld(study: Study, table: str, columns: Iterable[str]) -> Mapping[str, str]:
    """The columns of a table that are withheld while results are masked, each with the reason.

    Args:
        study: as loaded.
        table: `participants`, `answers_WAVE`, `scores_WAVE`, a task, or a source.
        columns: of that table.
    """
    reasons = _reasons(study, table, list(columns))
    return {column: reason for column, reason in reasons.items() if reason is not None}


def mask_limits(study: Study) -> tuple[str, ...]:
    """What the mask of a study cannot hide, in sentences."""
    unequal = any(len(set(rule.shares.values())) > 1 for stage in study.protocol.allocation.values()
                  for rule in stage.ratio or ())  # fmt: skip
    if not unequal:
        return ()
    return (
        "Lots are drawn at unequal ratios, so counting people by letter can tell which arm is which: the "
        "mask does not hide it.",
    )


def _reasons(study: Study, table: str, columns: list[str]) -> Mapping[str, str | None]:
    protocol = study.protocol
    if not protocol.allocation:
        return {}
    kind, _, wave = table.partition("_")
    if table in protocol.sources:
        known_before = protocol.participants.roster if protocol.participants else {}
        return {column: None if column in known_before else _SOURCE for column in columns}
    if table == "participants":
        answered = {f"answered_{name}" for name in protocol.waves if _after(study, name)}
        return {column: _CAME if column in answered else _of_people(study, column) for column in columns}
    if kind in ("answers", "scores") and wave in protocol.waves and _after(study, wave):
        shown = _of_answers(study, wave) if kind == "answers" else _of_scores(study, columns)
        return {column: None if column in shown else _why_hidden(column) for column in columns}
    return {}


def _after(study: Study, wave: str) -> bool:
    """Whether a wave is not before every draw: its answers can follow from an arm."""
    stages = study.protocol.allocation
    return any(wave not in waves_before(study.protocol, stage) for stage in stages)


def _of_people(study: Study, column: str) -> str | None:
    if column.startswith("dose_"):
        return _DOSE
    if column.startswith("sent_"):
        return _SENT
    if column.startswith("probability_"):
        return _CHANCE
    known = (*study.protocol.events, *study.protocol.harms, *FIELDWORK_EVENTS)
    known = (*known, *map(time_of_event, study.protocol.events))
    return _EVENT if column.removesuffix(WHY) in known else None


def _of_answers(study: Study, wave: str) -> set[str]:
    """What an answer after the draw may show: the outcomes, and how the questions were met."""
    survey = study.protocol.waves[wave].survey
    instruments, questions = _measures(study)
    shown = {
        column.name
        for column in answer_columns(study, survey)
        if (column.instrument in instruments or column.question in questions)
        and not column.name.endswith(f".{OTHER_TEXT}")
    }
    met = {column.name for column in recorded_columns(study, survey)} - _HOW_IT_CAME
    return shown | met | _identifiers(study)


def _of_scores(study: Study, columns: list[str]) -> set[str]:
    instruments, _ = _measures(study)
    return {column for column in columns if column.partition(".")[0] in instruments} | _identifiers(study)


def _measures(study: Study) -> tuple[set[str], set[str]]:
    """The instruments and the questions that outcomes are made of."""
    outcomes = study.protocol.outcomes.values()
    instruments = {outcome.instrument for outcome in outcomes if outcome.instrument is not None}
    for name in tuple(instruments):
        definition = load(name)
        if isinstance(definition, Composite):
            instruments |= {part.instrument for part in definition.parts.values()}
    questions = {outcome.question.rpartition(".")[2] for outcome in outcomes if outcome.question is not None}
    return instruments, questions


def _identifiers(study: Study) -> set[str]:
    roster = study.protocol.participants.roster if study.protocol.participants else {}
    return {name for name, column in roster.items() if column.role == "identifier"}


def _why_hidden(column: str) -> str:
    return _CAME if column in _HOW_IT_CAME else _OTHER
