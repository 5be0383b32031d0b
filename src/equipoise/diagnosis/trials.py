"""What simulated trials found, claim by claim."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from equipoise.diagnosis.claims import Claim
from equipoise.estimation.arrays import Bools, Floats

__all__ = ["Trials"]


@dataclass(frozen=True, eq=False)
class Trials:
    """The results of simulated trials, each array of shape (trials, claims), in the outcomes' own units.

    Attributes:
        claims: what the columns are.
        estimate, std_error, low, high, p_value: NaN where a trial could not estimate the effect.
        rejected: the decision of the locked test with its order and its sharing of the error rate; of an
            effect that no step of the testing order names, its own p-value at the level of its interval.
        analysed: people (clusters, ratings) analysed in all arms together.
        truth: the effect that was planted, shape (claims,), or (trials, claims) where it differs; NaN where
            it is not known.
    """

    claims: tuple[Claim, ...]
    estimate: Floats
    std_error: Floats
    low: Floats
    high: Floats
    p_value: Floats
    rejected: Bools
    analysed: Floats
    truth: Floats

    @property
    def count(self) -> int:
        """How many trials."""
        return len(self.estimate)

    @property
    def truths(self) -> Floats:
        """The effects planted, shape (trials, claims)."""
        return np.broadcast_to(self.truth, self.estimate.shape)

    def first(self, count: int) -> Self:
        """The first trials alone."""
        shape = self.estimate.shape
        arrays = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "claims"}
        kept = {name: array[:count] if array.shape == shape else array for name, array in arrays.items()}
        return type(self)(self.claims, **kept)
