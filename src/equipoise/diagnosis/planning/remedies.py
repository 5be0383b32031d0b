"""What would help: changes of a design, each simulated with the same chance and ranked by what it brings."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from equipoise.diagnosis.claims import Claim
from equipoise.diagnosis.performance import ClaimPerformance, Rated
from equipoise.diagnosis.planning.money import Cost, cost_of
from equipoise.diagnosis.planning.planted import with_effects
from equipoise.diagnosis.planning.trying import Tried, Trying, gain
from equipoise.diagnosis.scenario import Scenario
from equipoise.protocol.models.allocation import Unit
from equipoise.protocol.models.assumptions import AssumedOutcome
from equipoise.protocol.models.variations import Variation
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import waves_before
from equipoise.protocol.variations import varied

__all__ = ["Change", "Remedy", "changes_of", "remedies"]

MORE_ANSWERS = 0.1
MORE_PEOPLE = 1.5
BETTER_SCORE = 0.1
MORE_TAKE_UP = 0.1
_BEST_CORRELATION = 0.95


@dataclass(frozen=True)
class Change:
    """Something that could be done; what it does to the design, or to what is assumed of it.

    `outcome` is the one whose claim it is meant to help; None for the primary one.
    """

    words: str
    variation: Variation = field(default_factory=Variation)
    scenario: Scenario = field(default_factory=Scenario)
    outcome: str | None = None


@dataclass(frozen=True)
class Remedy:
    """A change tried: the power of a claim with it, and the gain on the design as it is, trial by trial.

    `worth` is how many people more, as a share of those there are, would make the effect stand out of its
    standard error by as much; it is settled by fewer trials than the gain in power. `cost` is what the
    changed design costs, None without costs, or where nothing that costs changes.
    """

    change: Change
    claim: Claim
    power: Rated
    gain: Rated
    worth: float | None
    cost: Cost | None = None

    @property
    def settled(self) -> bool:
        """Whether the gain is more than three Monte-Carlo errors from nothing."""
        return abs(self.gain.value or 0.0) > 3 * (self.gain.mc_error or 0.0)


def remedies(study: Study, trying: Trying, own: Tried) -> tuple[Remedy, ...]:
    """Each change that this design allows, the most helpful first: by gain, then by what it is worth.

    Args:
        study: the design as it is.
        trying: how each change is tried.
        own: the design as it is, tried in the same way with an effect to find in every outcome.
    """
    found = [_tried(study, trying, own, change) for change in changes_of(study, own)]
    kept = [remedy for remedy in found if remedy is not None]
    return tuple(sorted(kept, key=_by_help, reverse=True))


def changes_of(study: Study, own: Tried) -> tuple[Change, ...]:
    """What could be changed of a design: each one thing, by an amount that can be had."""
    return tuple(
        change
        for offers in (_answers, _before, _people, _clusters, _ratio, _take_up, _strata)
        for change in offers(study)
    ) + tuple(_outcomes(study, own))


def _tried(study: Study, trying: Trying, own: Tried, change: Change) -> Remedy | None:
    design = study if change.variation == Variation() else varied(study, change.variation)
    tried = trying(with_effects(design), change.scenario)
    claim = _claim(own, change.outcome)
    if claim is None or all(each.id != claim.id for each in tried.claims):
        return None
    costs = study.protocol.diagnosis.costs is not None and design is not study
    return Remedy(
        change,
        claim,
        tried.performance.of(claim.id).power,
        gain(own.decisions(claim.id), tried.decisions(claim.id)),
        _worth(own.performance.of(claim.id), tried.performance.of(claim.id)),
        cost_of(design) if costs else None,
    )


def _by_help(remedy: Remedy) -> tuple[float, float]:
    return (remedy.gain.value or 0.0) if remedy.settled else 0.0, remedy.worth or 0.0


def _worth(before: ClaimPerformance, after: ClaimPerformance) -> float | None:
    """(z after / z before)^2 - 1: z, the effect over its mean error, grows as the root of the people."""
    if not before.truth or not after.truth:
        return None
    if not before.mean_std_error.value or not after.mean_std_error.value:
        return None
    ratio = (after.truth / after.mean_std_error.value) / (before.truth / before.mean_std_error.value)
    return ratio**2 - 1


def _claim(own: Tried, outcome: str | None) -> Claim | None:
    """The claim of an outcome; else the primary claim that is found least often."""
    among = own.leading if outcome is None else [c for c in own.claims if c.tested and c.outcome == outcome]
    return min(among, key=lambda claim: own.performance.of(claim.id).power.value or 0.0, default=None)


def _answers(study: Study) -> Iterator[Change]:
    protocol = study.protocol
    before = waves_before(protocol, protocol.main_stage) if protocol.allocation else ()
    response = protocol.diagnosis.assume.response.waves
    for wave, share in response.items():
        more = min(1.0, share + MORE_ANSWERS)
        if wave in before or share >= 1:
            continue
        words = f"more answers to {wave}: {more:.0%} in place of {share:.0%}"
        yield Change(words, Variation(response={wave: more}))


def _before(study: Study) -> Iterator[Change]:
    """More people with a score before, one that says more, or one that is used."""
    protocol = study.protocol
    waves = waves_before(protocol, protocol.main_stage) if protocol.allocation else ()
    used = {name for analysis in protocol.analyses.values() for name in analysis.adjust or ()} & set(waves)
    if waves and not used:
        yield Change(f"adjusting for the score of {waves[-1]}", Variation(adjust=(waves[-1], *_drawn(study))))
    for wave in sorted(used):
        share = protocol.diagnosis.assume.response.waves.get(wave, 1.0)
        more = min(1.0, share + 2 * MORE_ANSWERS)
        if share < 1:
            words = f"more answers to {wave}, for a score before: {more:.0%} in place of {share:.0%}"
            yield Change(words, Variation(response={wave: more}))
    correlations = [each.before_after_correlation for each in _primary(study)]
    if used and correlations and 0 < correlations[0] < _BEST_CORRELATION - BETTER_SCORE:
        better = correlations[0] + BETTER_SCORE
        words = (
            f"a better score before, such as the mean of two: a correlation of {better:.2f} with the score "
            f"after in place of {correlations[0]:.2f}"
        )
        yield Change(words, scenario=Scenario(before_after=better))


def _people(study: Study) -> Iterator[Change]:
    expected = study.protocol.participants.expected if study.protocol.participants else None
    if expected is not None:
        more = round(MORE_PEOPLE * expected)
        words = f"half as many people again: {more:,} in place of {expected:,}"
        yield Change(words, Variation(people=more), Scenario(people=more))


def _clusters(study: Study) -> Iterator[Change]:
    """The same people in more clusters; not where the roster says which clusters there are."""
    protocol = study.protocol
    stage = protocol.allocation.get(protocol.main_stage)
    unit = None if stage is None else protocol.units.get(stage.unit)
    roster = protocol.participants.roster if protocol.participants else {}
    if stage is None or unit is None or unit.people is None or unit.people < 4:
        return
    if stage.unit in roster and roster[stage.unit].levels:
        return
    half = Unit(**{**unit.model_dump(), "people": unit.people / 2})
    words = f"twice as many clusters ({stage.unit}) of half the size, {half.people:g} people each"
    yield Change(words, Variation(units={stage.unit: half}))


def _ratio(study: Study) -> Iterator[Change]:
    stage = study.protocol.allocation.get(study.protocol.main_stage)
    if stage is not None and any(len(set(rule.shares.values())) > 1 for rule in stage.ratio):
        yield Change("as many people in each arm", Variation(ratio=dict.fromkeys(stage.arms, 1)))


def _take_up(study: Study) -> Iterator[Change]:
    uptake = study.protocol.diagnosis.assume.uptake
    if uptake < 1:
        more = min(1.0, uptake + MORE_TAKE_UP)
        words = f"more people who take it up: {more:.0%} in place of {uptake:.0%}"
        yield Change(words, scenario=Scenario(uptake=more))


def _strata(study: Study) -> Iterator[Change]:
    stage = study.protocol.allocation.get(study.protocol.main_stage)
    if stage is not None and stage.strata and stage.method in ("blocked", "permuted-blocks"):
        yield Change(f"no strata, in place of {', '.join(stage.strata)}", Variation(strata=()))


def _outcomes(study: Study, own: Tried) -> Iterator[Change]:
    """One outcome alone, of several that share an error rate."""
    for tier in ("primary", "secondary"):
        names = list(
            dict.fromkeys(claim.outcome for claim in own.claims if claim.tier == tier and claim.tested)
        )
        if len(names) < 2:
            continue
        kept = (
            [claim.outcome for claim in own.claims if claim.tier == "primary"] if tier == "secondary" else []
        )
        words = f"{names[0]} as the only {tier} outcome, in place of {len(names)}"
        yield Change(words, Variation(outcomes=tuple(dict.fromkeys((*kept, names[0])))), outcome=names[0])


def _drawn(study: Study) -> tuple[str, ...]:
    stage = study.protocol.allocation.get(study.protocol.main_stage)
    return ("strata",) if stage is not None and stage.drawn_within else ()


def _primary(study: Study) -> list[AssumedOutcome]:
    assume = study.protocol.diagnosis.assume.outcomes
    return [
        assume[name]
        for name, each in study.protocol.outcomes.items()
        if each.role == "primary" and name in assume
    ]
