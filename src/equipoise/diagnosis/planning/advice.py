"""Advice on a design, in words: what limits it, what would help most, what a reviewer would say."""

from collections.abc import Iterator
from dataclasses import dataclass

from equipoise.diagnosis.performance import ClaimPerformance
from equipoise.diagnosis.planning.objections import Objection, objections_to
from equipoise.diagnosis.planning.planted import with_effects
from equipoise.diagnosis.planning.remedies import Remedy, remedies
from equipoise.diagnosis.planning.trying import Tried, Trying
from equipoise.diagnosis.scenario import Scenario
from equipoise.estimation.mixed.icc import design_effect
from equipoise.protocol.checks.expected import units_expected
from equipoise.protocol.study import Study

__all__ = ["Advice", "advise"]

_WORTH_SAYING = 0.02


@dataclass(frozen=True)
class Advice:
    """What limits a design, what would help, and what speaks against it.

    Attributes:
        limits: sentences, each about one thing that makes the trial say less than its people could.
        helps: sentences about the remedies, the most helpful first.
        remedies: what was tried, in the same order.
        objections: what a reviewer would say.
    """

    limits: tuple[str, ...]
    helps: tuple[str, ...]
    remedies: tuple[Remedy, ...]
    objections: tuple[Objection, ...]


def advise(study: Study, trying: Trying, own: Tried | None = None) -> Advice:
    """Advice on a study's design under its assumptions.

    Args:
        study: as loaded.
        trying: how the design and each remedy are tried, all with the same chance.
        own: the design as it is, where it has been tried in that way already. Where an outcome has no
            assumed effect the design is tried again with one, as there is none to find.
    """
    planted = with_effects(study)
    if own is None or planted.protocol != study.protocol:
        own = trying(planted, Scenario())
    found = remedies(study, trying, own)
    return Advice(
        (*_supposed(study, planted), *_limits(study, own)),
        tuple(_helps(own, found)),
        found,
        objections_to(planted, own.performance),
    )


def _supposed(study: Study, planted: Study) -> Iterator[str]:
    given, own = (each.protocol.diagnosis.assume.outcomes for each in (planted, study))
    names = [name for name in given if given[name] != own[name]]
    if names:
        yield (
            f"No effect is assumed for {', '.join(names)}; what is said here is about an effect of the "
            "margin (0.2 SD where there is none)."
        )


def _limits(study: Study, own: Tried) -> Iterator[str]:
    shown = own.performance.of(own.leading[0].id)
    yield from _lost(study, shown)
    assume = study.protocol.diagnosis.assume
    if assume.uptake < 1:
        yield (
            f"{assume.uptake:.0%} take the intervention up, so that an effect on them is {assume.uptake:.0%} "
            "of its size on everybody randomised."
        )
    yield from _alike(study, shown)
    correlation = assume.outcomes[shown.claim.outcome].before_after_correlation
    if not correlation:
        yield "No score before takes any of the outcome's spread away."
    tested = [claim for claim in own.claims if claim.tested and claim.tier == shown.claim.tier]
    if len(tested) > 1:
        yield f"{len(tested)} {shown.claim.tier} claims share one error rate."


def _lost(study: Study, shown: ClaimPerformance) -> Iterator[str]:
    expected = study.protocol.participants.expected if study.protocol.participants else None
    analysed = shown.mean_analysed.value
    clustered = study.protocol.analyses[shown.claim.analysis].average_over == "clusters"
    if expected is not None and analysed is not None and not clustered and analysed < 0.9 * expected:
        yield (
            f"Of {expected:,} people {analysed:,.0f} are expected in the analysis "
            f"({analysed / expected:.0%}): the others do not answer."
        )


def _alike(study: Study, shown: ClaimPerformance) -> Iterator[str]:
    stage = study.protocol.allocation.get(study.protocol.main_stage)
    unit = None if stage is None else study.protocol.units.get(stage.unit)
    analysed = shown.mean_analysed.value
    clusters = None if stage is None else units_expected(study.protocol, stage)
    if stage is None or unit is None or unit.icc is None or analysed is None or not clusters:
        return
    effect = design_effect(unit.icc, analysed / clusters, unit.people_cv)
    if effect > 1:
        yield (
            f"People of one cluster are alike (ICC {unit.icc:g}): {analysed:,.0f} in {clusters:,.0f} "
            f"clusters count as {analysed / effect:,.0f} drawn one by one."
        )


def _helps(own: Tried, found: tuple[Remedy, ...]) -> Iterator[str]:
    for place, remedy in enumerate(found):
        words = f"{remedy.change.words[:1].upper()}{remedy.change.words[1:]}"
        if place == 0 and (remedy.gain.value or 0.0) > 0 and remedy.settled:
            words = f"What would help most: {remedy.change.words}"
        yield f"{words}: {_power(own, remedy)}{_worth(remedy)}."


def _power(own: Tried, remedy: Remedy) -> str:
    if not remedy.settled:
        return f"no difference in power that {len(own.rejected):,} simulated trials could show"
    before = own.performance.of(remedy.claim.id).power.value or 0.0
    gained, error = 100 * (remedy.gain.value or 0.0), 100 * (remedy.gain.mc_error or 0.0)
    step = f"{abs(gained):.1f} points {'more' if gained > 0 else 'less'}, Monte-Carlo error {error:.1f}"
    return f"power {before:.0%} to {remedy.power.value or 0:.0%} for {remedy.claim.outcome} ({step})"


def _worth(remedy: Remedy) -> str:
    if (
        remedy.worth is None
        or abs(remedy.worth) < _WORTH_SAYING
        or remedy.change.variation.people is not None
    ):
        return ""
    more = "more" if remedy.worth > 0 else "fewer"
    return f"; worth {abs(remedy.worth):.0%} {more} people"
