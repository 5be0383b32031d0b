"""What cannot be simulated, told at once and before anything is drawn."""

from collections.abc import Iterator

from equipoise.errors import DesignError, NotSupportedError, Problem
from equipoise.instruments.definition import Composite
from equipoise.instruments.library import load
from equipoise.protocol.models.assumptions import AssumedOutcome
from equipoise.protocol.models.outcomes import Outcome
from equipoise.protocol.study import Study

__all__ = ["refuse_unassumed"]


def refuse_unassumed(study: Study) -> None:
    """Refuse outcomes that the assumptions leave open.

    Raises:
        DesignError: names every outcome of which nothing, or too little, is assumed.
        NotSupportedError: an assumption that the language allows and this version cannot simulate.
    """
    name = study.protocol.study.id
    assumed = study.protocol.diagnosis.assume.outcomes
    measured = {outcome: spec for outcome, spec in study.protocol.outcomes.items() if spec.index is None}
    lacking = [outcome for outcome in measured if outcome not in assumed]
    if lacking:
        raise DesignError(
            f"{name}: diagnosis.assume says nothing of {', '.join(lacking)}; a simulation needs the mean and "
            "SD of every outcome"
        )
    given = [(outcome, spec, assumed[outcome]) for outcome, spec in measured.items()]
    problems = [
        Problem(name, f"diagnosis.assume.{outcome}", message)
        for outcome, spec, assumption in given
        for message in _open(spec, assumption)
    ]
    if problems:
        raise DesignError(problems)
    unsupported = [
        f"diagnosis.assume.{outcome}: {what}"
        for outcome, spec, assumption in given
        for what in _unsupported(spec, assumption)
    ]
    if unsupported:
        raise NotSupportedError(f"{name}: this version cannot simulate " + "; ".join(unsupported))


def _open(spec: Outcome, assumed: AssumedOutcome) -> Iterator[str]:
    if assumed.sd is None and spec.instrument is None and not _yes_no(spec):
        yield "the SD is missing; only shares of yes and instruments with reference values go without"
    if spec.instrument is not None and isinstance(load(spec.instrument), Composite) and assumed.mean != 0:
        yield f"a mean of {assumed.mean:g}; {spec.instrument} is standardised, so its mean is 0"
    if spec.column is not None and not spec.waves and any(effect.by_week for effect in assumed.effects):
        yield "an effect by week needs to know when people answered, and this outcome has no wave"


def _unsupported(spec: Outcome, assumed: AssumedOutcome) -> Iterator[str]:
    if spec.task is not None and assumed.effects:
        yield "an effect of an arm on ratings; write it as attributes and interactions"
    if spec.instrument is not None and assumed.zero_share is not None:
        yield "a share of zeros of an instrument"


def _yes_no(spec: Outcome) -> bool:
    """A question may be one of yes and no without its scale saying so; that is seen when it is drawn."""
    return spec.scale == "yes-no" or (spec.question is not None and spec.task is None)
