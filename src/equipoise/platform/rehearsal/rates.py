"""How often the interval of the locked analysis holds what was planted, over many seeds.

A whole rehearsal shows one draw. Here only what chance decides is drawn again: people, arms, who answers and
what, by the generator that a rehearsal plays, and then the same analysis. One seed takes about a second for a
thousand people, so a hundred seeds take two minutes, and a hundred whole rehearsals most of a day.
"""

import math
from dataclasses import dataclass

from equipoise.diagnosis import simulate_study
from equipoise.findings import analyse
from equipoise.platform.rehearsal.verdict import Check
from equipoise.platform.rehearsal.verdict.effects import planted_effects
from equipoise.protocol import Study

__all__ = ["Rate", "rate_check", "rates"]

_LEVEL = 0.95
_FAR = 3.3  # standard errors: by chance once in a thousand


@dataclass(frozen=True)
class Rate:
    """How many of the intervals of a finding held what was planted."""

    finding: str
    seeds: int
    held: int

    @property
    def share(self) -> float:
        """The share that held it."""
        return self.held / self.seeds


def rates(study: Study, people: int, seeds: range) -> list[Rate]:
    """The rate of each main effect.

    Args:
        study: `diagnosis.assume` says what is planted.
        people: how many are invented for each seed.
        seeds: each gives other people, arms and answers.
    """
    held: dict[str, list[bool]] = {}
    for seed in seeds:
        simulated = simulate_study(study, seed, people=people)
        found = analyse(study, simulated.data)
        for finding, interval, truth in planted_effects(study, found, simulated.planted):
            if interval.low is not None and interval.high is not None:
                held.setdefault(finding.id, []).append(interval.low <= truth <= interval.high)
    return [Rate(name, len(each), sum(each)) for name, each in held.items()]


def rate_check(found: list[Rate]) -> Check:
    """Whether each rate is the nominal one, as far as so many seeds can tell."""
    faults = []
    for rate in found:
        error = math.sqrt(_LEVEL * (1 - _LEVEL) / rate.seeds)
        if abs(rate.share - _LEVEL) > _FAR * error:
            faults.append(
                f"{rate.finding}: {rate.share:.1%} of {rate.seeds:,} intervals hold what was planted"
            )
    seeds = max((rate.seeds for rate in found), default=0)
    return Check(
        "rate",
        "Over many seeds the intervals hold what was planted as often as they say",
        seeds,
        tuple(faults),
    )
