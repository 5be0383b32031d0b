"""What is measured: outcomes, and the events that can happen after allocation."""

import re
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from equipoise.record import Identifier, Name, Record, Text

__all__ = ["Outcome", "ReferenceSD", "Role", "Strategy"]

Role = Literal["primary", "secondary", "exploratory"]
Strategy = Literal["treatment-policy", "hypothetical", "composite", "while-on-treatment", "principal-stratum"]
IndexWeights = Literal["equal", "inverse-covariance"]
_MARGIN_IN_SD = re.compile(r"^\s*([0-9.]+)\s*sd\s+of\s+([0-9.]+)\s*$")


class ReferenceSD(Record):
    """A standard deviation fixed in advance, with its source; never this trial's own."""

    value: float = Field(gt=0)
    source: Text


class Outcome(Record):
    """A measured quantity. Exactly one of `instrument`, `question`, `column`, `task` says how it is measured,
    or `index` of which other outcomes it is made.

    `good` is the direction that is better. `margin` is the smallest effect of interest in the outcome's own
    unit. `range` holds the lowest and highest possible value; an instrument brings its own. An index counts
    its parts in standard deviations of the control arm at the same wave, turned so that high is good, with
    `equal` weights (Kling, Liebman & Katz 2007) or by `inverse-covariance` (Anderson 2008), among those who
    answered the share `least-answered` of its parts.
    """

    instrument: Identifier | None = None
    score: Identifier | None = None
    question: str | None = None
    column: str | None = None
    task: Name | None = None
    # The words of an index are left out of the spelled-out form of other outcomes, which keep their hash.
    index: tuple[Name, ...] | None = Field(default=None, exclude_if=lambda given: given is None)
    weights: IndexWeights | None = Field(default=None, exclude_if=lambda given: given is None)
    least_answered: float | None = Field(default=None, gt=0, le=1, exclude_if=lambda given: given is None)
    waves: tuple[Name, ...] = ()
    role: Role = "secondary"
    good: Literal["high", "low", "neither"] | None = None
    margin: float | None = Field(default=None, gt=0)
    range: tuple[float, float] | None = None
    scale: Literal["continuous", "yes-no", "count", "ordinal"] = "continuous"
    reference_sd: ReferenceSD | None = None
    label: Text | None = None
    unit: Text | None = None

    @field_validator("margin", mode="before")
    @classmethod
    def _in_standard_deviations(cls, given: Any) -> Any:
        """`0.2 sd of 3.9` is a way to write 0.78."""
        found = _MARGIN_IN_SD.match(given) if isinstance(given, str) else None
        return round(float(found[1]) * float(found[2]), 12) if found else given

    @field_validator("range")
    @classmethod
    def _ordered(cls, given: tuple[float, float] | None) -> tuple[float, float] | None:
        if given is not None and not given[0] < given[1]:
            raise ValueError(f"the range has to run from low to high, found {given[0]:g} to {given[1]:g}")
        return given

    @model_validator(mode="after")
    def _one_source(self) -> "Outcome":
        named = ("instrument", "column", "task", "index")
        sources = [name for name in named if getattr(self, name) is not None]
        if self.question is not None and self.task is None:
            sources.append("question")
        if len(sources) != 1:
            found = " and ".join(sources) if sources else "none"
            raise ValueError(
                "an outcome is measured by exactly one of instrument, question, column, or task with "
                f"question, or made of others by index; found {found}"
            )
        return self
