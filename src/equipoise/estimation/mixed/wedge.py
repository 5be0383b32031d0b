"""Stepped wedges: clusters that switch to an intervention one after another, and stay with it.

Every cluster has an intercept and, where it has several rows in a period, one for each of its periods as
well: without it rows of one period of a cluster would count as if they told as much as rows of several.
The effect may change with the time since the switch; what is reported is its average over the exposure times.

Hussey & Hughes (2007), Contemp. Clin. Trials 28:182 (periods as fixed effects, the constant effect); Kasza &
Forbes (2019), Stat. Methods Med. Res. 28:3112 (why the intercepts of cluster-periods); Kenny, Voldal, Xia,
Heagerty & Hughes (2022), Statistics in Medicine 41:4311 (why a constant effect misleads, and the average).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import Floats, Ints, Labels, codes_of, finite, refuse, same_length
from equipoise.estimation.inference import Estimate
from equipoise.estimation.mixed.arms import adjustments
from equipoise.estimation.mixed.fit import MixedDof, MixedFit, fit_mixed

__all__ = ["Course", "WedgeFit", "fit_stepped_wedge"]

Course = Literal["by-exposure", "constant"]


@dataclass(frozen=True, eq=False)
class WedgeFit:
    """A fit of a stepped wedge.

    Attributes:
        fit: the model; its first coefficients are the effects by exposure time.
        exposures: (e,) the exposure times seen, 1 being the first period with the intervention.
        course: `by-exposure` (an effect for each), or `constant` (one for all).
    """

    fit: MixedFit
    exposures: Ints
    course: Course

    def average(self, level: float = 0.95, dof: MixedDof = "kenward-roger") -> Estimate:
        """The effect, averaged over the exposure times seen with equal weights (Kenny et al. 2022, eq. 3)."""
        count = 1 if self.course == "constant" else len(self.exposures)
        return self._effect(np.full(count, 1 / count), level, dof)

    def after(self, exposure: int, level: float = 0.95, dof: MixedDof = "kenward-roger") -> Estimate:
        """The effect in the period of this exposure time.

        Raises:
            DesignError: nobody was seen at it, or the periods cannot be told from it.
        """
        place = np.flatnonzero(self.exposures == exposure)
        if not len(place):
            raise refuse("exposure", f"{exposure} was not seen; seen: {', '.join(map(str, self.exposures))}.")
        count = 1 if self.course == "constant" else len(self.exposures)
        return self._effect(np.eye(count)[0 if count == 1 else place[0]], level, dof)

    def _effect(self, weights: Floats, level: float, dof: MixedDof) -> Estimate:
        rest = len(self.fit.coefficients) - len(weights)
        dropped = [int(self.exposures[place]) for place in self.fit.dropped if place < len(weights)]
        if dropped:
            listed = ", ".join(str(exposure) for exposure in dropped)
            raise refuse(
                "exposure",
                f"the effect at exposure time {listed} cannot be told from the periods: all clusters switch "
                "together. Leave out the periods in which every cluster has the intervention equally long.",
            )
        return self.fit.contrast(np.concatenate((weights, np.zeros(rest))), level, dof)


def fit_stepped_wedge(
    outcome: npt.ArrayLike,
    exposure: npt.ArrayLike,
    period: npt.ArrayLike,
    cluster: npt.ArrayLike,
    *,
    person: npt.ArrayLike | None = None,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    course: Course = "by-exposure",
) -> WedgeFit:
    """Fits the effects by exposure time, with periods as fixed effects.

    Args:
        outcome: (n,) in its own unit, one row a person and period; NaN is refused.
        exposure: (n,) how many periods, this one included, the row's cluster has had the intervention; 0
            before it switches.
        period: (n,) labels.
        cluster: (n,) labels.
        person: (n,) labels, where the same people are measured in several periods.
        covariates: (n, p) measured before allocation.
        strata: (n,) labels.
        course: of the effect since the switch; a constant one only where the protocol declares it.
    Returns:
        The fit.
    Raises:
        DesignError: nobody with or nobody without the intervention, one cluster only, or a design that cannot
            be estimated.
    """
    y, since = finite(outcome, "outcome"), np.asarray(exposure, dtype=np.int64)
    when, moments = codes_of(period, "period")
    group, clusters = codes_of(cluster, "cluster")
    same_length(len(y), exposure=since, period=when, cluster=group)
    _check_switches(since, len(clusters))
    exposures = np.unique(since[since > 0])
    seen = since[:, None] > 0 if course == "constant" else since[:, None] == exposures
    periods = when[:, None] == np.arange(len(moments))
    extra = adjustments(len(y), covariates, strata)
    # The periods come first, so that of what cannot be told apart an effect is dropped, never a period.
    design = np.concatenate((periods.astype(np.float64), extra, seen.astype(np.float64)), axis=1)
    fit = fit_mixed(y, design, _intercepts(group, when, person))
    return WedgeFit(_effects_first(fit, seen.shape[1]), exposures, course)


def _check_switches(since: Ints, clusters: int) -> None:
    if clusters < 2:
        raise refuse("cluster", f"holds {clusters} cluster; a stepped wedge compares several.")
    for there, what in ((since > 0, "with"), (since == 0, "without")):
        if not there.any():
            raise refuse("exposure", f"nobody was measured {what} the intervention, so nothing is compared.")


def _intercepts(group: Ints, when: Ints, person: npt.ArrayLike | None) -> dict[str, Labels]:
    """Cluster, cluster-period and person; a cluster-period of one row is the residual itself."""
    pair = np.unique(group * (int(when.max()) + 1) + when, return_inverse=True)[1].ravel()
    found: dict[str, Labels] = {"cluster": group}
    if len(pair) > int(pair.max()) + 1:
        found["cluster and period"] = pair
    if person is not None:
        found["person"] = np.asarray(person)
    return found


def _effects_first(fit: MixedFit, effects: int) -> MixedFit:
    return fit.rearranged(np.roll(np.arange(len(fit.coefficients)), effects))
