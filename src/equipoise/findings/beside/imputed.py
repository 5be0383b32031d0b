"""The effect with missing answers imputed, and how much worse they may be before the conclusion changes."""

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize

from equipoise.errors import DesignError
from equipoise.estimation.inference import Estimate
from equipoise.estimation.missing.chained import Gappy, Imputer, imputer
from equipoise.estimation.missing.conditional import Kind
from equipoise.estimation.missing.pooling import Pooled, enough_imputations, pool
from equipoise.findings.auxiliaries import Predicting, predicting
from equipoise.findings.beside.missing import bare, estimated_otherwise, range_of
from equipoise.findings.estimates import with_estimate
from equipoise.findings.fitting import Fitted, fit
from equipoise.findings.measured import Measured
from equipoise.findings.results import Finding
from equipoise.findings.sample import Bools
from equipoise.instruments.scoring import Floats
from equipoise.protocol.models.analyses import TestPlan
from equipoise.protocol.registration import current_hash
from equipoise.streams import analysis_seed, generator

__all__ = ["by_imputation"]

FEWEST = 20
"""Imputations made before it is known how much information is missing."""
_CLOSE = 1e-3
"""How closely a tipping point is found, as a share of the farthest shift looked at."""
_FARTHEST_LOG_ODDS = 6.0
_LINEAR = ("difference-in-means", "linear", "lin-interacted")


@dataclass(frozen=True)
class _Imputations:
    """The imputations of one outcome: everybody randomised, their equations, a seed for each imputation."""

    measured: Measured
    imputer: Imputer
    seeds: tuple[np.random.SeedSequence, ...]

    def answers(self, shift: Floats | float = 0.0) -> list[Floats]:
        """(inside,) the outcome of each imputation, what is imputed shifted; the same draws each time."""
        return [self.imputer.impute(np.random.Generator(np.random.PCG64(seed)), shift) for seed in self.seeds]


def _effects(whole: Measured, answers: Iterable[Floats]) -> list[Estimate]:
    """The analysis of each imputation."""
    found = []
    for each in answers:
        values = np.full(len(whole.values), np.nan)
        values[whole.sample.inside] = each
        found.append(fit(_with_values(whole, values)).estimate)
    return found


def _whole(measured: Measured) -> Measured:
    """Everybody randomised, tested by t: a randomisation test is of answers, not of imputations."""
    by_t = measured.analysis.model_copy(update={"test": TestPlan()})
    whole = replace(measured, analysis=by_t, values=np.where(measured.sample.inside, 0.0, np.nan))
    # asked for here, so that each imputation finds them worked out
    _ = whole.answered, whole.covariates, whole.all_strata
    return whole


def _with_values(whole: Measured, values: Floats) -> Measured:
    """The same people with other answers: nobody lacks one, so what was worked out of them stands."""
    again = copy(whole)
    object.__setattr__(again, "values", values)
    return again


def by_imputation(effect: Finding, measured: Measured, fitted: Fitted) -> Iterator[Finding]:
    """The same analysis of everybody randomised, where the analysis asks for imputation.

    Where it asks for tipping points too, they are found again by shifting what was imputed.
    """
    asked = measured.analysis.missing or ()
    if "imputation" not in asked:
        return
    base = bare(effect).model_copy(
        update={
            "id": f"{effect.id}.imputation",
            "kind": "effect",
            "n": effect.n_randomised,
            "estimand": estimated_otherwise(effect, measured, "for all randomised, missing answers imputed"),
        }
    )
    try:
        given = predicting(measured)
        made, answers, effects = _enough(measured, _imputer(measured, given))
    except DesignError as error:
        yield base.model_copy(update={"not_estimable": str(error)})
        return
    pooled = _pooled(effects, measured.analysis.interval)
    model = _words(effect, given, pooled)
    yield with_estimate(base, pooled.estimate, model=model, draws=pooled.imputations)
    if "tipping-point" in asked:
        yield from _tipping(bare(effect), made, answers, effects)


def _imputer(measured: Measured, given: Predicting) -> Imputer:
    """The equations of everybody in the sample, arm by arm.

    Raises:
        DesignError: nobody's answer is missing, or an arm has too few answers.
    """
    inside = measured.sample.inside
    if measured.answered[inside].all():
        raise DesignError("nobody's answer is missing, so there is nothing to impute")
    outcome = Gappy(measured.values[inside], _kind(measured, measured.values[inside]), measured.outcome)
    others = [Gappy(values, _kind(None, values), name) for name, values in given.gappy.items()]
    complete = np.concatenate((given.covariates, given.cells, given.complete), axis=1)
    return imputer((outcome, *others), complete, measured.sample.code[inside], measured.arm_names)


def _kind(measured: Measured | None, values: Floats) -> Kind:
    """Yes or no by a logistic regression, anything else by matching, which stays on the outcome's scale."""
    known = values[~np.isnan(values)]
    scale = measured.study.protocol.outcomes[measured.outcome].scale if measured else None
    return "logistic" if scale == "yes-no" or np.isin(known, (0.0, 1.0)).all() else "matching"


