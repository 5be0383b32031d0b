"""Findings that are read together: an effect along a number or over waves, and means by dose."""

import re
from collections.abc import Iterable

from equipoise.findings.results import Finding
from equipoise.protocol.checks.analyses import DOSE, WAVE

__all__ = ["is_in_series", "level_series"]

_PLACE = re.compile(r"(p|bin)\d+")


def level_series(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """The findings of each series in their order, by the id that they share."""
    series: dict[str, list[Finding]] = {}
    for one in findings:
        if is_in_series(one):
            series.setdefault(_parts(one)[0], []).append(one)
    return series


def is_in_series(finding: Finding) -> bool:
    """Whether a finding is a point of a series: a dose, a wave, a percentile or a third of a number.

    A third has another name in its id than its level, which a category never has.
    """
    if finding.by is None or finding.level is None:
        return False
    _, sign, place = _parts(finding)
    if finding.by in (DOSE, WAVE):
        return bool(sign)
    return bool(sign) and place != finding.level and _PLACE.fullmatch(place) is not None


def _parts(finding: Finding) -> tuple[str, str, str]:
    return finding.id.rpartition(f".{finding.by}=")
