"""What contrasts may name, and which waves ask for an outcome: the joints between the folder's files."""

from collections.abc import Iterable, Mapping, Sequence

from equipoise.protocol.contrasts import Contrast
from equipoise.protocol.models.files import Vignette
from equipoise.protocol.models.outcomes import Outcome
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.models.surveys import Question, Survey
from equipoise.protocol.timeline import timeline

__all__ = [
    "asks_for",
    "compared_stage",
    "contrast_factors",
    "default_factor",
    "questions",
    "reference_arm",
    "waves_asking",
    "waves_measuring",
]


def default_factor(protocol: Protocol) -> str:
    """The factor that a bare arm belongs to: the main stage's column."""
    return protocol.arm_column(protocol.main_stage)


def contrast_factors(protocol: Protocol, vignettes: Mapping[str, Vignette]) -> dict[str, tuple[str, ...]]:
    """Each factor with its levels: a stage and its arms, a task and its ways, a vignette's attribute."""
    factors: dict[str, tuple[str, ...]] = {}
    for name, stage in protocol.allocation.items():
        arms = tuple(stage.arms)
        if stage.to == "sequences" and protocol.schedule is not None:
            steps = (arm for sequence in protocol.schedule.sequences.values() for arm in sequence)
            arms = tuple(dict.fromkeys(steps))
        factors[protocol.arm_column(name)] = arms
    for task in protocol.tasks.values():
        if task.present:
            factors[task.present_as] = tuple(task.present)
        if task.vignette in vignettes:
            for name, attribute in vignettes[task.vignette].attributes.items():
                levels = factors.get(name, ())
                factors[name] = tuple(dict.fromkeys((*levels, *attribute.levels)))
    return factors


def reference_arm(arms: Sequence[str]) -> str | None:
    """The arm that others are compared with where nothing is said: `control`, or else the first."""
    return "control" if "control" in arms else next(iter(arms), None)


def compared_stage(protocol: Protocol, contrasts: Iterable[Contrast]) -> str:
    """The stage whose arms are compared, of several the earliest: covariates come from before its draw."""
    named = {factor for contrast in contrasts for factor in contrast.factors}
    stages = [name for name in protocol.allocation if protocol.arm_column(name) in named]
    draws = timeline(protocol).draws
    drawn = sorted((draws[name], name) for name in stages if name in draws)
    if not drawn or protocol.main_stage in [name for moment, name in drawn if moment == drawn[0][0]]:
        return protocol.main_stage
    return drawn[0][1]


def questions(survey: Survey) -> list[Question]:
    """The questions of a survey, in order."""
    return [question for page in survey.pages for question in page.questions]


def asks_for(survey: Survey, outcome: Outcome) -> bool:
    """Whether a survey measures an outcome: it asks the instrument, or the question."""
    if outcome.instrument is not None:
        return any(question.instrument == outcome.instrument for question in questions(survey))
    if outcome.question is not None:
        asked = outcome.question.rpartition(".")[2]
        return any(question.id == asked for question in questions(survey))
    return False


def waves_asking(protocol: Protocol, surveys: Mapping[str, Survey], outcome: Outcome) -> tuple[str, ...]:
    """The waves whose survey measures an outcome, in the order of the protocol; none asks for an index.

    An outcome taken from a column may have been measured at any wave: the data are looked at.
    """
    if outcome.column is not None:
        return tuple(protocol.waves) if outcome.waves else ()
    return tuple(
        name
        for name, wave in protocol.waves.items()
        if wave.survey in surveys and asks_for(surveys[wave.survey], outcome)
    )


def waves_measuring(protocol: Protocol, surveys: Mapping[str, Survey], outcome: Outcome) -> tuple[str, ...]:
    """The waves at which an outcome is known: those that ask for it or, of an index, for all of its parts."""
    if outcome.index is None:
        return waves_asking(protocol, surveys, outcome)
    parts = [protocol.outcomes[part] for part in outcome.index if part in protocol.outcomes]
    return tuple(
        wave
        for wave in protocol.waves
        if parts and all(wave in waves_asking(protocol, surveys, part) for part in parts)
    )
