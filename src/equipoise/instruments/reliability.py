"""How consistently a score's items measure in this sample: alpha, omega, Spearman-Brown, item-rest."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from equipoise.errors import Problem, ScoringError
from equipoise.instruments.definition import Instrument, Score
from equipoise.instruments.scoring import Answers, Floats, directed, rule_of

__all__ = [
    "Coefficient",
    "Reliability",
    "cronbach_alpha",
    "item_rest_correlations",
    "mcdonald_omega",
    "reliability",
    "spearman_brown",
]

_SMALLEST_UNIQUENESS = 0.005  # a smaller one is a Heywood case: the model does not fit


@dataclass(frozen=True)
class Coefficient:
    """A coefficient of reliability with its interval, and the complete cases it rests on."""

    name: str
    estimate: float
    level: float
    low: float
    high: float
    n: int
    n_items: int


@dataclass(frozen=True)
class Reliability:
    """What is printed about a score's reliability in one sample.

    `coefficient` is alpha, or Spearman-Brown for two items; `omega` is None where it cannot be estimated, and
    then `notes` says why. `unreversed` names items whose correlation with the rest is negative: probably
    answered or coded the other way round.
    """

    coefficient: Coefficient
    omega: float | None
    without_reversed: Coefficient | None
    item_rest: Mapping[str, float]
    unreversed: tuple[str, ...]
    notes: tuple[str, ...]


def reliability(
    instrument: Instrument, score_name: str | None, answers: Answers, level: float = 0.95
) -> Reliability:
    """Reliability of a score among those who answered all its items.

    Args:
        instrument: the definition.
        score_name: which score; None where there is one, or a default.
        answers: by item key, shape (n,), as for `scoring.score`.
        level: of the interval.
    Raises:
        ScoringError: a count or a single item, which have no internal consistency; fewer than three complete
            cases; an item that everybody answered alike.
    """
    rule = rule_of(instrument, score_name)
    _refuse_uncountable(instrument, rule)
    values = directed(instrument, score_name, answers)
    items = values[np.isfinite(values).all(axis=1)]
    _refuse_unvaried(items, rule)
    item_rest = dict(zip(rule.items, item_rest_correlations(items).tolist(), strict=True))
    omega, notes = _omega_or_reason(items)
    return Reliability(
        coefficient=cronbach_alpha(items, level) if items.shape[1] > 2 else spearman_brown(items, level),
        omega=omega,
        without_reversed=_without_reversed(items, rule, level),
        item_rest=item_rest,
        unreversed=tuple(key for key, value in item_rest.items() if value < 0),
        notes=notes,
    )


def cronbach_alpha(items: Floats, level: float = 0.95) -> Coefficient:
    """Cronbach's alpha with Feldt's interval.

    Args:
        items: shape (n, k), complete, all pointing the same way.
        level: of the interval.
    Returns:
        alpha = k/(k-1) (1 - sum of item variances / variance of the sum); (1 - alpha population) / (1 - alpha
        sample) is F with n-1 and (n-1)(k-1) degrees of freedom under compound symmetry.
    Raises:
        ScoringError: fewer than two items or three rows.

    Cronbach (1951), Psychometrika 16:297. Feldt (1965), Psychometrika 30:357; Feldt, Woodruff & Salih (1987),
    Applied Psychological Measurement 11:93, eq. 2.
    """
    n, k = _shape(items, fewest_items=2)
    alpha = k / (k - 1) * (1 - items.var(axis=0, ddof=1).sum() / items.sum(axis=1).var(ddof=1))
    tail = (1 - level) / 2
    low, high = (1 - (1 - alpha) * stats.f.ppf(p, n - 1, (n - 1) * (k - 1)) for p in (1 - tail, tail))
    return Coefficient("Cronbach's alpha", float(alpha), level, float(low), float(high), n, k)


def spearman_brown(items: Floats, level: float = 0.95) -> Coefficient:
    """Reliability of the sum of two items, 2r / (1 + r), with Fisher's interval for r carried through.

    Args:
        items: shape (n, 2), complete.
        level: of the interval.
    Raises:
        ScoringError: not two items, or fewer than four rows.

    Eisinga, te Grotenhuis & Pelzer (2013), International Journal of Public Health 58:637: for two items this
    is preferred to alpha.
    """
    n, k = _shape(items, fewest_items=2)
    if k != 2 or n < 4:
        raise ScoringError(f"Spearman-Brown takes two items and four rows; found {k} items and {n} rows")
    r = float(np.corrcoef(items[:, 0], items[:, 1])[0, 1])
    half = stats.norm.ppf((1 + level) / 2) / np.sqrt(n - 3)
    # Rounding can carry r of identical items past one, where Fisher's z does not exist.
    centre = np.arctanh(np.clip(r, -1 + 1e-15, 1 - 1e-15))
    estimate, low, high = (2 * x / (1 + x) for x in (r, np.tanh(centre - half), np.tanh(centre + half)))
    return Coefficient("Spearman-Brown", float(estimate), level, float(low), float(high), n, k)


def mcdonald_omega(items: Floats) -> float:
    """McDonald's omega total of the unweighted sum, from a one-factor model fitted by maximum likelihood.

    Args:
        items: shape (n, k), k >= 3, complete, all pointing the same way.
    Returns:
        (sum of loadings)^2 / ((sum of loadings)^2 + sum of uniquenesses), in the items' own units.
    Raises:
        ScoringError: fewer than three items, an item without variation, items that determine each other, or a
            uniqueness at its bound (Heywood case).

    McDonald (1999), Test Theory, eq. 6.20a. The likelihood is concentrated on the uniquenesses (Joereskog
    1967, Psychometrika 32:443); the maximum-likelihood solution of the covariance is that of the
    correlations, rescaled.
    """
    _shape(items, fewest_items=3)
    sds = items.std(axis=0, ddof=1)
    if (sds == 0).any():
        raise ScoringError("omega: an item was answered alike by everybody")
    loadings, uniqueness = _one_factor(np.asarray(np.corrcoef(items, rowvar=False), dtype=np.float64))
    common = float((sds * loadings).sum() ** 2)
    return common / (common + float((sds**2 * uniqueness).sum()))


def item_rest_correlations(items: Floats) -> Floats:
    """Correlation of each item with the sum of the others.

    Args:
        items: shape (n, k), complete, all pointing the same way.
    Returns:
        Shape (k,); NaN where an item or the rest does not vary.
    """
    _shape(items, fewest_items=2)
    centred = items - items.mean(axis=0)
    rest = centred.sum(axis=1)[:, None] - centred
    with np.errstate(invalid="ignore", divide="ignore"):
        result = (centred * rest).sum(axis=0) / np.sqrt((centred**2).sum(axis=0) * (rest**2).sum(axis=0))
    return np.asarray(result, dtype=np.float64)


def _one_factor(correlations: Floats) -> tuple[Floats, Floats]:
    if np.linalg.eigvalsh(correlations)[0] < 1e-8:
        raise ScoringError("omega: the items determine each other, so a factor model cannot be fitted")
    k = len(correlations)
    start = np.clip((1 - 0.5 / k) / np.diag(np.linalg.inv(correlations)), 0.05, 0.95)
    fit = optimize.minimize(
        _misfit,
        start,
        args=(correlations,),
        jac=True,
        method="L-BFGS-B",
        bounds=[(_SMALLEST_UNIQUENESS, 1.0)] * k,
        options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 2000},
    )
    uniqueness = np.asarray(fit.x, dtype=np.float64)
    if (uniqueness <= _SMALLEST_UNIQUENESS * 1.0001).any():
        raise ScoringError(
            "omega: an item's own variance was estimated as none (Heywood case); one factor does not fit"
        )
    loadings = _loadings(uniqueness, correlations)
    return loadings if loadings.sum() >= 0 else -loadings, uniqueness


def _misfit(uniqueness: Floats, correlations: Floats) -> tuple[float, Floats]:
    """Likelihood discrepancy at the best loadings for these uniquenesses, and its gradient."""
    scale = 1 / np.sqrt(uniqueness)
    values = np.linalg.eigvalsh(scale[:, None] * correlations * scale)[:-1]
    discrepancy = float((values - np.log(values) - 1).sum())
    implied = np.outer(loadings := _loadings(uniqueness, correlations), loadings) + np.diag(uniqueness)
    gradient = np.diag(implied - correlations) / uniqueness**2
    return discrepancy, gradient


def _loadings(uniqueness: Floats, correlations: Floats) -> Floats:
    scale = 1 / np.sqrt(uniqueness)
    values, vectors = np.linalg.eigh(scale[:, None] * correlations * scale)
    result = np.sqrt(max(values[-1] - 1, 0.0)) * vectors[:, -1] / scale
    return np.asarray(result, dtype=np.float64)


def _omega_or_reason(items: Floats) -> tuple[float | None, tuple[str, ...]]:
    if items.shape[1] < 3:
        return None, ("omega needs three items",)
    try:
        return mcdonald_omega(items), ()
    except ScoringError as reason:
        return None, (str(reason),)


def _without_reversed(items: Floats, rule: Score, level: float) -> Coefficient | None:
    """Alpha without the reversed items, which form a factor of their own when people are tired."""
    straight = [column for column, key in enumerate(rule.items) if key not in rule.reversed]
    if not rule.reversed or len(straight) < 3:
        return None
    return cronbach_alpha(items[:, straight], level)


def _shape(items: Floats, fewest_items: int) -> tuple[int, int]:
    if items.ndim != 2 or items.shape[1] < fewest_items or items.shape[0] < 3:
        raise ScoringError(
            f"reliability takes {fewest_items} items and three rows at least; found shape {items.shape}"
        )
    if not np.isfinite(items).all():
        raise ScoringError("reliability takes complete answers; found a missing or infinite one")
    return items.shape[0], items.shape[1]


def _refuse_uncountable(instrument: Instrument, rule: Score) -> None:
    what = None
    if instrument.format_of(rule.items[0]).kind == "count":
        what = "a count"
    elif len(rule.items) == 1:
        what = "a single item"
    if what is not None:
        message = f"{rule.title} is {what}, which has no internal consistency to measure"
        raise ScoringError(Problem("", instrument.id, message))


def _refuse_unvaried(items: Floats, rule: Score) -> None:
    if len(items) < 4:
        raise ScoringError(f"{rule.title}: {len(items)} answered every item; reliability takes four at least")
    if alike := [key for key, spread in zip(rule.items, np.ptp(items, axis=0), strict=True) if spread == 0]:
        raise ScoringError(
            f"{rule.title}: everybody who answered all items gave the same answer to {', '.join(alike)}"
        )
