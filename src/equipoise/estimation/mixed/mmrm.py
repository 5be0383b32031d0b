"""Repeated waves: a mean for each arm at each wave, covariates with their own slope at each wave.

A score before the allocation is a covariate here, not a repeated measure. People count with the waves that
they answered; what is missing may depend on what was answered (missing at random), not on what was not.
People of a cluster that was drawn share an intercept besides.

Mallinckrodt, Lane, Schnell, Peng & Mancuso (2008), Drug Information Journal 42:303.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.errors import DesignError
from equipoise.estimation.arrays import (
    Floats,
    Ints,
    codes_of,
    contrast_weights,
    finite,
    name_of,
    refuse,
    same_length,
)
from equipoise.estimation.inference import Estimate, JointTest
from equipoise.estimation.mixed.arms import adjustments
from equipoise.estimation.mixed.fit import MixedDof, MixedFit, Prepared, fitted_under, prepare
from equipoise.estimation.mixed.reml import Covariance, NotConverged
from equipoise.estimation.mixed.repeated import STRUCTURES, Structure, repeated
from equipoise.estimation.mixed.repeated_in_clusters import repeated_in_clusters

__all__ = ["RepeatedFit", "average_of_waves", "fit_repeated", "mmrm_effect", "slope_over_waves"]


@dataclass(frozen=True, eq=False)
class RepeatedFit:
    """A fit of repeated waves.

    Attributes:
        fit: the model; its first coefficients are the means by wave, and within a wave by arm.
        structure: the covariance of a person's waves.
        failed: the structures that were tried before, in their order, and did not converge.
        people: (arms, waves) who answered.
    """

    fit: MixedFit
    structure: Structure
    failed: tuple[Structure, ...]
    people: Ints
    _arm_names: Sequence[str] | None
    _wave_names: Sequence[str] | None

    def contrast(
        self,
        arms: npt.ArrayLike,
        waves: npt.ArrayLike,
        level: float = 0.95,
        dof: MixedDof = "kenward-roger",
    ) -> Estimate:
        """A contrast of arms at a combination of waves.

        Args:
            arms: one weight an arm, adding up to 0.
            waves: one weight a wave: 1 at one of them, `average_of_waves`, or `slope_over_waves`.
            level: coverage of the interval.
            dof: degrees of freedom; see `MixedFit.contrast`.
        Raises:
            DesignError: an arm compared in which nobody answered a wave that counts.
        """
        vector = self._vector(contrast_weights(arms, np.empty(0, dtype=np.int64)), finite(waves, "waves"))
        return self.fit.contrast(vector, level, dof)

    def joint_test(
        self, rows: npt.ArrayLike, waves: npt.ArrayLike, dof: MixedDof = "kenward-roger"
    ) -> JointTest:
        """That several contrasts of arms, (l, arms), are 0 at a combination of waves.

        Raises:
            DesignError: as in `contrast`, or contrasts that repeat each other.
        """
        given = np.atleast_2d(np.asarray(rows, dtype=np.float64))
        return self.fit.joint_test([self._vector(row, finite(waves, "waves")) for row in given], dof)

    def _vector(self, arm: Floats, wave: Floats) -> Floats:
        """The weights of the coefficients."""
        if (len(arm), len(wave)) != self.people.shape:
            expected = " and ".join(str(length) for length in self.people.shape)
            raise refuse("waves", f"{len(arm)} arms and {len(wave)} waves have weights; expected {expected}.")
        cells = np.outer(wave, arm)
        for place, code in zip(*np.nonzero(cells), strict=True):
            if not self.people[code, place]:
                who = name_of(int(code), self._arm_names, "arm")
                raise refuse("outcome", f"{who} has nobody who answered {self._wave(int(place))}.")
        rest = len(self.fit.coefficients) - cells.size
        return np.concatenate((cells.ravel(), np.zeros(rest)))

    def _wave(self, place: int) -> str:
        return f"wave {place + 1}" if self._wave_names is None else f'wave "{self._wave_names[place]}"'


def mmrm_effect(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    at: npt.ArrayLike | None = None,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    dof: MixedDof = "kenward-roger",
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
) -> Estimate:
    """A contrast of arms at the last wave, or at `at`, from a mixed model for repeated measures.

    Args:
        outcome: (n, waves) in the order of time, NaN where a wave was not answered.
        arm: (n,) codes from 0; allocation as randomised.
        contrast: one weight an arm, adding up to 0.
        at: one weight a wave.
        covariates: (n, p) measured before allocation.
        strata: (n,) labels.
        cluster: (n,) labels of clusters whose people share an intercept.
        dof: degrees of freedom.
        level: coverage of the interval.
        arm_names: for messages.
    Raises:
        DesignError: one wave only, or a design that cannot be estimated.
    """
    fitted = fit_repeated(
        outcome, arm, covariates=covariates, strata=strata, cluster=cluster, arm_names=arm_names
    )
    waves = np.eye(fitted.people.shape[1])[-1] if at is None else at
    missing = len(np.asarray(contrast)) - len(fitted.people)
    if missing < 0:
        raise refuse("contrast", f"has {len(np.asarray(contrast))} weights for {len(fitted.people)} arms.")
    return fitted.contrast(np.asarray(contrast)[: len(fitted.people)], waves, level, dof)


def fit_repeated(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    *,
    arms: int | None = None,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    cluster_name: str = "cluster",
    structures: Sequence[Structure] = STRUCTURES,
    arm_names: Sequence[str] | None = None,
    wave_names: Sequence[str] | None = None,
) -> RepeatedFit:
    """Fits the first structure, in the order given, for which the likelihood has a maximum.

    Args:
        outcome: (n, waves) in the order of time, NaN where a wave was not answered.
        arm: (n,) codes from 0.
        arms: how many arms there are, where the last may have nobody.
        covariates: (n, p) measured before allocation; each has a slope of its own at each wave.
        strata: (n,) labels, entered as covariates are.
        cluster: (n,) labels of clusters whose people share an intercept, the same at each wave.
        cluster_name: of its variance.
        structures: tried one after another.
        arm_names, wave_names: for messages.
    Returns:
        The fit.
    Raises:
        DesignError: fewer than two waves that anybody answered, fewer than two clusters in an arm, or no
            structure that can be fitted.
    """
    values, codes = _waves(outcome), np.asarray(arm, dtype=np.int64)
    same_length(len(values), arm=codes)
    count = int(codes.max()) + 1 if arms is None else arms
    person, wave = np.nonzero(~np.isnan(values))
    extra = adjustments(len(values), covariates, strata)
    means = (codes[:, None] == np.arange(count)).astype(np.float64)
    ready = prepare(values[person, wave], _by_wave(means, extra, person, wave, values.shape[1]))
    kept, person = np.unique(person, return_inverse=True)
    group = None if cluster is None else _clusters(cluster, codes, kept, cluster_name, arm_names)

    def under(structure: Structure) -> Covariance:
        if group is None:
            return repeated(structure, person.ravel(), wave, ready.columns)
        return repeated_in_clusters(structure, person.ravel(), wave, ready.columns, group, cluster_name)

    fit, structure, failed = _first_that_converges(ready, under, structures)
    people = np.stack([(~np.isnan(values[codes == code])).sum(axis=0) for code in range(count)])
    return RepeatedFit(fit, structure, failed, people.astype(np.int64), arm_names, wave_names)


def average_of_waves(waves: Sequence[bool]) -> Floats:
    """Weights for the average of the waves that are true."""
    chosen = np.asarray(waves, dtype=np.float64)
    return np.asarray(chosen / chosen.sum())


def slope_over_waves(times: npt.ArrayLike) -> Floats:
    """Weights for the least-squares slope over the waves' times, per unit of time.

    Raises:
        DesignError: fewer than two different times.
    """
    centred = finite(times, "times")
    centred = centred - centred.mean()
    if not centred.any():
        raise refuse("times", "are all the same; a slope needs waves at two times or more.")
    return np.asarray(centred / (centred @ centred))


def _waves(outcome: npt.ArrayLike) -> Floats:
    values = np.asarray(outcome, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] < 2:
        raise refuse(
            "outcome", "has one wave; a model of repeated waves needs two or more, or choose linear."
        )
    if np.isinf(values).any():
        raise refuse("outcome", "is infinite somewhere; expected numbers, and NaN where there is none.")
    empty = np.flatnonzero(np.isnan(values).all(axis=0))
    if len(empty):
        raise refuse("outcome", f"nobody answered wave {int(empty[0]) + 1}; leave that wave out.")
    return values


def _by_wave(means: Floats, extra: Floats, person: Ints, wave: Ints, waves: int) -> Floats:
    """Every column times an indicator of every wave: first the arms' means, then the covariates."""
    now = (wave[:, None] == np.arange(waves)).astype(np.float64)
    parts = [(now[:, :, None] * part[person][:, None, :]).reshape(len(wave), -1) for part in (means, extra)]
    return np.concatenate(parts, axis=1)


def _clusters(
    cluster: npt.ArrayLike, arm: Ints, kept: Ints, name: str, arm_names: Sequence[str] | None
) -> Ints:
    """The clusters of those kept, codes without gaps."""
    labels = codes_of(cluster, name)[0]
    same_length(len(arm), cluster=labels)
    for code in np.unique(arm[kept]):
        if len(np.unique(labels[kept][arm[kept] == code])) < 2:
            who = name_of(int(code), arm_names, "arm")
            raise refuse(name, f"{who} has 1; comparing arms needs at least 2 in each.")
    return np.unique(labels[kept], return_inverse=True)[1].ravel().astype(np.int64)


def _first_that_converges(
    ready: Prepared, under: Callable[[Structure], Covariance], structures: Sequence[Structure]
) -> tuple[MixedFit, Structure, tuple[Structure, ...]]:
    failed: list[Structure] = []
    for structure in structures:
        try:
            fit = fitted_under(under(structure), ready)
        except (NotConverged, DesignError):
            failed.append(structure)
            continue
        return fit, structure, tuple(failed)
    raise refuse(
        "outcome",
        f"no covariance of the waves can be fitted ({', '.join(failed)} were tried); compare the arms at "
        "each wave by linear.",
    )
