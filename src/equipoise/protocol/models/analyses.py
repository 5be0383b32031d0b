"""What will be computed: analyses, the order in which claims may be made, interim looks."""

import re
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from equipoise.record import Identifier, Name, Record, Text

__all__ = ["MODEL_BASED", "Analysis", "Dof", "Look", "ModelName", "TestPlan", "TestStep", "Variance"]

ModelName = Literal[
    "difference-in-means", "linear", "lin-interacted", "logistic", "ordinal", "poisson", "mixed", "mmrm"
]
Variance = Literal[
    "neyman", "classical", "HC0", "HC1", "HC2", "HC3", "CR0", "CR1", "CR2", "CR3", "two-way", "wild-bootstrap"
]
Method = Literal[
    "none",
    "bonferroni",
    "holm",
    "hochberg",
    "hommel",
    "benjamini-hochberg",
    "benjamini-yekutieli",
    "dunnett",
    "westfall-young",
]
Dof = Literal["satterthwaite", "residual", "kenward-roger"]
MODEL_BASED = ("mixed", "mmrm")
"""Models whose errors are the model's own: their variance is `classical`."""
Weights = Literal["hajek", "horvitz-thompson"]
Missing = Literal["bounds", "tipping-point", "lee", "imputation", "response-weights"]

_SHARE_OF_ANSWERS = re.compile(r"^(0?\.[0-9]{1,6}) of answers$")


class TestPlan(Record):
    """How the p-value arises: from the t distribution, or by re-drawing the allocation."""

    __test__ = False

    by: Literal["t", "randomisation"] = "t"
    draws: int = Field(default=10_000, ge=99)
    statistic: Literal["studentised", "difference"] = "studentised"


class Analysis(Record):
    """outcome x contrast x population x model x inference.

    `at`, `contrast`, `adjust`, `model`, `variance`, `average-over` and `missing` left out are chosen by the
    design and written out. `unadjusted` lists the outcomes that were not asked before; it is filled in, never
    written. `auxiliaries` help to predict missing answers, for `missing: imputation` or `response-weights`: a
    wave (this outcome's own score then), another outcome, a column of the roster, whether a message was sent
    (`sent_after_remind`) or an event happened. An analysis that checks another says which: `sensitivity-of`
    (same estimand, other assumption) or `supplementary-to` (other estimand). `by` gives the contrast for each
    level of a category, along a column of numbers, by `wave`, or by `week since launch`; `by: dose` describes
    the outcome by how much people took. `take-up` names the column of what people took up: for `target:
    complier`, whose `assumption` says why the allocation acts through it alone, for `kind: per-protocol`, and
    for `by: dose`. `weights` counts everybody by one over the chance of their arm, where chances differ:
    `hajek` compares weighted means; `horvitz-thompson` totals, which need everybody's answer and move with a
    constant added to all of them. `change-from` a wave before the allocation analyses the change since then,
    of whoever has both scores; adjusting for the score before is nearly always more precise. `shrink` prints
    each of many small effects once more, drawn towards the others: of the levels of a category (`by`), or of
    arms against one control. `model: mixed` gives people in clusters an intercept for each cluster, ratings
    one for each participant and each text that was shown, so that an effect of names holds for others too.
    """

    outcomes: tuple[Name, ...] | None = None
    at: tuple[str, ...] | None = None
    contrast: tuple[str, ...] = ()
    among: str | None = None
    target: Literal["all", "complier"] = "all"
    take_up: Name | None = None
    assumption: Text | None = None
    adjust: tuple[str, ...] | None = None
    unadjusted: tuple[Name, ...] = ()
    model: ModelName | None = None
    variance: Variance | None = None
    dof: Dof = "satterthwaite"
    cluster: Name | None = None
    average_over: Literal["people", "clusters"] | None = None
    # Left out of the spelled-out form where nobody names any: studies that were locked without them keep
    # their hash. So are `auxiliaries`.
    weights: Weights | None = Field(default=None, exclude_if=lambda given: given is None)
    change_from: Name | None = Field(default=None, exclude_if=lambda given: given is None)
    shrink: bool = Field(default=False, exclude_if=lambda given: not given)
    test: TestPlan = TestPlan()
    interval: float = Field(default=0.95, gt=0.5, lt=1)
    missing: tuple[Missing, ...] | None = None
    auxiliaries: tuple[Name, ...] | None = Field(default=None, exclude_if=lambda given: given is None)
    by: str | None = None
    kind: Literal["as-randomised", "per-protocol"] = "as-randomised"
    sensitivity_of: Identifier | None = None
    supplementary_to: Identifier | None = None
    label: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        """One name may stand for a list of one; `all` for everything, which the spelled-out form lists."""
        if not isinstance(given, dict):
            return given
        given = dict(given)
        for key in ("outcomes", "at", "contrast", "adjust", "missing", "auxiliaries"):
            if isinstance(given.get(key), str):
                given[key] = [given[key]]
        for key in ("adjust", "missing"):
            if given.get(key) == ["none"]:
                given[key] = []
        if given.get("outcomes") == ["all"]:
            del given["outcomes"]
        if given.get("among") == "all":
            del given["among"]
        if isinstance(given.get("test"), str):
            given["test"] = {"by": given["test"]}
        return given


class TestStep(Record):
    """A step of the claims: reached only if every step before it succeeded.

    `method` shares the error rate among the claims of the step; `dunnett` is for several arms against one
    control in one outcome.
    """

    __test__ = False

    claims: tuple[str, ...]
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    method: Method = "none"

    @model_validator(mode="before")
    @classmethod
    def _then(cls, given: Any) -> Any:
        """`then:` reads better than `claims:` from the second step on."""
        if isinstance(given, dict) and "then" in given and "claims" not in given:
            return {("claims" if key == "then" else key): value for key, value in given.items()}
        return given


class Look(Record):
    """A declared interim look: after which share of the answers, such as `0.5 of answers`, spending how.

    The error rate is spent by Lan and DeMets' functions; those of one study all have the same `spend`.
    """

    at: str
    spend: Literal["obrien-fleming", "pocock"] = "obrien-fleming"

    @field_validator("at")
    @classmethod
    def _of_answers(cls, given: str) -> str:
        found = _SHARE_OF_ANSWERS.match(given)
        if found is None or not 0 < float(found[1]) < 1:
            raise ValueError(
                f'"{given}" is not a share of the answers; write a number between 0 and 1, as in '
                "`0.5 of answers`"
            )
        return given

    @property
    def share(self) -> float:
        """The share of the answers after which the look is due."""
        found = _SHARE_OF_ANSWERS.match(self.at)
        return float(found[1]) if found else 0.0
