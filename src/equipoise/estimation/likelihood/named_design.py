"""The columns of a regression that is fitted by likelihood, each with a name for messages."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import Floats, Ints, codes_of, finite_columns, name_of, same_length
from equipoise.estimation.least_squares.linear import fit_linear

__all__ = ["NamedDesign", "named_design"]


@dataclass(frozen=True, eq=False)
class NamedDesign:
    """A column for each arm present, then covariates and strata.

    Attributes:
        matrix: (n, k) the columns; covariates are centred and on a common scale.
        arms: codes of the arms that somebody is in; theirs are the first columns.
        names: k names.
    """

    matrix: Floats
    arms: Ints
    names: tuple[str, ...]

    def moved(self, arm: int) -> Floats:
        """(n, k) the columns if everyone were in one arm, given by its place among those present."""
        matrix = self.matrix.copy()
        matrix[:, : len(self.arms)] = np.arange(len(self.arms)) == arm
        return matrix


def named_design(
    arm: Ints,
    covariates: npt.ArrayLike | None,
    strata: npt.ArrayLike | None,
    arm_names: Sequence[str] | None,
    covariate_names: Sequence[str] | None,
) -> NamedDesign:
    """Arms, covariates, stratum columns; less those that repeat earlier ones.

    Args:
        arm: (n,) codes from 0.
        covariates: (n, p) measured before allocation.
        strata: (n,) labels.
        arm_names, covariate_names: for messages; p names of the covariates' columns.
    Raises:
        DesignError: sizes that differ, or missing values.
    """
    present = np.flatnonzero(np.bincount(arm))
    parts = [(arm[:, None] == present).astype(np.float64)]
    names = [name_of(int(code), arm_names, "arm") for code in present]
    if covariates is not None:
        columns = finite_columns(covariates, "covariates")
        same_length(len(arm), covariates=columns)
        spread = columns.std(axis=0)
        parts.append((columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1.0))
        names += covariate_names or [f"covariate {number + 1}" for number in range(columns.shape[1])]
    if strata is not None:
        stratum, labels = codes_of(strata, "strata")
        same_length(len(arm), strata=stratum)
        parts.append((stratum[:, None] == np.arange(1, len(labels))).astype(np.float64))
        names += [f'stratum "{label}"' for label in labels[1:]]
    design = np.concatenate(parts, axis=1)
    dropped = fit_linear(np.zeros(len(arm)), design, variance="classical").dropped
    kept = [name for number, name in enumerate(names) if number not in dropped]
    return NamedDesign(np.delete(design, dropped, axis=1), present, tuple(kept))
