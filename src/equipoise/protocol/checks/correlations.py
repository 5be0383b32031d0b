"""Correlations among outcomes, and of before with after, that people's scores could have together."""

from collections.abc import Iterator
from itertools import combinations
from math import sqrt

import numpy as np
import numpy.typing as npt

from equipoise.errors import Problem
from equipoise.protocol.checks.places import at, unknown
from equipoise.protocol.models.assumptions import Assume
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.study import Study

__all__ = ["check_correlations", "correlation_matrix"]

_ROUNDED = 1e-9
_WEIGHTY = 0.15  # an outcome whose part in the contradiction is smaller is not named
_PATH = ("diagnosis", "assume", "correlations")


def check_correlations(study: Study) -> Iterator[Problem]:
    """Each correlation is one, each pair stands once, and all of them can be had together."""
    found = [*_pairs(study)]
    yield from found
    if not found:
        matrix = correlation_matrix(study.protocol)
        yield from _together(study, matrix)
        yield from _over_time(study, matrix)


def correlation_matrix(protocol: Protocol) -> npt.NDArray[np.float64]:
    """How the assumed outcomes correlate, as their scores do: shape (outcomes, outcomes), in their order.

    A pair that `correlations` leaves out has `correlation`, each outcome turned to its good direction.
    """
    assume = protocol.diagnosis.assume
    names = _measured(assume, protocol)
    sign = np.array([-1.0 if protocol.outcomes[name].good == "low" else 1.0 for name in names])
    matrix = assume.correlation * np.outer(sign, sign)
    np.fill_diagonal(matrix, 1.0)
    for first, others in assume.correlations.items():
        for second, value in others.items():
            if first in names and second in names:
                row, column = names.index(first), names.index(second)
                matrix[row, column] = matrix[column, row] = value
    return matrix


def _measured(assume: Assume, protocol: Protocol) -> list[str]:
    return [name for name in assume.outcomes if name in protocol.outcomes]


def _pairs(study: Study) -> Iterator[Problem]:
    assume, outcomes = study.protocol.diagnosis.assume, study.protocol.outcomes
    seen: set[frozenset[str]] = set()
    for first, others in assume.correlations.items():
        for second, value in others.items():
            where = (*_PATH, first, second)
            for name in (first, second):
                if name not in outcomes or name not in assume.outcomes:
                    known = _measured(assume, study.protocol)
                    yield unknown(study, where, name, "an outcome that is assumed", known, "Outcomes")
            if first == second:
                yield at(study, *where, message="an outcome correlates with itself by 1; leave it out")
            elif frozenset((first, second)) in seen:
                yield at(study, *where, message=f"{first} with {second} stands twice; keep one")
            if not -1 <= value <= 1:
                yield at(study, *where, message=f"a correlation is between -1 and 1, found {value:g}")
            seen.add(frozenset((first, second)))


def _together(study: Study, matrix: npt.NDArray[np.float64]) -> Iterator[Problem]:
    """No eigenvalue v is negative: where one is, all correlations times 1 / (1 - v) are possible."""
    if len(matrix) < 2:
        return
    values, vectors = np.linalg.eigh(matrix)
    if values[0] >= -_ROUNDED:
        return
    names = _measured(study.protocol.diagnosis.assume, study.protocol)
    named = [name for name, part in zip(names, vectors[:, 0], strict=True) if abs(part) > _WEIGHTY]
    most = np.floor(1000 / (1 - values[0])) / 1000
    message = (
        f"the correlations among {', '.join(named)} contradict each other: no scores have them all (smallest "
        f"eigenvalue {values[0]:.3g}). All of them multiplied by {most:g} are possible"
    )
    given = study.protocol.diagnosis.assume.correlations
    yield at(study, *(_PATH if given else (*_PATH[:2], "correlation")), message=message)


def _over_time(study: Study, matrix: npt.NDArray[np.float64]) -> Iterator[Problem]:
    """Two outcomes that are alike at every wave cannot change quite differently from wave to wave.

    With before-after correlations p and q, two outcomes correlate by (sqrt((1 + p)(1 + q)) + sqrt((1 - p)(1 -
    q))) / 2 at most: the correlation matrix of both at two waves has to have no negative eigenvalue, whatever
    the correlations of one with the other over time.
    """
    assume = study.protocol.diagnosis.assume
    names = _measured(assume, study.protocol)
    for (row, first), (column, second) in combinations(enumerate(names), 2):
        p, q = (assume.outcomes[name].before_after_correlation for name in (first, second))
        most = (sqrt((1 + p) * (1 + q)) + sqrt((1 - p) * (1 - q))) / 2
        if abs(matrix[row, column]) > most + _ROUNDED:
            message = (
                f"{first} and {second} correlate by {matrix[row, column]:.3g}, and from before to after "
                f"the one by {p:g}, the other by {q:g}: with those, their correlation is {most:.3g} at most"
            )
            yield at(study, "diagnosis", "assume", first, message=message)
