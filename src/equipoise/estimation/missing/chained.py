"""Multiple imputation by chained equations, arm by arm."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import (
    Bools,
    Floats,
    Ints,
    codes_of,
    finite_columns,
    name_of,
    refuse,
    same_length,
)
from equipoise.estimation.missing.conditional import DRAWS, Kind, predictors
from equipoise.estimation.missing.in_clusters import DRAWS_IN_CLUSTERS, Clusters

__all__ = ["Gappy", "Imputer", "imputer"]

ROUNDS = 10
"""Rounds of the chain: more than the five that are usual, fewer than a run would notice."""
_FEWEST_CLUSTERS = 3
"""With two, a flat prior on their standard deviation leaves no distribution."""


@dataclass(frozen=True, eq=False)
class Gappy:
    """A variable with gaps: (n,) values, NaN where missing; how it is drawn; its name, for messages."""

    values: Floats
    kind: Kind
    name: str


@dataclass(frozen=True, eq=False)
class Imputer:
    """Variables with gaps and what predicts them.

    Attributes:
        gappy: the outcome first; the others help to predict it, and are predicted by it.
        complete: (n, p) predictors without gaps.
        arm: (n,) codes; each arm has equations of its own, so that the arm may change everything.
        cluster: (n,) codes of clusters whose people share an intercept in every equation; or None.
    """

    gappy: tuple[Gappy, ...]
    complete: Floats
    arm: Ints
    cluster: Ints | None = None

    def impute(self, rng: np.random.Generator, shift: npt.ArrayLike = 0.0) -> Floats:
        """One imputation of the outcome.

        Args:
            rng: of this imputation alone; the same one with another shift makes the same draws.
            shift: (n,) or one number, added to each imputed outcome, to its log-odds where it is yes or no:
                how those who did not answer differ from what their predictors say of them.
        Returns:
            (n,) the outcome, as answered where it was and as drawn where not.
        """
        moved = np.broadcast_to(np.asarray(shift, dtype=np.float64), self.arm.shape)
        outcome = np.empty(len(self.arm))
        for code in np.unique(self.arm):
            rows = self.arm == code
            columns = np.stack([one.values[rows] for one in self.gappy], axis=1)
            group = None if self.cluster is None else np.unique(self.cluster[rows], return_inverse=True)[1]
            outcome[rows] = self._chain(columns, self.complete[rows], group, moved[rows], rng)
        return outcome

    def _chain(
        self,
        columns: Floats,
        complete: Floats,
        group: Ints | None,
        shift: Floats,
        rng: np.random.Generator,
    ) -> Floats:
        """The chain of one arm; the outcome is drawn last in every round."""
        gaps = np.isnan(columns)
        filled = _started(columns, gaps, rng)
        order = sorted(
            np.flatnonzero(gaps.any(axis=0)).tolist(), key=lambda at: (at == 0, gaps[:, at].sum(), at)
        )
        rounds = ROUNDS if len(order) > 1 else 1
        for number in range(rounds):
            for at in order:
                last = at == 0 and number == rounds - 1
                moved = shift if last else np.zeros(len(filled))
                self._redraw(at, filled, gaps[:, at], complete, group, moved, rng)
        return np.asarray(filled[:, 0])

    def _redraw(
        self,
        at: int,
        filled: Floats,
        missing: Bools,
        complete: Floats,
        group: Ints | None,
        shift: Floats,
        rng: np.random.Generator,
    ) -> None:
        """Draws one variable's gaps anew, given everything else as it stands."""
        given = predictors(np.concatenate((complete, np.delete(filled, at, axis=1)), axis=1), missing)
        kind, known = self.gappy[at].kind, filled[~missing, at]
        if group is None:
            filled[missing, at] = DRAWS[kind](known, given, shift[missing], rng)
            return
        clusters = Clusters(group[~missing], group[missing], int(group.max()) + 1)
        filled[missing, at] = DRAWS_IN_CLUSTERS[kind](known, given, clusters, shift[missing], rng)


def imputer(
    gappy: Sequence[Gappy],
    complete: npt.ArrayLike,
    arm: npt.ArrayLike,
    arm_names: Sequence[str] | None = None,
    cluster: npt.ArrayLike | None = None,
) -> Imputer:
    """Checks that every arm can carry the equations.

    Args:
        gappy: variables with gaps, the outcome first. All others, and everything complete, predict each.
        complete: (n, p) without gaps; it has to hold whatever the analysis adjusts for, lest imputed people
            be told apart from those who answered (congeniality; Meng 1994, Statistical Science 9:538).
        arm: (n,) codes.
        arm_names: for messages.
        cluster: (n,) labels of clusters whose people are alike beyond what predicts.
    Raises:
        DesignError: an arm in which a variable is known for no more people than it has predictors, or in
            fewer than three clusters.

    van Buuren (2018), Flexible Imputation of Missing Data, 2nd ed., sections 4.5 and 9.1; by arm: Sullivan et
    al. (2018), Statistical Methods in Medical Research 27:2610.
    """
    codes = np.asarray(arm, dtype=np.int64)
    columns = finite_columns(complete, "complete") if np.size(complete) else np.empty((len(codes), 0))
    same_length(len(codes), complete=columns, **{one.name: one.values for one in gappy})
    for code in np.unique(codes):
        _check_arm(gappy, columns, codes == code, name_of(int(code), arm_names, "arm"))
    if cluster is None:
        return Imputer(tuple(gappy), columns, codes)
    group = codes_of(cluster, "cluster")[0]
    same_length(len(codes), cluster=group)
    for code in np.unique(codes):
        _check_clusters(gappy, group, codes == code, name_of(int(code), arm_names, "arm"))
    return Imputer(tuple(gappy), columns, codes, group)


def _check_arm(gappy: Sequence[Gappy], complete: Floats, rows: Bools, arm: str) -> None:
    predictors = complete.shape[1] + len(gappy)  # the intercept, and every other variable with gaps
    for one in gappy:
        known = int((~np.isnan(one.values[rows])).sum())
        if known <= predictors + 1:
            raise refuse(
                one.name,
                f"is known for {known} people of {arm}, too few for {predictors} predictors; adjust for less "
                "or name fewer auxiliaries.",
            )


def _check_clusters(gappy: Sequence[Gappy], group: Ints, rows: Bools, arm: str) -> None:
    for one in gappy:
        known = len(np.unique(group[rows & ~np.isnan(one.values)]))
        if known < _FEWEST_CLUSTERS:
            raise refuse(
                one.name,
                f"is known in {known} clusters of {arm}; how alike their people are takes "
                f"{_FEWEST_CLUSTERS} or more, so nothing can be imputed.",
            )


def _started(columns: Floats, gaps: Bools, rng: np.random.Generator) -> Floats:
    """Every gap filled by somebody's value, drawn at random."""
    filled = columns.copy()
    for at in range(columns.shape[1]):
        known = columns[~gaps[:, at], at]
        filled[gaps[:, at], at] = known[rng.integers(0, len(known), int(gaps[:, at].sum()))]
    return filled
