"""Cautions about who answered."""

from collections.abc import Iterator

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.missing.response import response_contrast
from equipoise.findings.sampling.covariates import labels_of
from equipoise.findings.sampling.measured import Measured

__all__ = ["differential_attrition"]

POINTS = 10.0
"""A difference in response, in percentage points, that is told of whatever its interval."""


def differential_attrition(measured: Measured) -> Iterator[str]:
    """Response that differs between the arms compared: clearly, or by ten percentage points."""
    inside, cluster = measured.sample.inside, measured.analysis.cluster
    try:
        labels = None if cluster in (None, "participant") else labels_of(measured.data, str(cluster))[inside]
        found = response_contrast(
            measured.answered[inside], measured.sample.code[inside], measured.weights, cluster=labels
        )
    except DesignError:
        return  # an arm of one cluster, of which other cautions tell
    if found.interval is None or np.isnan(found.estimate):
        return
    points, low, high = (100 * each for each in (found.estimate, found.interval.low, found.interval.high))
    if abs(points) >= POINTS or low > 0 or high < 0:
        yield (
            f"response differs between the arms by {points:.1f} percentage points (95% interval {low:.1f} to "
            f"{high:.1f}), so those who answered may be other people in one arm than in another; see what "
            "missing answers could change"
        )
