"""Rules for going on, fixed in advance: the measure, its interval, its zone, and how sure the zone is."""

import operator
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

from equipoise.estimation.effects.proportions import rate
from equipoise.findings.reading.data import StudyData
from equipoise.findings.results import Finding, Interval
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.facts import everything_known
from equipoise.protocol.models.conduct import Progression
from equipoise.protocol.study import Study

__all__ = ["progressions"]

LEVEL = 0.95
_THRESHOLD = re.compile(r"\s*(>=|>|<=|<)\s*(-?[0-9.]+)\s*$")
_COMPARE = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}


def progressions(study: Study, data: StudyData) -> Iterator[Finding]:
    """Each rule's measure with its interval; `level` is the zone: green, amber or red.

    For a share, then the probability of each zone. What one more trial like this would find is not asked: a
    pilot is small, and the zone of its estimate may well not be that of the true share.
    """
    for name, rule in study.protocol.progression.items():
        judged = _judged(study, data, name, rule)
        yield judged
        if rule.measure.share and judged.estimate is not None:
            yield from _chances(judged, rule)


def _judged(study: Study, data: StudyData, name: str, rule: Progression) -> Finding:
    base = Finding(id=f"progression.{name}", analysis="progression", kind="progression", outcome=name)
    table = data.participants if rule.measure.of == "participants" else data.sources.get(rule.measure.of)
    if table is None or not table.height:
        return base.model_copy(update={"not_estimable": f"there are no data of {rule.measure.of}"})
    text = rule.measure.share or rule.measure.mean or ""
    expression = compile_expression(text, everything_known(study.protocol, study.surveys))
    lacking = [
        column for column in expression.names if column not in table.columns and column in _columns(study)
    ]
    if lacking:
        return base.model_copy(update={"not_estimable": f"the data have no column {', '.join(lacking)}"})
    found = expression.evaluate_frame(table)
    known = found.drop_nulls()
    if not len(known):
        return base.model_copy(update={"not_estimable": "nobody's value is known"})
    update = _share(known) if rule.measure.share else _mean(known.cast(pl.Float64).to_numpy())
    zone = _zone(rule, float(str(update["estimate"])))
    missing = {"all": int(found.null_count())}
    return base.model_copy(update={**update, "level": zone, "n_missing": missing})


def _columns(study: Study) -> set[str]:
    return set(everything_known(study.protocol, study.surveys).columns)


def _share(known: pl.Series) -> dict[str, object]:
    counted = rate(int(known.cast(pl.Int64).sum()), len(known), LEVEL)
    return {
        "estimate": counted.rate,
        "interval": Interval(level=LEVEL, low=counted.interval.low, high=counted.interval.high),
        "n": {"all": len(known)},
        "units": "share",
        "model": "share; Wilson's interval",
    }


def _mean(values: np.ndarray) -> dict[str, object]:
    n, mean = len(values), float(values.mean())
    interval = None
    if n > 1:
        reach = float(stats.t.ppf(0.5 + LEVEL / 2, n - 1) * values.std(ddof=1) / np.sqrt(n))
        interval = Interval(level=LEVEL, low=mean - reach, high=mean + reach)
    return {
        "estimate": mean,
        "interval": interval,
        "n": {"all": n},
        "units": "mean",
        "model": "mean; t interval",
    }


def _chances(judged: Finding, rule: Progression) -> Iterator[Finding]:
    """The probability of each zone, from Jeffreys' Beta(1/2, 1/2)."""
    n = judged.n["all"]
    yes = round((judged.estimate or 0.0) * n)
    known = stats.beta(yes + 0.5, n - yes + 0.5)
    green, amber, both = (_chance(known, *rules) for rules in _zones(rule))
    for zone, chance in (("green", green), ("amber", amber - both), ("red", 1 - green - amber + both)):
        yield Finding(
            id=f"{judged.id}.{zone}",
            analysis="progression",
            kind="rate",
            outcome=judged.outcome,
            level=zone,
            estimate=min(1.0, max(0.0, chance)),
            n=judged.n,
            model="probability that the true share lies in the zone; Beta(1/2, 1/2) beforehand (Jeffreys)",
        )


def _zones(rule: Progression) -> tuple[tuple[str, ...], ...]:
    """The rules of green, of amber, and of both at once."""
    amber = rule.amber or rule.green
    return (rule.green,), (amber,), (rule.green, amber)


def _chance(known: Any, *rules: str) -> float:
    """The probability that a share meets every rule."""
    low, high = 0.0, 1.0
    for rule in rules:
        found = _THRESHOLD.match(rule)
        if found is not None and found[1].startswith(">"):
            low = max(low, float(found[2]))
        elif found is not None:
            high = min(high, float(found[2]))
    return float(known.cdf(high) - known.cdf(low)) if low < high else 0.0


def _zone(rule: Progression, value: float) -> str:
    for zone, threshold in (("green", rule.green), ("amber", rule.amber)):
        found = _THRESHOLD.match(threshold or "")
        if found and _COMPARE[found[1]](value, float(found[2])):
            return zone
    return "red"
