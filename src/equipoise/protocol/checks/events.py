"""Events after the allocation: what the strategy of each needs of outcomes and analyses."""

from collections.abc import Iterator
from contextlib import suppress

from equipoise.errors import EquipoiseError, Problem
from equipoise.protocol.checks.places import at
from equipoise.protocol.contrasts import parse_contrast
from equipoise.protocol.factors import compared_stage, contrast_factors, default_factor
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.recorded import times_of_events
from equipoise.protocol.study import Study
from equipoise.protocol.worst import worst_value

__all__ = ["check_events"]


def check_events(study: Study) -> Iterator[Problem]:
    """What composite, while-on-treatment and principal-stratum ask for and the study does not have."""
    yield from _composite(study)
    yield from _while_on_treatment(study)
    yield from _principal_stratum(study)


def _analysed(study: Study) -> list[str]:
    """The outcomes of people that an analysis names, of an index its parts; ratings know no events."""
    outcomes = study.protocol.outcomes
    named = {name for analysis in _analyses(study).values() for name in analysis.outcomes or ()}
    named |= {part for name in named & set(outcomes) for part in outcomes[name].index or ()}
    plain = [name for name in named & set(outcomes) if outcomes[name].index is None]
    return sorted(name for name in plain if outcomes[name].task is None)


def _analyses(study: Study) -> dict[str, Analysis]:
    """What is planned, and what `explore.yaml` adds."""
    return {**study.protocol.analyses, **study.explore}


def _composite(study: Study) -> Iterator[Problem]:
    """An event that counts as the worst outcome needs a worst value of everything that is analysed."""
    for event, strategy in study.protocol.events.items():
        for name in _analysed(study) if strategy == "composite" else ():
            if worst_value(study.protocol.outcomes[name]) is None:
                message = (
                    f'"composite" counts it as the worst value of every outcome, and "{name}" has none: give '
                    "it `range:` and `good: high` or `good: low`, or choose another strategy"
                )
                yield at(study, "events", event, message=message)


def _while_on_treatment(study: Study) -> Iterator[Problem]:
    """What was measured before an event has a date, and belongs to one arm."""
    protocol = study.protocol
    roster = protocol.participants.roster if protocol.participants else {}
    for event, column in times_of_events(protocol).items():
        if column in roster or column in protocol.outcomes:
            message = f'"{column}" says when it happened (while-on-treatment); call the other one otherwise'
            yield at(study, "events", event, message=message)
        for name in _analysed(study):
            if not protocol.outcomes[name].waves:
                message = (
                    f'"while-on-treatment" takes what was measured before it, and "{name}" is measured in no '
                    "wave, so it has no date: give it `waves:`, or choose another strategy"
                )
                yield at(study, "events", event, message=message)
        if any(protocol.gives_sequences(stage) for stage in protocol.allocation):
            message = (
                '"while-on-treatment" lets the last answer before it stand for later ones, and with a '
                "`schedule:` those are of other arms; choose another strategy"
            )
            yield at(study, "events", event, message=message)


def _principal_stratum(study: Study) -> Iterator[Problem]:
    """Bounds in a principal stratum are of the people of two arms, at one time."""
    for event, strategy in study.protocol.events.items():
        if strategy != "principal-stratum":
            continue
        for name, analysis in _analyses(study).items():
            why = _not_bounded(study, analysis)
            if why is not None and any(_of_people(study, name) for name in analysis.outcomes or ()):
                message = (
                    f'"principal-stratum" allows no estimate, and its bounds compare the people of two arms; '
                    f"the analysis {name} {why}. Choose another strategy, or another analysis"
                )
                yield at(study, "events", event, message=message)


def _of_people(study: Study, name: str) -> bool:
    return name in study.protocol.outcomes and study.protocol.outcomes[name].task is None


def _not_bounded(study: Study, analysis: Analysis) -> str | None:
    protocol, factors = study.protocol, contrast_factors(study.protocol, study.vignettes)
    if analysis.by is not None:
        return f"is by {analysis.by}"
    if analysis.target != "all" or analysis.kind != "as-randomised":
        return "is of those who took something up"
    if analysis.average_over == "clusters":
        return "averages over clusters"
    if analysis.at == ("slope",):
        return "is of a slope"
    for text in analysis.contrast:
        with suppress(EquipoiseError):
            contrast = parse_contrast(text, factors, default_factor(protocol))
            if protocol.gives_sequences(compared_stage(protocol, [contrast])):
                return "is of periods"
            if len(contrast.cells) != 2:
                return f"compares more than two arms ({text})"
    return None
