"""Who is in which arm, and how a count, a share or a mean of an arm is written down."""

from collections.abc import Iterator

import numpy as np
from scipy import stats

from equipoise.estimation.effects.proportions import rate
from equipoise.findings.reading.data import StudyData
from equipoise.findings.results import Finding, Interval
from equipoise.findings.sampling.sample import Bools
from equipoise.instruments.scoring import Floats
from equipoise.protocol.models.protocol import Protocol

__all__ = ["FEWEST", "LEVEL", "WITHHELD", "Arms", "counts_by_arm", "mean_of", "share_of"]

LEVEL = 0.95
FEWEST = 10  # a share or a mean of fewer people can point at one of them
WITHHELD = f"withheld: fewer than {FEWEST} people"


class Arms:
    """The arms of the main stage, or its sequences, and who is in each; one nameless arm for a study without,
    or masked."""

    def __init__(self, protocol: Protocol, data: StudyData) -> None:
        self.names: list[str | None] = [None]
        self.members: dict[str | None, Bools] = {None: np.ones(data.participants.height, dtype=bool)}
        if protocol.allocation and not data.masked:
            column = data.participants[protocol.arm_column(protocol.main_stage)].to_numpy()
            drawn = protocol.drawn(protocol.main_stage)
            self.names += list(drawn)
            self.members |= {arm: column == arm for arm in drawn}

    def of_arm(self) -> list[str | None]:
        """The arms, or the nameless one where there are none."""
        return self.names[1:] or self.names

    def id(self, stem: str, arm: str | None) -> str:
        return stem if arm is None else f"{stem}.{arm}"


def counts_by_arm(stem: str, analysis: str, outcome: str, rows: Bools, arms: Arms) -> Iterator[Finding]:
    for arm in arms.names:
        count = int((rows & arms.members[arm]).sum())
        yield Finding(
            id=arms.id(stem, arm),
            analysis=analysis,
            kind="count",
            outcome=outcome,
            arm=arm,
            estimate=float(count),
        )


def share_of(
    stem: str, analysis: str, outcome: str, rows: Bools, members: Bools, arms: Arms, arm: str | None
) -> Finding:
    total, count = int(members.sum()), int((rows & members).sum())
    base = Finding(
        id=arms.id(stem, arm),
        analysis=analysis,
        kind="rate",
        outcome=outcome,
        arm=arm,
        n={arm or "all": total},
        model="share; Wilson's interval",
    )
    if total < FEWEST:
        return base.model_copy(update={"not_estimable": WITHHELD})
    found = rate(count, total, LEVEL)
    interval = Interval(level=LEVEL, low=found.interval.low, high=found.interval.high)
    return base.model_copy(update={"estimate": found.rate, "interval": interval})


def mean_of(stem: str, outcome: str, values: Floats, arms: Arms, arm: str | None) -> Finding:
    n = len(values)
    base = Finding(
        id=arms.id(stem, arm),
        analysis="description",
        kind="mean",
        outcome=outcome,
        arm=arm,
        n={arm or "all": n},
        model="mean; t interval",
    )
    if n < FEWEST:
        return base.model_copy(update={"not_estimable": WITHHELD})
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    reach = float(stats.t.ppf(0.5 + LEVEL / 2, n - 1)) * sd / np.sqrt(n)
    interval = Interval(level=LEVEL, low=mean - reach, high=mean + reach)
    return base.model_copy(
        update={"estimate": mean, "sd": sd, "std_error": sd / n**0.5, "interval": interval}
    )
