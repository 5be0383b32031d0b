"""Outcomes that some columns of a regression predict perfectly, so that its estimate does not exist."""

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from equipoise.errors import DesignError
from equipoise.estimation.arrays import Bools, Floats, refuse
from equipoise.estimation.likelihood.named_design import NamedDesign

__all__ = ["separation_error"]

_ZERO = 1e-7
_NAMED = 5


def separation_error(design: NamedDesign, low: Bools, high: Bools, model: str) -> DesignError:
    """The refusal of a model whose likelihood has no maximum, naming the columns at fault.

    Args:
        design: of the model.
        low: (n,) whose likelihood only rises as their linear predictor falls, such as answers of 0.
        high: (n,) whose likelihood only rises with it, such as answers of 1; rows that are neither pin it.
        model: its name.

    Konis (2007), Linear programming algorithms for detecting separated data, DPhil thesis, Oxford: there is a
    direction in which no row's likelihood falls and some rise, found by a linear program.
    """
    rows = np.unique(np.column_stack((high.astype(np.float64) - low, design.matrix)), axis=0)
    program = _Program(rows[:, 1:], rows[:, 0])
    who = _names(design, program)
    found = f"is predicted perfectly for some people by {who} (all answer alike there)"
    found = found if who else "is predicted almost perfectly for some people"
    return refuse("outcome", f"{found}, so a {model} model has no estimate; the linear model has one.")


@dataclass(frozen=True, eq=False)
class _Program:
    """The search for a direction; `sign` is +1 for high rows, -1 for low ones, 0 for those that pin it."""

    matrix: Floats
    sign: Floats

    def direction(self, allowed: Bools) -> Floats | None:
        """(k,) a separating direction that moves only the columns allowed; None where there is none."""
        free = self.sign != 0
        towards = self.matrix[free] * self.sign[free, None]
        pinned = self.matrix[~free]
        found = optimize.linprog(
            -towards.sum(axis=0),
            A_ub=-towards,
            b_ub=np.zeros(len(towards)),
            A_eq=pinned if len(pinned) else None,
            b_eq=np.zeros(len(pinned)) if len(pinned) else None,
            bounds=[(-1.0, 1.0) if each else (0.0, 0.0) for each in allowed],
        )
        return np.asarray(found.x) if found.status == 0 and found.fun < -_ZERO else None


def _names(design: NamedDesign, program: _Program) -> str:
    """Arms that alone predict, else the fewest covariates and strata, found by leaving each out in turn."""
    columns = np.arange(design.matrix.shape[1])
    arms = columns < len(design.arms)
    direction = program.direction(arms)
    if direction is not None:
        return _listed([design.names[column] for column in np.flatnonzero(np.abs(direction) > _ZERO)])
    allowed = np.ones(len(columns), dtype=bool)
    if program.direction(allowed) is None:
        return ""
    for column in columns[~arms]:
        allowed[column] = False
        allowed[column] = program.direction(allowed) is None
    return _listed([design.names[column] for column in np.flatnonzero(allowed & ~arms)])


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (" and others" if len(names) > _NAMED else "")
