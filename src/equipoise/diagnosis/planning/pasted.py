"""Assumptions from data as a block of YAML to paste into a protocol: counts and intervals in the comments."""

from collections.abc import Iterator

import numpy as np

from equipoise.diagnosis.planning.pilot import Counted, PilotOutcome, PilotValues
from equipoise.protocol.study import Study

__all__ = ["assumptions_block"]

_ROUNDED = 0.01  # eigenvalues: three decimals of the correlations move them by less
_NO_EFFECT = (
    "# `effect` is left to you: the smallest that would matter (its margin). The effect that these data show",
    "# is too uncertain to plan with, and a trial begun because it looked large would be too small.",
)


def assumptions_block(study: Study, values: PilotValues) -> str:
    """YAML for `diagnosis.assume`, and for `units` where clusters are allocated.

    Args:
        study: whose protocol it is pasted into; says each outcome's margin and good direction.
        values: estimated from data.
    """
    return "\n".join([*_units(values), *_assume(study, values)]) + "\n"


def _units(values: PilotValues) -> Iterator[str]:
    found = [each for each in values.outcomes if each.likeness is not None]
    if values.unit is None or not found or found[0].likeness is None:
        return
    first, likeness = found[0], found[0].likeness
    yield "units:"
    yield f"  {values.unit}:"
    yield (
        f"    icc: {likeness.correlation:.3f}  # {first.name}: {likeness.clusters} clusters, "
        f"{likeness.people} answers; 95% interval {likeness.interval.low:.3f} to {likeness.interval.high:.3f}"
    )
    for each in found[1:]:
        if each.likeness is not None:
            low, high = each.likeness.interval.low, each.likeness.interval.high
            yield f"    # {each.name}: {each.likeness.correlation:.3f}; 95% interval {low:.3f} to {high:.3f}"
    yield f"    people: {likeness.mean_size:.1f}  # who answered, in a cluster; write how many there are"
    yield f"    people-cv: {likeness.variation:.2f}"


def _assume(study: Study, values: PilotValues) -> Iterator[str]:
    yield "diagnosis:"
    yield "  assume:"
    yield f"    # From the data of {values.study}."
    for line in _NO_EFFECT:
        yield f"    {line}"
    for outcome in values.outcomes:
        yield from (f"    {line}" for line in _outcome(study, outcome))
    for name in values.left_out:
        yield f"    # {name}: too few answers to say anything"
    yield from (f"    {line}" for line in _correlations(values))
    yield from (f"    {line}" for line in _response(values))


def _outcome(study: Study, found: PilotOutcome) -> Iterator[str]:
    spec = study.protocol.outcomes[found.name]
    yield f"{found.name}:" + (f"  # at {found.at}" if found.at else "")
    digits = 3 if spec.scale == "yes-no" else max(0, 2 - _magnitude(found.sd.value))
    yield f"  mean: {_written(found.mean, digits)}"
    if spec.scale != "yes-no":
        yield f"  sd: {_written(found.sd, digits)}"
    if found.before_after is not None:
        yield f"  before-after correlation: {_written(found.before_after)}"
    if found.zero_share is not None:
        yield f"  zero-share: {_written(found.zero_share)}"
    if spec.margin is not None:
        yield f"  # effect: {spec.margin:g} or {-spec.margin:g}, the smallest that matters"


def _correlations(values: PilotValues) -> Iterator[str]:
    """Pair by pair; where pairs of different people contradict each other, all of them made smaller."""
    if not values.correlations:
        return
    most = _possible(values)
    yield "correlations:"
    if most < 1:
        yield f"  # Multiplied by {most:.3f}: each pair has people of its own, and no scores have them all."
    firsts = dict.fromkeys(first for first, _ in values.correlations)
    for name in firsts:
        yield f"  {name}:"
        for (first, second), found in values.correlations.items():
            if first == name:
                value, comment = f"{most * found.value:.3f}", _written(found).partition("  # ")[2]
                yield f"    {second}: {value}  # {comment}"


def _possible(values: PilotValues) -> float:
    """The largest multiple of the correlations that leaves no negative eigenvalue, a little less to round."""
    names = [each.name for each in values.outcomes]
    matrix = np.eye(len(names))
    for (first, second), found in values.correlations.items():
        row, column = names.index(first), names.index(second)
        matrix[row, column] = matrix[column, row] = found.value
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    return 1.0 if smallest >= _ROUNDED else (1 - _ROUNDED) / (1 - smallest)


def _response(values: PilotValues) -> Iterator[str]:
    if not values.response:
        return
    yield "response:"
    for each in values.response:
        yield f"  {each.wave}: {_written(each.share)}"
    gaps = [each.differs_by_arm for each in values.response if each.differs_by_arm is not None]
    if gaps:
        yield f"  differs-by-arm: {_written(gaps[0])}"


def _written(found: Counted, digits: int = 3) -> str:
    """A value, and in the comment the numbers behind it and its interval."""
    low, high = (f"{end:.{digits}f}" for end in (found.interval.low, found.interval.high))
    return f"{found.value:.{digits}f}  # {found.n} {found.among}; 95% interval {low} to {high}"


def _magnitude(value: float) -> int:
    """The place of the first figure: 0 for 1 to 9.99, 1 for 10 to 99.9, -1 for 0.1 to 0.99."""
    return 0 if value == 0 else int(f"{abs(value):e}".rpartition("e")[2])
