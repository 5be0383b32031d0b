"""The whole way: one full data set a trial, analysed by the real walk. Slow, and right for any analysis."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import polars as pl

from equipoise import streams
from equipoise.diagnosis.claims import Claim
from equipoise.diagnosis.simulated.allocated import with_arms
from equipoise.diagnosis.simulated.simulate import simulate_study
from equipoise.diagnosis.simulated.truth import true_effects
from equipoise.diagnosis.trials import Trials
from equipoise.findings.deciding.claims import decided
from equipoise.findings.deciding.looking import looking_of
from equipoise.findings.deciding.stepdown import stepped_down
from equipoise.findings.effects import effect_findings
from equipoise.findings.ratings import rating_findings
from equipoise.findings.reading.data import StudyData
from equipoise.findings.reading.scores import scored
from equipoise.findings.results import Finding
from equipoise.findings.sampling.points import why_unmeasured
from equipoise.findings.sampling.strategies import under_strategies
from equipoise.findings.scheduled import compares_periods, scheduled_findings
from equipoise.protocol.study import Study

__all__ = ["WholeEngine", "claimed_findings", "trials_of", "walked"]


class WholeEngine:
    """Simulates a data set a trial and walks the analyses of the claims, and what they need alone.

    Args:
        study: with the assumptions of the scenario.
        people: typed participants, the same in every trial. Where the assumptions say `people: fixed` only
            their arms are drawn anew; the effect on these very people is then not known, unless it is none.
        claims: the effects that are estimated.
    """

    size = 4

    def __init__(self, study: Study, people: pl.DataFrame, claims: tuple[Claim, ...]) -> None:
        self.study, self.participants, self.claims = study, people, claims
        self.truth = true_effects(study, claims, people)

    def trials(self, chunk: int, seed: int) -> Trials:
        """The trials of a chunk."""
        rng = streams.generator(f"{seed:x}", "simulation", "diagnosis", str(chunk))
        seeds = rng.integers(0, 2**62, size=self.size).tolist()
        fixed = self.study.protocol.diagnosis.assume.people == "fixed"
        data = [self._data(one, seed if fixed else one) for one in seeds]
        found = [claimed_findings(self.study, each, self.claims) for each in data]
        truth = np.where(self.truth == 0, 0.0, np.nan) if fixed else self.truth
        return trials_of(self.study, self.claims, found, truth)

    def _data(self, allocation: int, answers: int) -> StudyData:
        """A data set: one seed for the arms, and one for all else."""
        lots = streams.generator(f"{allocation:x}", "simulation", "allocation")
        people = with_arms(self.study, self.participants, lots)
        return simulate_study(self.study, answers, participants=people).data


def claimed_findings(study: Study, data: StudyData, claims: Sequence[Claim]) -> list[Finding]:
    """The findings of the claims, decided by the order of testing; nothing that stands beside them."""
    data = under_strategies(study, scored(study, data))
    effects = [walked(study, data, claim) for claim in claims]
    jointly = partial(stepped_down, study, data)
    return decided(study, effects, confirms=False, looking=looking_of(study, data), jointly=jointly)


def trials_of(
    study: Study, claims: tuple[Claim, ...], found: Sequence[Sequence[Finding]], truth: np.ndarray
) -> Trials:
    """Findings of several trials as arrays."""
    return Trials(
        claims=claims,
        estimate=_array(found, "estimate"),
        std_error=_array(found, "std_error"),
        low=_bounds(found, "low"),
        high=_bounds(found, "high"),
        p_value=_array(found, "p_value"),
        rejected=np.array([[_rejected(study, each) for each in trial] for trial in found], dtype=bool),
        analysed=np.array([[float(sum(each.n.values())) for each in trial] for trial in found]),
        truth=truth,
    )


def walked(study: Study, data: StudyData, claim: Claim) -> Finding:
    """The finding of a claim; what would be computed beside it is never asked for."""
    return next(each for each in _findings(study, data, claim) if each.id == claim.id)


def _findings(study: Study, data: StudyData, claim: Claim) -> Iterator[Finding]:
    name, outcome, text = claim.analysis, claim.outcome, claim.contrast
    analysis = study.protocol.analyses[name]
    if study.protocol.outcomes[outcome].task is not None:
        return rating_findings(study, data, name, analysis, outcome, text, planned=True)
    if compares_periods(study, text):
        return scheduled_findings(study, data, name, analysis, outcome, text, planned=True)
    why = why_unmeasured(study, data, analysis, outcome, claim.at)
    if why is not None:
        return iter([Finding(id=claim.id, analysis=name, kind="effect", outcome=outcome, not_estimable=why)])
    return effect_findings(study, data, name, analysis, outcome, claim.at, text, planned=True)


def _array(found: Sequence[Sequence[Finding]], field: str) -> np.ndarray:
    values = [[getattr(each, field) for each in trial] for trial in found]
    return np.array([[np.nan if value is None else value for value in row] for row in values], dtype=float)


def _bounds(found: Sequence[Sequence[Finding]], side: str) -> np.ndarray:
    ends = [[getattr(each.interval, side, None) for each in trial] for trial in found]
    return np.array([[np.nan if end is None else end for end in row] for row in ends], dtype=float)


def _rejected(study: Study, finding: Finding) -> bool:
    if finding.decision != "none":
        return finding.decision == "rejected"
    alpha = 1 - study.protocol.analyses[finding.analysis].interval
    return finding.p_value is not None and finding.p_value <= alpha
