"""What the diagnosis assumes: it names what there is, and one assumption does not contradict another."""

from collections.abc import Iterator, Mapping

from equipoise.errors import Problem
from equipoise.protocol.checks.correlations import check_correlations
from equipoise.protocol.checks.expected import check_expected
from equipoise.protocol.checks.on_scale import check_on_scale
from equipoise.protocol.checks.places import at, unknown
from equipoise.protocol.factors import contrast_factors
from equipoise.protocol.models.assumptions import AssumedEffect, AssumedOutcome
from equipoise.protocol.study import Study

__all__ = ["check_assumptions"]

Path = tuple[str | int, ...]
_ASSUME: Path = ("diagnosis", "assume")
_SMALL = 1e-9


def check_assumptions(study: Study) -> Iterator[Problem]:
    """Names, shares, scales, correlations, and the people expected."""
    protocol, assume = study.protocol, study.protocol.diagnosis.assume
    factors = contrast_factors(protocol, study.vignettes)
    for name, assumed in assume.outcomes.items():
        if name not in protocol.outcomes:
            what = "an outcome of this study, nor a key of `assume`"
            yield unknown(study, (*_ASSUME, name), name, what, protocol.outcomes, "Outcomes")
        for effect in assumed.effects:
            yield from _effect(study, (*_ASSUME, name, "effect"), effect)
        yield from _rated(study, (*_ASSUME, name), assumed, factors)
    yield from _waves_and_events(study)
    yield from _dose(study, assume.dose)
    yield from check_on_scale(study)
    yield from check_correlations(study)
    yield from check_expected(study)


def _effect(study: Study, path: Path, effect: AssumedEffect) -> Iterator[Problem]:
    arms = [arm for stage in study.protocol.allocation.values() for arm in stage.arms]
    if effect.arm not in arms:
        yield unknown(study, path, effect.arm, "an arm of this study", arms, "Arms")
    roster = study.protocol.participants.roster if study.protocol.participants else {}
    columns = {name: column.levels or () for name, column in roster.items() if column.role == "attribute"}
    for column, level in effect.when.items():
        where = (*path, "when", column)
        if column not in columns:
            yield unknown(study, where, column, "an attribute of the roster", columns, "Columns")
        elif columns[column] and level not in columns[column]:
            yield unknown(study, where, level, f"a level of {column}", columns[column], "Levels")


def _rated(
    study: Study, path: Path, assumed: AssumedOutcome, factors: Mapping[str, tuple[str, ...]]
) -> Iterator[Problem]:
    for factor, shifts in assumed.attributes.items():
        yield from _levels(study, (*path, "attributes", factor), factor, list(shifts), factors)
    for number, interaction in enumerate(assumed.interactions):
        for factor, level in interaction.when.items():
            where = (*path, "interactions", number, "when", factor)
            yield from _levels(study, where, factor, [level], factors)


def _levels(
    study: Study, path: Path, factor: str, levels: list[str], factors: Mapping[str, tuple[str, ...]]
) -> Iterator[Problem]:
    if factor not in factors:
        yield unknown(study, path, factor, "an attribute or way of presenting", factors, "Known")
        return
    for level in levels:
        if level not in factors[factor]:
            yield unknown(study, (*path, level), level, f"a level of {factor}", factors[factor], "Levels")


def _waves_and_events(study: Study) -> Iterator[Problem]:
    protocol, assume = study.protocol, study.protocol.diagnosis.assume
    for wave in assume.response.waves:
        if wave not in protocol.waves:
            what = "a wave of this study"
            yield unknown(study, (*_ASSUME, "response", wave), wave, what, protocol.waves, "Waves")
    for event, share in assume.events.items():
        where = (*_ASSUME, "events", event)
        if event not in (*protocol.events, *protocol.harms):
            events = [*protocol.events, *protocol.harms]
            yield unknown(study, where, event, "an event or harm", events, "Events and harms")
        if not 0 <= share <= 1:
            message = f"happens to a share of the people, between 0 and 1; found {share:g}"
            yield at(study, *where, message=message)


def _dose(study: Study, dose: Mapping[float, float]) -> Iterator[Problem]:
    path = (*_ASSUME, "dose")
    total = sum(dose.values())
    if dose and (min(dose.values()) < 0 or abs(total - 1) > _SMALL):
        message = (
            f"the shares of those who take so much add up to {total:g}; they have to be 0 or more and add up "
            "to 1"
        )
        yield at(study, *path, message=message)
    if any(size < 0 for size in dose):
        yield at(study, *path, message=f"a dose of {min(dose):g}; a dose is 0 or more, and 1 is a whole one")
