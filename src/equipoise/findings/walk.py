"""`analyse`: walk the plan in order, compute each entry, wrap it with its provenance."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from itertools import chain

import numpy as np
import polars as pl

from equipoise import __version__
from equipoise.errors import NotSupportedError
from equipoise.findings.deciding.claims import decided, effect_id, may_confirm
from equipoise.findings.deciding.looking import looking_of
from equipoise.findings.deciding.margins import against_plan
from equipoise.findings.deciding.masked import masked_finding
from equipoise.findings.deciding.progression import progressions
from equipoise.findings.deciding.sealing import Standing, standing_of, told_of_declared, told_of_looks
from equipoise.findings.deciding.stepdown import not_stepped_down, stepped_down
from equipoise.findings.describe import descriptions
from equipoise.findings.describe.arms import Arms
from equipoise.findings.effects import effect_findings
from equipoise.findings.exclusions import excluded_counts, sensitivity_without, without_excluded
from equipoise.findings.fitting.randomised import not_redrawn
from equipoise.findings.levels.learning import wave_findings
from equipoise.findings.levels.shrunk import shrunk_findings
from equipoise.findings.levels.subgroups import subgroup_findings
from equipoise.findings.ratings import rating_findings
from equipoise.findings.reading.data import StudyData
from equipoise.findings.reading.hashing import data_hash
from equipoise.findings.reading.indices import with_indices
from equipoise.findings.reading.scores import scored
from equipoise.findings.reliability import reliabilities
from equipoise.findings.results import Finding, Findings
from equipoise.findings.sampling.points import analysed_at, ever_measured, points_at, why_unmeasured
from equipoise.findings.sampling.strategies import under_strategies
from equipoise.findings.scheduled import compares_periods, scheduled_findings
from equipoise.protocol.checks.analyses import WAVE
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.registration import current_hash, refuse_changed
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import waves_before
from equipoise.streams import analysis_seed

__all__ = ["analyse"]


def analyse(study: Study, data: StudyData) -> Findings:
    """Everything that the plan names, then what `explore.yaml` adds, which is never planned.

    Args:
        study: as loaded. Where it is not locked, every result is exploratory and not planned.
        data: as read by `read_data`: scores, or the answers that they are made from. Where their arms are
            masked, what needs no arm is computed, and every effect is named as not tested.
    Returns:
        Findings in the order of the protocol.
    Raises:
        ProtocolError: the study is locked and its files have changed since.
        RosterError, ScoringError: the data are not what the protocol declares.
        NotSupportedError: the plan names something that this version cannot compute.
    """
    refuse_changed(study)
    refuse_unsupported(study)
    data_as_given, hash_ = data_hash(data), current_hash(study)
    standing = standing_of(data, hash_)
    data = scored(study, data)
    intended = with_indices(study, under_strategies(study, data))  # of parts that count as they are to
    data = with_indices(study, data)
    effects = list(_effects(study, intended))
    if not data.masked:
        effects = _judged(study, intended, effects, standing)
    excluded = excluded_counts(data, Arms(study.protocol, data))
    described = descriptions(study, data), excluded, reliabilities(study, data), progressions(study, data)
    found = chain(effects, *described)
    return Findings(
        study=study.protocol.study.id,
        protocol_hash=hash_,
        locked=study.registration.time if study.registration else None,
        data_hash=data_as_given,
        data_source=data.source,
        code_version=__version__,
        analysis_seed=analysis_seed(hash_),
        masked=data.masked,
        sealed=standing.sealed,
        seal=standing.seal,
        looks=data.looks,
        findings=tuple(_not_planned(finding) if study.registration is None else finding for finding in found),
    )


def _judged(study: Study, data: StudyData, effects: list[Finding], standing: Standing) -> list[Finding]:
    """Effects with their decisions, and with what keeps them from confirming anything."""
    reason = may_confirm(study, _first_answer(study, data), standing)
    reasons = () if reason is None else (f"not confirmatory: {reason}",)
    looking = looking_of(study, data)
    told = (*reasons, *told_of_looks(data.looks), *told_of_declared(study, data.looks, looking))
    jointly = partial(stepped_down, study, data)
    judged = decided(study, effects, confirms=reason is None, looking=looking, jointly=jointly)
    return [_told(against_plan(study, finding), told) for finding in judged]


def _not_planned(finding: Finding) -> Finding:
    """Without a locked protocol nothing was planned, descriptions no more than effects."""
    return finding.model_copy(update={"planned": False, "tier": "exploratory"})


def refuse_unsupported(study: Study) -> None:
    """Say plainly, before anything is computed, what this version cannot do yet.

    Raises:
        NotSupportedError: names every such entry of the plan.
    """
    found = []
    for name, analysis in {**study.protocol.analyses, **study.explore}.items():
        why = not_redrawn(study, analysis) if analysis.test.by == "randomisation" else None
        if why is not None:
            found.append(f"analyses.{name}: randomisation tests {why}")
    found += not_stepped_down(study)
    if found:
        listed = "\n  ".join(found)
        raise NotSupportedError(
            f"{study.protocol.study.id}: the protocol is well formed, but this version cannot yet compute\n"
            f"  {listed}"
        )


def _effects(study: Study, data: StudyData) -> Iterator[Finding]:
    planned = study.registration is not None
    named = [(name, analysis, planned) for name, analysis in study.protocol.analyses.items()]
    for name, analysis, foreseen in (*named, *((*one, False) for one in study.explore.items())):
        found = list(_analysis(study, data, name, analysis, planned=foreseen))
        yield from found
        if analysis.shrink and not data.masked:
            yield from shrunk_findings(name, analysis, found)


def _analysis(
    study: Study, data: StudyData, name: str, analysis: Analysis, *, planned: bool
) -> Iterator[Finding]:
    for outcome in analysis.outcomes or ():
        for text in analysis.contrast:
            if data.masked:
                whole = compares_periods(study, text)
                for at in ("",) if whole else points_at(study, analysis, outcome) or ("",):
                    yield masked_finding(study, data, name, analysis, outcome, at, text, planned=planned)
                continue
            if study.protocol.outcomes[outcome].task is not None:
                yield from rating_findings(study, data, name, analysis, outcome, text, planned=planned)
                continue
            if analysis.by == WAVE:
                yield from wave_findings(study, data, name, analysis, outcome, text, planned=planned)
                continue
            if compares_periods(study, text):
                yield from _scheduled(study, data, name, analysis, outcome, text, planned=planned)
                continue
            for at in points_at(study, analysis, outcome):
                compute = effect_findings if analysis.by is None else subgroup_findings
                why = why_unmeasured(study, data, analysis, outcome, at)
                if why is not None:
                    yield _unmeasured(study, name, outcome, at, text, why, planned=planned)
                    continue
                yield from compute(study, data, name, analysis, outcome, at, text, planned=planned)
                fewer = without_excluded(study, data, name, outcome, at)
                if fewer is not None and analysis.by is None and analysis.sensitivity_of is None:
                    again = compute(study, fewer, name, analysis, outcome, at, text, planned=planned)
                    left = _without_value(study, fewer, analysis, outcome, at) - _without_value(
                        study, data, analysis, outcome, at
                    )
                    yield from sensitivity_without(again, left)


def _scheduled(
    study: Study, data: StudyData, name: str, analysis: Analysis, outcome: str, text: str, *, planned: bool
) -> Iterator[Finding]:
    """A contrast over all periods of a schedule."""
    yield from scheduled_findings(study, data, name, analysis, outcome, text, planned=planned)
    fewer = without_excluded(study, data, name, outcome, None)
    if fewer is not None and analysis.sensitivity_of is None:
        again = scheduled_findings(study, fewer, name, analysis, outcome, text, planned=planned)
        left = _without_value(study, fewer, analysis, outcome, None) - _without_value(
            study, data, analysis, outcome, None
        )
        yield from sensitivity_without(again, left)


def _without_value(study: Study, data: StudyData, analysis: Analysis, outcome: str, at: str | None) -> int:
    """People without a value at a point of time; without one at any, where none is given."""
    if at is not None:
        return int(np.isnan(analysed_at(study, data, analysis, outcome, at)).sum())
    return int((~ever_measured(study, data, outcome)).sum())


def _unmeasured(
    study: Study, name: str, outcome: str, at: str, text: str, why: str, *, planned: bool
) -> Finding:
    spec = study.protocol.outcomes[outcome]
    return Finding(
        id=effect_id(name, outcome, at, text),
        analysis=name,
        kind="effect",
        outcome=outcome,
        at=at or None,
        contrast=text,
        role=spec.role,
        tier="exploratory" if not planned else spec.role,
        planned=planned,
        not_estimable=why,
    )


def _first_answer(study: Study, data: StudyData) -> datetime | None:
    """When the first outcome after allocation was answered, where the data say it."""
    before = waves_before(study.protocol, study.protocol.main_stage)
    moments = []
    for wave in study.protocol.waves:
        column = f"answered_{wave}"
        if wave not in before and data.has(column) and data.participants[column].dtype != pl.Boolean:
            first = data.participants[column].min()
            if isinstance(first, datetime):
                moments.append(first)
    return min(moments, default=None)


def _told(finding: Finding, told: tuple[str, ...]) -> Finding:
    if finding.tier not in ("primary", "secondary") or not told:
        return finding
    return finding.model_copy(update={"warnings": (*finding.warnings, *told)})
