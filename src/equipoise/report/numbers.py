"""How numbers are printed: to two significant figures of their standard error, with a true minus, never
with stars."""

import math
from dataclasses import dataclass

from equipoise.findings.results import Finding, Interval

__all__ = ["Scale", "count", "decimals", "number", "p_value", "percentage", "span", "spread"]

MINUS = "\u2212"
_MOST_DECIMALS = 5


@dataclass(frozen=True)
class Scale:
    """The unit in which a quantity is printed: values are multiplied by `factor` and followed by `unit`."""

    factor: float = 1.0
    unit: str = ""

    def with_unit(self, printed: str) -> str:
        """`12` and "points" give `12 points`; "%" follows its number without a space."""
        if not self.unit:
            return printed
        return f"{printed}%" if self.unit == "%" else f"{printed} {self.unit}"


def decimals(std_error: float | None, factor: float = 1.0) -> int:
    """Decimal places that show two significant figures of the standard error; two without one."""
    if std_error is None or not std_error > 0:
        return 0 if factor == 100 else 2
    return min(_MOST_DECIMALS, max(0, 1 - math.floor(math.log10(std_error * factor))))


def spread(finding: Finding) -> float | None:
    """The standard error, or what an interval says it is."""
    if finding.std_error is not None:
        return finding.std_error
    interval = finding.interval
    if interval is not None and interval.low is not None and interval.high is not None:
        return (interval.high - interval.low) / 3.92
    return None


def number(value: float | None, places: int) -> str:
    """`-0.5` to two places is `−0.50`; a value that rounds to zero has no sign; null is a dash."""
    if value is None:
        return "–"
    printed = f"{abs(value):,.{places}f}"
    negative = value < 0 and any(digit in printed for digit in "123456789")
    return (MINUS if negative else "") + printed


def span(interval: Interval, places: int, factor: float = 1.0) -> str:
    """`−0.10 to 0.60`; an open end is said in words."""
    low = "no lower limit" if interval.low is None else number(interval.low * factor, places)
    high = "no upper limit" if interval.high is None else number(interval.high * factor, places)
    return f"{low} to {high}"


def p_value(p: float | None) -> str:
    """Three decimals, bounded on both sides: `p < 0.001`, `p = 0.034`, `p > 0.999`."""
    if p is None:
        return "–"
    if p < 0.001:
        return "p < 0.001"
    return "p > 0.999" if p > 0.999 else f"p = {p:.3f}"


def count(value: float | None) -> str:
    """A whole number with thousands apart."""
    return "–" if value is None else f"{round(value):,}"


def percentage(rate: float | None, places: int = 0) -> str:
    """A share as a percentage."""
    return "–" if rate is None else number(rate * 100, places) + "%"
