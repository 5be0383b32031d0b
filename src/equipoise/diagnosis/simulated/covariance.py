"""How latent values go together: over outcomes, over waves, and within clusters, as assumed.

What is assumed is of the whole value: two outcomes correlate at every wave as their scores do, an outcome
with itself from wave to wave by its before-after correlation, and people of one cluster by its intracluster
correlation. The part of a cluster stays over the waves.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from equipoise.errors import DesignError, NotSupportedError
from equipoise.estimation.arrays import Floats
from equipoise.protocol.checks.correlations import correlation_matrix
from equipoise.protocol.models.assumptions import AssumedOutcome
from equipoise.protocol.models.protocol import Protocol

__all__ = ["Factors", "Shared", "Variable", "factors_of", "lower_root", "own_covariance", "shared_by_units"]

Variable = tuple[str, str]
"""An outcome at a wave."""

_ROUNDED = 1e-9
_STABILITY = 0.5  # correlation over waves of what the outcomes have in common, where theirs leave it open


@dataclass(frozen=True)
class Shared:
    """What people of one unit share: its column, and the share of each outcome's variance."""

    unit: str
    variance: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Factors:
    """Loadings of outcomes: on what they have in common, of which a share stays, and on what each has alone.

    Attributes:
        names: of the outcomes.
        common: shape (outcomes,), the loading on the common part; `stays` the share of it that stays.
        alone: the loading on the part of an outcome's own; `own_stays`, shape (outcomes,), its share.
    """

    names: tuple[str, ...]
    common: Floats
    stays: Floats
    alone: float
    own_stays: Floats

    def within_and_over_time(self) -> tuple[Floats, Floats]:
        """The covariances of the outcomes at one wave, and at two, each of shape (outcomes, outcomes)."""
        kept, changed = (np.sqrt(np.outer(share, share)) for share in (self.stays, 1 - self.stays))
        both = np.outer(self.common, self.common)
        within, over_time = both * (kept + changed), both * kept
        np.fill_diagonal(within, 1.0)
        np.fill_diagonal(over_time, np.diagonal(over_time) + self.alone**2 * self.own_stays)
        return within, over_time


def own_covariance(protocol: Protocol, variables: Sequence[Variable], shared: Sequence[Shared]) -> Floats:
    """The covariance of a person's own part, shape (variables, variables): all that no unit shares.

    Where any two outcomes correlate alike and no unit shares anything, it is that of `factors_of`.

    Args:
        protocol: its assumptions.
        variables: in any order.
        shared: what the units share.

    Elsewhere two outcomes correlate over waves in proportion: what stays of them correlates as what changes
    does. With before-after correlations p and q that leaves room for a correlation up to sqrt(p q) + sqrt((1
    - p)(1 - q)) between them at one wave.

    Raises:
        DesignError: the assumptions contradict each other.
        NotSupportedError: people of one unit who are less alike than others.
    """
    names = _known(protocol)
    within = correlation_matrix(protocol)
    stays = np.array([_assumed(protocol, name).before_after_correlation for name in names])
    over_time = _over_time(within, stays)
    common = sum((_in_common(within, names, part) for part in shared), np.zeros_like(within))
    factors = factors_of(protocol, shared)
    if factors is not None:
        within, over_time = factors.within_and_over_time()
    place = np.array([names.index(outcome) for outcome, _ in variables])
    same = np.array([[one == other for _, other in variables] for _, one in variables])
    both = np.ix_(place, place)
    found = np.where(same, within[both], over_time[both]) - common[both]
    if np.linalg.eigvalsh(found)[0] < -_ROUNDED:
        raise DesignError(
            f"diagnosis.assume: no scores have all the correlations assumed for {', '.join(names)}: those "
            "among outcomes, from before to after and within clusters contradict each other; make the "
            "largest of them smaller"
        )
    return np.asarray(found, dtype=np.float64)


