"""The claims of one step, tested together by re-drawing the allocation: Westfall and Young's adjustment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.errors import DesignError, NotSupportedError
from equipoise.estimation.randomisation.extremes import sizes
from equipoise.estimation.randomisation.moments import over
from equipoise.estimation.randomisation.redraws import Redraws
from equipoise.estimation.several.multiplicity import adjust_p_values
from equipoise.estimation.several.stepdown import westfall_young
from equipoise.findings.fitting.randomised import not_redrawn, statistic_for
from equipoise.findings.reading.data import StudyData
from equipoise.findings.results import Finding
from equipoise.findings.sampling.measured import Measured
from equipoise.findings.sampling.points import analysed_at
from equipoise.findings.sampling.redraws import Drawing, drawing_of
from equipoise.findings.sampling.sample import sample_of, supported_contrast
from equipoise.instruments.scoring import Floats
from equipoise.protocol.claims import answers_to
from equipoise.protocol.study import Study

__all__ = ["Together", "not_stepped_down", "stepped_down"]


@dataclass(frozen=True)
class Together:
    """Adjusted p-values by the findings' ids, and what to tell of them."""

    p_values: Mapping[str, float]
    notes: tuple[str, ...] = ()


def stepped_down(study: Study, data: StudyData, tested: Sequence[Finding]) -> Together:
    """The adjusted p-values of effects that share an error rate.

    Args:
        study: with the analyses that found them.
        data: what they were found in.
        tested: the effects; outcomes, times, contrasts and adjustment may differ.
    Returns:
        Westfall and Young's; where the draw cannot be made again Holm's, which needs no draw, and why.

    Every arm is drawn again, for all outcomes at once, each among those who answered it: under the null that
    no arm changes anything. The number of draws is the largest that an analysis asks for.
    """
    try:
        adjusted, how = _westfall_young(study, data, tested)
    except (DesignError, NotSupportedError) as error:
        adjusted = adjust_p_values("holm", [float(finding.p_value or 0.0) for finding in tested])
        how = f"adjusted by Holm in place of Westfall and Young, as the draw cannot be made again: {error}"
    found = {finding.id: float(p) for finding, p in zip(tested, adjusted, strict=True)}
    return Together(found, (how,))


def _westfall_young(study: Study, data: StudyData, tested: Sequence[Finding]) -> tuple[Floats, str]:
    measured = [_measured(study, data, finding) for finding in tested]
    draws = max(one.analysis.test.draws for one in measured)
    drawings = {one.sample.stage: drawing_of(study, data, one.sample.stage) for one in measured}
    redraws = {stage: drawing.redraws(draws) for stage, drawing in drawings.items()}
    if len(drawings) > 1 and any(found.exact for found in redraws.values()):
        raise DesignError("the arms of several stages are too few to be drawn together")
    found = [_sizes(one, drawings[one.sample.stage], redraws[one.sample.stage]) for one in measured]
    one = next(iter(redraws.values()))
    adjusted = westfall_young(
        [here for here, _ in found], np.stack([others for _, others in found], axis=1), one.chance
    )
    all_or_so_many = f"all {one.draws:,} allocations" if one.exact else f"{one.draws:,} draws"
    return adjusted, f"adjusted for {len(tested)} claims by re-drawing the allocation ({all_or_so_many})"


def not_stepped_down(study: Study) -> list[str]:
    """What keeps the steps that ask for it from being tested together, one line for each."""
    steps = [step for step in study.protocol.testing or () if step.method == "westfall-young"]
    found = []
    for name, analysis in study.protocol.analyses.items():
        claimed = any(
            answers_to(claim, name, analysis, outcome, at)
            for step in steps
            for claim in step.claims
            for outcome in analysis.outcomes or ()
            for at in (None, *study.protocol.outcomes[outcome].waves)
        )
        rated = any(study.protocol.outcomes[outcome].task for outcome in analysis.outcomes or ())
        why = ("of ratings" if rated else not_redrawn(study, analysis)) if claimed else None
        if why is not None:
            found.append(f"testing: Westfall-Young tests of {name} {why}")
    return found


def _measured(study: Study, data: StudyData, finding: Finding) -> Measured:
    name, outcome, at = finding.analysis, str(finding.outcome), finding.at or ""
    analysis = study.protocol.analyses[name]
    sample = sample_of(study, data, analysis, supported_contrast(study, str(finding.contrast)))
    values = analysed_at(study, data, analysis, outcome, at)
    return Measured(study, data, name, analysis, outcome, at, sample, values)


def _sizes(measured: Measured, drawing: Drawing, redraws: Redraws) -> tuple[float, Floats]:
    """How extreme an effect is, and how extreme it is in every draw."""
    observed, redrawn = over(statistic_for(measured, drawing, inverted=False), redraws)
    studentised = measured.analysis.test.statistic == "studentised"
    here = float(sizes(observed, studentised=studentised)[0])
    if not np.isfinite(here):
        raise DesignError(f"{measured.outcome}: the allocation as it was allows no test of this outcome")
    return here, sizes(redrawn, studentised=studentised)
