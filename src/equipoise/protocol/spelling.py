"""The spelled-out protocol: every default that the design chooses, written down.

One default and one trigger for each, computable at the lock; nothing is chosen on sight of the outcomes.
Names that dangle are left as they stand: the checks report them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from equipoise.errors import EquipoiseError
from equipoise.instruments.definition import Instrument
from equipoise.instruments.library import instrument_ids, load
from equipoise.protocol.contrasts import expand_contrasts
from equipoise.protocol.factors import contrast_factors, default_factor, waves_asking
from equipoise.protocol.models.allocation import Arm, RatioRule, Stage
from equipoise.protocol.models.analyses import Analysis, ModelName, TestStep, Variance
from equipoise.protocol.models.assumptions import AssumedEffect, AssumedOutcome, Diagnosis
from equipoise.protocol.models.fieldwork import Wave
from equipoise.protocol.models.files import Survey, Vignette
from equipoise.protocol.models.outcomes import Outcome
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.timeline import waves_before

__all__ = ["Files", "spell_out", "spell_out_analyses"]

EVERY_OTHER_ARM = "each_other_arm"


@dataclass(frozen=True)
class Files:
    """What the design needs to know of the other files: which survey asks what, what is drawn."""

    surveys: Mapping[str, Survey]
    vignettes: Mapping[str, Vignette]


def spell_out(protocol: Protocol, files: Files) -> Protocol:
    """The protocol with its defaults written out; spelling it out again changes nothing.

    Args:
        protocol: as written.
        files: the surveys and vignettes that it names.
    """
    protocol = protocol.model_copy(
        update={
            "allocation": {name: _stage(stage, protocol) for name, stage in protocol.allocation.items()},
            "waves": {name: _wave(wave) for name, wave in protocol.waves.items()},
            "outcomes": {name: _outcome(name, outcome) for name, outcome in protocol.outcomes.items()},
        }
    )
    protocol = protocol.model_copy(update={"diagnosis": _diagnosis(protocol), "testing": _testing(protocol)})
    return protocol.model_copy(update={"analyses": spell_out_analyses(protocol.analyses, protocol, files)})


def spell_out_analyses(
    analyses: Mapping[str, Analysis], protocol: Protocol, files: Files
) -> dict[str, Analysis]:
    """Analyses with their defaults written out, for a protocol whose outcomes and stages are spelled out."""
    return {name: _analysis(analysis, protocol, files) for name, analysis in analyses.items()}


def _stage(stage: Stage, protocol: Protocol) -> Stage:
    names = list(stage.arms)
    if stage.to == "sequences" and protocol.schedule is not None:
        names = list(protocol.schedule.sequences)
    ratio = stage.ratio or ((RatioRule(shares=dict.fromkeys(names, 1)),) if names else ())
    arms = {
        name: arm if arm.label else Arm(label=_words(name), description=arm.description)
        for name, arm in stage.arms.items()
    }
    method = "complete" if stage.method == "blocked" and not stage.strata else stage.method
    return stage.model_copy(update={"arms": arms, "ratio": ratio, "method": method})


def _wave(wave: Wave) -> Wave:
    if wave.remind is None or wave.remind.channel is not None or wave.invite is None:
        return wave
    return wave.model_copy(update={"remind": wave.remind.model_copy(update={"channel": wave.invite.channel})})


def _outcome(name: str, outcome: Outcome) -> Outcome:
    update: dict[str, object] = {} if outcome.label else {"label": _words(name)}
    if outcome.scale == "yes-no" and outcome.range is None:
        update["range"] = (0.0, 1.0)
    if outcome.instrument in instrument_ids():
        definition = load(str(outcome.instrument))
        if isinstance(definition, Instrument):
            score = outcome.score or (next(iter(definition.scores)) if len(definition.scores) == 1 else None)
            update["score"] = score
            if score is not None and score in definition.scores:
                rule = definition.scores[score]
                update |= {"good": outcome.good or rule.good, "range": outcome.range or rule.range}
    if "good" not in update and outcome.good is None:
        update["good"] = "neither"
    return outcome.model_copy(update=update)


def _diagnosis(protocol: Protocol) -> Diagnosis:
    arms = list(protocol.arms)
    diagnosis = protocol.diagnosis

    def spelled(assumed: AssumedOutcome) -> AssumedOutcome:
        effects = tuple(
            AssumedEffect(arm=arm, constant=effect.constant, by_week=effect.by_week)
            for effect in assumed.effects
            for arm in (arms[1:] if effect.arm == EVERY_OTHER_ARM else [effect.arm])
        )
        return assumed.model_copy(update={"effects": effects})

    outcomes = {name: spelled(assumed) for name, assumed in diagnosis.assume.outcomes.items()}
    return diagnosis.model_copy(update={"assume": diagnosis.assume.model_copy(update={"outcomes": outcomes})})


def _testing(protocol: Protocol) -> tuple[TestStep, ...]:
    """Primary first, then Holm over the secondary."""
    if protocol.testing is not None:
        return tuple(
            step
            if step.method != "none" or len(step.claims) == 1
            else step.model_copy(update={"method": "holm"})
            for step in protocol.testing
        )
    by_role = {
        role: tuple(name for name, outcome in protocol.outcomes.items() if outcome.role == role)
        for role in ("primary", "secondary")
    }
    if not protocol.allocation and not protocol.tasks:
        return ()
    return tuple(
        TestStep(claims=claims, method="none" if len(claims) == 1 else "holm")
        for claims in by_role.values()
        if claims
    )


def _analysis(analysis: Analysis, protocol: Protocol, files: Files) -> Analysis:
    names = analysis.outcomes if analysis.outcomes is not None else tuple(protocol.outcomes)
    outcomes = {name: protocol.outcomes[name] for name in names if name in protocol.outcomes}
    rated = any(outcome.task for outcome in outcomes.values())
    waves = waves_before(protocol, protocol.main_stage)
    asked = {name: waves_asking(protocol, files.surveys, outcome) for name, outcome in outcomes.items()}
    adjust = analysis.adjust if analysis.adjust is not None else _adjustments(protocol, asked, rated)
    update: dict[str, object] = {
        "outcomes": names,
        "at": analysis.at or ("each",),
        "contrast": _contrasts(analysis, protocol, files),
        "adjust": adjust,
        "unadjusted": _unadjusted(asked, adjust, waves),
        "missing": analysis.missing if analysis.missing is not None else _missing(analysis, rated),
        "cluster": analysis.cluster or _cluster(protocol, rated),
    }
    model = analysis.model or _model(protocol, rated)
    clustered = update["cluster"] is not None
    update["model"] = model
    update["variance"] = analysis.variance or _variance(model, clustered=clustered)
    update["average_over"] = analysis.average_over or "people"
    return analysis.model_copy(update=update)


def _contrasts(analysis: Analysis, protocol: Protocol, files: Files) -> tuple[str, ...]:
    factors, factor = contrast_factors(protocol, files.vignettes), default_factor(protocol)
    arms = factors.get(factor, ())
    written = analysis.contrast
    if not written and len(arms) > 1:
        written = (f"{arms[1]} - {arms[0]}",) if len(arms) == 2 else (f"each - {arms[0]}",)
    spelled: list[str] = []
    for text in written:
        try:
            spelled += [contrast.text for contrast in expand_contrasts(text, factors, factor)]
        except EquipoiseError:
            spelled.append(text)  # the checks say what is wrong with it
    return tuple(dict.fromkeys(spelled))


def _adjustments(protocol: Protocol, asked: Mapping[str, tuple[str, ...]], rated: bool) -> tuple[str, ...]:
    """The scores before where anything was asked before, and the strata as drawn."""
    if rated or not protocol.allocation:
        return ()
    before = [
        wave
        for wave in waves_before(protocol, protocol.main_stage)
        if any(wave in waves for waves in asked.values())
    ]
    strata = ["strata"] if protocol.allocation[protocol.main_stage].strata else []
    return (*before[-1:], *strata)


def _unadjusted(
    asked: Mapping[str, tuple[str, ...]], adjust: tuple[str, ...], before: tuple[str, ...]
) -> tuple[str, ...]:
    """Outcomes that the waves of `adjust` did not ask for: they are left unadjusted, by name."""
    waves = set(adjust) & set(before)
    return tuple(name for name, asking in asked.items() if waves and not waves & set(asking))


def _missing(analysis: Analysis, rated: bool) -> tuple[str, ...]:
    checks_another = analysis.sensitivity_of or analysis.supplementary_to or analysis.by or rated
    return () if checks_another else ("bounds", "tipping-point")


def _cluster(protocol: Protocol, rated: bool) -> str | None:
    if rated:
        return "participant"
    if not protocol.allocation:
        return None
    unit = protocol.allocation[protocol.main_stage].unit
    return None if unit == "participant" else unit


def _model(protocol: Protocol, rated: bool) -> ModelName:
    """statistics.md, 'Which analysis a design gets by default'."""
    if rated or not protocol.allocation:
        return "linear"
    stage = protocol.allocation[protocol.main_stage]
    shares = [tuple(rule.shares.values()) for rule in stage.ratio]
    if len(shares) > 1 and stage.strata:
        return "difference-in-means"
    unequal = any(len(set(rule)) > 1 for rule in shares)
    if stage.unit == "participant" and (unequal or len(stage.arms) > 2):
        return "difference-in-means" if unequal and stage.strata else "lin-interacted"
    return "linear"


def _variance(model: str, *, clustered: bool) -> Variance:
    if clustered:
        return "CR2"
    return "neyman" if model == "difference-in-means" else "HC2"


def _words(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").capitalize()
