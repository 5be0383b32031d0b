"""Who can take part: the roster's columns, who is eligible, and what each person is asked to agree to."""

from typing import Literal

from pydantic import Field

from equipoise.record import Name, Record, Text

__all__ = ["Activity", "ColumnType", "Participants", "RosterColumn"]

ColumnType = Literal["text", "category", "integer", "number", "date", "yes-no", "email", "phone"]
Activity = Literal[
    "messages", "survey", "linkage", "interview", "recording", "quotation", "archive", "recontact"
]


class RosterColumn(Record):
    """A column that an import must yield, whatever the file calls it.

    A `category` without `levels` takes the levels found. A `date` is ISO (`%Y-%m-%d`) unless `format` says
    otherwise.
    """

    type: ColumnType
    role: Literal["identifier", "contact", "attribute"] = "attribute"
    required: bool = True
    levels: tuple[str, ...] | None = None
    format: Text | None = None
    low: float | None = None
    high: float | None = None
    label: Text | None = None


class Participants(Record):
    """The people of a study.

    `eligible` is an expression over the roster; `derived` are named expressions over it, usable as
    covariates.
    """

    roster: dict[Name, RosterColumn]
    eligible: str | None = None
    derived: dict[Name, str] = Field(default_factory=dict)
    consent: dict[Activity, Literal["opt-in", "opt-out", "none-needed"]] = Field(default_factory=dict)
    enrolment: Literal["roster", "rolling", "open-link"] = "roster"
    expected: int | None = Field(default=None, ge=1)
