"""Interim looks that the protocol declares: which were made, and what that leaves for the tests."""

from dataclasses import dataclass

import polars as pl

from equipoise.estimation.looks.boundaries import (
    boundaries,
    nominal_levels,
    p_value_within_share,
    sequential_p_value,
)
from equipoise.findings.reading.data import StudyData
from equipoise.findings.results import SeenByArm
from equipoise.protocol.study import Study

__all__ = ["Looking", "looking_of"]

NEW = 0.01
"""A look that added a smaller share of the answers than this is one with the look before."""


@dataclass(frozen=True)
class Looking:
    """The declared looks of a study, as they came.

    `answers` are those at each look that was made, then those of the data at hand; `times` the shares of the
    error rate's clock at which each spends; `interim` says that the data are those of a look; `left` are the
    times that are still to come. The error rate is spent at the declared shares, and correlations follow the
    answers that there were.
    """

    spend: str
    answers: tuple[int, ...]
    times: tuple[float, ...]
    interim: bool
    left: tuple[float, ...] = ()

    def p_value(self, p_value: float) -> float:
        """The p-value that allows for the looks: to be compared with the error rate of the whole trial."""
        return sequential_p_value(p_value, self.answers, self.times, self.spend)

    def p_value_together(self, p_value: float) -> float:
        """The same for a p-value of several claims tested together, which move otherwise than one would."""
        return p_value_within_share(p_value, self.times, self.spend)

    def bounds(self, alpha: float) -> tuple[float, ...]:
        """The bounds of |Z| at each look, the present one last."""
        return tuple(boundaries(self.answers, self.times, self.spend, alpha).tolist())

    def level(self, alpha: float) -> float:
        """The p-value that just suffices now, where the error rate of the whole trial is `alpha`."""
        return float(nominal_levels(self.bounds(alpha))[-1])

    def later(self, alpha: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Answers at this look and at those left, if they come as declared, and the bounds of those left."""
        now = self.answers[-1]
        to_come = tuple(now * time / self.times[-1] for time in self.left)
        whole = boundaries((*self.answers, *to_come), (*self.times, *self.left), self.spend, alpha)
        return (float(now), *to_come), tuple(whole[len(self.answers) :].tolist())


def looking_of(study: Study, data: StudyData) -> Looking | None:
    """How the data stand towards the declared looks; None where the protocol declares none.

    The data are those of a look where nobody has answered since. A look that was made and not declared
    spends nothing and is told of (`sealing.told_of_looks`).
    """
    declared = study.protocol.looks
    if not declared:
        return None
    now = _answered(study, data)
    made = _made(data.looks, now)[: len(declared)]
    times = [look.share for look in declared]
    interim = bool(made) and made[-1] >= now
    if interim:
        left = (*times[len(made) :], 1.0)
        return Looking(declared[0].spend, tuple(made), tuple(times[: len(made)]), True, left)
    return Looking(declared[0].spend, (*made, max(now, 1)), (*times[: len(made)], 1.0), False)


def _made(looks: tuple[SeenByArm, ...], now: int) -> list[int]:
    """Answers at the declared looks, in their order; of looks at the same answers the last."""
    answers: list[int] = []
    for look in sorted((look for look in looks if look.declared), key=lambda look: look.on):
        reached = min(look.answered, now)
        if reached >= (1 - NEW) * now:
            reached = now  # a few answers that came during a look make no further one
        if reached > 0 and (not answers or reached - answers[-1] >= NEW * now):
            answers.append(reached)
    return answers


def _answered(study: Study, data: StudyData) -> int:
    """How many have answered the last wave; without waves how many have the outcome claimed first."""
    last = next(reversed(study.protocol.waves), "")
    column = f"answered_{last}"
    if data.has(column):
        answered = data.participants[column]
        return int(answered.sum() if answered.dtype == pl.Boolean else answered.len() - answered.null_count())
    names = [name for step in study.protocol.testing or () for name in step.claims] or [""]
    outcome = next((part for part in names[0].split(".") if part in study.protocol.outcomes), "")
    found = study.protocol.frame_column(outcome, last or None) if outcome else ""
    return data.participants[found].drop_nulls().len() if data.has(found) else data.participants.height
