"""What a score test needs of a model that was fitted without the arms."""

from dataclasses import dataclass

from equipoise.estimation.arrays import Floats

__all__ = ["NullScores"]


@dataclass(frozen=True, eq=False)
class NullScores:
    """Derivatives of the log likelihood at its maximum without the arms, row by row.

    Attributes:
        predictor: (n,) the first by the row's linear predictor: what an arm would move.
        nuisance: (n, k) the first by the model's own parameters; each column adds up to 0.
        cross: (n, k) minus the second by the predictor and those parameters.
        bread: (k, k) inverse of the information about those parameters.
    """

    predictor: Floats
    nuisance: Floats
    cross: Floats
    bread: Floats
