"""The way of fitting that an analysis asks for."""

from collections.abc import Callable, Mapping

from equipoise.findings.fitting.fitted import Fitted
from equipoise.findings.fitting.means import fit_means
from equipoise.findings.fitting.regression import fit_regression
from equipoise.findings.measured import Measured

__all__ = ["fit"]


def fit(measured: Measured) -> Fitted:
    """The contrast by the model that the analysis names.

    Raises:
        DesignError: the data cannot carry the estimate; the message names the arm, stratum or variable.
    """
    return _BY_MODEL[str(measured.analysis.model)](measured)


_BY_MODEL: Mapping[str, Callable[[Measured], Fitted]] = {
    "difference-in-means": fit_means,
    "linear": fit_regression,
    "lin-interacted": fit_regression,
    "logistic": fit_regression,
    "poisson": fit_regression,
}
