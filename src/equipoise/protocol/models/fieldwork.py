"""When people are asked and what they are sent: waves and contacts."""

from typing import Any, Literal

from pydantic import Field, model_validator

from equipoise.record import Identifier, Name, Record, Text

__all__ = ["LONGEST_TEXT", "Audience", "Channel", "Contact", "Invitation", "Reminder", "Wave"]

Channel = Literal["email", "sms", "letter"]
LONGEST_TEXT = 918  # characters that a text message may have: six parts of the telephones' own alphabet


class Invitation(Record):
    """A message that goes with a wave: the invitation itself, or the thanks."""

    channel: Channel
    template: str


class Reminder(Record):
    """Reminders to those who have not answered, each so long after the opening."""

    after: tuple[str, ...]
    template: str
    channel: Channel | None = None


class Wave(Record):
    """A survey asked of the participants between two moments, [opens, closes).

    `sources` tells partners whose participants are asked by other means.
    """

    survey: Identifier
    opens: str
    closes: str
    label: Text | None = None
    among: str | None = None
    invite: Invitation | None = None
    remind: Reminder | None = None
    thank: Invitation | None = None


class Audience(Record):
    """Who gets a contact: participants of these arms (all when empty), whom `where` selects."""

    arm: tuple[Name, ...] = ()
    stage: Name | None = None
    where: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        """`all` is everybody; `{arm: messages}` is one arm."""
        if given == "all":
            return {}
        if isinstance(given, dict) and isinstance(given.get("arm"), str):
            return given | {"arm": [given["arm"]]}
        return given


class Contact(Record):
    """Something sent to participants: to whom, by which channel, from when, how often.

    `asset` names a file of `media/` for each person, with roster columns in braces (`media/{authority}.mp4`).
    `within` is how late it may still go out; what is later stays missed. It is until the next occasion, or a
    week, where nothing is written.
    """

    to: Audience
    channel: Channel
    template: str
    from_: str
    every: str | None = None
    times: int = Field(default=1, ge=1)
    at: str | None = None
    asset: str | None = None
    carrier: Literal["workspace", "partner"] = "workspace"
    repeat_risk: Literal["at-most-once", "at-least-once"] = "at-most-once"
    label: Text | None = None
    # Left out of the spelled-out form where it is not given: studies that were locked without it keep their
    # hash.
    within: str | None = Field(default=None, exclude_if=lambda given: given is None)
