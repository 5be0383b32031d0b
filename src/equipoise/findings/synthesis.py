"""Results of several studies together: which can be averaged, and their average."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.arrays import Floats, refuse
from equipoise.estimation.meaning.shrinkage import Shrunk, shrunk_effects
from equipoise.estimation.several.dunnett import shared_control_loadings
from equipoise.estimation.synthesis.random_effects import Synthesis, random_effects, shared_arm_covariance
from equipoise.findings.results import Finding

__all__ = ["StudyResult", "shrunk", "synthesised"]

Scale = Literal["standardised", "own"]


@dataclass(frozen=True)
class StudyResult:
    """An effect and the study that found it."""

    study: str
    finding: Finding


def synthesised(results: Sequence[StudyResult], scale: Scale, level: float = 0.95) -> Synthesis:
    """The average of effects by random effects.

    Args:
        results: one a comparison. Those of one study share their control arm and have one outcome.
        scale: `standardised` in standard deviations, or `own` in the unit that all the outcomes have.
        level: of the intervals.
    Raises:
        DesignError: fewer than two results, a result without error, outcomes of which some are better high
            and some low, units that differ, or several results of a study that do not share a control.
    """
    _alike(results, scale)
    numbers = [_number(one, scale) for one in results]
    variances = np.array([error**2 for _, error in numbers])
    covariance = shared_arm_covariance(variances, _loadings(results), [one.study for one in results])
    return random_effects([estimate for estimate, _ in numbers], covariance, level)


def shrunk(results: Sequence[StudyResult], scale: Scale, level: float = 0.95) -> Shrunk:
    """Each study's effect drawn towards their average by as much as it is uncertain.

    Args:
        results: as for `synthesised`, one a study.
        scale: as for `synthesised`.
        level: of the intervals.
    Raises:
        DesignError: as for `synthesised`, or several results of a study.
    """
    _alike(results, scale)
    if len({one.study for one in results}) < len(results):
        raise refuse(
            "results", "are several of one study, which are not independent; name one of each study."
        )
    estimates, errors = zip(*(_number(one, scale) for one in results), strict=True)
    return shrunk_effects(estimates, errors, level)


def _alike(results: Sequence[StudyResult], scale: Scale) -> None:
    good = {one.finding.good for one in results}
    if len(good) > 1:
        raise refuse(
            "results",
            "are of outcomes of which some are better high and some low, so an average would cancel them; "
            "name outcomes that point one way.",
        )
    units = {one.finding.units for one in results}
    if scale == "own" and len(units) > 1:
        listed = ", ".join(sorted(str(unit) for unit in units))
        raise refuse("scale", f"is own, and the outcomes have several units ({listed}); take standardised.")


def _number(result: StudyResult, scale: Scale) -> tuple[float, float]:
    finding = result.finding
    found = finding.standardised if scale == "standardised" else finding
    if found is None or found.estimate is None or not found.std_error:
        reason = finding.not_estimable or "it has no estimate with an error on this scale"
        raise refuse("results", f"of {result.study} cannot be averaged: {reason}.")
    return found.estimate, found.std_error


def _loadings(results: Sequence[StudyResult]) -> Floats:
    """What each comparison shares with others of its study through the control, by the people analysed."""
    found = np.zeros(len(results))
    for study in {one.study for one in results}:
        own = [number for number, one in enumerate(results) if one.study == study]
        if len(own) > 1:
            found[own] = _shared([results[number].finding for number in own], study)
    return found


def _shared(findings: Sequence[Finding], study: str) -> Floats:
    sides = [str(one.contrast).split(" - ") for one in findings]
    arms = [one.n for one in findings]
    named = all(len(side) == 2 and set(side) <= set(n) for side, n in zip(sides, arms, strict=True))
    measures = {(one.outcome, one.at) for one in findings}
    if not named or len({side[-1] for side in sides}) > 1 or len(measures) > 1:
        raise refuse(
            "results",
            f"of {study} are several, and not arms against one control in one outcome; how they go together "
            "is not known. Name one of them.",
        )
    treated = [n[side[0]] for side, n in zip(sides, arms, strict=True)]
    try:
        return shared_control_loadings(treated, arms[0][sides[0][1]])
    except DesignError as error:
        raise refuse("results", f"of {study}: {error}") from error
