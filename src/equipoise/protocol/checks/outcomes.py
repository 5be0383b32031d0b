"""Outcomes: each is measured by something asked, at waves that exist, by a score that there is."""

from collections.abc import Iterator

from equipoise.errors import Problem
from equipoise.instruments.definition import Instrument
from equipoise.instruments.library import instrument_ids, load
from equipoise.protocol.checks.events import check_events
from equipoise.protocol.checks.indices import check_index
from equipoise.protocol.checks.places import at, unknown
from equipoise.protocol.factors import questions, waves_asking
from equipoise.protocol.models.outcomes import Outcome
from equipoise.protocol.reserved import reserved_problem
from equipoise.protocol.study import Study

__all__ = ["check_outcomes"]

# Questions that give one number, or one of yes and no.
_MEASURED = ("yes-no", "number", "slider", "likert", "single")


def check_outcomes(study: Study) -> Iterator[Problem]:
    """Every outcome and event."""
    for name, outcome in study.protocol.outcomes.items():
        problem = reserved_problem(name) or _taken(study, name, outcome)
        if problem:
            yield at(study, "outcomes", name, message=problem)
        yield from check_index(study, name, outcome)
        yield from _waves(study, name, outcome)
        if outcome.instrument is not None:
            yield from _instrument(study, name, outcome)
        if outcome.question is not None:
            yield from _question(study, name, outcome)
    yield from check_events(study)


def _taken(study: Study, name: str, outcome: Outcome) -> str | None:
    participants = study.protocol.participants
    if participants and name in participants.roster and outcome.column != name:
        return f'"{name}" is a roster column already; choose another name'
    return None


def _waves(study: Study, name: str, outcome: Outcome) -> Iterator[Problem]:
    waves = study.protocol.waves
    for place, wave in enumerate(outcome.waves):
        if wave not in waves:
            what = "a wave of this study"
            yield unknown(study, ("outcomes", name, "waves", place), wave, what, waves, "Waves")
    if outcome.task or outcome.column or outcome.index:
        return
    if not outcome.waves:
        message = "nobody measures this outcome: `waves:` says when it is asked"
        yield at(study, "outcomes", name, message=message)
    asking = waves_asking(study.protocol, study.surveys, outcome)
    for wave in outcome.waves:
        known = wave in waves and waves[wave].survey in study.surveys
        if known and wave not in asking:
            source = outcome.instrument or outcome.question
            message = (
                f'nobody measures this outcome at "{wave}": the survey "{waves[wave].survey}" does not ask '
                f'"{source}"'
            )
            yield at(study, "outcomes", name, message=message)


def _instrument(study: Study, name: str, outcome: Outcome) -> Iterator[Problem]:
    path = ("outcomes", name)
    if outcome.instrument not in instrument_ids():
        what = "an instrument of the library"
        yield unknown(
            study, (*path, "instrument"), str(outcome.instrument), what, instrument_ids(), "Instruments"
        )
        return
    definition = load(str(outcome.instrument))
    if not isinstance(definition, Instrument):
        return
    scores = list(definition.scores)
    if outcome.score is None:
        listed = ", ".join(scores)
        yield at(
            study, *path, message=f"{outcome.instrument} has several scores; `score:` says which: {listed}"
        )
    elif outcome.score not in scores:
        what = f"a score of {outcome.instrument}"
        yield unknown(study, (*path, "score"), outcome.score, what, scores, "Scores")


def _question(study: Study, name: str, outcome: Outcome) -> Iterator[Problem]:
    path = ("outcomes", name, "question")
    if outcome.task is not None:
        yield from _task(study, name, outcome)
        return
    survey, _, question = str(outcome.question).rpartition(".")
    if not survey:
        message = f'a question is named with its survey, such as "wellbeing.{question}"'
        yield at(study, *path, message=message)
    elif f"surveys/{survey}.yaml" in study.documents and survey not in study.surveys:
        return  # it cannot be read, which is a problem of its own
    elif survey not in study.surveys:
        yield unknown(study, path, survey, "a survey of this study", study.surveys, "Surveys")
    else:
        asked = {str(entry.id): entry for entry in questions(study.surveys[survey]) if entry.id is not None}
        if question not in asked:
            yield unknown(study, path, question, f"a question of the survey {survey}", asked, "Questions")
        elif asked[question].type not in _MEASURED:
            message = (
                f'"{question}" is of type {asked[question].type}, which gives no single number. An outcome '
                f"can be of type {', '.join(_MEASURED)}"
            )
            yield at(study, *path, message=message)


def _task(study: Study, name: str, outcome: Outcome) -> Iterator[Problem]:
    tasks = study.protocol.tasks
    if outcome.task not in tasks:
        yield unknown(
            study, ("outcomes", name, "task"), str(outcome.task), "a task of this study", tasks, "Tasks"
        )
        return
    vignette = study.vignettes.get(tasks[str(outcome.task)].vignette)
    asked = [question.id for question in vignette.questions if question.id is not None] if vignette else []
    if vignette is not None and outcome.question not in asked:
        what = "a question of the vignette"
        yield unknown(study, ("outcomes", name, "question"), str(outcome.question), what, asked, "Questions")
