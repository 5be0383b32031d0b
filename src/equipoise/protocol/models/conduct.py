"""How the study is run and shown: progression, interviews, sources, report, privacy, sending, support."""

from typing import Any, Literal

from pydantic import Field, model_validator

from equipoise.protocol.models.extracts import Extract
from equipoise.record import Identifier, Name, Record, Text

__all__ = [
    "DataSource",
    "Deletion",
    "Figure",
    "InterviewPlan",
    "Measure",
    "Partner",
    "Privacy",
    "Progression",
    "Registration",
    "ReportPlan",
    "Sending",
    "Study",
    "Support",
    "SupportContact",
]


class Registration(Record):
    """Where the study is registered."""

    registry: Text | None = None
    id: Text | None = None
    url: Text | None = None
    date: str | None = None


class Study(Record):
    """What the study is, in one sentence and a few facts.

    `data-public-since` names the day from which the data could be read by anybody: nothing is confirmatory
    then.
    """

    id: Identifier
    title: Text
    kind: Literal["trial", "survey-experiment", "pilot", "interviews"]
    question: Text
    timezone: str = "Europe/London"
    launch: str | None = None
    language: str = "en-GB"
    registration: Registration = Registration()
    data_public_since: str | None = None
    synthetic: bool = False
    authors: tuple[Text, ...] = ()
    funding: Text | None = None
    conflicts: Text | None = None
    contact: Text | None = None


class Partner(Record):
    """An organisation whose people take part."""

    name: Text
    place: Text | None = None
    people: int | None = Field(default=None, ge=1)


class DataSource(Record):
    """Data that come from elsewhere, and for which partners: an app's log, an HR extract.

    `extract` says what the file of an HR extract holds, where it is to become outcomes in a workspace.
    """

    kind: Literal["usage-log", "hr-extract", "self-report", "other"]
    partners: tuple[Identifier, ...] = ()
    file: str | None = None
    columns: dict[Name, Text] = Field(default_factory=dict)
    label: Text | None = None
    # Left out of the spelled-out form where it is not given: studies that were locked without it keep their
    # hash.
    extract: Extract | None = Field(default=None, exclude_if=lambda given: given is None)

    @model_validator(mode="after")
    def _of_hr(self) -> "DataSource":
        if self.extract is not None and self.kind != "hr-extract":
            raise ValueError(f"`extract` belongs to `kind: hr-extract`; found {self.kind}")
        return self


class Measure(Record):
    """The share of people for whom `share` is true, or the mean of the number `mean`; and of whom."""

    share: str | None = None
    mean: str | None = None
    of: Name = "participants"

    @model_validator(mode="after")
    def _one(self) -> "Measure":
        if (self.share is None) == (self.mean is None):
            raise ValueError("a measure is either `share: EXPRESSION` or `mean: EXPRESSION`")
        return self


class Progression(Record):
    """A rule fixed in advance for going on: green or amber by a threshold, otherwise red."""

    measure: Measure
    green: str
    amber: str | None = None
    label: Text | None = None


class InterviewPlan(Record):
    """Whom to interview, how many, spread over what, with which guide."""

    from_: dict[str, str] = Field(default_factory=dict)
    people: int = Field(ge=1)
    spread: tuple[Name, ...] = ()
    quotas: dict[Name, dict[str, int]] = Field(default_factory=dict)
    consent: Literal["opt-in"] = "opt-in"
    guide: str
    codebook: str | None = None
    form: Literal["interview", "focus-group"] = "interview"
    when: str | None = None
    partners: tuple[Identifier, ...] = ()
    label: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        return given | {"from": {}} if isinstance(given, dict) and given.get("from") == "all" else given


class Figure(Record):
    """A figure of the report: what it shows, by what, and how it is drawn."""

    style: Literal["coefficients", "bars", "rates", "weeks", "response"] = "coefficients"
    outcome: Name | None = None
    analysis: Identifier | None = None
    by: Name | None = None
    title: Text | None = None


class ReportPlan(Record):
    """The figures beyond those that every report has."""

    figures: dict[Identifier, Figure] = Field(default_factory=dict)


class Deletion(Record):
    """What a workspace deletes by itself, and how long after the end, such as `12 weeks` or `10 years`.

    The end is when nobody can answer any more: the last wave has closed, or the study was closed before
    that. `contacts` is everything by which people are reached or found again; `answers` is all that they
    said and all that was said of them. What is not named here is kept until somebody deletes it.
    """

    contacts: Text | None = None
    answers: Text | None = None

    @model_validator(mode="after")
    def _any(self) -> "Deletion":
        if self.contacts is None and self.answers is None:
            raise ValueError("name `contacts`, `answers` or both, each with a time such as `12 weeks`")
        return self


class Privacy(Record):
    """Who controls the data, what for, on what basis, who gets them, and for how long they are kept.

    `answers` says whether answers can be told to be a participant's: `linked` for as long as they are kept,
    `linked-until` the time in `linked-until`, or `unlinked` from the start. The privacy notice and the
    consent page are generated from these fields, and no study is launched while one of them is blank.
    `retention` is what participants are told; `delete` is the same for the workspace, which acts on it.
    """

    controller: Text | None = None
    purpose: Text | None = None
    categories: Text | None = None
    basis: Text | None = None
    condition: Text | None = None
    recipients: Text | None = None
    retention: Text | None = None
    linkage: Text | None = None
    answers: Literal["linked", "linked-until", "unlinked"] = "linked"
    linked_until: str | None = None
    officer: Text | None = None
    complaint: Text | None = None
    # Left out of the spelled-out form where it is not given: studies that were locked without it keep their
    # hash.
    delete: Deletion | None = Field(default=None, exclude_if=lambda given: given is None)

    @model_validator(mode="after")
    def _until(self) -> "Privacy":
        if (self.answers == "linked-until") != (self.linked_until is not None):
            raise ValueError("`answers: linked-until` and `linked-until: TIME` belong together")
        return self


class Sending(Record):
    """When nothing is sent, and at most how often to one person.

    `zone` is a roster column that holds each participant's time zone, where not all live in the study's, and
    `language` one that holds the tag of the language in which they are written to, such as `cy`.
    `track-opens: true`, a picture in e-mails that tells when it was loaded, is refused: it tells of machines
    and not of people.
    """

    quiet_hours: tuple[str, str] = ("20:00", "08:00")
    weekends: bool = False
    bank_holidays: Text | None = "england-and-wales"
    cap: Text | None = None
    # Left out of the spelled-out form where they are not given: studies that were locked without them keep
    # their hash.
    zone: Name | None = Field(default=None, exclude_if=lambda given: given is None)
    language: Name | None = Field(default=None, exclude_if=lambda given: given is None)
    track_opens: bool = Field(default=False, exclude_if=lambda given: not given)


class SupportContact(Record):
    """Somebody a participant can turn to."""

    name: Text
    phone: Text | None = None
    url: Text | None = None
    email: Text | None = None


class Support(Record):
    """Support contacts, shown after every survey, and what is done when an answer suggests distress."""

    contacts: tuple[SupportContact, ...] = ()
    distress_rule: Text | None = None
