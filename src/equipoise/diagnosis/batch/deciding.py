"""The decisions of the testing order in many trials at once: those of `findings.deciding.claims.decided`."""

from collections.abc import Sequence

import numpy as np

from equipoise.diagnosis.claims import Claim
from equipoise.estimation.arrays import Bools, Floats
from equipoise.protocol.claims import answers_to
from equipoise.protocol.models.analyses import TestStep
from equipoise.protocol.study import Study

__all__ = ["METHODS", "decided_in_each", "step_claims"]

METHODS = ("none", "bonferroni", "holm", "hochberg", "benjamini-hochberg", "benjamini-yekutieli")
"""Ways of sharing an error rate that need the p-values alone, and are worked out here."""


def decided_in_each(study: Study, claims: Sequence[Claim], p_value: Floats) -> Bools:
    """What is rejected, shape (trials, claims).

    Args:
        study: its testing order, with methods of `METHODS`.
        claims: what the columns are.
        p_value: shape (trials, claims); NaN where an effect could not be estimated.
    """
    levels = np.array([1 - study.protocol.analyses[claim.analysis].interval for claim in claims])
    rejected = p_value <= levels
    rejected[:, [claim.tested for claim in claims]] = False
    reached = np.ones(len(p_value), dtype=bool)
    for step in study.protocol.testing or ():
        places = step_claims(study, step, claims)
        if not places:
            return rejected
        adjusted = _adjusted("holm" if step.method == "none" else step.method, p_value[:, places])
        found = (adjusted <= step.alpha) & reached[:, None]
        for column, place in enumerate(places):
            rejected[:, place] = found[:, column]
        reached = reached & found.all(axis=1)
    return rejected


def step_claims(study: Study, step: TestStep, claims: Sequence[Claim]) -> list[int]:
    """The places of the claims of a step."""
    return [
        place
        for place, claim in enumerate(claims)
        if claim.tested
        and any(
            answers_to(
                name, claim.analysis, study.protocol.analyses[claim.analysis], claim.outcome, claim.at or None
            )
            for name in step.claims
        )
    ]


def _adjusted(method: str, p_value: Floats) -> Floats:
    """Adjusted p-values of every trial, among those that there are; NaN stays NaN, and rejects nothing."""
    known = np.isfinite(p_value)
    many = known.sum(axis=1, keepdims=True)
    order = np.argsort(np.where(known, p_value, np.inf), axis=1, kind="stable")
    ordered = np.take_along_axis(np.where(known, p_value, np.inf), order, axis=1)
    rank = np.arange(p_value.shape[1])
    if method == "bonferroni":
        ordered = ordered * many
    elif method == "holm":
        ordered = np.maximum.accumulate(ordered * np.maximum(many - rank, 1), axis=1)
    else:
        ordered = _stepped_up(method, ordered, many, rank)
    adjusted = np.empty_like(p_value)
    np.put_along_axis(adjusted, order, np.minimum(ordered, 1.0), axis=1)
    return np.where(known, adjusted, np.nan)


def _stepped_up(method: str, ordered: Floats, many: np.ndarray, rank: np.ndarray) -> Floats:
    factor = np.maximum(many - rank, 1) if method == "hochberg" else many / (rank + 1.0)
    found = np.minimum.accumulate((ordered * factor)[:, ::-1], axis=1)[:, ::-1]
    if method == "benjamini-yekutieli":
        found = np.minimum(found, 1.0) * np.cumsum(1 / (rank + 1.0))[np.maximum(many - 1, 0)]
    return np.asarray(found)
