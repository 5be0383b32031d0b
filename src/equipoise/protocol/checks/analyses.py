"""Analyses, the order of claims, and looks: each names things that exist and may be used."""

from collections.abc import Iterator
from contextlib import suppress

from equipoise.errors import EquipoiseError, Problem
from equipoise.protocol.checks.changes import check_change
from equipoise.protocol.checks.missing import check_missing
from equipoise.protocol.checks.models import check_model
from equipoise.protocol.checks.places import at, expression_problems, unknown
from equipoise.protocol.checks.shrinking import check_shrinking
from equipoise.protocol.checks.take_up import check_take_up
from equipoise.protocol.checks.weights import check_weights
from equipoise.protocol.claims import is_main, may_be_claimed
from equipoise.protocol.contrasts import Contrast, parse_contrast
from equipoise.protocol.factors import compared_stage, contrast_factors, default_factor, waves_measuring
from equipoise.protocol.facts import before_allocation, rating_facts
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import waves_before
from equipoise.protocol.waves import points_of

__all__ = ["DOSE", "NO_GROUPS", "WAVE", "WEEK_SINCE_LAUNCH", "check_analyses"]

Path = tuple[str | int, ...]
WEEK_SINCE_LAUNCH, DOSE, WAVE = "week since launch", "dose", "wave"
NO_GROUPS = (WEEK_SINCE_LAUNCH, DOSE, WAVE)


def check_analyses(study: Study) -> Iterator[Problem]:
    """Planned analyses, unplanned ones (explore.yaml), testing."""
    protocol = study.protocol
    if protocol.study.kind in ("trial", "survey-experiment") and not protocol.analyses:
        yield at(study, "analyses", message="a trial says in `analyses:` what will be computed")
    for name, analysis in protocol.analyses.items():
        yield from _analysis(study, "protocol.yaml", ("analyses", name), analysis)
    explored = study.documents.get("explore.yaml")
    for name, analysis in study.explore.items():
        wrapped = (
            explored is not None and isinstance(explored.data, dict) and set(explored.data) == {"analyses"}
        )
        yield from _analysis(study, "explore.yaml", ("analyses", name) if wrapped else (name,), analysis)
        if name in protocol.analyses and explored is not None:
            yield explored.problem((name,), f'"{name}" is a planned analysis already; choose another name')
    yield from _testing(study)


def _analysis(study: Study, file: str, path: Path, analysis: Analysis) -> Iterator[Problem]:
    for problem in _analysis_in_protocol(study, path, analysis):
        if file == "protocol.yaml":
            yield problem
        else:
            found = study.documents[file]
            where = problem.where.split(".")[len(path) :]
            yield found.problem((*path, *where), problem.message)


def _analysis_in_protocol(study: Study, path: Path, analysis: Analysis) -> Iterator[Problem]:
    protocol = study.protocol
    for place, name in enumerate(analysis.outcomes or ()):
        if name not in protocol.outcomes:
            where = (*path, "outcomes", place)
            yield unknown(study, where, name, "an outcome of this study", protocol.outcomes, "Outcomes")
    for place, point in enumerate(analysis.at or ()):
        for wave in points_of(point):
            if wave not in protocol.waves:
                where = (*path, "at", place)
                yield unknown(study, where, wave, "a wave of this study", protocol.waves, "Waves")
    stage = compared_stage(protocol, _parsed(study, analysis))
    if not any(problems := [*_contrasts(study, path, analysis)]):
        problems += _measured(study, path, analysis, stage)
    yield from problems
    rated = _rated(study, analysis)
    drawn = stage if stage in protocol.allocation else None
    schema = rating_facts(protocol, study.vignettes) if rated else before_allocation(protocol, drawn)
    yield from expression_problems(study, (*path, "among"), analysis.among, schema)
    yield from _adjust(study, path, analysis, stage)
    yield from check_model(study, path, analysis, stage, rated=rated)
    yield from check_take_up(study, path, analysis, rated=rated)
    yield from check_change(study, path, analysis, stage, rated=rated)
    yield from check_shrinking(study, path, analysis, rated=rated)
    yield from check_weights(study, path, analysis, stage, rated=rated)
    yield from check_missing(study, path, analysis)
    yield from _references(study, path, analysis)


def _rated(study: Study, analysis: Analysis) -> bool:
    outcomes = study.protocol.outcomes
    return any(name in outcomes and outcomes[name].task for name in analysis.outcomes or ())


def _contrasts(study: Study, path: Path, analysis: Analysis) -> Iterator[Problem]:
    factors = contrast_factors(study.protocol, study.vignettes)
    for place, text in enumerate(analysis.contrast):
        try:
            parse_contrast(text, factors, default_factor(study.protocol))
        except EquipoiseError as error:
            yield at(study, *path, "contrast", place, message=str(error))


def _parsed(study: Study, analysis: Analysis) -> list[Contrast]:
    """The contrasts that can be read; the others are problems of their own."""
    factors = contrast_factors(study.protocol, study.vignettes)
    found = []
    for text in analysis.contrast:
        with suppress(EquipoiseError):
            found.append(parse_contrast(text, factors, default_factor(study.protocol)))
    return found