def _enough(measured: Measured, equations: Imputer) -> tuple[_Imputations, list[Floats], list[Estimate]]:
    """As many imputations as per cent of the information are missing, at least twenty, and their effects."""
    seed = analysis_seed(current_hash(measured.study))
    names = (measured.name, measured.outcome, measured.at, "/".join(measured.arm_names))
    root = np.random.SeedSequence(int(generator(seed, "imputation", *names).integers(2**63)))
    made = _Imputations(_whole(measured), equations, tuple(root.spawn(FEWEST)))
    answers = made.answers()
    effects = _effects(made.measured, answers)
    while (needed := _needed(effects, measured)) > len(effects):
        more = replace(made, seeds=tuple(root.spawn(needed - len(effects))))
        answers += (drawn := more.answers())
        effects += _effects(made.measured, drawn)
        made = replace(made, seeds=made.seeds + more.seeds)
    return made, answers, effects


def _needed(effects: list[Estimate], measured: Measured) -> int:
    return enough_imputations(_pooled(effects, measured.analysis.interval))


def _pooled(effects: list[Estimate], level: float) -> Pooled:
    dof = float(np.mean([one.dof for one in effects]))
    return pool([one.estimate for one in effects], [one.std_error for one in effects], dof, level)


def _words(effect: Finding, given: Predicting, pooled: Pooled) -> str:
    auxiliaries = ", ".join(given.names) or "no auxiliary"
    return (
        f"multiple imputation by chained equations in each arm, with all that the analysis adjusts for and "
        f"{auxiliaries}; {pooled.imputations} imputations, Rubin's rules, Barnard and Rubin's degrees of "
        f"freedom; {pooled.missing_information:.0%} of the information is missing; {effect.model}"
    )


def _tipping(
    base: Finding, made: _Imputations, answers: list[Floats], effects: list[Estimate]
) -> Iterator[Finding]:
    measured = made.measured
    logistic = made.imputer.gappy[0].kind == "logistic"
    unit = "log-odds" if logistic else "the outcome's unit"
    for code in np.flatnonzero(measured.weights):
        name = measured.arm_names[code]
        of_arm = made.imputer.arm == code
        imputed = of_arm & np.isnan(made.imputer.gappy[0].values)
        if not imputed.any():
            continue
        reach = _FARTHEST_LOG_ODDS if logistic else _farthest(made)
        try:
            linear = measured.analysis.model in _LINEAR and not logistic
            at = _moved(made, answers, effects, imputed) if linear else _redrawn(made, imputed)
            shift, why = _first_change(at, reach), f"no shift up to {reach:.3g} changes the conclusion"
        except DesignError as error:
            shift, why = None, str(error)
        yield base.model_copy(
            update={
                "id": f"{base.id}.imputation.tipping-point.{name}",
                "arm": name,
                "units": unit if logistic else base.units,
                "estimate": shift,
                "not_estimable": why if shift is None else None,
                "model": "how far this arm's imputed answers would have to lie from what predicts them, in "
                f"{unit}, for the interval of the effect to change sides of zero; imputations shifted, the "
                "same draws for every shift",
            }
        )


def _spread(made: _Imputations) -> float:
    """The standard deviation of the answers given."""
    return float(np.nanstd(made.imputer.gappy[0].values)) or 1.0


def _farthest(made: _Imputations) -> float:
    """The farthest shift looked at: the outcome's range, or ten standard deviations."""
    span = range_of(made.measured)
    return float(span[1] - span[0]) if span is not None else 10 * _spread(made)


def _redrawn(made: _Imputations, imputed: Bools) -> Callable[[float], Pooled]:
    """Imputed and fitted again for each shift; as many imputations as at first are enough."""
    fewer, level = replace(made, seeds=made.seeds[:FEWEST]), made.measured.analysis.interval
    return lambda shift: _pooled(_effects(made.measured, fewer.answers(np.where(imputed, shift, 0.0))), level)


def _moved(
    made: _Imputations, answers: list[Floats], effects: list[Estimate], imputed: Bools
) -> Callable[[float], Pooled]:
    """The pooled effect at any shift, from the effects without one and with one up and one down.

    A linear model's estimate is linear in a shift of some outcomes, and its variance is a quadratic in it;
    the degrees of freedom are held at those without a shift.
    """
    step, level = _spread(made), made.measured.analysis.interval
    moved = [_effects(made.measured, (one + sign * step * imputed for one in answers)) for sign in (1, -1)]
    middle, up, down = (np.array([one.estimate for one in each]) for each in (effects, *moved))
    still, higher, lower = (np.array([one.std_error**2 for one in each]) for each in (effects, *moved))
    dof = float(np.mean([one.dof for one in effects]))

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
