"""Who gets what: arms, stages of allocation, units, schedules of periods, and tasks within a session."""

from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from equipoise.record import Name, Record, Text

__all__ = [
    "PAIR",
    "Arm",
    "Criterion",
    "Method",
    "Pairing",
    "RatioRule",
    "Schedule",
    "SeedSource",
    "Stage",
    "Task",
    "Unit",
]

Method = Literal[
    "simple", "complete", "blocked", "permuted-blocks", "minimised", "rerandomised", "matched-pairs"
]
Measure = Literal["range", "variance"]
SeedSource = Literal["public-round", "team-secret"]


class Arm(Record):
    """An arm of a stage; without a label its name is shown."""

    label: Text | None = None
    description: Text | None = None


class RatioRule(Record):
    """Shares of the arms, for the units that `where` selects; without `where`, for everybody else.

    Shares are whole numbers, or probabilities that sum to 1: 0.4 and 0.6 are 2 and 3.
    """

    where: str | None = None
    shares: dict[Name, int]

    @field_validator("shares", mode="before")
    @classmethod
    def _whole_shares(cls, given: Any) -> Any:
        """Probabilities as the whole numbers in their ratio; decimals as they are written, not as binary."""
        values = list(given.values()) if isinstance(given, dict) else []
        if not any(isinstance(value, float) for value in values):
            return given
        if any(isinstance(value, bool) or not isinstance(value, (int, float)) for value in values):
            return given
        parts = [Fraction(str(value)) for value in values]
        if sum(parts) != 1 or min(parts) <= 0:
            raise ValueError(
                f"probabilities are above 0 and sum to 1, found {' + '.join(map(str, values))} = "
                f"{float(sum(parts)):g}; write them so, or whole shares such as 2 and 3"
            )
        whole = lcm(*(part.denominator for part in parts))
        return {arm: int(part * whole) for arm, part in zip(given, parts, strict=True)}

    @model_validator(mode="before")
    @classmethod
    def _shares_beside_where(cls, given: Any) -> Any:
        """`{where: X, control: 2, messages: 1}` and `{else: {control: 1}}` are ways to write a rule."""
        if not isinstance(given, dict) or "shares" in given:
            return given
        if set(given) == {"else"}:
            return {"shares": given["else"]}
        return {
            "where": given.get("where"),
            "shares": {arm: share for arm, share in given.items() if arm != "where"},
        }


class Criterion(Record):
    """A draw is kept when the Mahalanobis distance of these covariates' means is in the lowest `accept`."""

    covariates: tuple[Name, ...]
    accept: float = Field(gt=0, lt=1)


PAIR = "pair"
"""The column of the pairs that a stage makes."""


class Pairing(Record):
    """Pairs are made of people who are alike in the columns `on`, within strata; `of: 3` makes threesomes."""

    on: tuple[Name, ...] = Field(min_length=1)
    of: int = Field(default=2, ge=2, le=10)


