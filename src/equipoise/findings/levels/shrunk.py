"""Effects of one analysis drawn towards each other, beside the effects themselves, where the plan asks so.

They are the effects at the levels of a category, or of several arms against one control.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.arrays import Floats, refuse
from equipoise.estimation.meaning.shrinkage import Shrunk, shrunk_effects
from equipoise.estimation.several.dunnett import shared_control_loadings
from equipoise.estimation.synthesis.random_effects import shared_arm_covariance
from equipoise.findings.deciding.claims import effect_id
from equipoise.findings.results import Finding, Interval
from equipoise.protocol.models.analyses import Analysis

__all__ = ["shrunk_findings"]

FEWEST = 3
"""Of two effects nobody can tell how much such effects vary."""
_HOW = (
    "drawn towards the average of these {k} effects by as much as each is uncertain (empirical Bayes; Morris "
    "1983), taking the true ones to be normal around one mean; {kept:.0%} of this one's own estimate is kept"
)


def shrunk_findings(name: str, analysis: Analysis, found: Sequence[Finding]) -> Iterator[Finding]:
    """Each effect of an analysis once more, shrunk with the others of its outcome and time.

    Args:
        name: of the analysis.
        found: all its findings.
    """
    groups: dict[tuple[str | None, ...], list[Finding]] = {}
    for one in found:
        if _is_effect(name, analysis, one):
            contrast = one.contrast if analysis.by is not None else None
            groups.setdefault((one.outcome, one.at, contrast), []).append(one)
    for effects in groups.values():
        known = [one for one in effects if one.estimate is not None and one.std_error]
        try:
            shrunk = _shrunk(known, analysis)
        except DesignError as error:
            yield from (_bare(one, not_estimable=str(error)) for one in effects)
            continue
        yield from _told(known, shrunk, analysis.interval)


def _is_effect(name: str, analysis: Analysis, one: Finding) -> bool:
    """Whether a finding is an effect itself, and nothing that stands beside one."""
    own = effect_id(name, str(one.outcome), one.at or "", str(one.contrast))
    return one.kind == "effect" and one.id == (own if analysis.by is None else f"{own}.{one.by}={one.level}")


def _shrunk(known: Sequence[Finding], analysis: Analysis) -> Shrunk:
    """The effects of one group.

    Raises:
        DesignError: too few could be estimated.
    """
    if len(known) < FEWEST:
        raise refuse(
            "shrink", f"{len(known)} effects can be estimated, and {FEWEST} are needed to tell how they vary."
        )
    errors = np.array([one.std_error for one in known], dtype=np.float64)
    together = None if analysis.by is not None else _sharing(known, errors)
    estimates = np.array([one.estimate for one in known], dtype=np.float64)
    return shrunk_effects(estimates, errors, analysis.interval, covariance=together)


def _sharing(known: Sequence[Finding], errors: Floats) -> Floats:
    """The covariance of comparisons with one control, by the people analysed."""
    sides = [str(one.contrast).split(" - ") for one in known]
    treated = [one.n[arm] for one, (arm, _) in zip(known, sides, strict=True)]
    loadings = shared_control_loadings(treated, known[0].n[sides[0][1]])
    return shared_arm_covariance(errors**2, loadings, np.zeros(len(known), dtype=np.int64))


def _bare(one: Finding, **fields: object) -> Finding:
    """The finding of an effect after shrinkage, with nothing of the effect's own numbers."""
    numbers = ("estimate", "std_error", "dof", "statistic", "p_value", "p_adjusted", "interval", "draws")
    more = ("mc_error", "standardised", "second_generation", "tested_together")
    return one.model_copy(
        update={
            **dict.fromkeys((*numbers, *more)),
            "id": f"{one.id}.shrunk",
            "tier": one.tier if one.tier == "exploratory" else "supplementary",
            "model": None,
            "warnings": (),
            **fields,
        }
    )


def _told(known: Sequence[Finding], shrunk: Shrunk, level: float) -> Iterator[Finding]:
    for place, one in enumerate(known):
        yield _bare(
            one,
            estimate=float(shrunk.estimates[place]),
            std_error=float(shrunk.std_errors[place]),
            interval=Interval(level=level, low=float(shrunk.low[place]), high=float(shrunk.high[place])),
            model=_HOW.format(k=len(known), kept=float(shrunk.kept[place])),
        )
