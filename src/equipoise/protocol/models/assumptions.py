"""What the design is judged against: assumed distributions, effects, response and take-up."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from equipoise.protocol.models.variations import Costs, Variation
from equipoise.record import Identifier, Name, Record

__all__ = [
    "Assume",
    "AssumedEffect",
    "AssumedOutcome",
    "AssumedResponse",
    "Diagnosis",
    "Interaction",
    "Targets",
]


class AssumedEffect(Record):
    """An arm's effect in the outcome's unit: constant, or by week since launch (the last week's goes on).

    `when` keeps it to the people whose columns have these levels; the effects of an arm add up, so that a
    subgroup's further effect is a second entry.
    """

    arm: Name
    constant: float = 0.0
    by_week: tuple[float, ...] = ()
    when: dict[Name, str] = Field(default_factory=dict, exclude_if=lambda given: not given)


class Interaction(Record):
    """What is added where all these factors have these levels."""

    when: dict[Name, str]
    add: float


class AssumedOutcome(Record):
    """An outcome before any effect: its mean and SD in its own unit, its correlation with the score before.

    `zero-share` is the share of zeros of a count; `response` the share that answers this outcome of those who
    answer the wave; `icc` how alike people of one cluster are in it, where its unit does not say it for all.
    For ratings, `attributes` shift the mean by level, `interactions` by combination, and `participant-sd` is
    the spread between respondents.
    """

    mean: float
    sd: float | None = Field(default=None, gt=0)
    before_after_correlation: float = Field(default=0.0, ge=-1, le=1)
    zero_share: float | None = Field(default=None, ge=0, lt=1)
    effects: tuple[AssumedEffect, ...] = ()
    attributes: dict[Name, dict[str, float]] = Field(default_factory=dict)
    interactions: tuple[Interaction, ...] = ()
    participant_sd: float = Field(default=0.0, ge=0)
    response: float = Field(default=1.0, ge=0, le=1, exclude_if=lambda given: given == 1)
    icc: float | None = Field(default=None, ge=-1, le=1, exclude_if=lambda given: given is None)

    @model_validator(mode="before")
    @classmethod
    def _short_effect(cls, given: Any) -> Any:
        """`effect: 0.78` (every arm but control), `effect: {arm: X, by-week: [...]}`, or a list."""
        if not isinstance(given, dict):
            return given
        given = {
            key.replace(" ", "-") if isinstance(key, str) else key: value for key, value in given.items()
        }
        effect = given.pop("effect", None)
        if effect is None:
            return given
        if isinstance(effect, (int, float)):
            effect = {"arm": "each_other_arm", "constant": effect}
        return given | {"effects": effect if isinstance(effect, list) else [effect]}


class AssumedResponse(Record):
    """The share of participants who answer each wave, and what it leans on.

    `differs-by-arm` is the difference in response between the other arms and the first; the leans are
    log-odds per SD of the outcome, and for having answered the wave before.
    """

    waves: dict[Name, float] = Field(default_factory=dict)
    differs_by_arm: float = 0.0
    leans_on_outcome: float = 0.0
    leans_on_before: float = 0.0
    missing_item: float = Field(default=0.0, ge=0, lt=1)

    @model_validator(mode="before")
    @classmethod
    def _waves_beside(cls, given: Any) -> Any:
        """Rates may stand beside the leans: `{before: 0.4, after: 0.25, leans-on-before: 2.0}`."""
        if not isinstance(given, dict) or "waves" in given:
            return given
        own = {"differs-by-arm", "leans-on-outcome", "leans-on-before", "missing-item"}
        waves = {key: value for key, value in given.items() if key not in own}
        return {key: value for key, value in given.items() if key in own} | {"waves": waves}

    @field_validator("waves")
    @classmethod
    def _shares(cls, given: dict[str, float]) -> dict[str, float]:
        for wave, share in given.items():
            if not 0 <= share <= 1:
                raise ValueError(f"the response of {wave} is a share between 0 and 1, found {share:g}")
        return given


class Assume(Record):
    """The world in which the design is tried; outcomes may be written beside the other keys.

    `correlation` is between any two outcomes, each turned to its good direction; `correlations` gives pairs
    that differ, as the scores themselves correlate: `{wellbeing: {burnout: -0.6}}`. `uptake` is the share
    that takes the intervention up, and `dose` how much those take who do, as shares of a whole one (`{0.5:
    0.3, 1: 0.7}`): an effect is in proportion.
    """

    outcomes: dict[Name, AssumedOutcome] = Field(default_factory=dict)
    response: AssumedResponse = AssumedResponse()
    people: Literal["redrawn", "fixed"] = "redrawn"
    uptake: float = Field(default=1.0, ge=0, le=1)
    correlation: float = Field(default=0.3, ge=-1, le=1)
    correlations: dict[Name, dict[Name, float]] = Field(
        default_factory=dict, exclude_if=lambda given: not given
    )
    dose: dict[float, float] = Field(default_factory=dict, exclude_if=lambda given: not given)
    events: dict[Name, float] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _outcomes_beside(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "outcomes" in given:
            return given
        own = {"response", "people", "uptake", "correlation", "correlations", "dose", "events"}
        outcomes = {key: value for key, value in given.items() if key not in own}
        return {key: value for key, value in given.items() if key in own} | {"outcomes": outcomes}


class Targets(Record):
    """What the design has to reach."""

    power: float = Field(default=0.8, gt=0, lt=1)
    alpha: float = Field(default=0.05, gt=0, lt=0.5)


class Diagnosis(Record):
    """Assumptions, targets, what things cost, and other designs to put beside this one, each with a name."""

    assume: Assume = Assume()
    targets: Targets = Targets()
    costs: Costs | None = Field(default=None, exclude_if=lambda given: not given)
    designs: dict[Identifier, Variation] = Field(default_factory=dict, exclude_if=lambda given: not given)
