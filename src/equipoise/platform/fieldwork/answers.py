"""The answers to a wave as a table: a row for each participant who answered, raw, with reasons for gaps.

The latest submission of a page is its answer. Which answers count is worked out from all of them, as the
survey itself does: what somebody answered and then led past is `not_asked` here, and stays in the database as
it was sent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from django.db.models import Exists, OuterRef, Q

from equipoise.platform.fieldwork.models import Session, Submission
from equipoise.platform.fieldwork.prepared import Prepared, prepared
from equipoise.platform.people.facts import typed_facts
from equipoise.platform.people.frames import pieces
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, roster_columns
from equipoise.protocol.asked import WHY
from equipoise.protocol.columns import AnswerColumn, answer_columns
from equipoise.protocol.journey import answered_row, shown
from equipoise.protocol.presentation import Presentation, arranged
from equipoise.protocol.questionnaire import Questionnaire
from equipoise.protocol.recorded import RecordedColumn, recorded_columns
from equipoise.roster import identifier_of

__all__ = ["answered_sessions", "answers_frame"]

_AT_ONCE = 5_000
_TYPES: dict[str, pl.DataType] = {
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "yes-no": pl.Boolean(),
    "date": pl.Date(),
    "moment": pl.Datetime("us", "UTC"),
}
_ORDERS = {"order_blocks": "blocks", "order_items": "items", "order_choices": "choices"}


@dataclass
class _Answered:
    """One session with what was sent in it, page by page, the latest of each."""

    key: str
    complete: bool
    version: int
    order: Mapping[str, Any]
    facts: Mapping[str, Any]
    beside: dict[str, Any]
    pages: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    seconds: dict[str, float] = field(default_factory=dict)


def answered_sessions(study: Study) -> Any:
    """The sessions that count as answered, as a query: ended, or broken off after a page at least.

    Whoever declined, was screened out or came too late for a quota did not answer.
    """
    sent = Exists(Submission.objects.filter(session=OuterRef("pk")))
    broken_off = Q(state__in=("started", "withdrawn")) & Q(sent)
    return Session.objects.filter(
        Q(state="complete") | broken_off,
        participant__study=study,
        participant__state__in=("enrolled", "withdrawn"),
    )


def answers_frame(study: Study, wave: str) -> pl.DataFrame:
    """Everybody's answers to a wave.

    Args:
        study: of this workspace.
        wave: its name.
    Returns:
        The key, what is recorded beside the answers (`protocol.recorded`) and every column of the survey
        (`protocol.columns`), by the keys.
    """
    loaded = folder_of(study)
    survey = loaded.protocol.waves[wave].survey
    columns, recorded = answer_columns(loaded, survey), recorded_columns(loaded, survey)
    schema: dict[str, str] = {identifier_of(loaded): "text"}
    schema |= {column.name: column.type for column in recorded}
    schema |= {column.name: column.type for column in columns}
    reader = _Reader(study, wave, columns, recorded)
    parts = [
        _frame(schema, [reader.row(answered) for answered in some])
        for some in pieces(_sessions(study, wave, facts=reader.facts), _AT_ONCE)
    ]
    identifier = next(iter(schema))
    return (pl.concat(parts) if parts else _frame(schema, [])).sort(identifier)


class _Reader:
    """Turns sessions of one wave into rows; questionnaires are arranged once for each order that occurs."""

    def __init__(
        self,
        study: Study,
        wave: str,
        columns: tuple[AnswerColumn, ...],
        recorded: tuple[RecordedColumn, ...],
    ) -> None:
        self.study, self.wave, self.recorded = study, wave, recorded
        self.names = frozenset(column.name for column in columns)
        self.identifier = identifier_of(folder_of(study))
        self.roster = roster_columns(study)
        self.arranged: dict[tuple[Any, ...], Questionnaire] = {}
        self.prepared: dict[int, Prepared] = {}
        self.facts = any(self._prepared(number).facts for number in range(1, study.version + 1))

    def row(self, answered: _Answered) -> dict[str, Any]:
        """One participant's row, by column."""
        ready = self._prepared(answered.version)
        said: Mapping[str, Any] = {
            name: value for page in answered.pages.values() for name, value in page.items()
        }
        if not (answered.complete and not ready.rules.compiled):
            said = self._what_counts(ready, answered, said)
        row = {name: value for name, value in said.items() if name in self.names}
        for column in self.recorded:
            row[column.name] = _recorded(column.name, answered)
        return {**row, self.identifier: answered.key}

    def _what_counts(
        self, ready: Prepared, answered: _Answered, said: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        asked = self._in_order(ready, answered)
        answers = {name: value for name, value in said.items() if not name.endswith(WHY)}
        reasons = {name: value for name, value in said.items() if name.endswith(WHY)}
        facts = typed_facts(self.roster, answered.facts) if ready.facts else {}
        pages = shown(asked, ready.rules, answers, facts)
        return answered_row(asked, pages, answers, reasons, answered.whole)

    def _in_order(self, ready: Prepared, answered: _Answered) -> Questionnaire:
        """The questionnaire with its pages and blocks as they were met; routing looks at no other order."""
        order = answered.order
        blocks = tuple((page, tuple(names)) for page, names in order["blocks"].items())
        met = (answered.version, tuple(order["pages"]), blocks)
        if met not in self.arranged:
            presentation = Presentation(order["survey"], met[1], dict(blocks), {}, {})
            self.arranged[met] = arranged(ready.questionnaire, presentation)
        return self.arranged[met]

    def _prepared(self, version: int) -> Prepared:
        if version not in self.prepared:
            self.prepared[version] = prepared(self.study, self.wave, None, version)
        return self.prepared[version]


def _sessions(study: Study, wave: str, *, facts: bool) -> Iterator[_Answered]:
    """The sessions with their submissions: two queries, read side by side in the order of the sessions."""
    sessions = answered_sessions(study).filter(wave=wave).order_by("pk")
    rows = sessions.values_list(
        "pk",
        "participant__key",
        "state",
        "version",
        "order",
        "started_at",
        "ended_at",
        "language",
        "wording",
        "channel",
        *(["participant__facts__values"] if facts else []),
    )
    sent = _submissions(study, wave)
    waiting = next(sent, None)
    for pk, key, state, version, order, started, ended, language, wording, channel, *known in rows.iterator(
        _AT_ONCE
    ):
        complete = state == "complete"
        beside = {
            "started_at": started,
            "completed_at": ended if complete else None,
            "language": language,
            "wording": wording,
            "channel": channel,
        }
        answered = _Answered(key, complete, version, order, (known[0] if known else None) or {}, beside)
        while waiting is not None and waiting[0] < pk:
            waiting = next(sent, None)
        while waiting is not None and waiting[0] == pk:
            _, page, answers, partial, seconds = waiting
            answered.pages[page] = answers
            answered.seconds[page] = answered.seconds.get(page, 0.0) + (seconds or 0.0)
            if not partial:
                answered.whole.add(page)
            waiting = next(sent, None)
        yield answered


def _submissions(study: Study, wave: str) -> Iterator[tuple[Any, ...]]:
    """What was sent, session by session, in the order in which it was sent."""
    return iter(
        Submission.objects.filter(session__participant__study=study, session__wave=wave)
        .order_by("session_id", "pk")
        .values_list("session_id", "page", "answers", "shown__partial", "seconds")
        .iterator(_AT_ONCE)
    )


def _recorded(name: str, answered: _Answered) -> Any:
    if name in answered.beside:
        return answered.beside[name]
    if name.startswith("seconds_"):
        return answered.seconds.get(name.removeprefix("seconds_"))
    if name == "order_pages":
        return " ".join(answered.order["pages"])
    kind, _, place = name.partition(".")
    names = answered.order[_ORDERS[kind]].get(place)
    return None if names is None else " ".join(names)


def _frame(schema: Mapping[str, str], rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(
        [_series(name, kind, [row.get(name) for row in rows]) for name, kind in schema.items()]
    )


def _series(name: str, kind: str, values: list[Any]) -> pl.Series:
    if kind == "yes-no":
        values = [None if value is None else value == "yes" for value in values]
    if kind == "date":
        return pl.Series(name, values, dtype=pl.String).str.to_date("%Y-%m-%d")
    return pl.Series(name, values, dtype=_TYPES.get(kind, pl.String()), strict=False)
