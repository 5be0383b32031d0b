"""How reliably the instruments measured here, wave by wave, and how often answers sit at the ends."""

from collections.abc import Iterator

from equipoise.errors import ScoringError
from equipoise.findings.reading.data import StudyData
from equipoise.findings.reading.scores import answers_of
from equipoise.findings.results import Finding, Interval
from equipoise.instruments.definition import Instrument
from equipoise.instruments.library import load
from equipoise.instruments.quality import quality
from equipoise.instruments.reliability import Reliability, reliability
from equipoise.protocol.factors import waves_asking
from equipoise.protocol.study import Study

__all__ = ["reliabilities"]


def reliabilities(study: Study, data: StudyData) -> Iterator[Finding]:
    """For each outcome that an instrument measures: its coefficient, and the shares at floor and ceiling."""
    for name, outcome in study.protocol.outcomes.items():
        definition = load(outcome.instrument) if outcome.instrument is not None else None
        if not isinstance(definition, Instrument):
            continue
        for wave in waves_asking(study.protocol, study.surveys, outcome):
            if wave in data.answers:
                yield from _at_wave(name, outcome.score, definition, wave, data)


def _at_wave(
    name: str, score: str | None, definition: Instrument, wave: str, data: StudyData
) -> Iterator[Finding]:
    answers = answers_of(definition, data.answers[wave])
    base = Finding(
        id=f"reliability.{name}.{wave}", analysis="reliability", kind="reliability", outcome=name, at=wave
    )
    try:
        found = reliability(definition, score, answers)
    except ScoringError as error:
        yield base.model_copy(
            update={"not_estimable": "; ".join(problem.message for problem in error.problems)}
        )
        return
    alpha = found.coefficient
    yield base.model_copy(
        update={
            "estimate": alpha.estimate,
            "interval": Interval(level=alpha.level, low=alpha.low, high=alpha.high),
            "n": {"all": alpha.n},
            "model": alpha.name,
            "warnings": (*found.notes, *_against_the_rest(found)),
        }
    )
    if found.omega is not None:
        yield base.model_copy(
            update={
                "id": f"{base.id}.omega",
                "estimate": found.omega,
                "n": {"all": alpha.n},
                "model": "omega total",
            }
        )
    ends = quality(definition, score, answers)
    for end in ("floor", "ceiling"):
        share = getattr(ends, end)
        if share is not None:
            yield base.model_copy(
                update={
                    "id": f"{base.id}.{end}",
                    "kind": "rate",
                    "estimate": share,
                    "n": {"all": ends.n_scored},
                    "model": f"share of scores at the {end}",
                }
            )


def _against_the_rest(found: Reliability) -> Iterator[str]:
    """Items that go against the others, which usually means that they were not turned round."""
    if found.unreversed:
        items = ", ".join(found.unreversed)
        yield (
            f"answers to {items} go against the rest of the score; look whether they were coded or "
            "worded the other way round"
        )
    if found.without_reversed is not None and found.without_reversed.low > found.coefficient.high:
        alpha = found.without_reversed.estimate
        yield f"without its reversed items the score hangs together better (alpha {alpha:.2f})"
