"""Steps and looks that can be: what Dunnett's method asks of its claims, and looks in their order."""

import re
from collections.abc import Iterator

from equipoise.errors import Problem
from equipoise.protocol.checks.places import at
from equipoise.protocol.claims import answers_to
from equipoise.protocol.models.analyses import TestStep
from equipoise.protocol.study import Study

__all__ = ["check_claims"]

_AGAINST = re.compile(r"^\s*([\w.]+)\s+-\s+([\w.]+)\s*$")


def check_claims(study: Study) -> Iterator[Problem]:
    """Dunnett's method has one control, and looks rise and spend in one way."""
    for number, step in enumerate(study.protocol.testing or ()):
        if step.method == "dunnett":
            yield from _dunnett(study, number, step)
    yield from _looks(study)


def _dunnett(study: Study, number: int, step: TestStep) -> Iterator[Problem]:
    contrasts = [
        (outcome, wave, text)
        for name, analysis in study.protocol.analyses.items()
        for outcome in analysis.outcomes or ()
        if outcome in study.protocol.outcomes
        for wave in study.protocol.outcomes[outcome].waves or (None,)
        for text in analysis.contrast
        if any(answers_to(claim, name, analysis, outcome, wave) for claim in step.claims)
    ]
    sides = [_AGAINST.match(text) for *_, text in contrasts]
    controls = {found[2] if found else None for found in sides}
    measures = {(outcome, wave) for outcome, wave, _ in contrasts}
    if contrasts and (None in controls or len(controls) > 1 or len(measures) > 1):
        message = (
            "dunnett compares several arms with one control in one outcome at one time; found "
            f"{_found(measures, [text for *_, text in contrasts])}. Take holm or hommel instead, or name one "
            "outcome at one wave"
        )
        yield at(study, "testing", number, "method", message=message)


def _found(measures: set[tuple[str, str | None]], contrasts: list[str]) -> str:
    named = sorted(".".join(part for part in measure if part) for measure in measures)
    return f"{', '.join(named)} with {', '.join(dict.fromkeys(contrasts))}"


def _looks(study: Study) -> Iterator[Problem]:
    looks = study.protocol.looks
    for number, look in enumerate(looks[1:], start=1):
        if look.share <= looks[number - 1].share:
            message = (
                f'"{look.at}" does not come after "{looks[number - 1].at}"; put the looks in their order'
            )
            yield at(study, "looks", number, "at", message=message)
        if look.spend != looks[0].spend:
            message = f"spends by {look.spend}, the first look by {looks[0].spend}; choose one for all looks"
            yield at(study, "looks", number, "spend", message=message)
