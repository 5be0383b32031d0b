"""What is recorded of a participant's answering beside the answers: by what way, in which words, order, time.

    started_at          when the survey was begun
    completed_at        when its last page was sent; empty for whoever broke off
    channel             web, telephone or paper
    language            the language in which the survey was met
    wording             the version of the words shown (SHA-256)
    seconds_PAGE        how long a page was open, all visits together
    order_pages         the order of the pages, where pages change places
    order_blocks.PAGE   the order of a page's questions, where it is random
    order_items.BLOCK   the order of the items of an instrument or block, where it is random
    order_choices.KEY   the order of a question's choices, where it is random

An order is the names in the order shown, with a space between two. None of these is an answer, nor can be an
outcome. A question of the same name keeps its name: the record of that kind is then left out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from equipoise.protocol.columns import answer_columns
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.questionnaire import questionnaire
from equipoise.protocol.study import Study

__all__ = ["FIELDWORK_EVENTS", "RecordedColumn", "recorded_columns", "time_of_event", "times_of_events"]

# What fieldwork knows of a participant after allocation, whether or not the protocol names it as an event.
FIELDWORK_EVENTS = ("opted_out", "left_employer", "withdrew")

CHANNELS = MappingProxyType({"web": "On the web", "telephone": "By telephone", "paper": "On paper"})


@dataclass(frozen=True)
class RecordedColumn:
    """A column of a wave's answers that is no answer."""

    name: str
    type: Literal["category", "text", "number", "moment"]
    label: str
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    low: float | None = None


def recorded_columns(study: Study, survey: str) -> tuple[RecordedColumn, ...]:
    """Every such column of a survey, in the order of its pages.

    Args:
        study: a loaded study.
        survey: the survey's name.
    """
    answers = {column.name for column in answer_columns(study, survey)}
    return tuple(column for column in _columns(study, survey) if column.name not in answers)


def time_of_event(event: str) -> str:
    """The column of the frame that says when an event happened."""
    return f"{event}_at"


def times_of_events(protocol: Protocol) -> dict[str, str]:
    """The events of which a study has to know when they happened, with the column that says so.

    No other times are kept: they say more of people than the analysis needs.
    """
    dated = [event for event, strategy in protocol.events.items() if strategy == "while-on-treatment"]
    return {event: time_of_event(event) for event in dated}


def _columns(study: Study, survey: str) -> Iterator[RecordedColumn]:
    met = questionnaire(study, survey)
    yield RecordedColumn("started_at", "moment", "When the survey was begun")
    yield RecordedColumn("completed_at", "moment", "When its last page was sent")
    yield RecordedColumn("channel", "category", "How the answers came", CHANNELS)
    yield RecordedColumn("language", "text", "Language in which the survey was met")
    yield RecordedColumn("wording", "text", "Version of the words shown")
    for page in met.pages:
        yield RecordedColumn(
            f"seconds_{page.id}", "number", f"Seconds on the page: {page.title or page.id}", low=0.0
        )
    if met.random_pages:
        yield RecordedColumn("order_pages", "text", "Order of the pages")
    for page in met.pages:
        if page.random_order:
            yield RecordedColumn(f"order_blocks.{page.id}", "text", f"Order of the questions on {page.id}")
        for block in page.blocks:
            if block.random_order:
                yield RecordedColumn(f"order_items.{block.id}", "text", f"Order of the items of {block.id}")
            for asked in block.asked:
                if asked.random_order:
                    name = f"order_choices.{asked.key}"
                    yield RecordedColumn(name, "text", f"Order of the choices of {asked.key}")
