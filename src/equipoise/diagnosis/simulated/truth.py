"""The effect that an analysis is after, as the assumptions plant it in the population."""

from collections.abc import Mapping
from itertools import product

import numpy as np
import polars as pl

from equipoise import streams
from equipoise.diagnosis.claims import Claim
from equipoise.diagnosis.simulated.effects import mean_dose, share_selected
from equipoise.diagnosis.simulated.schedules import arms_of_stage
from equipoise.diagnosis.simulated.timing import answer_weeks
from equipoise.estimation.arrays import Floats
from equipoise.findings.sampling.cells import cells_of
from equipoise.findings.sampling.points import own_waves, weights_at
from equipoise.findings.sampling.sample import shares_of, supported_contrast
from equipoise.findings.scheduled import compares_periods
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.factors import compared_stage
from equipoise.protocol.facts import before_allocation
from equipoise.protocol.models.assumptions import AssumedEffect
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import timeline

__all__ = ["effect_at", "true_effects"]

_ANSWERS = 20_000
"""Answer times over which an effect that changes by week is averaged: to a hundredth of its range."""


def true_effects(study: Study, claims: tuple[Claim, ...], people: pl.DataFrame | None = None) -> Floats:
    """The mean effect on everybody randomised, shape (claims,), in the outcomes' units.

    Args:
        study: its assumptions plant the effects.
        claims: what is asked.
        people: who is randomised, where an effect is for some of them.

    Those who do not take the intervention up are among them, and have no effect. Whoever answers counts as
    much as whoever does not: where response depends on the outcome, complete cases miss this truth, and the
    bias that is reported is theirs. NaN where an analysis is after something else: compliers, those who kept
    to the protocol, ratings, effects by week over the periods of a schedule.
    """
    return np.array([_true_effect(study, claim, _selected(study, claim, people)) for claim in claims])


def _true_effect(study: Study, claim: Claim, people: pl.DataFrame | None) -> float:
    protocol, analysis = study.protocol, study.protocol.analyses[claim.analysis]
    assumed = protocol.diagnosis.assume.outcomes.get(claim.outcome)
    if assumed is None:  # made of other outcomes
        others = protocol.diagnosis.assume.outcomes.values()
        return np.nan if any(not _nil(effect) for each in others for effect in each.effects) else 0.0
    if not assumed.effects and not assumed.attributes and not assumed.interactions:
        return 0.0
    if compares_periods(study, claim.contrast):
        return _over_periods(study, claim, people)
    other = analysis.target != "all" or analysis.kind != "as-randomised"
    if other or protocol.outcomes[claim.outcome].task is not None:
        nothing = all(_nil(effect) for effect in assumed.effects) and not _shifts(assumed.attributes)
        return 0.0 if nothing and not any(each.add for each in assumed.interactions) else np.nan
    waves = own_waves(study, claim.outcome) or ("",)
    weights = weights_at(study, claim.outcome, claim.at) if claim.at else np.ones(1)
    return float(
        sum(
            weight * _contrasted(study, claim, wave, people)
            for wave, weight in zip(waves, weights, strict=False)
            if weight
        )
    )


def _over_periods(study: Study, claim: Claim, people: pl.DataFrame | None) -> float:
    """Of arms that people have in turn: the difference of their effects, if these stay as they are."""
    assume, contrast = study.protocol.diagnosis.assume, supported_contrast(study, claim.contrast)
    effects = assume.outcomes[claim.outcome].effects
    if any(any(effect.by_week) for effect in effects):
        return np.nan
    arms = arms_of_stage(study, compared_stage(study.protocol, [contrast]))
    size = {
        arm: sum(each.constant * share_selected(people, each) for each in effects if each.arm == arm)
        for arm in arms
    }
    weighted = zip(arms, contrast.weights(arms), strict=True)
    return (
        float(sum(float(weight) * size[arm] for arm, weight in weighted)) * assume.uptake * mean_dose(assume)
    )


def _selected(study: Study, claim: Claim, people: pl.DataFrame | None) -> pl.DataFrame | None:
    """Those of the people whom an analysis is of, as far as the roster tells."""
    among = study.protocol.analyses[claim.analysis].among
    if among is None or people is None:
        return people
    rule = compile_expression(among, before_allocation(study.protocol))
    if not set(rule.columns) <= set(people.columns):
        return people
    return people.filter(rule.evaluate_frame(people).fill_null(False))


def _nil(effect: AssumedEffect) -> bool:
    return not effect.constant and not any(effect.by_week)


def _shifts(attributes: Mapping[str, Mapping[str, float]]) -> bool:
    return any(shift for levels in attributes.values() for shift in levels.values())


def _contrasted(study: Study, claim: Claim, wave: str, people: pl.DataFrame | None) -> float:
    protocol = study.protocol
    levels = {protocol.arm_column(name): protocol.drawn(name) for name in protocol.allocation}
    cells = cells_of(supported_contrast(study, claim.contrast), levels, shares_of(study))
    assume = protocol.diagnosis.assume
    effects = assume.outcomes[claim.outcome].effects
    by_cell = [
        sum(
            effect_at(study, effect, wave) * share_selected(people, effect)
            for effect in effects
            if effect.arm in cell
        )
        for cell in product(*cells.levels)
    ]
    return float(cells.weights @ np.array(by_cell)) * assume.uptake * mean_dose(assume)


def effect_at(study: Study, effect: AssumedEffect, wave: str) -> float:
    """An arm's effect on those who take it up, averaged over the weeks in which a wave is answered."""
    if not effect.by_week:
        return effect.constant
    times = timeline(study.protocol)
    if times.launch is None or not wave:
        return effect.by_week[0]
    rng = streams.generator("0", "simulation", "truth", wave)
    weeks = answer_weeks(study.protocol, wave, times, _ANSWERS, rng)
    place = np.clip(weeks - 1, 0, len(effect.by_week) - 1).astype(np.int64)
    return float(np.asarray(effect.by_week)[place].mean())
