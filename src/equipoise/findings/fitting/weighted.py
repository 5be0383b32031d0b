"""Unequal chances of an arm: everybody weighted by one over the chance that the draw gave to their arm."""

from typing import cast

import numpy as np

from equipoise.allocation import Design, pair_probabilities, unit_probabilities
from equipoise.errors import DesignError
from equipoise.estimation.arrays import Dof, Floats, Ints
from equipoise.estimation.effects.weighted import hajek, horvitz_thompson, joint_probabilities
from equipoise.estimation.inference import Estimate, estimate_from
from equipoise.estimation.least_squares.covariance import Variance
from equipoise.findings.fitting.fitted import Fitted
from equipoise.findings.fitting.randomised import contrast_of
from equipoise.findings.sampling.measured import Measured
from equipoise.findings.sampling.redraws import Drawing, drawing_of

__all__ = ["fit_weighted"]

MOST_TOGETHER = 3_000
"""Units of one stratum whose joint chances are worked out: their table has the square of that in cells."""
FIXED = ("complete", "blocked")


def fit_weighted(measured: Measured) -> Fitted:
    """The contrast by Hajek's or Horvitz and Thompson's weights, with the chances of the protocol's own draw.

    Raises:
        DesignError: the data lack what the draw hung on, somebody had no chance of an arm that is compared,
            or totals are asked for and somebody did not answer.
    """
    drawing = drawing_of(measured.study, measured.data, measured.sample.stage)
    contrast_of(measured, drawing)  # refuses arms of several stages
    if measured.analysis.weights == "horvitz-thompson":
        return _totals(measured, drawing)
    return _means(measured, drawing)


def _means(measured: Measured, drawing: Drawing) -> Fitted:
    """Hajek's: means whose weights add up to everybody."""
    found = unit_probabilities(drawing.plan)
    chances = _by_cell(measured, drawing.plan, found.of_units)[drawing.place[measured.answered]]
    estimate = hajek(
        measured.y,
        measured.arm,
        measured.weights,
        chances,
        covariates=measured.columns,
        cluster=measured.cluster,
        variance=cast(Variance, measured.analysis.variance),
        dof=cast(Dof, measured.analysis.dof),
        level=measured.analysis.interval,
        arm_names=measured.arm_names,
    )
    own = chances[np.arange(len(chances)), measured.arm]
    notes = [f"chances of the arm that people are in: from {own.min():.3g} to {own.max():.3g}"]
    if found.estimated is not None:
        notes.append(
            f"chances are estimated from {found.estimated.draws:,} draws of the {drawing.plan.method} "
            f"allocation (Monte-Carlo error at most {found.estimated.error:.1g})"
        )
    return Fitted(estimate, tuple(notes))


def _totals(measured: Measured, drawing: Drawing) -> Fitted:
    """Horvitz and Thompson's: totals over chances, which need everybody's outcome."""
    silent, inside = int((measured.sample.inside & ~measured.answered).sum()), measured.sample.inside
    if silent:
        raise DesignError(
            f"{silent} of {int(inside.sum())} did not answer, and Horvitz and Thompson's totals need "
            "everybody; take `weights: hajek`"
        )
    if drawing.plan.method not in FIXED:
        return _by_all(measured, drawing)
    note = "chances given the numbers by arm that the draw fixed"
    return Fitted(_by_stratum(measured, drawing), (f"{note}, those of two together as well",))


def _by_all(measured: Measured, drawing: Drawing) -> Fitted:
    """Totals with the chances of the draw itself: of each unit and, unless it is drawn alone, of each two."""
    plan, people = drawing.plan, np.flatnonzero(measured.sample.inside)
    chances = _by_cell(measured, plan, unit_probabilities(plan).of_units)
    if plan.method == "simple":
        estimate = _total(measured, chances, drawing.place, people, None)
        return Fitted(estimate, ("people (or clusters) were drawn independently of each other",))
    found, there = pair_probabilities(plan), np.unique(drawing.place[people])
    order = np.array([plan.arms.index(name) for name in measured.arm_names])
    joint = found.of_pairs[np.ix_(there, order, there, order)]
    note = f"chances of two together are those of the {plan.method} allocation"
    if found.estimated is not None:
        note += f", estimated from {found.estimated.draws:,} draws"
    return Fitted(_total(measured, chances, drawing.place, people, joint), (note,))


def _by_stratum(measured: Measured, drawing: Drawing) -> Estimate:
    """What strata give, each by its people: they were drawn independently of each other."""
    plan = drawing.plan.pooled() if drawing.plan.method == "complete" else drawing.plan
    people, place = np.flatnonzero(measured.sample.inside), drawing.place
    parts, sizes = [], []
    for stratum in np.unique(plan.stratum[place[people]]):
        units = np.flatnonzero(plan.stratum == stratum)
        if len(units) > MOST_TOGETHER:
            raise DesignError(
                f"{len(units)} were drawn together, and the joint chances of more than {MOST_TOGETHER:,} are "
                "not worked out; take `weights: hajek`"
            )
        joint = joint_probabilities(drawing.observed[units], len(plan.arms))
        of_units = np.full((len(plan.stratum), len(plan.arms)), np.nan)
        of_units[units] = np.bincount(drawing.observed[units], minlength=len(plan.arms)) / len(units)
        here = people[plan.stratum[place[people]] == stratum]
        there = np.flatnonzero(np.isin(units, place[here]))
        order = np.array([plan.arms.index(name) for name in measured.arm_names])
        cut = joint[np.ix_(there, order, there, order)]
        parts.append(_total(measured, _by_cell(measured, plan, of_units), place, here, cut))
        sizes.append(len(here))
    shares = np.array(sizes) / sum(sizes)
    estimate = float(shares @ [one.estimate for one in parts])
    error = float(np.sqrt(shares**2 @ [one.std_error**2 for one in parts]))
    scale = float(np.abs(measured.y).max())
    return estimate_from(estimate, error, np.inf, measured.analysis.interval, scale=scale)


def _total(measured: Measured, chances: Floats, place: Ints, people: Ints, joint: Floats | None) -> Estimate:
    clustered = measured.analysis.cluster is not None
    order = np.argsort(place[people], kind="stable")  # as the joint chances are
    rows = people[order]
    return horvitz_thompson(
        measured.values[rows],
        measured.sample.code[rows],
        measured.weights,
        chances[place[rows]],
        joint=joint,
        cluster=place[rows] if clustered else None,
        level=measured.analysis.interval,
        arm_names=measured.arm_names,
    )


def _by_cell(measured: Measured, plan: Design, of_units: Floats) -> Floats:
    """Chances in the order of the contrast's cells."""
    return of_units[:, [plan.arms.index(name) for name in measured.arm_names]]
