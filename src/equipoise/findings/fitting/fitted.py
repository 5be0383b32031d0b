"""What a way of fitting gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from equipoise.estimation.effects.instrumental import ComplierEffect
from equipoise.estimation.inference import Estimate, JointTest
from equipoise.findings.sampling.measured import Measured
from equipoise.instruments.scoring import Floats

__all__ = ["Fitted"]


@dataclass(frozen=True)
class Fitted:
    """An estimate, `notes` for the reader, `fields` of the finding that only this way of fitting knows.

    `variances` are those that the model itself estimated, by name, in the outcome's unit squared.
    `analysed` says who was analysed where these are other people than those measured at this point of time.
    `compliers` is what an effect among compliers was made of. `jointly` tests that several contrasts of the
    cells, (l, cells), are 0, as a mixed model was fitted.
    """

    estimate: Estimate
    notes: tuple[str, ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)
    variances: dict[str, float] = field(default_factory=dict)
    analysed: Measured | None = None
    compliers: ComplierEffect | None = None
    jointly: Callable[[Floats], JointTest] | None = None
