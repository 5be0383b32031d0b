"""Clusters: teams, families or schools that are allocated whole, and whose people inherit the arm."""

from collections.abc import Sequence

from equipoise.allocation.allocating import Allocation
from equipoise.allocation.text import normalised
from equipoise.errors import DesignError, Problem

__all__ = ["clusters_of", "inherited_arms"]


def clusters_of(cluster: Sequence[str], strata: Sequence[str] | None) -> tuple[list[str], list[str] | None]:
    """The clusters of a roster of people, sorted, with the stratum of each.

    Args:
        cluster: each person's cluster.
        strata: each person's stratum, or None.
    Raises:
        DesignError: a person without a cluster, or a cluster in two strata, which is named.
    """
    names = normalised(cluster, "cluster")
    if strata is None:
        return sorted(set(names)), None
    if len(strata) != len(names):
        raise DesignError(f"{len(strata)} strata for {len(names)} people; each needs one.")
    found: dict[str, str] = {}
    problems = [
        Problem(
            f"row {row}",
            "cluster",
            f'cluster "{name}" is in stratum "{found[name]}" and here in "{stratum}"; '
            "a cluster is drawn whole, so give all its people one stratum.",
        )
        for row, (name, stratum) in enumerate(zip(names, strata, strict=True), start=1)
        if found.setdefault(name, stratum) != stratum
    ]
    if problems:
        raise DesignError(problems)
    clusters = sorted(found)
    return clusters, [found[name] for name in clusters]


def inherited_arms(allocation: Allocation, cluster: Sequence[str]) -> list[str]:
    """Each person's arm: that of the cluster.

    Raises:
        DesignError: a person in a cluster that was not allocated.
    """
    arm = dict(zip(allocation.units, allocation.arms, strict=True))
    names = normalised(cluster, "cluster")
    problems = [
        Problem(
            f"row {row}",
            "cluster",
            f'cluster "{name}" was not allocated; add it before the draw, or mend its name.',
        )
        for row, name in enumerate(names, start=1)
        if name not in arm
    ]
    if problems:
        raise DesignError(problems)
    return [arm[name] for name in names]
