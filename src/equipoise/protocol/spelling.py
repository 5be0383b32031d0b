"""The spelled-out protocol: every default that the design chooses, written down.

One default and one trigger for each, computable at the lock; nothing is chosen on sight of the outcomes.
Names that dangle are left as they stand: the checks report them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from equipoise.errors import EquipoiseError
from equipoise.instruments.definition import Instrument
from equipoise.instruments.library import instrument_ids, load
from equipoise.protocol.claims import is_main
from equipoise.protocol.contrasts import Contrast, expand_contrasts
from equipoise.protocol.factors import (
    compared_stage,
    contrast_factors,
    default_factor,
    reference_arm,
    waves_measuring,
)
from equipoise.protocol.models.allocation import Arm, RatioRule, Stage
from equipoise.protocol.models.analyses import MODEL_BASED, Analysis, Dof, ModelName, TestStep, Variance
from equipoise.protocol.models.assumptions import AssumedOutcome, Diagnosis
from equipoise.protocol.models.fieldwork import Wave
from equipoise.protocol.models.files import Vignette
from equipoise.protocol.models.outcomes import Outcome
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.models.surveys import Survey
from equipoise.protocol.timeline import waves_before

__all__ = ["Files", "spell_out", "spell_out_analyses"]

_REPEATABLE = ("linear", "lin-interacted")
LEAST_ANSWERED = 0.5
"""The share of an index's parts that somebody has answered, where the protocol does not say."""
_WEIGHTED: Mapping[str, ModelName] = {"hajek": "linear", "horvitz-thompson": "difference-in-means"}
_OF_ANY_MODEL = {"bounds", "tipping-point", "lee"}
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
    if outcome.index is not None:
        update |= {
            "good": outcome.good or "high",
            "weights": outcome.weights or "equal",
            "least_answered": outcome.least_answered or LEAST_ANSWERED,
            "unit": outcome.unit or "SD of the control arm",
        }
    elif "good" not in update and outcome.good is None:
        update["good"] = "neither"
    return outcome.model_copy(update=update)


