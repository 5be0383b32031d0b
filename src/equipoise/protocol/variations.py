"""A study as another of its designs: what a variation says put in place, and the defaults chosen anew."""

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce

from equipoise.protocol.claims import is_main
from equipoise.protocol.models.allocation import RatioRule, Stage
from equipoise.protocol.models.analyses import Analysis, TestStep
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.models.variations import Variation
from equipoise.protocol.spelling import Files, spell_out
from equipoise.protocol.study import Study

__all__ = ["varied"]


def varied(study: Study, *variations: Variation) -> Study:
    """The study with these variations put in place, one after another.

    Args:
        study: as loaded; what its protocol left to the design is chosen anew for the design that comes out.
        variations: a later one goes before an earlier one where both speak of the same.
    Returns:
        A study that is not locked. Names that dangle are left as they stand.
    """
    written = study.documents["protocol.yaml"].parse(Protocol) if study.documents else study.protocol
    changed = reduce(_changed, variations, written)
    spelled = spell_out(changed, Files(study.surveys, study.vignettes))
    for variation in variations:
        spelled = _spelled_changes(spelled, variation)
    return replace(study, protocol=spelled, registration=None)


def _changed(protocol: Protocol, variation: Variation) -> Protocol:
    """What has to stand before defaults are chosen."""
    update: dict[str, object] = {"units": {**protocol.units, **variation.units}}
    if variation.people is not None and protocol.participants is not None:
        update["participants"] = protocol.participants.model_copy(update={"expected": variation.people})
    if protocol.allocation:
        main = _stage(protocol.allocation[protocol.main_stage], variation)
        update["allocation"] = {**protocol.allocation, protocol.main_stage: main}
    update["analyses"] = _analyses(protocol.analyses, variation)
    if variation.outcomes is not None and protocol.testing is not None:
        update["testing"] = _testing(protocol.testing, variation.outcomes)
    assume = protocol.diagnosis.assume
    response = assume.response.model_copy(update={"waves": {**assume.response.waves, **variation.response}})
    update["diagnosis"] = protocol.diagnosis.model_copy(
        update={"assume": assume.model_copy(update={"response": response})}
    )
    return protocol.model_copy(update=update)


def _stage(stage: Stage, variation: Variation) -> Stage:
    update: dict[str, object] = {}
    if variation.strata is not None:
        update["strata"] = variation.strata
    if variation.ratio is not None:
        update["ratio"] = (RatioRule(shares=variation.ratio),)
    if variation.method is not None:
        update["method"] = variation.method
    return stage.model_copy(update=update)


def _analyses(analyses: Mapping[str, Analysis], variation: Variation) -> dict[str, Analysis]:
    """What is left of the analyses; one of no outcome is left out, and so is what would check it."""
    found = {name: _analysis(analysis, variation) for name, analysis in analyses.items()}
    found = {name: analysis for name, analysis in found.items() if analysis.outcomes != ()}
    return {
        name: analysis
        for name, analysis in found.items()
        if {analysis.sensitivity_of, analysis.supplementary_to} <= {None, *found}
    }


def _analysis(analysis: Analysis, variation: Variation) -> Analysis:
    update: dict[str, object] = {}
    if variation.adjust is not None and is_main(analysis):
        update["adjust"] = variation.adjust
    if variation.outcomes is not None:
        named = analysis.outcomes if analysis.outcomes is not None else variation.outcomes
        update["outcomes"] = tuple(name for name in named if name in variation.outcomes)
    return analysis.model_copy(update=update)


def _testing(steps: tuple[TestStep, ...], outcomes: tuple[str, ...]) -> tuple[TestStep, ...]:
    """The steps without the claims of outcomes that are not analysed; a step without claims is left out."""
    kept = [
        step.model_copy(update={"claims": tuple(c for c in step.claims if set(c.split(".")) & set(outcomes))})
        for step in steps
    ]
    return tuple(step for step in kept if step.claims)


def _spelled_changes(protocol: Protocol, variation: Variation) -> Protocol:
    """A wave that is not run leaves nothing to adjust for, nor do strata that are not drawn."""
    idle = {wave for wave, share in variation.response.items() if share == 0}
    if variation.strata == ():
        idle.add("strata")
    update = {
        name: analysis.model_copy(
            update={"adjust": tuple(each for each in analysis.adjust or () if each not in idle)}
        )
        for name, analysis in protocol.analyses.items()
    }
    return protocol.model_copy(update={"analyses": update})
