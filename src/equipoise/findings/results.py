"""Typed results with their provenance: all that a report may quote, and what `findings.json` holds."""

import json
import math
from collections.abc import Iterator
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from equipoise.errors import InputError, nearest

__all__ = ["Decision", "Finding", "Findings", "Interval", "Kind", "SeenByArm", "Standardised", "Tier"]

Kind = Literal[
    "effect",
    "mean",
    "rate",
    "count",
    "test",
    "theme",
    "variance-component",
    "bound",
    "reliability",
    "progression",
    "ratio",
]
Tier = Literal["primary", "secondary", "sensitivity", "supplementary", "exploratory", "descriptive"]
Decision = Literal["rejected", "not-rejected", "not-tested", "none"]


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _null_for_nan(cls, given: Any) -> Any:
        return None if isinstance(given, float) and math.isnan(given) else given


class Interval(_Result):
    """An interval in the unit of its estimate; `level` is null for bounds that hold with certainty."""

    level: float | None
    low: float | None
    high: float | None


class Standardised(_Result):
    """An effect in standard deviations, and which standard deviation."""

    estimate: float
    std_error: float | None = None
    dof: float | None = None
    interval: Interval | None = None
    sd: float
    sd_source: str


class Finding(_Result):
    """One computed result.

    `id` is `analysis.outcome[.at][.contrast][.by=level][.arm]`. Counts by arm are keyed by arm; arms that the
    results still mask are keyed by their masked label. `tested_together` counts the claims that shared an
    error rate. `second_generation` is the share of the interval inside the margin (Blume et al. 2018).
    """

    id: str
    analysis: str
    kind: Kind
    outcome: str | None = None
    at: str | None = None
    contrast: str | None = None
    among: str | None = None
    by: str | None = None
    level: str | None = None
    arm: str | None = None
    units: str | None = None
    role: str | None = None
    tier: Tier = "descriptive"
    planned: bool = True
    confirmatory: bool = False
    decision: Decision = "none"
    estimand: str | None = None
    n_randomised: dict[str, int] = Field(default_factory=dict)
    n_missing: dict[str, int] = Field(default_factory=dict)
    n: dict[str, int] = Field(default_factory=dict)
    estimate: float | None = None
    std_error: float | None = None
    sd: float | None = None
    dof: float | None = None
    statistic: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    tested_together: int | None = None
    interval: Interval | None = None
    standardised: Standardised | None = None
    margin: float | None = None
    second_generation: float | None = None
    good: Literal["high", "low", "neither"] | None = None
    draws: int | None = None
    mc_error: float | None = None
    model: str | None = None
    not_estimable: str | None = None
    warnings: tuple[str, ...] = ()


class SeenByArm(BaseModel):
    """A look at results by arm before the planned final analysis: when, and how many had answered.

    `kind` is `unmasked` where the arms were named, `export` where data that name them were taken, `told`
    where somebody said that they had seen results. `declared` says whether the protocol foresees the look,
    `sealed` whether the data were sealed.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    on: date
    kind: Literal["unmasked", "export", "told"]
    answered: int
    asked: int
    declared: bool
    sealed: bool


class Findings(_Result):
    """Everything that one run of `analyse` found, with what it was found from.

    `protocol_hash` is of the spelled-out protocol; `locked` is null for an unlocked study. `data_hash` is of
    the canonical CSV of the frame. `data_source` says whether people, a simulation or an outside file gave
    the data. `masked` says that the arms go by letters. `sealed` says whether the data analysed are those
    that were sealed before the arms were known, `seal` is the hash of that seal; both are null where nothing
    of a seal can be known. `looks` are the looks at results by arm before the planned final analysis.
    """

    study: str
    protocol_hash: str
    locked: str | None
    data_hash: str
    data_source: Literal["collected", "simulated", "outside"]
    code_version: str
    analysis_seed: str
    masked: bool = False
    sealed: bool | None = None
    seal: str | None = None
    looks: tuple[SeenByArm, ...] = ()
    findings: tuple[Finding, ...]

    def __iter__(self) -> Iterator[Finding]:  # type: ignore[override]
        return iter(self.findings)

    def find(self, reference: str) -> Finding:
        """The finding with this id, or the only one whose id begins with it at a dot.

        Raises:
            InputError: no finding, or more than one, answers to the reference.
        """
        for finding in self.findings:
            if finding.id == reference:
                return finding
        matches = [finding for finding in self.findings if finding.id.startswith(reference + ".")]
        if len(matches) == 1:
            return matches[0]
        if matches:
            listed = ", ".join(finding.id for finding in matches[:6])
            raise InputError(
                f'"{reference}" could mean {len(matches)} findings: {listed}. Write one of them in full.'
            )
        ids = [finding.id for finding in self.findings]
        raise InputError(f'"{reference}" is not a finding of {self.study}. Findings: {_some(reference, ids)}')

    def select(self, **fields: Any) -> list[Finding]:
        """The findings whose fields have these values, in the order of the protocol."""
        return [
            finding
            for finding in self.findings
            if all(getattr(finding, field) == value for field, value in fields.items())
        ]

    def to_json(self) -> str:
        """`findings.json`: the same bytes for the same findings."""
        return json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Findings":
        """Read `findings.json` back."""
        return cls.model_validate_json(text)


def _some(reference: str, ids: list[str]) -> str:
    same_start = [name for name in ids if name.split(".")[0] == reference.split(".")[0]]
    return nearest(reference, same_start or sorted({name.split(".")[0] for name in ids}))
