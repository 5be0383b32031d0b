"""Two-stage least squares, read as any other fit.

One convention throughout: with the regressors projected on the instruments as the design and the residuals
of the structural equation, every covariance (HC, CR) and every Satterthwaite dof is that of least squares.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.errors import DesignError
from equipoise.estimation.arrays import Dof, Floats, codes_of, finite_columns, refuse, same_length
from equipoise.estimation.least_squares.basis import absorb, within
from equipoise.estimation.least_squares.covariance import Variance
from equipoise.estimation.least_squares.linear import LinearFit, fit_linear

__all__ = ["Instruments", "two_stage_least_squares"]


@dataclass(frozen=True, eq=False)
class Instruments:
    """What moves take-up, and all else in the model.

    Attributes:
        columns: (n, q) instruments, such as indicators of arms.
        exogenous: (n, k) covariates and the intercept, which is left out where strata are absorbed.
        strata: (n,) labels whose intercepts are absorbed.
        cluster: (n,) labels, with a CR variance.
        variance, dof: of every fit.
    """

    columns: Floats
    exogenous: Floats
    strata: npt.NDArray[np.generic] | None = None
    cluster: npt.NDArray[np.generic] | None = None
    variance: Variance = "HC2"
    dof: Dof = "satterthwaite"

    @property
    def selector(self) -> Floats:
        """(q, k + q) picks the instruments' coefficients out of those of the reduced form."""
        count = self.columns.shape[1]
        return np.concatenate((np.zeros((count, self.exogenous.shape[1])), np.eye(count)), axis=1)

    def regress(self, outcome: Floats, design: Floats) -> LinearFit:
        """Least squares with these strata, clusters and covariance."""
        return fit_linear(
            outcome,
            design,
            strata=self.strata,
            cluster=self.cluster,
            variance=self.variance,
            dof=self.dof,
        )

    def reduced_form(self, outcome: Floats) -> LinearFit:
        """Least squares on the exogenous columns, then the instruments."""
        return self.regress(outcome, np.concatenate((self.exogenous, self.columns), axis=1))

    def explained(self, column: Floats) -> Floats:
        """What the exogenous columns, the instruments and the strata explain of a column."""
        design = np.concatenate((self.exogenous, self.columns), axis=1)
        return column - fit_linear(column, design, variance="classical", strata=self.strata).residuals

    def within_strata(self, column: Floats) -> Floats:
        """A column less its means within the strata."""
        if self.strata is None:
            return column
        stratum = codes_of(self.strata, "strata")[0]
        return within(column[:, None], absorb(stratum, np.ones(len(column))))[:, 0]


def two_stage_least_squares(outcome: Floats, taken: npt.ArrayLike, model: Instruments) -> LinearFit:
    """Two-stage least squares as a fit whose contrasts and tests are read as those of any other.

    Args:
        outcome: (n,).
        taken: (n,) or (n, m) amounts that the instruments move, at most as many as there are instruments.
        model: the instruments and the rest.
    Returns:
        Coefficients of the exogenous columns, then of `taken`. Covariances and dof take the projected
        regressors as the design, as estimatr and clubSandwich do.
    Raises:
        DesignError: the instruments do not move `taken` once all else is allowed for.

    Wooldridge (2010), Econometric Analysis of Cross Section and Panel Data, section 5.2. The projected
    regressors are orthogonal to the structural residuals, so least squares of their sum gives back both: the
    robust fit needs no code of its own.
    """
    amounts = finite_columns(taken, "take_up")
    same_length(len(outcome), take_up=amounts, instruments=model.columns)
    fitted = np.stack([model.explained(column) for column in amounts.T], axis=1)
    projected = np.concatenate((model.exogenous, fitted), axis=1)
    slopes = _slopes(outcome, projected, model)
    left = outcome - np.concatenate((model.exogenous, amounts), axis=1) @ slopes
    return model.regress(projected @ slopes + model.within_strata(left), projected)


def _slopes(outcome: Floats, projected: Floats, model: Instruments) -> Floats:
    """The coefficients; refuses take-up that is a combination of the exogenous columns once projected."""
    try:
        fit = fit_linear(outcome, projected, variance="classical", strata=model.strata)
    except DesignError:
        if any(np.ptp(model.within_strata(column)) > 0 for column in projected.T):
            raise
        raise _unmoved() from None
    if any(column >= model.exogenous.shape[1] for column in fit.dropped):
        raise _unmoved()
    return np.nan_to_num(fit.coefficients)


def _unmoved() -> DesignError:
    return refuse(
        "take_up",
        "does not differ between the arms compared once all else is allowed for, so nobody is known to have "
        "complied; report the effect of the allocation itself.",
    )