def _measured(study: Study, path: Path, analysis: Analysis, stage: str) -> Iterator[Problem]:
    """Every outcome is measured at a point that the analysis looks at, after the stage that it compares."""
    protocol = study.protocol
    named = {wave for point in analysis.at or () for wave in points_of(point)}
    if not named or any(not points_of(point) for point in analysis.at or ()):
        return
    before = waves_before(protocol, stage)
    for wave in sorted(named & set(before)):
        message = f'"{wave}" closes before the allocation; effects are looked at in waves after it'
        yield at(study, *path, "at", message=message)
    for name in analysis.outcomes or ():
        waves = protocol.outcomes[name].waves if name in protocol.outcomes else ()
        if waves and not named & set(waves) and {*named, *waves} <= set(protocol.waves):
            listed, own = ", ".join(sorted(named)), ", ".join(waves)
            message = f'"{name}" is measured at {own}, not at {listed}; name the outcomes of this analysis'
            yield at(study, *path, "outcomes", message=message)


def _adjust(study: Study, path: Path, analysis: Analysis, stage: str) -> Iterator[Problem]:
    protocol = study.protocol
    before = waves_before(protocol, stage)
    participants = protocol.participants
    columns = [*participants.roster, *participants.derived] if participants else []
    asked = {wave for name in analysis.outcomes or () if name in protocol.outcomes
             for wave in waves_measuring(protocol, study.surveys, protocol.outcomes[name])}  # fmt: skip
    factors = contrast_factors(protocol, study.vignettes)
    for place, name in enumerate(analysis.adjust or ()):
        where = (*path, "adjust", place)
        if name in protocol.waves and name not in before:
            message = (
                f'"{name}" was measured after allocation, so it may have been changed by it and cannot be '
                f"adjusted for. Allowed: waves before the allocation ({', '.join(before) or 'none'}), "
                "strata, roster columns"
            )
            yield at(study, *where, message=message)
        elif name in protocol.outcomes or any(
            name == f"{o}_{w}" for o in protocol.outcomes for w in protocol.waves
        ):
            message = (
                f'"{name}" is an outcome; `adjust` takes the name of a wave before the allocation instead'
            )
            yield at(study, *where, message=message)
        elif name not in (*before, *columns, "strata", "task", "position", "order", *factors):
            allowed = [*before, "strata", *columns]
            yield unknown(study, where, name, "known from before the allocation", allowed, "Allowed")
        elif (
            name in before
            and asked
            and name not in asked
            and len(analysis.unadjusted) == len(analysis.outcomes or ())
        ):
            yield at(study, *where, message=f'none of these outcomes was asked at "{name}"')


def _references(study: Study, path: Path, analysis: Analysis) -> Iterator[Problem]:
    protocol = study.protocol
    names = [name for name in (*protocol.analyses, *study.explore) if name != path[-1]]
    for key in ("sensitivity_of", "supplementary_to"):
        target = getattr(analysis, key)
        if target is not None and target not in names:
            yield unknown(study, (*path, key.replace("_", "-")), target, "an analysis", names, "Analyses")
    columns = list(protocol.participants.roster) if protocol.participants else []
    units = ["participant", *protocol.units, *columns]
    declared = {stage.unit for stage in protocol.allocation.values()}  # checked with their stages
    if analysis.cluster is not None and analysis.cluster not in {*units, *declared}:
        yield unknown(
            study, (*path, "cluster"), analysis.cluster, "a unit or column", units, "Units and columns"
        )
    factors = contrast_factors(protocol, study.vignettes)
    derived = list(protocol.participants.derived) if protocol.participants else []
    groupings = [*NO_GROUPS, *columns, *derived, *factors]
    if analysis.by is not None and analysis.by not in groupings:
        yield unknown(
            study, (*path, "by"), analysis.by, "something to tell results apart by", groupings, "Allowed"
        )
    allocated = protocol.allocation.get(protocol.main_stage)
    fixed = allocated is not None and allocated.method == "minimised" and allocated.biased_coin == 1
    if analysis.test.by == "randomisation" and fixed:
        message = "deterministic minimisation has no set of allocations to re-draw; use `test: t` or a biased"
        message += " coin"
        yield at(study, *path, "test", message=message)


def _testing(study: Study) -> Iterator[Problem]:
    protocol = study.protocol
    claimable = _claimable(study)
    seen: dict[str, int] = {}
    for step, plan in enumerate(protocol.testing or ()):
        for place, claim in enumerate(plan.claims):
            where = ("testing", step, "claims", place)
            outcome, _, wave = claim.partition(".")
            if claim not in claimable and outcome in protocol.outcomes and not wave:
                message = f'no main analysis measures "{claim}", so nothing can be claimed of it'
                yield at(study, *where, message=message)
            elif claim not in claimable:
                what = "an outcome, outcome.wave or analysis.outcome of a main analysis"
                yield unknown(study, where, claim, what, claimable, "Claims")
            elif claim in seen:
                yield at(study, *where, message=f'"{claim}" is claimed in step {seen[claim] + 1} already')
            seen[claim] = step


def _claimable(study: Study) -> list[str]:
    """Whatever a claim may name, outcomes first."""
    found: dict[str, None] = {}
    for name, analysis in study.protocol.analyses.items():
        for outcome in analysis.outcomes or ():
            if outcome not in study.protocol.outcomes:
                continue
            if may_be_claimed(analysis):
                found[f"{name}.{outcome}"] = None
            if is_main(analysis):
                found[outcome] = None
                found |= {f"{outcome}.{wave}": None for wave in study.protocol.outcomes[outcome].waves}
    return sorted(found, key=lambda claim: ("." in claim, claim))
