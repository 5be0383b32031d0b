"""What a reviewer would say against a design: its power, attrition, strata, clusters, scales and bias."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from equipoise.diagnosis.claims import Claim
from equipoise.diagnosis.performance import ClaimPerformance, Performance, Rated
from equipoise.diagnosis.planning.attrition import SOURCE, boundary_at
from equipoise.protocol.checks.expected import cells_of_strata, response_by_arm, units_expected
from equipoise.protocol.checks.on_scale import span_of
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import waves_before

__all__ = ["Kind", "Objection", "objections_to"]

Kind = Literal["power", "attrition", "strata", "clusters", "scale", "estimate", "interval"]

BEYOND_CHANCE = 3.0
"""In Monte-Carlo errors: what is further off is not chance of the simulation."""
FEWEST_A_CELL = 2
"""Answers that each arm should have in each stratum, on average: with fewer, many strata say nothing."""
FEWEST_DEGREES = 10
"""Clusters beyond the arms: with fewer, the p-value is that of the randomisation test."""
MUCH = 1.25
"""An estimate that is found is this many times too large on average: worth saying."""


@dataclass(frozen=True)
class Objection:
    """An objection in words; `claim` is the id of the claim that it is about, None where it is about all."""

    kind: Kind
    words: str
    claim: str | None = None


def objections_to(study: Study, performance: Performance, people: int | None = None) -> tuple[Objection, ...]:
    """Everything that speaks against a design.

    Args:
        study: under the assumptions that were simulated.
        performance: what the simulation gave.
        people: how many took part; None for those expected.
    """
    if people is None and study.protocol.participants is not None:
        people = study.protocol.participants.expected
    leading = [shown for shown in performance.claims if shown.claim.tier == "primary"]
    found: list[Objection] = []
    for shown in leading or list(performance.claims):
        found += [*_power(study, shown), *_estimate(shown), *_interval(study, shown), *_ends(study, shown)]
    found += [*_attrition(study, [shown.claim for shown in leading or performance.claims])]
    found += [*_strata(study, people), *_clusters(study, people)]
    return tuple(found)


def _power(study: Study, shown: ClaimPerformance) -> Iterator[Objection]:
    target, power = study.protocol.diagnosis.targets.power, shown.power
    if (
        power.value is None
        or not shown.truth
        or power.value >= target - BEYOND_CHANCE * (power.mc_error or 0)
    ):
        return
    words = (
        f"The power to find the effect on {_named(study, shown.claim)} is {_percent(power)}, below the "
        f"{target:.0%} wanted"
    )
    if shown.exaggeration.value is not None and shown.exaggeration.value > MUCH:
        words += (
            f". An estimate that is found at all would be {shown.exaggeration.value:.1f} times too large on "
            "average"
        )
    yield Objection("power", words + ".", shown.claim.id)


def _estimate(shown: ClaimPerformance) -> Iterator[Objection]:
    lost, bias = shown.not_estimable, shown.bias
    if lost.value:
        words = f"In {lost.value:.1%} of the trials the effect cannot be estimated."
        yield Objection("estimate", words, shown.claim.id)
    if bias.value is not None and bias.mc_error and abs(bias.value) > BEYOND_CHANCE * bias.mc_error:
        size = "" if not shown.truth else f", {abs(bias.value / shown.truth):.0%} of the effect"
        words = (
            f"The estimate is off by {bias.value:.2g} on average{size}: those who answer are not like those "
            "who do not."
        )
        yield Objection("estimate", words, shown.claim.id)


def _interval(study: Study, shown: ClaimPerformance) -> Iterator[Objection]:
    level, coverage = study.protocol.analyses[shown.claim.analysis].interval, shown.coverage
    if coverage.value is None or not coverage.mc_error:
        return
    if coverage.value < level - BEYOND_CHANCE * coverage.mc_error:
        words = f"The {level:.0%} interval holds the true effect in {coverage.value:.1%} of the trials only."
        yield Objection("interval", words, shown.claim.id)


def _ends(study: Study, shown: ClaimPerformance) -> Iterator[Objection]:
    """A scale that ends within one SD of the mean, on the side to which the effect moves it."""
    outcome = study.protocol.outcomes[shown.claim.outcome]
    assumed = study.protocol.diagnosis.assume.outcomes.get(shown.claim.outcome)
    span = span_of(study, outcome)
    if assumed is None or assumed.sd is None or span is None or outcome.scale == "yes-no":
        return
    up = shown.truth > 0 if shown.truth else outcome.good != "low"
    room = (span[1] - assumed.mean if up else assumed.mean - span[0]) / assumed.sd
    if room < 1:
        end, value = ("ceiling", span[1]) if up else ("floor", span[0])
        words = (
            f"The mean of {_named(study, shown.claim)} lies {room:.1f} SD from the {end} of its scale "
            f"({value:g}), so many people have no room to get {'higher' if up else 'lower'}."
        )
        yield Objection("scale", words, shown.claim.id)


def _attrition(study: Study, claims: list[Claim]) -> Iterator[Objection]:
    protocol = study.protocol
    before = waves_before(protocol, protocol.main_stage) if protocol.allocation else ()
    for wave in dict.fromkeys(claim.at for claim in claims if claim.at in protocol.waves):
        rates = response_by_arm(protocol, wave)
        if wave in before or not rates:
            continue
        overall = 1 - protocol.diagnosis.assume.response.waves.get(wave, 1.0)
        differs = max(rates.values()) - min(rates.values())
        boundary = boundary_at(overall)
        said = f"{overall:.0%} would not answer {wave}"
        if differs > 0:
            said += f", {100 * differs:.1f} points more in one arm than in another"
        if boundary.optimistic is None:
            yield Objection(
                "attrition", f"{said}. So much is high attrition whatever the difference ({SOURCE})."
            )
        elif differs > boundary.optimistic + 1e-9:
            most = f"low is a difference of {100 * boundary.optimistic:.1f} points at most"
            yield Objection("attrition", f"{said}. A reviewer would reject that: {most} ({SOURCE}).")
        elif boundary.cautious is None or differs > boundary.cautious + 1e-9:
            most = f"{100 * (boundary.cautious or 0):.1f}"
            yield Objection(
                "attrition",
                f"{said}. That is low only if the arm does not move who answers; otherwise {most} points are "
                f"the most ({SOURCE}).",
            )


def _strata(study: Study, people: int | None) -> Iterator[Objection]:
    protocol = study.protocol
    response = [
        share
        for wave, share in protocol.diagnosis.assume.response.waves.items()
        if wave not in waves_before(protocol, protocol.main_stage)
    ]
    for name, stage in protocol.allocation.items():
        cells, arms = cells_of_strata(protocol, stage), len(protocol.drawn(name))
        units = units_expected(protocol, stage, people)
        answers = (
            None
            if units is None
            else units * (min(response, default=1.0) if stage.unit == "participant" else 1)
        )
        if answers is None or cells < 2 or answers >= FEWEST_A_CELL * cells * arms:
            continue
        most = max(int(answers // (FEWEST_A_CELL * arms)), 1)
        yield Objection(
            "strata",
            f"{cells:,} strata have {answers / cells:.1f} answers each on average, for {arms} arms: many "
            f"would lack an arm and tell nothing. With {most:,} strata or fewer each arm could have "
            f"{FEWEST_A_CELL} in each.",
        )


def _clusters(study: Study, people: int | None) -> Iterator[Objection]:
    for name, stage in study.protocol.allocation.items():
        units = units_expected(study.protocol, stage, people)
        arms = len(study.protocol.drawn(name))
        if stage.unit == "participant" or units is None or units - arms >= FEWEST_DEGREES:
            continue
        yield Objection(
            "clusters",
            f"{units:.0f} clusters ({stage.unit}) leave {units - arms:.0f} degrees of freedom: the p-value "
            "comes from the randomisation test, and a cluster more or less decides. More clusters help, more "
            "people in each hardly do.",
        )


def _named(study: Study, claim: Claim) -> str:
    label = study.protocol.outcomes[claim.outcome].label or claim.outcome
    return f"{label[:1].lower()}{label[1:]}"


def _percent(rated: Rated) -> str:
    """A rate with its Monte-Carlo error, both in per cent."""
    error = "" if rated.mc_error is None else f" (Monte-Carlo error {100 * rated.mc_error:.1f} points)"
    return f"{rated.value or 0:.0%}{error}"