class Stage(Record):
    """One drawing of lots: which units, in which strata, at which ratio, to which arms, when, what seed.

    `blocks` are the sizes of permuted blocks, in multiples of the ratio's sum. `balance` lists the factors of
    a minimisation and `weights` those that count more than once, in short `balance: {site: 2, grade: 1}`.
    `measure` says how the imbalance of a factor is measured, and `biased-coin` is the probability of the arm
    that balances best. `pair` names the roster column that tells matched
    pairs, or says what people shall be alike in to make a pair: `{on: [age, score]}`. `whole` names columns,
    such as team, whose people must never be in two arms: the draw is refused where they could be.
    """

    arms: dict[Name, Arm] = Field(default_factory=dict)
    unit: Name = "participant"
    strata: tuple[Name, ...] = ()
    ratio: tuple[RatioRule, ...] = ()
    method: Method = "blocked"
    when: str = "launch"
    among: str | None = None
    to: Literal["arms", "sequences"] = "arms"
    seed: SeedSource = "public-round"
    blocks: tuple[int, ...] = (1, 2, 3)
    balance: tuple[Name, ...] = ()
    weights: dict[Name, int] = Field(default_factory=dict, exclude_if=lambda given: not given)
    measure: Measure = Field(default="range", exclude_if=lambda given: given == "range")
    biased_coin: float = Field(default=0.8, gt=0, le=1)
    pair: Name | Pairing | None = None
    criterion: Criterion | None = None
    whole: tuple[Name, ...] = Field(default=(), exclude_if=lambda given: not given)

    @property
    def drawn_within(self) -> tuple[str, ...]:
        """The columns whose combinations are drawn one by one: the strata, and the pair of matched pairs."""
        if self.method != "matched-pairs" or self.pair is None:
            return self.strata
        return (*self.strata, PAIR if isinstance(self.pair, Pairing) else self.pair)

    @property
    def balanced_on(self) -> tuple[str, ...]:
        """What the draw balances otherwise: the margins of a minimisation, a criterion's covariates."""
        if self.method == "minimised":
            return self.balance
        return self.criterion.covariates if self.method == "rerandomised" and self.criterion else ()

    @property
    def looked_at(self) -> tuple[str, ...]:
        """The columns that the draw looks at beside its strata: to balance, or to make pairs."""
        made = self.method == "matched-pairs" and isinstance(self.pair, Pairing)
        return self.pair.on if made and isinstance(self.pair, Pairing) else self.balanced_on

    @field_validator("whole", mode="before")
    @classmethod
    def _one_whole(cls, given: Any) -> Any:
        """One name may stand for a list of one."""
        return [given] if isinstance(given, str) else given

    @model_validator(mode="before")
    @classmethod
    def _short_weights(cls, given: Any) -> Any:
        """`balance: {site: 2, grade: 1}` is a way to write factors with their weights."""
        if isinstance(given, dict) and isinstance(given.get("balance"), dict) and "weights" not in given:
            return given | {"balance": list(given["balance"]), "weights": given["balance"]}
        return given

    @model_validator(mode="before")
    @classmethod
    def _short_ratio(cls, given: Any) -> Any:
        """`equal` and a plain mapping of shares are ways to write the single rule of a ratio."""
        if not isinstance(given, dict):
            return given
        ratio = given.get("ratio")
        if ratio == "equal":
            return {name: value for name, value in given.items() if name != "ratio"}
        if isinstance(ratio, dict):
            return given | {"ratio": [{"shares": ratio}]}
        return given


class Unit(Record):
    """A level of grouping: families in schools, teams in authorities.

    What was planned of it: `icc`, how alike people of one unit are (the intracluster correlation),
    `people`, how many are expected in each, and `people-cv`, how much that differs (the coefficient of
    variation).
    """

    in_: Name | None = None
    label: Text | None = None
    icc: float | None = Field(default=None, ge=-1, le=1)
    people: float | None = Field(default=None, gt=0)
    people_cv: float = Field(default=0.0, ge=0, exclude_if=lambda given: not given)


class Schedule(Record):
    """Periods of time and, for each sequence, the arm of every period: stepped wedge, crossover, waitlist.

    What is measured within `washout` of the start of a period is left out. `effect` says whether an arm that
    nobody leaves again may act differently with the time since the switch (`by-exposure`, of which the
    average is reported) or is taken to be `constant`.
    """

    periods: dict[Name, str]
    sequences: dict[Name, tuple[Name, ...]]
    washout: str | None = None
    effect: Literal["by-exposure", "constant"] = "by-exposure"

    @property
    def switch(self) -> tuple[str, str] | None:
        """The arm left and the arm joined of a stepped wedge; None with other arms, or with a way back."""
        arms = {arm for steps in self.sequences.values() for arm in steps}
        changes = {
            pair for steps in self.sequences.values() for pair in pairwise(steps) if len(set(pair)) > 1
        }
        return next(iter(changes)) if len(arms) == 2 and len(changes) == 1 else None

    @model_validator(mode="before")
    @classmethod
    def _numbered_periods(cls, given: Any) -> Any:
        """`periods: [1, 2]` are periods p1 and p2 whose dates the amendment of the launch will give."""
        if isinstance(given, dict) and isinstance(given.get("periods"), list):
            return given | {"periods": {f"p{period}": f"period({period})" for period in given["periods"]}}
        return given


class Task(Record):
    """Vignettes judged in a session: the unit is the task within the participant.

    `present` holds the randomised ways of showing them with their shares; `assign` says whether a way is
    drawn for each person or for each task.
    """

    vignette: str
    present: dict[Name, int] = Field(default_factory=dict)
    present_as: Name = "condition"
    assign: Literal["between", "within"] = "between"
    per_person: int = Field(ge=1)
    order: Literal["random", "fixed"] = "random"
    label: Text | None = None
