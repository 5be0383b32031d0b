"""The way of fitting that an analysis asks for."""

from collections.abc import Callable, Mapping

from equipoise.findings.fitting.complier import fit_compliers
from equipoise.findings.fitting.fitted import Fitted
from equipoise.findings.fitting.means import fit_means
from equipoise.findings.fitting.mixed import fit_mixed_model
from equipoise.findings.fitting.ordinal import fit_ordinal
from equipoise.findings.fitting.per_protocol import fit_per_protocol
from equipoise.findings.fitting.randomised import by_redraws
from equipoise.findings.fitting.redrawn_take_up import takers_by_redraws
from equipoise.findings.fitting.regression import fit_regression
from equipoise.findings.fitting.repeated import fit_waves
from equipoise.findings.fitting.weighted import fit_weighted
from equipoise.findings.sampling.measured import Measured

__all__ = ["fit"]


def fit(measured: Measured) -> Fitted:
    """The contrast by the model that the analysis names, in the people that it is about.

    Raises:
        DesignError: the data cannot carry the estimate; the message names the arm, stratum or variable.
    """
    if measured.analysis.target == "complier":
        return takers_by_redraws(measured, fit_compliers(measured))
    if measured.analysis.weights is not None:
        return fit_weighted(measured)
    by_model = _BY_MODEL[str(measured.analysis.model)]
    if measured.analysis.kind == "per-protocol":
        return fit_per_protocol(measured, by_model)
    return by_redraws(measured, by_model(measured))


_BY_MODEL: Mapping[str, Callable[[Measured], Fitted]] = {
    "difference-in-means": fit_means,
    "linear": fit_regression,
    "lin-interacted": fit_regression,
    "logistic": fit_regression,
    "ordinal": fit_ordinal,
    "poisson": fit_regression,
    "mixed": fit_mixed_model,
    "mmrm": fit_waves,
}
