"""Sequences of arms that do not give every arm the same weight in every period."""

from collections import Counter
from collections.abc import Iterator

from equipoise.protocol.models.allocation import Schedule, Stage
from equipoise.protocol.study import Study

__all__ = ["unbalanced_periods"]


def unbalanced_periods(study: Study) -> Iterator[str]:
    """Periods in which the arms of a crossover are not given alike, and arms that one follows too often.

    It may be meant, so it is no error. A schedule whose arm nobody leaves again (a stepped wedge, a waiting
    list) is unequal by design and passes.

    Args:
        study: as loaded.
    """
    schedule = study.protocol.schedule
    if schedule is None or schedule.switch is not None:
        return
    for name, stage in study.protocol.allocation.items():
        if stage.to == "sequences":
            yield from _uneven(name, stage, schedule)


def _uneven(name: str, stage: Stage, schedule: Schedule) -> Iterator[str]:
    shares = stage.ratio[0].shares if stage.ratio else dict.fromkeys(schedule.sequences, 1)
    arms = sorted({arm for steps in schedule.sequences.values() for arm in steps})
    for place, period in enumerate(schedule.periods):
        given: Counter[str] = Counter()
        for sequence, steps in schedule.sequences.items():
            given[steps[place]] += shares.get(sequence, 1)
        if len({given[arm] for arm in arms}) > 1:
            told = ", ".join(f"{arm} {given[arm]}" for arm in arms)
            yield (
                f"allocation.{name}: in period {period} the arms have unequal shares ({told}), so what the "
                "period does is mixed into what the arms do; sequences in which each arm comes once in each "
                "period (a Latin square) keep them apart"
            )