def factors_of(protocol: Protocol, shared: Sequence[Shared]) -> Factors | None:
    """The factors behind scores of which any two correlate alike; None where there are none such.

    What the outcomes have in common is a trait and a state of the wave; so is what each has by itself. An
    outcome more moves none of the others.
    """
    assume, names = protocol.diagnosis.assume, _known(protocol)
    rho = assume.correlation
    if shared or assume.correlations or not 0 <= rho < 1:
        return None
    before_after = np.array([_assumed(protocol, name).before_after_correlation for name in names])
    least, most = (before_after - (1 - rho)) / max(rho, _ROUNDED), before_after / max(rho, _ROUNDED)
    stays = np.clip(np.clip(_STABILITY, least, most), 0.0, 1.0)
    own = (before_after - rho * stays) / (1 - rho)
    if own.min(initial=0.0) < -_ROUNDED or own.max(initial=0.0) > 1 + _ROUNDED:
        return None
    sign = np.array([-1.0 if protocol.outcomes[name].good == "low" else 1.0 for name in names])
    return Factors(tuple(names), np.sqrt(rho) * sign, stays, np.sqrt(1 - rho), np.clip(own, 0.0, 1.0))


def shared_by_units(protocol: Protocol, known: Collection[str]) -> tuple[Shared, ...]:
    """What the people of each declared unit share, beyond what a larger unit that holds it has already.

    Args:
        protocol: its units and assumptions.
        known: the units of which it is known who is in which; another shares nothing.
    Raises:
        NotSupportedError: a negative intracluster correlation, or one below that of the larger unit.
    """
    found = []
    for name, unit in protocol.units.items():
        if name not in known:
            continue
        variance = {}
        for outcome in _known(protocol):
            beyond = _icc(protocol, name, outcome)
            if unit.in_ in protocol.units and unit.in_ in known:
                beyond -= _icc(protocol, unit.in_, outcome)
            if beyond < 0:
                icc = _icc(protocol, name, outcome)
                raise NotSupportedError(
                    f"simulating {outcome}: an intracluster correlation of {icc:g} in {name}; people of a "
                    "unit who are less alike than others cannot be simulated"
                )
            variance[outcome] = beyond
        if any(variance.values()):
            found.append(Shared(name, variance))
    return tuple(found)


def lower_root(covariance: Floats) -> Floats:
    """The lower triangle L with LL' the covariance; columns of no variance left over are 0."""
    size = len(covariance)
    root = np.zeros((size, size))
    for row in range(size):
        for column in range(row):
            left = covariance[row, column] - root[row, :column] @ root[column, :column]
            root[row, column] = left / root[column, column] if root[column, column] else 0.0
        left = covariance[row, row] - root[row, :row] @ root[row, :row]
        root[row, row] = sqrt(left) if left > _ROUNDED else 0.0
    return root


def _known(protocol: Protocol) -> list[str]:
    return [name for name in protocol.diagnosis.assume.outcomes if name in protocol.outcomes]


def _assumed(protocol: Protocol, name: str) -> AssumedOutcome:
    return protocol.diagnosis.assume.outcomes[name]


def _icc(protocol: Protocol, unit: str, outcome: str) -> float:
    """Of an outcome in the unit that is drawn its own, where it has one."""
    own = _assumed(protocol, outcome).icc
    drawn = {stage.unit for stage in protocol.allocation.values()}
    if own is not None and (unit in drawn or len(protocol.units) == 1):
        return float(own)
    return protocol.units[unit].icc or 0.0


def _over_time(within: Floats, stays: Floats) -> Floats:
    """Correlations of each outcome at one wave with each at another."""
    positive = np.clip(stays, 0.0, 1.0)
    kept, changed = np.sqrt(np.outer(positive, positive)), np.sqrt(np.outer(1 - positive, 1 - positive))
    found = np.asarray(within * kept / (kept + changed))
    np.fill_diagonal(found, stays)
    return found


def _in_common(within: Floats, names: Sequence[str], part: Shared) -> Floats:
    root = np.sqrt([part.variance[name] for name in names])
    return np.asarray(within * np.outer(root, root))
