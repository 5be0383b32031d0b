"""Other designs to put beside the one that a protocol describes, and what a design costs."""

from typing import Any

from pydantic import Field, model_validator

from equipoise.protocol.models.allocation import Method, Unit
from equipoise.record import Name, Record, Text

__all__ = ["Costs", "Variation"]


class Costs(Record):
    """What a design costs, in `currency`: once, for each cluster and each person, and for each answer.

    `wave` is paid for everybody asked at a wave, `answer` for each answer that comes.
    """

    currency: Text = "£"
    fixed: float = Field(default=0.0, ge=0)
    cluster: float = Field(default=0.0, ge=0)
    person: float = Field(default=0.0, ge=0)
    wave: float = Field(default=0.0, ge=0)
    answer: float = Field(default=0.0, ge=0)


class Variation(Record):
    """Another design: this protocol with what is written here in place of what it says, all else the same.

    `people` are those expected, `response` the share that answers a wave (0: the wave is not run), `units`
    the sizes of clusters. `strata`, `ratio` and `method` are of the main stage; `adjust` and `outcomes` of
    the main analyses. Defaults that were left to the design are chosen anew.
    """

    label: Text | None = None
    people: int | None = Field(default=None, ge=1)
    response: dict[Name, float] = Field(default_factory=dict)
    units: dict[Name, Unit] = Field(default_factory=dict)
    strata: tuple[Name, ...] | None = None
    ratio: dict[Name, int] | None = None
    method: Method | None = None
    adjust: tuple[str, ...] | None = None
    outcomes: tuple[Name, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        """One name may stand for a list of one; `none` for an empty one."""
        if not isinstance(given, dict):
            return given
        found = dict(given)
        for key in ("strata", "adjust", "outcomes"):
            if isinstance(found.get(key), str):
                found[key] = [] if found[key] == "none" else [found[key]]
        return found
