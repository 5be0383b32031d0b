"""The closed form of a claim: two samples, with a score before, with shares of yes, in clusters."""

from dataclasses import dataclass
from math import exp, sqrt

from scipy import optimize, stats

from equipoise.diagnosis.claims import Claim
from equipoise.diagnosis.formulas import (
    chance_of_finding,
    error_in_clusters,
    error_of_means,
    error_of_shares,
)
from equipoise.diagnosis.planning.wedge import wedge_form
from equipoise.diagnosis.simulated.truth import true_effects
from equipoise.instruments.definition import Instrument
from equipoise.instruments.library import load
from equipoise.instruments.scoring import rule_of
from equipoise.protocol.checks.expected import response_by_arm, units_expected
from equipoise.protocol.checks.on_scale import span_of
from equipoise.protocol.contrasts import parse_contrast
from equipoise.protocol.factors import contrast_factors, default_factor
from equipoise.protocol.models.assumptions import AssumedOutcome
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import waves_before

__all__ = ["ClosedForm", "closed_form"]

_LINEAR = ("difference-in-means", "linear", "lin-interacted")


@dataclass(frozen=True)
class ClosedForm:
    """What a formula says of one claim.

    `formula` says in words which one, with its source; `people` are those expected to be analysed in the two
    arms, the first of the contrast first; `difference` is the true effect.
    """

    claim: Claim
    formula: str
    people: tuple[float, float]
    difference: float
    std_error: float
    dof: float
    power: float


def closed_form(study: Study, claim: Claim, people: int | None = None) -> ClosedForm | None:
    """The formula for a claim; None for designs and analyses that have no plain one.

    Two arms of the main stage are compared by a linear model among all those randomised, at one time, and the
    effect does not change by week; or clusters go over from one arm to another in a stepped wedge. Strata are
    taken to explain nothing, as the simulation assumes.

    Args:
        study: `diagnosis.assume` says what is assumed.
        claim: of the study.
        people: how many take part; None for those expected.
    """
    assumed = study.protocol.diagnosis.assume.outcomes.get(claim.outcome)
    if assumed is not None and study.protocol.gives_sequences(study.protocol.main_stage):
        return _in_sequences(study, claim, assumed, people)
    arms = _compared(study, claim)
    if assumed is None or arms is None or not _plain(study, claim, assumed):
        return None
    analysed = _analysed(study, claim, assumed, arms, people)
    if analysed is None or min(analysed) < 2:
        return None
    difference = float(true_effects(study, (claim,))[0])
    error = _error(study, claim, assumed, analysed, difference)
    dof, words = sum(analysed) - 2, "two samples"
    share = _share_before(study, claim)
    if share and assumed.before_after_correlation:
        words += (
            f", {1 - share * assumed.before_after_correlation**2:.3g} of the variance by the score before"
        )
        words += " (Borm, Fransen & Lemmens 2007)"
    stage = study.protocol.allocation[study.protocol.main_stage]
    if stage.unit != "participant":
        unit, clusters = study.protocol.units.get(stage.unit), units_expected(study.protocol, stage, people)
        icc = assumed.icc if assumed.icc is not None else unit.icc if unit is not None else None
        if unit is None or icc is None or clusters is None or clusters < 3:
            return None
        error, dof = error_in_clusters(error, icc, sum(analysed) / clusters, unit.people_cv), clusters - 2
        words += ", in clusters (Eldridge, Ashby & Kerry 2006)"
    power = chance_of_finding(difference, error, dof, _alpha(study, claim))
    return ClosedForm(claim, words, analysed, difference, error, dof, power)


def _in_sequences(
    study: Study, claim: Claim, assumed: AssumedOutcome, people: int | None
) -> ClosedForm | None:
    if people is None:
        people = study.protocol.participants.expected if study.protocol.participants else None
    found = None if people is None else wedge_form(study, claim, assumed, people)
    if people is None or found is None:
        return None
    analysed = people * found.joined, people * (1 - found.joined)
    words = "a stepped wedge of constant effect, other people in each period (Hussey & Hughes 2007)"
    power = chance_of_finding(found.difference, found.std_error, found.dof, _alpha(study, claim))
    return ClosedForm(claim, words, analysed, found.difference, found.std_error, found.dof, power)


