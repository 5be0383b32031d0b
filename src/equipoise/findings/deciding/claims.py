"""Which claims the plan allows: steps in order, adjusted p-values, decisions, what is confirmatory."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from scipy import stats

from equipoise.estimation.several.dunnett import dunnett_adjusted, shared_control_loadings
from equipoise.estimation.several.multiplicity import adjust_p_values
from equipoise.findings.deciding.looking import Looking
from equipoise.findings.deciding.sealing import Standing
from equipoise.findings.deciding.stepdown import Together
from equipoise.findings.results import Finding, Tier
from equipoise.protocol.claims import answers_to
from equipoise.protocol.models.analyses import Analysis, TestStep
from equipoise.protocol.models.outcomes import Role
from equipoise.protocol.study import Study

__all__ = ["claimed", "decided", "effect_id", "may_confirm", "planned_effect", "tier_of"]

CLAIMED_TIERS = ("primary", "secondary")


def decided(
    study: Study,
    findings: Sequence[Finding],
    *,
    confirms: bool,
    looking: Looking | None = None,
    jointly: Callable[[Sequence[Finding]], Together] | None = None,
) -> list[Finding]:
    """Findings with their decision, adjusted p-value and standing.

    A step is reached only if every claim of the steps before it was rejected at its alpha. Within a step the
    method shares the error rate across outcomes, times and contrasts. Claims that are not reached stay
    `not-tested`; what no step names stays as it is.

    Args:
        study: its `testing` gives the steps.
        findings: every effect.
        confirms: whether anything may be confirmatory (see `may_confirm`).
        looking: where the protocol declares interim looks, those that were made: every p-value is made to
            allow for them before a step's method shares its error rate (Maurer & Bretz 2013).
        jointly: adjusts effects by re-drawing the allocation for all of them, for steps that ask for that.
    """
    changed: dict[str, Finding] = {}
    reached = True
    for step in study.protocol.testing or ():
        claimed = [finding for finding in findings if _claims(study, step, finding)]
        tested = [finding for finding in claimed if finding.p_value is not None]
        if not reached:
            changed |= {
                finding.id: finding.model_copy(update={"decision": "not-tested"}) for finding in claimed
            }
            continue
        together = _adjusted(step, tested, looking, jointly)
        adjusted = together.p_values
        allowed_for = len(tested) > 1 or looking is not None
        for finding in tested:
            rejected = adjusted[finding.id] <= step.alpha
            changed[finding.id] = finding.model_copy(
                update={
                    "p_adjusted": adjusted[finding.id] if allowed_for else None,
                    "tested_together": len(tested),
                    "decision": "rejected" if rejected else "not-rejected",
                    "confirmatory": confirms,
                    "warnings": (*finding.warnings, *together.notes),
                }
            )
        reached = (
            bool(tested)
            and len(tested) == len(claimed)
            and all(changed[finding.id].decision == "rejected" for finding in tested)
        )
    return [changed.get(finding.id, finding) for finding in findings]


def may_confirm(study: Study, first_answer: datetime | None, standing: Standing) -> str | None:
    """Why nothing of this study can be confirmatory, or None.

    Args:
        study: with its registration.
        first_answer: when the first outcome was answered, where the data say it.
        standing: whether the data are those that were sealed before the arms were known.
    """
    if study.registration is None:
        return "the protocol was not locked"
    if study.protocol.study.data_public_since is not None:
        since = study.protocol.study.data_public_since
        return f"the data were public (since {since}) before the protocol was locked"
    locked = datetime.fromisoformat(study.registration.time)
    if first_answer is not None and first_answer < locked:
        return "outcomes were answered before the protocol was locked"
    return standing.why_not


def claimed(study: Study, analysis: str, outcome: str, at: str | None) -> bool:
    """Whether a step of the testing order claims what an analysis says of an outcome at a wave."""
    spec = study.protocol.analyses.get(analysis)
    claims = [claim for step in study.protocol.testing or () for claim in step.claims]
    return spec is not None and any(answers_to(one, analysis, spec, outcome, at) for one in claims)


def tier_of(analysis: Analysis, role: Role, *, planned: bool, claimed: bool) -> Tier:
    """Primary, secondary, sensitivity, supplementary or exploratory: derived, never typed in."""
    if not planned or role == "exploratory":
        return "exploratory"
    if analysis.sensitivity_of is not None:
        return "sensitivity"
    if (
        analysis.supplementary_to is not None
        or analysis.kind == "per-protocol"
        or analysis.target == "complier"
    ):
        return "supplementary"
    return role if claimed else "exploratory"


def effect_id(analysis: str, outcome: str, at: str, contrast: str) -> str:
    """The id of an effect: what there is of analysis, outcome, time and contrast."""
    return ".".join(part for part in (analysis, outcome, at, contrast) if part)


def planned_effect(
    study: Study,
    name: str,
    analysis: Analysis,
    outcome: str,
    at: str,
    contrast: str,
    *,
    planned: bool,
    **found: Any,
) -> Finding:
    """An effect with all that the protocol says of it.

    Args:
        study: whose.
        name: of the analysis.
        analysis: with its population and its place in the plan.
        outcome: its name.
        at: the wave, or the empty text.
        contrast: as it is written.
        planned: whether the locked protocol names the analysis.
        found: the fields of `Finding` that the data decide.
    """
    spec = study.protocol.outcomes[outcome]
    return Finding(
        id=effect_id(name, outcome, at, contrast),
        analysis=name,
        kind="effect",
        outcome=outcome,
        at=at or None,
        contrast=contrast,
        among=analysis.among,
        units=spec.unit,
        role=spec.role,
        tier=tier_of(analysis, spec.role, planned=planned, claimed=claimed(study, name, outcome, at or None)),
        planned=planned,
        margin=spec.margin,
        good=spec.good,
        **found,
    )


def _claims(study: Study, step: TestStep, finding: Finding) -> bool:
    analysis = study.protocol.analyses.get(finding.analysis)
    if analysis is None or finding.kind != "effect" or finding.tier not in CLAIMED_TIERS:
        return False
    name, outcome = finding.analysis, finding.outcome or ""
    return any(answers_to(claim, name, analysis, outcome, finding.at) for claim in step.claims)


def _adjusted(
    step: TestStep,
    tested: Sequence[Finding],
    looking: Looking | None,
    jointly: Callable[[Sequence[Finding]], Together] | None,
) -> Together:
    """The p-values of a step, allowing first for looks and then for the other claims of the step.

    Claims that are drawn again together allow for each other first, within what is spent at the look.
    """
    if len(tested) > 1 and step.method == "westfall-young" and jointly is not None:
        together = jointly(tested)
        return together if looking is None else _after_looks(together, looking)
    p_values = [finding.p_value for finding in tested if finding.p_value is not None]
    if looking is not None:
        p_values = [looking.p_value(p) for p in p_values]
    if len(p_values) > 1 and step.method == "dunnett":
        p_values = _by_dunnett(tested, p_values)
    elif len(p_values) > 1:
        method = "holm" if step.method == "none" else step.method
        p_values = adjust_p_values(method, p_values).tolist()
    return Together({finding.id: float(p) for finding, p in zip(tested, p_values, strict=True)})


def _after_looks(together: Together, looking: Looking) -> Together:
    told = (
        "of the error rate, that share is used which is spent at this look, whatever the looks have in common"
    )
    return Together(
        {name: looking.p_value_together(p) for name, p in together.p_values.items()},
        (*together.notes, told),
    )


def _by_dunnett(tested: Sequence[Finding], p_values: Sequence[float]) -> list[float]:
    """Comparisons with one control, correlated as the people analysed in the arms make them."""
    dof = min(finding.dof or np.inf for finding in tested)
    sides = [str(finding.contrast).split(" - ") for finding in tested]
    arms = [finding.n[arm] for finding, (arm, _) in zip(tested, sides, strict=True)]
    loadings = shared_control_loadings(arms, tested[0].n[sides[0][1]])
    statistics = stats.t.isf(np.minimum(np.asarray(p_values), 1.0) / 2, dof)
    return dunnett_adjusted(statistics, loadings, dof).tolist()  # type: ignore[no-any-return]
