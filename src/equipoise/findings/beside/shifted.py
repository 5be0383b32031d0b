"""How much worse, or better, imputed answers may be before the conclusion changes."""

from collections.abc import Callable, Iterator

import numpy as np
from scipy import optimize

from equipoise.errors import DesignError
from equipoise.estimation.missing.pooling import Pooled, pool
from equipoise.findings.beside.missing import range_of
from equipoise.findings.results import Finding
from equipoise.findings.sampling.imputations import FEWEST, Imputations
from equipoise.findings.sampling.sample import Bools

__all__ = ["tipping_by_imputation"]

_CLOSE = 1e-3
"""How closely a tipping point is found, as a share of the farthest shift looked at."""
_FARTHEST_LOG_ODDS = 6.0
_LINEAR = ("difference-in-means", "linear", "lin-interacted")


def tipping_by_imputation(base: Finding, made: Imputations) -> Iterator[Finding]:
    """For each arm compared, the shift of its imputed answers at which the conclusion changes.

    Args:
        base: a bound of the effect.
        made: the imputations.

    Delta-adjusted imputation: Carpenter & Kenward (2013), Multiple Imputation and its Application, ch. 10.
    """
    logistic = made.imputer.gappy[0].kind == "logistic"
    unit = "log-odds" if logistic else "the outcome's unit"
    for code in np.flatnonzero(made.whole.weights):
        imputed = (made.imputer.arm == code) & np.isnan(made.imputer.gappy[0].values)
        if not imputed.any():
            continue
        name = made.whole.arm_names[code]
        shift, why = _tipping(made, imputed, logistic=logistic)
        yield base.model_copy(
            update={
                "id": f"{base.id}.imputation.tipping-point.{name}",
                "arm": name,
                "units": unit if logistic else base.units,
                "estimate": shift,
                "not_estimable": why,
                "model": "how far this arm's imputed answers would have to lie from what predicts them, in "
                f"{unit}, for the interval of the effect to change sides of zero; imputations shifted, the "
                "same draws for every shift",
            }
        )


def _tipping(made: Imputations, imputed: Bools, *, logistic: bool) -> tuple[float | None, str | None]:
    """The tipping point, or why there is none."""
    reach = _FARTHEST_LOG_ODDS if logistic else _farthest(made)
    linear = made.whole.analysis.model in _LINEAR and not logistic
    try:
        shift = _first_change(_moved(made, imputed) if linear else _redrawn(made, imputed), reach)
    except DesignError as error:
        return None, str(error)
    return shift, None if shift is not None else f"no shift up to {reach:.3g} changes the conclusion"


def _spread(made: Imputations) -> float:
    """The standard deviation of the answers given."""
    return float(np.nanstd(made.imputer.gappy[0].values)) or 1.0


def _farthest(made: Imputations) -> float:
    """The farthest shift looked at: the outcome's range, or ten standard deviations."""
    span = range_of(made.whole)
    return float(span[1] - span[0]) if span is not None else 10 * _spread(made)


def _redrawn(made: Imputations, imputed: Bools) -> Callable[[float], Pooled]:
    """Imputed and fitted again for each shift; as many imputations as at first are enough."""

    def at(shift: float) -> Pooled:
        answers = made.drawn(made.seeds[:FEWEST], np.where(imputed, shift, 0.0))
        return made.pooled(made.effects_of(answers))

    return at


def _moved(made: Imputations, imputed: Bools) -> Callable[[float], Pooled]:
    """The pooled effect at any shift, from the effects without one and with one up and one down.

    A linear model's estimate is linear in a shift of some outcomes, and its variance is a quadratic in it;
    the degrees of freedom are held at those without a shift.
    """
    step, level = _spread(made), made.whole.analysis.interval
    moved = [made.effects_of(one + sign * step * imputed for one in made.answers) for sign in (1, -1)]
    fits = (made.effects, *moved)
    middle, up, down = (np.array([one.estimate for one in each]) for each in fits)
    still, higher, lower = (np.array([one.std_error**2 for one in each]) for each in fits)
    dof = float(np.mean([one.dof for one in made.effects]))

    def at(shift: float) -> Pooled:
        x = shift / step
        variances = still + (higher - lower) / 2 * x + ((higher + lower) / 2 - still) * x**2
        return pool(middle + (up - down) / 2 * x, np.sqrt(variances), dof, level)

    return at


def _first_change(at: Callable[[float], Pooled], reach: float) -> float | None:
    """The smallest shift, either way, at which an end of the interval comes to lie on zero."""
    found = []
    for end in ("low", "high"):

        def height(shift: float, end: str = end) -> float:
            return float(getattr(at(shift).estimate.interval, end))

        if height(-reach) * height(reach) < 0:
            found.append(float(optimize.brentq(height, -reach, reach, xtol=reach * _CLOSE)))
    return min(found, key=abs) if found else None