def _compared(study: Study, claim: Claim) -> tuple[str, str] | None:
    """The arm that a contrast adds and the one that it takes off; None where it does more than that."""
    names = list(study.protocol.arms)
    factors = contrast_factors(study.protocol, study.vignettes)
    contrast = parse_contrast(claim.contrast, factors, default_factor(study.protocol))
    if contrast.factors != (default_factor(study.protocol),):
        return None
    weights = {
        arm: float(weight) for arm, weight in zip(names, contrast.weights(names), strict=True) if weight
    }
    if sorted(weights.values()) != [-1.0, 1.0]:
        return None
    first = next(arm for arm, weight in weights.items() if weight > 0)
    return first, next(arm for arm in weights if arm != first)


def _plain(study: Study, claim: Claim, assumed: AssumedOutcome) -> bool:
    protocol, analysis = study.protocol, study.protocol.analyses[claim.analysis]
    stage, outcome = protocol.allocation[protocol.main_stage], protocol.outcomes[claim.outcome]
    same = not any(effect.by_week or effect.when for effect in assumed.effects)
    everybody = analysis.among is None and analysis.target == "all" and analysis.kind == "as-randomised"
    known = assumed.sd is not None or _yes_no(study, claim)
    one_time = claim.at in ("", *protocol.waves)
    ratio = len(stage.ratio) == 1 and stage.to == "arms" and stage.among is None
    return (
        analysis.model in _LINEAR
        and analysis.average_over != "clusters"
        and analysis.weights is None and analysis.change_from is None
        and outcome.task is None
        and same and everybody and known and one_time and ratio
    )  # fmt: skip


def _yes_no(study: Study, claim: Claim) -> bool:
    outcome = study.protocol.outcomes[claim.outcome]
    return outcome.scale == "yes-no" or (
        outcome.question is not None and span_of(study, outcome) == (0.0, 1.0)
    )


def _analysed(
    study: Study, claim: Claim, assumed: AssumedOutcome, arms: tuple[str, str], people: int | None
) -> tuple[float, float] | None:
    protocol = study.protocol
    if people is None:
        people = protocol.participants.expected if protocol.participants else None
    if people is None:
        return None
    shares = protocol.allocation[protocol.main_stage].ratio[0].shares
    response = response_by_arm(protocol, claim.at) if claim.at else dict.fromkeys(protocol.arms, 1.0)
    scored = assumed.response * _scored(study, claim)
    first, second = (people * shares[arm] / sum(shares.values()) * response[arm] * scored for arm in arms)
    return first, second


def _scored(study: Study, claim: Claim) -> float:
    """The share of those who answer an instrument that leave out no more items than its rule allows."""
    outcome = study.protocol.outcomes[claim.outcome]
    left_out = study.protocol.diagnosis.assume.response.missing_item
    definition = load(outcome.instrument) if outcome.instrument is not None else None
    if not left_out or not isinstance(definition, Instrument):
        return 1.0
    rule = rule_of(definition, outcome.score)
    return float(stats.binom.sf(rule.missing.needs - 1, len(rule.items), 1 - left_out))


def _error(
    study: Study, claim: Claim, assumed: AssumedOutcome, people: tuple[float, float], difference: float
) -> float:
    share, correlation = _share_before(study, claim), assumed.before_after_correlation
    if _yes_no(study, claim):
        yes = (assumed.mean + difference, assumed.mean)
        return error_of_shares(people, yes) * sqrt(1 - share * correlation**2)
    return error_of_means(people, assumed.sd or 0.0, correlation=correlation, share_before=share)


def _share_before(study: Study, claim: Claim) -> float:
    """Of those analysed, the share with a score before that the analysis adjusts for.

    Who answered before may be likelier to answer after, by `leans-on-before` log-odds.
    """
    protocol, analysis = study.protocol, study.protocol.analyses[claim.analysis]
    before = [wave for wave in waves_before(protocol, protocol.main_stage) if wave in (analysis.adjust or ())]
    if not before or claim.outcome in analysis.unadjusted or analysis.model == "difference-in-means":
        return 0.0
    response = protocol.diagnosis.assume.response
    share, rate = response.waves.get(before[-1], 1.0), response.waves.get(claim.at, 1.0)
    lean = response.leans_on_before
    scored = _scored(study, claim)
    if not lean or not 0 < share < 1 or not 0 < rate < 1:
        return share * scored

    def answering(odds: float) -> float:
        return share / (1 + exp(-odds - lean)) + (1 - share) / (1 + exp(-odds))

    odds = float(optimize.brentq(lambda each: answering(each) - rate, -50 - abs(lean), 50 + abs(lean)))
    return scored * share / (1 + exp(-odds - lean)) / rate


def _alpha(study: Study, claim: Claim) -> float:
    if claim.tested and study.protocol.testing:
        return study.protocol.testing[0].alpha
    return 1 - study.protocol.analyses[claim.analysis].interval
