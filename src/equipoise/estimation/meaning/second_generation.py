"""How much of an interval lies among the effects too small to matter."""

from equipoise.estimation.arrays import refuse
from equipoise.estimation.inference import Interval

__all__ = ["second_generation_p_value"]


def second_generation_p_value(interval: Interval, margin: float) -> float:
    """The share of an interval within the margin, pulled to a half where the interval is wide.

    Args:
        interval: of the effect, in the outcome's unit.
        margin: the smallest effect that matters, above 0, in the outcome's unit.
    Returns:
        0 where the data fit only effects that matter, 1 where they fit only effects that do not, and between
        them where they cannot tell; an interval more than twice as wide as the margin's gives 1/2 at most.
    Raises:
        DesignError: the margin is not above 0, or an interval without width.

    Blume, D'Agostino McGowan, Dupont & Greevy (2018), PLoS ONE 13:e0188299, eq. 1.
    """
    if not margin > 0:
        raise refuse("margin", f"is {margin:g}; expected a number above 0 in the outcome's unit.")
    width = interval.high - interval.low
    if not width > 0:
        raise refuse("interval", "has no width.")
    overlap = max(0.0, min(interval.high, margin) - max(interval.low, -margin))
    return overlap / width * max(width / (4 * margin), 1.0)
