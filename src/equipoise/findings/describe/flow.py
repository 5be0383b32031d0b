"""The flow of people: randomised, sent, answered, analysed; response by arm; harms."""

from collections.abc import Iterator

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.missing.response import response_contrast
from equipoise.findings.deciding.masked import letters
from equipoise.findings.describe.arms import LEVEL, Arms, counts_by_arm, share_of
from equipoise.findings.estimates import interval_of
from equipoise.findings.reading.data import StudyData
from equipoise.findings.results import Finding
from equipoise.findings.sampling.covariates import Labels, labels_of
from equipoise.findings.sampling.sample import Bools
from equipoise.protocol.contrasts import parse_contrast
from equipoise.protocol.factors import contrast_factors, default_factor
from equipoise.protocol.study import Study

__all__ = ["answered_by", "clusters_of", "flow", "harms", "response"]


def flow(study: Study, data: StudyData, arms: Arms) -> Iterator[Finding]:
    drawn = study.protocol.allocation and not (data.masked and not letters(study, data))
    first = "randomised" if drawn else "enrolled"
    steps: dict[str, Bools] = {first: np.ones(data.participants.height, dtype=bool)}
    for contact in study.protocol.contacts:
        column = study.protocol.sent_column(contact)
        if data.has(column):
            steps[f"sent_{contact}"] = data.happened(column)
    for wave in study.protocol.waves:
        if (answered := answered_by(study, data, wave)) is not None:
            steps[f"answered_{wave}"] = answered
    for step, rows in steps.items():
        yield from counts_by_arm(f"flow.{step}", "flow", step, rows, arms)
        if data.masked and step == first:
            yield from _by_letter(study, data, step)
    for name, outcome in study.protocol.outcomes.items():
        for wave in outcome.waves or ("",):
            column = study.protocol.frame_column(name, wave or None)
            if outcome.task is None and data.has(column):
                rows = ~np.isnan(data.numbers(column))
                stem = f"flow.analysed.{name}" if len(outcome.waves) < 2 else f"flow.analysed.{name}.{wave}"
                yield from counts_by_arm(stem, "flow", f"analysed.{name}", rows, arms)


def _by_letter(study: Study, data: StudyData, step: str) -> Iterator[Finding]:
    """While the arms are masked, only how many were randomised is told apart."""
    for letter, count in letters(study, data).items():
        yield Finding(
            id=f"flow.{step}.{letter}", analysis="flow", kind="count", outcome=step, arm=letter,
            estimate=float(count),
        )  # fmt: skip


def response(study: Study, data: StudyData, arms: Arms) -> Iterator[Finding]:
    for wave in study.protocol.waves:
        answered = answered_by(study, data, wave)
        if answered is None:
            continue
        for arm in arms.names:
            members = arms.members[arm]
            yield share_of(f"response.{wave}", "response", wave, answered, members, arms, arm)
        for text in () if data.masked else _arm_contrasts(study):
            yield _difference(study, data, arms, wave, text, answered)


def _difference(study: Study, data: StudyData, arms: Arms, wave: str, text: str, answered: Bools) -> Finding:
    """How much response to a wave differs between arms, with its interval and test."""
    contrast = parse_contrast(text, contrast_factors(study.protocol, {}), default_factor(study.protocol))
    names = [arm for arm in arms.names if arm is not None]
    code = np.full(len(answered), -1, dtype=np.int64)
    for number, arm in enumerate(names):
        code[arms.members[arm]] = number
    inside, cluster = code >= 0, clusters_of(study, data)
    finding = Finding(
        id=f"response.{wave}.{text}", analysis="response", kind="effect", outcome=wave, contrast=text
    )
    try:
        found = response_contrast(
            answered[inside],
            code[inside],
            [float(weight) for weight in contrast.weights(names)],
            cluster=None if cluster is None else cluster[inside],
            level=LEVEL,
            arm_names=names,
        )
    except DesignError as error:
        return finding.model_copy(update={"not_estimable": str(error)})
    return finding.model_copy(
        update={
            "estimate": found.estimate,
            "interval": None if found.interval is None else interval_of(found.interval),
            "p_value": found.p_value,
            "model": f"difference in the share that answered; {found.method}",
        }
    )


def clusters_of(study: Study, data: StudyData) -> Labels | None:
    """The cluster of each participant; None where people were allocated one by one, or it is not known."""
    stage = study.protocol.allocation.get(study.protocol.main_stage)
    if stage is None or stage.unit == "participant" or not data.has(stage.unit):
        return None
    return labels_of(data, stage.unit)


def _arm_contrasts(study: Study) -> list[str]:
    """The contrasts of the main stage's arms that the plan names; of sequences of arms there are none."""
    if study.protocol.gives_sequences(study.protocol.main_stage):
        return []
    factor = default_factor(study.protocol)
    found = []
    for analysis in study.protocol.analyses.values():
        for text in analysis.contrast:
            contrast = parse_contrast(text, contrast_factors(study.protocol, study.vignettes), factor)
            if contrast.supported and contrast.factors == (factor,):
                found.append(text)
    return list(dict.fromkeys(found))


def harms(study: Study, data: StudyData, arms: Arms) -> Iterator[Finding]:
    for harm in study.protocol.harms:
        if data.has(harm):
            yield from counts_by_arm(f"harms.{harm}", "harms", harm, data.happened(harm), arms)


def answered_by(study: Study, data: StudyData, wave: str) -> Bools | None:
    """Who answered a wave: as the data say, else whoever has an outcome of it; None where neither tells."""
    if data.has(f"answered_{wave}"):
        return data.happened(f"answered_{wave}")
    if wave in data.answers:
        return (
            data.participants[data.identifier].is_in(data.answers[wave][data.identifier].implode()).to_numpy()
        )
    columns = {study.protocol.frame_column(name, wave) for name in study.protocol.outcomes} | {
        f"{name}_{wave}" for name in study.protocol.outcomes
    }
    found = [~np.isnan(data.numbers(column)) for column in sorted(columns)
             if data.has(column) and column != "" and _of_wave(study, column, wave)]  # fmt: skip
    return np.logical_or.reduce(found) if found else None


def _of_wave(study: Study, column: str, wave: str) -> bool:
    outcome = study.protocol.outcomes.get(column)
    return outcome is None or outcome.waves == (wave,)
