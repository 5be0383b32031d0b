"""Outcomes that some columns of a regression predict perfectly, so that its estimate does not exist."""

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

    Konis (2007), Linear programming algorithms for detecting separated data, DPhil thesis, Oxford, ch. 4:
    there is a direction in which no likelihood falls and some rise, found as a linear program.
    """
    sign = high.astype(np.float64) - low
    free, pinned = sign != 0, sign == 0
    towards = design.matrix[free] * sign[free, None]
    found = optimize.linprog(
        -towards.sum(axis=0),
        A_ub=-towards,
        b_ub=np.zeros(int(free.sum())),
        A_eq=design.matrix[pinned] if pinned.any() else None,
        b_eq=np.zeros(int(pinned.sum())) if pinned.any() else None,
        bounds=(-1, 1),
    )
    return refuse(
        "outcome", f"{_who(design, found.x)} so a {model} model has no estimate; the linear has one."
    )


def _who(design: NamedDesign, direction: Floats | None) -> str:
    at_fault = [] if direction is None else np.flatnonzero(np.abs(direction) > _ZERO).tolist()
    if not at_fault:
        return "is predicted almost perfectly for some people,"
    names = [design.names[column] for column in at_fault]
    listed = ", ".join(names[:_NAMED]) + (" and others" if len(names) > _NAMED else "")
    return f"is predicted perfectly for some people by {listed} (all answer alike there),"
