"""What the log adds to the record of a participant, and to the rotation of keys."""

from collections.abc import Iterator

from equipoise.platform.incidents.choices import LISTS, kind_words
from equipoise.platform.incidents.models import Statement
from equipoise.platform.incidents.texts import Texts, rewrap_texts, texts_of
from equipoise.platform.people.actions.keys import adds_wrapped
from equipoise.platform.people.models import Participant
from equipoise.platform.people.records import RecordSection, adds_sections

__all__ = ["incidents_of"]

adds_wrapped(rewrap_texts)


@adds_sections
def incidents_of(participant: Participant) -> Iterator[RecordSection]:
    """Every statement in which a participant is named: what was chosen and what was written."""
    rows = Statement.objects.filter(participant=participant).order_by("incident", "number")
    for row in rows.select_related("incident", "text"):
        heading = f"Incident {row.incident.code}, statement {row.number}"
        yield RecordSection(heading, tuple(_said(row, texts_of(row) or Texts())))


def _said(row: Statement, texts: Texts) -> Iterator[tuple[str, object]]:
    yield "What kind", kind_words(row.kind)
    yield "Happened", row.happened_on
    yield "Learnt", row.learnt_on
    yield "Stated", row.at
    yield "How it was learnt", LISTS["way"][row.way]
    yield "Serious", LISTS["serious"][row.serious]
    yield "Foreseen", LISTS["expected"][row.expected]
    yield "Could have to do with taking part", LISTS["related"][row.related]
    yield "How it stands", LISTS["outcome"][row.outcome]
    yield "Closed", row.closed
    for label, text in (
        ("What happened", texts.happened),
        ("What was done", texts.done),
        ("Why it was changed", texts.why),
    ):
        if text:
            yield label, text