def _diagnosis(protocol: Protocol) -> Diagnosis:
    others = [arm for arm in protocol.arms if arm != reference_arm(tuple(protocol.arms))]
    diagnosis = protocol.diagnosis

    def spelled(assumed: AssumedOutcome) -> AssumedOutcome:
        effects = tuple(
            effect.model_copy(update={"arm": arm})
            for effect in assumed.effects
            for arm in (others if effect.arm == EVERY_OTHER_ARM else [effect.arm])
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
    main = [analysis for analysis in protocol.analyses.values() if is_main(analysis)]
    analysed = {name for analysis in main for name in analysis.outcomes or protocol.outcomes}
    by_role = {
        role: tuple(
            name for name, outcome in protocol.outcomes.items() if outcome.role == role and name in analysed
        )
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
    tasks = [outcome.task for outcome in outcomes.values() if outcome.task is not None]
    contrasts = _contrasts(analysis, protocol, files)
    stage = compared_stage(protocol, contrasts)
    asked = {name: waves_measuring(protocol, files.surveys, outcome) for name, outcome in outcomes.items()}
    cluster = analysis.cluster or ("participant" if tasks else _cluster(protocol, stage))
    compliers = analysis.target == "complier"
    model = analysis.model or _WEIGHTED.get(analysis.weights or "")
    model = model or ("linear" if tasks or compliers else _model(protocol, stage))
    if analysis.model is None and model in _REPEATABLE and _repeats(analysis, protocol, outcomes, stage):
        model = "mmrm"
    adjust = analysis.adjust
    if adjust is None:
        adjust = _drawn(tasks, protocol, files) if tasks else _adjustments(protocol, asked, stage, model)
        # weights are by the chances that strata gave, a change is from the score before already
        allowed_for = (analysis.change_from, "strata" if analysis.weights is not None else None)
        adjust = tuple(name for name in adjust if name not in allowed_for)
    update: dict[str, object] = {
        "outcomes": names,
        "at": analysis.at or ("each",),
        "contrast": tuple(dict.fromkeys(contrast.text for contrast in contrasts)),
        "adjust": adjust,
        "unadjusted": _unadjusted(asked, adjust, waves_before(protocol, stage)),
        "missing": _missing(analysis, protocol, stage, rated=bool(tasks)),
        "cluster": cluster,
        "model": model,
        "variance": analysis.variance or _variance(model, clustered=cluster is not None),
        "dof": _dof(analysis, model),
        "average_over": analysis.average_over or "people",
    }
    return analysis.model_copy(update=update)


def _contrasts(analysis: Analysis, protocol: Protocol, files: Files) -> list[Contrast]:
    """The contrasts, shorthands expanded; left out, every other arm against the one to compare with."""
    factors, factor = contrast_factors(protocol, files.vignettes), default_factor(protocol)
    arms = factors.get(factor, ())
    written = analysis.contrast
    if not written and len(arms) > 1:
        written = (f"each - {reference_arm(arms)}",)
    spelled: list[Contrast] = []
    for text in written:
        try:
            spelled += expand_contrasts(text, factors, factor)
        except EquipoiseError:
            spelled.append(Contrast(text, ()))  # the checks say what is wrong with it
    return spelled


def _drawn(tasks: Sequence[str], protocol: Protocol, files: Files) -> tuple[str, ...]:
    """What was drawn for a rating: the attributes of its vignette, and the position."""
    paths = [protocol.tasks[task].vignette for task in tasks if task in protocol.tasks]
    attributes = [
        name for path in paths if path in files.vignettes for name in files.vignettes[path].attributes
    ]
    return (*dict.fromkeys(attributes), "position")


def _adjustments(
    protocol: Protocol, asked: Mapping[str, tuple[str, ...]], name: str, model: str
) -> tuple[str, ...]:
    """The scores before where anything was asked before, what the draw balanced, and the strata as drawn.

    A difference in means has no covariates: it weights the strata by the people randomised in each.
    """
    if name not in protocol.allocation:
        return ()
    stage = protocol.allocation[name]
    strata = ("strata",) if stage.drawn_within else ()
    if model == "difference-in-means":
        return strata
    before = [wave for wave in waves_before(protocol, name) if any(wave in waves for waves in asked.values())]
    return (*before[-1:], *stage.balanced_on, *strata)


def _unadjusted(
    asked: Mapping[str, tuple[str, ...]], adjust: tuple[str, ...], before: tuple[str, ...]
) -> tuple[str, ...]:
    """Outcomes that the waves of `adjust` did not ask for: they are left unadjusted, by name."""
    waves = set(adjust) & set(before)
    return tuple(name for name, asking in asked.items() if waves and not waves & set(asking))


def _missing(analysis: Analysis, protocol: Protocol, stage: str, *, rated: bool) -> tuple[str, ...]:
    """Bounds and tipping points are of an effect as randomised at one time, and stand beside it once."""
    if analysis.missing is not None:
        return analysis.missing
    if protocol.gives_sequences(stage):
        return ()
    checks_another = analysis.sensitivity_of or analysis.supplementary_to or analysis.by or rated
    of_takers = analysis.target == "complier" or analysis.kind == "per-protocol"
    return () if checks_another or of_takers or analysis.weights else ("bounds", "tipping-point")


def _cluster(protocol: Protocol, stage: str) -> str | None:
    unit = protocol.allocation[stage].unit if stage in protocol.allocation else "participant"
    return None if unit == "participant" else unit


def _model(protocol: Protocol, name: str) -> ModelName:
    """One model for each design, never chosen on sight of the outcomes.

    Equal ratios: least squares on the arms (Samii & Aronow 2012). Unequal ratios over strata: the strata's
    differences weighted by their people, since dummies weight them by n p (1 - p); with clusters by Lin's
    estimator, which weights alike. Other unequal ratios, or more arms: Lin (2013). Sequences of arms: a
    mixed model of the periods.
    """
    if name not in protocol.allocation:
        return "linear"
    stage = protocol.allocation[name]
    if protocol.gives_sequences(name):
        return "mixed"
    shares = [tuple(rule.shares.values()) for rule in stage.ratio]
    unequal = len(shares) > 1 or any(len(set(rule)) > 1 for rule in shares)
    clustered = stage.unit != "participant"
    if unequal and stage.drawn_within:
        return "lin-interacted" if clustered else "difference-in-means"
    return "lin-interacted" if not clustered and (unequal or len(stage.arms) > 2) else "linear"


def _repeats(analysis: Analysis, protocol: Protocol, outcomes: Mapping[str, Outcome], stage: str) -> bool:
    """Whether all outcomes are numbers asked of the same people at two waves or more after the draw.

    Not where something is asked for that repeated waves do not have: another error, another test, levels,
    imputation.
    """
    before = waves_before(protocol, stage)
    repeated = [len(set(outcome.waves) - set(before)) > 1 for outcome in outcomes.values()]
    plain = all(outcome.scale == "continuous" for outcome in outcomes.values())
    other = analysis.variance or analysis.cluster or analysis.by or analysis.weights or analysis.change_from
    of_takers = analysis.kind != "as-randomised" or analysis.target == "complier"
    needs_linear = (
        other or of_takers or analysis.test.by != "t" or set(analysis.missing or ()) - _OF_ANY_MODEL
    )
    drawn = stage in protocol.allocation and protocol.allocation[stage].unit == "participant"
    return (
        bool(repeated)
        and all(repeated)
        and plain
        and drawn
        and not needs_linear
        and analysis.dof != "residual"
    )


def _variance(model: str, *, clustered: bool) -> Variance:
    if model in MODEL_BASED:
        return "classical"
    if model in ("logistic", "ordinal", "poisson"):
        return "CR1" if clustered else "HC1"
    if model == "difference-in-means":
        return "neyman"
    return "CR2" if clustered else "HC2"


def _dof(analysis: Analysis, model: str) -> Dof:
    """Kenward-Roger for mixed models, whose variances are estimated too; what is written stays."""
    written = "dof" in analysis.model_fields_set
    return "kenward-roger" if model in MODEL_BASED and not written else analysis.dof


def _words(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").capitalize()
